"""Bad inputs, and what kdgat says to each: the table in docs/data.md.

python tests/reference/bad_inputs.py      writes the table anew
"""

import gzip
import hashlib
import logging
import tempfile
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import can
import numpy as np

from kdgat.can.captures import CaptureFile, open_captures
from kdgat.can.declarations import ATTACK_FREE, Labels, read_declaration
from kdgat.can.frames import frame_table
from kdgat.can.readers.parquet import write_parquet
from kdgat.can.repeats import content_hash, find_repeated
from kdgat.can.splits import Cut, deal_windows
from kdgat.errors import DataError

PAGE = Path(__file__).resolve().parents[2] / "docs" / "data.md"
BEGIN = "<!-- bad inputs, written by `python tests/reference/bad_inputs.py`: begin -->"
END = "<!-- bad inputs: end -->"

ALLOWED = 0.001
"""Default of `data_processing.bad_row_share`."""

HEADER = "timestamp,arbitration_id,data_field,attack\n"
ROWS = [f"{1 + number / 1000:.3f},2c0,00ff,0\n" for number in range(2000)]
CANDUMP = [f"({1 + number / 1000:.6f}) can0 2C0#00FF\n" for number in range(2000)]
HCRL = [f"{1 + number / 1000:.6f},02c0,2,00,ff,R\n" for number in range(2000)]
HCRL_TEXT = [
    f"Timestamp: {1 + number / 1000:>16.6f}        ID: 02c0    000    DLC: 2    00 ff\n"
    for number in range(2000)
]
DECLARATION = """title: My car
source: https://example.org/my-car
layout: captures at <scenario>/<capture>.csv
licence: CC BY 4.0
citation: A. Author, My car, 2026
formats: [csv]
labels: {source: rows}
"""

Case = Callable[[Path], object]
"""Prepares an input in a folder and reads it."""

CASES: list[tuple[str, Case]] = []


def case(what: str) -> Callable[[Case], Case]:
    """Enter a function as the case of an input."""

    def enter(function: Case) -> Case:
        CASES.append((what, function))
        return function

    return enter


def read(folder: Path, contents: str | bytes, name: str = "drive.csv", **options) -> object:
    """Write a file and read it as a capture of a dataset."""
    path = folder / name
    path.write_bytes(contents.encode() if isinstance(contents, str) else contents)
    options = {"vehicle": "unknown", "attack_type": ATTACK_FREE, **options}
    return CaptureFile(name="train_01/drive", path=path, **options)(ALLOWED)


def row(what: str, bad: str, good: list[str] = ROWS, header: str = HEADER) -> None:
    """Enter a malformed row as line 3 of a file whose other rows are fine."""
    text = "".join([header, good[0], bad, *good[1:]])
    CASES.append((what, lambda folder: read(folder, text)))


@case("empty file")
def _empty(folder: Path) -> object:
    return read(folder, "")


@case("header and nothing else")
def _header_only(folder: Path) -> object:
    return read(folder, HEADER)


@case("a column is missing")
def _no_column(folder: Path) -> object:
    return read(folder, "timestamp,arbitration_id,data_field\n1.0,2c0,00ff\n")


@case("text of no known format")
def _unknown_text(folder: Path) -> object:
    return read(folder, "seconds;number\n1;2\n")


@case("binary file named .csv")
def _binary(folder: Path) -> object:
    return read(folder, b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR")


@case("log of another format named .csv")
def _misnamed(folder: Path) -> object:
    return read(folder, "".join(CANDUMP))


@case("CRLF at the ends of lines")
def _crlf(folder: Path) -> object:
    return read(folder, "".join([HEADER, *ROWS]).replace("\n", "\r\n"))


@case("byte order mark")
def _mark(folder: Path) -> object:
    return read(folder, "".join(["\ufeff", HEADER, *ROWS]))


@case("UTF-16")
def _utf_16(folder: Path) -> object:
    return read(folder, "".join([HEADER, *ROWS]).encode("utf-16"))


row("fields missing or too many", "1.0005,2c0,00ff\n")
row("blank line", "\n")
row("timestamp no number", "noon,2c0,00ff,0\n")
row("timestamp infinite", "inf,2c0,00ff,0\n")
row("ID no hexadecimal number", "1.0005,2g0,00ff,0\n")
row("ID with 0x", "1.0005,0x2c0,00ff,0\n")
row("ID of 2^29 or more", "1.0005,20000000,00ff,0\n")
row("decimal among hexadecimal IDs (4 digits, 1000 to 2047)", "1.0005,1072,00ff,0\n")
row("odd number of digits", "1.0005,2c0,00f,0\n")
row("more than 8 bytes", "1.0005,2c0,000102030405060708,0\n")
row("label neither 0 nor 1", "1.0005,2c0,00ff,2\n")
row("NUL bytes", "1.0005,2c0,\0\0\0\0,0\n")
row("header repeated", HEADER)
row("DLC against data (`hcrl_csv`)", "1.000500,02c0,3,00,ff,R\n", HCRL, HCRL[0])
row("label not R or T (`hcrl_csv`)", "1.000500,02c0,2,00,ff,X\n", HCRL, HCRL[0])
row(
    "DLC against data (`hcrl_text`)",
    HCRL_TEXT[0].replace("DLC: 2", "DLC: 1"),
    HCRL_TEXT,
    HCRL_TEXT[0],
)
row("9 bytes without CAN FD (`candump`)", "(1.000500) can0 2C0#000102030405060708\n", CANDUMP, "")
row("length that CAN FD has not (`candump`)", f"(1.0005) can0 2C0##1{'00' * 13}\n", CANDUMP, "")


@case("last line cut off")
def _cut_off(folder: Path) -> object:
    return read(folder, "".join([HEADER, *ROWS, "3.0,2c"]))


@case("row that python-can cannot parse (`asc`)")
def _asc(folder: Path) -> object:
    head = "date Thu Jan 1 00:00:00 2026\nbase hex timestamps absolute\n"
    rows = [f"   {1 + n / 1000:.6f} 1  2c0  Rx   d 2 00 FF\n" for n in range(2000)]
    bad = "   1.000500 1  2c0  Rx   d 2 00 QQ\n"
    return read(folder, "".join([head, rows[0], bad, *rows[1:]]), "drive.asc")


@case("more malformed rows than allowed")
def _too_many(folder: Path) -> object:
    return read(folder, "".join([HEADER, *ROWS[:100], "noon,2c0,00ff,0\n"]))


@case("timestamps that step back")
def _steps_back(folder: Path) -> object:
    return read(folder, "".join([HEADER, *ROWS[100:], *ROWS[:100]]))


@case("a pause of the recording")
def _pause(folder: Path) -> object:
    later = [f"{float(line.split(',', 1)[0]) + 600.0:.6f},{line.split(',', 1)[1]}" for line in ROWS]
    return read(folder, "".join([HEADER, *ROWS[:100], *later[100:]]))


@case("error frames (`candump`)")
def _error_frames(folder: Path) -> object:
    error = "(1.000500) can0 20000004#0001000000000000\n"
    return read(folder, "".join([CANDUMP[0], error, *CANDUMP[1:]]), "drive.log")


@case("error frames alone")
def _only_errors(folder: Path) -> object:
    return read(folder, "(1.000500) can0 20000004#0001000000000000\n", "drive.log")


@case("attack capture of a format without labels")
def _no_labels(folder: Path) -> object:
    return read(folder, "".join(CANDUMP), "drive.log", attack_type="dos")


@case("attack capture of which no row is labelled")
def _no_attack(folder: Path) -> object:
    return read(folder, "".join([HEADER, *ROWS]), attack_type="dos")


@case("gz cut off")
def _gzip(folder: Path) -> object:
    return read(folder, gzip.compress("".join([HEADER, *ROWS]).encode(), mtime=0)[:-50])


@case("zip of several files")
def _zip(folder: Path) -> object:
    path = folder / "two.zip"
    with zipfile.ZipFile(path, "w") as file:
        file.writestr("a.csv", HEADER)
        file.writestr("b.csv", HEADER)
    return read(folder, path.read_bytes(), "drive.zip")


@case("BLF cut off")
def _blf(folder: Path) -> object:
    path = folder / "whole.blf"
    with can.BLFWriter(path) as writer:
        for number in range(100):
            writer(can.Message(timestamp=number, arbitration_id=0x2C0, data=bytes(8)))
    return read(folder, path.read_bytes()[:200], "drive.blf")


@case("Parquet damaged")
def _parquet(folder: Path) -> object:
    write_parquet(frames_of(200), folder / "whole.parquet", about={})
    return read(folder, (folder / "whole.parquet").read_bytes()[:-20], "drive.parquet")


@case("another format than declared")
def _declared_format(folder: Path) -> object:
    return read(folder, "".join(CANDUMP), "drive.log", formats=("csv",))


@case("another file than declared (SHA-256)")
def _checksum(folder: Path) -> object:
    return read(folder, HEADER, checksum=hashlib.sha256(b"another").hexdigest())


def _labelled_by(folder: Path, rows: str, source: str = "intervals") -> object:
    intervals = folder / "episodes.csv"
    intervals.write_text(f"capture,start,end,arbitration_ids\n{rows}")
    labels = Labels(source=source, intervals="episodes.csv")
    about = {"attack_type": "dos", "labels": labels, "intervals": intervals}
    return read(folder, "".join(CANDUMP), "drive.log", **about)


@case("attack capture without a declared interval")
def _no_interval(folder: Path) -> object:
    return _labelled_by(folder, "")


@case("interval that ends before it starts")
def _reversed_interval(folder: Path) -> object:
    return _labelled_by(folder, "drive,1.5,1.0,any\n")


@case("interval that no frame is part of")
def _empty_interval(folder: Path) -> object:
    return _labelled_by(folder, "drive,1.0,1.5,any\ndrive,2e9,2.1e9,any\n")


@case("attack capture whose rows have no labels, where its dataset declares them")
def _no_labels(folder: Path) -> object:
    return _labelled_by(folder, "drive,1.0,1.5,any\n", source="rows")


@case("dataset that is not there, undeclared")
def _undeclared(folder: Path) -> object:
    (folder / "hcrl_sa").mkdir()
    return open_captures(folder / "my_car", declared=("hcrl_sa", "road"))


@case("dataset that is not there, declared")
def _missing(folder: Path) -> object:
    return open_captures(folder / "my_car", declared_as(folder, DECLARATION))


@case("dataset without a test scenario")
def _no_test(folder: Path) -> object:
    (folder / "train_01").mkdir()
    (folder / "train_01" / "drive.csv").touch()
    return open_captures(folder)


@case("folder of a scenario that no metric can be named after")
def _odd_folder(folder: Path) -> object:
    (folder / "test_01 (new)").mkdir()
    (folder / "test_01 (new)" / "drive.csv").touch()
    return open_captures(folder)


@case("capture both plain and compressed")
def _twice(folder: Path) -> object:
    (folder / "train_01").mkdir()
    for name in ("drive.csv", "drive.csv.gz"):
        (folder / "train_01" / name).touch()
    return open_captures(folder)


@case("declaration: unknown key")
def _unknown_key(folder: Path) -> object:
    return declared_as(folder, DECLARATION + "vehicle: kia\n")


@case("declaration: missing key")
def _missing_key(folder: Path) -> object:
    return declared_as(folder, DECLARATION.replace("title: My car\n", ""))


@case("declaration: unknown format")
def _unknown_format(folder: Path) -> object:
    return declared_as(folder, DECLARATION.replace("[csv]", "[csw]"))


@case("declaration: not YAML")
def _not_yaml(folder: Path) -> object:
    return declared_as(folder, "title: [")


@case("test capture that repeats training")
def _repeated(folder: Path) -> object:
    content = content_hash(frames_of(200))
    return find_repeated({"train_01/drive": content, "test_01/drive": content})


@case("capture shorter than a window")
def _short(folder: Path) -> object:
    return deal_windows("train_01/drive", frames_of(60), Cut(100, 100, 0.2))


@case("capture too short to be split")
def _unsplit(folder: Path) -> object:
    return deal_windows("train_01/drive", frames_of(250), Cut(100, 100, 0.2))


def frames_of(number: int):
    """Frames of one ID, a ms apart."""
    return frame_table(
        timestamp=1 + np.arange(number) / 1000,
        arbitration_id=np.full(number, 0x2C0),
        dlc=np.full(number, 8),
        payload=np.zeros((number, 8), np.int16),
        attack=np.zeros(number, np.uint8),
    )


def declared_as(folder: Path, text: str):
    """Write a declaration and read it."""
    path = folder / "my_car.yml"
    path.write_text(text)
    return read_declaration(path)


@contextmanager
def said() -> Iterator[list[str]]:
    """Collect what is logged about captures."""
    sentences: list[str] = []
    handler = logging.Handler()
    handler.emit = lambda record: sentences.append(record.getMessage())
    logger = logging.getLogger("kdgat.can")
    level = logger.level
    logger.addHandler(handler)
    logger.setLevel(logging.INFO)
    try:
        yield sentences
    finally:
        logger.removeHandler(handler)
        logger.setLevel(level)


def outcome(read_case: Case, folder: Path) -> tuple[str, str]:
    """Read a case: what happens, and the sentence, with the folder left out of it."""
    with said() as sentences:
        try:
            found = read_case(folder)
        except DataError as error:
            return "refused", str(error).replace(f"{folder}/", "").replace(str(folder), "my_car")
    bad = len(found.bad_rows)
    return "row left out" if bad else "read", " ".join(sentences)


def table() -> str:
    """Lay out every case, what happens and the sentence, as Markdown."""
    lines = ["| bad input | what happens | sentence |", "|---|---|---|"]
    for what, read_case in CASES:
        with tempfile.TemporaryDirectory() as folder:
            happens, sentence = outcome(read_case, Path(folder))
        shown = sentence.replace("|", "\\|").replace("\0", "\\0")
        lines.append(f"| {what} | {happens} | {f'`{shown}`' if shown else ''} |")
    return "\n".join(lines)


def main() -> None:
    """Write the table into its place in docs/data.md."""
    before, rest = PAGE.read_text().split(BEGIN)
    _, after = rest.split(END)
    PAGE.write_text(f"{before}{BEGIN}\n\n{table()}\n\n{END}{after}")


if __name__ == "__main__":
    main()
