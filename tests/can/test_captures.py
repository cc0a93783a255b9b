"""Finding, reading and writing captures."""

import gzip
import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kdgat.can.captures import find_captures, read_capture
from kdgat.can.frames import ABSENT, FRAME_COLUMNS, frame_table, payload
from kdgat.can.readers.plain_csv import write_capture
from kdgat.can.repeats import content_hash, find_repeated
from kdgat.errors import DataError, ParameterError

HEADER = "timestamp,arbitration_id,data_field,attack\n"
GOOD = "1513920459.745822,2C0,1400,0\n"


def written(folder: Path, text: str | bytes, name: str = "capture.csv") -> Path:
    path = folder / name
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    return path


def test_a_clock_that_does_not_run_on_is_named(tmp_path, caplog):
    path = tmp_path / "drive.log"
    times = (1.0, 2.0, 1.5, 1.75, 601.75, 1201.75)
    path.write_text("".join(f"({time}) can0 123#00\n" for time in times))
    read_capture(path, bad_row_share=0.0)
    back, ahead = (record.getMessage() for record in caplog.records)
    assert "drive.log: timestamps step back 1 times, first by 0.500000 s at frame 2;" in back
    assert "step ahead by over 10 s 2 times, first by 600.0 s at frame 4" in ahead


def test_rows_are_read_as_written(tmp_path):
    path = written(tmp_path, HEADER + GOOD + "1.5,1fffffff,,1\r\n1.25,000,00FFabCD01020304,0\n\n\n")
    frames, bad_rows = read_capture(path, bad_row_share=0.0)
    assert {name: str(dtype) for name, dtype in frames.dtypes.items()} == FRAME_COLUMNS
    assert frames["timestamp"].tolist() == [1513920459.745822, 1.5, 1.25]
    assert frames["arbitration_id"].tolist() == [0x2C0, 2**29 - 1, 0]
    assert frames["dlc"].tolist() == [2, 0, 8]
    assert frames["attack"].tolist() == [0, 1, 0]
    assert payload(frames).tolist() == [
        [0x14, 0, *[ABSENT] * 6],
        [ABSENT] * 8,
        [0, 255, 0xAB, 0xCD, 1, 2, 3, 4],
    ]
    assert bad_rows.empty


def test_columns_may_stand_in_any_order_beside_others(tmp_path):
    path = written(tmp_path, "attack,bus,data_field,timestamp,arbitration_id\n1,can0,FF,2.5,1a\n")
    frames, _ = read_capture(path, bad_row_share=0.0)
    assert frames[["timestamp", "arbitration_id", "dlc", "byte_0", "attack"]].iloc[0].tolist() == [
        2.5,
        0x1A,
        1,
        255,
        1,
    ]


BAD_ROWS = {
    "1.0,2C0,00": "wrong number of fields",
    "1.0,2C0,00,0,9": "wrong number of fields",
    "": "wrong number of fields",
    "soon,2C0,00,0": "timestamp is not a finite number",
    "nan,2C0,00,0": "timestamp is not a finite number",
    "1e400,2C0,00,0": "timestamp is not a finite number",
    ",2C0,00,0": "timestamp is not a finite number",
    "1.0,,00,0": "arbitration_id is not",
    "1.0,0x2C0,00,0": "arbitration_id is not",
    "1.0,1456,00,0": "arbitration_id is decimal",
    "timestamp,arbitration_id,data_field,attack": "the header is repeated",
    "1.0,2C0,0\0,0": "the row holds NUL bytes",
    "1.0,20000000,00,0": "arbitration_id is not",
    "1.0,000000001,00,0": "arbitration_id is not",
    "1.0,2C0,0,0": "data_field is not",
    "1.0,2C0,0G,0": "data_field is not",
    "1.0,2C0,00\t,0": "data_field is not",
    "1.0,2C0,001122334455667788,0": "data_field is not",
    "1.0,2C0,é,0": "data_field is not",
    '1.0,2C0,"00",0': "data_field is not",
    "1.0,2C0,00,2": "attack is neither 0 nor 1",
    "1.0,2C0,00,": "attack is neither 0 nor 1",
    "1.0,2C0,00,R": "attack is neither 0 nor 1",
    "1.0,2C0,00,0.0": "attack is neither 0 nor 1",
}


@pytest.mark.parametrize("row", BAD_ROWS)
def test_a_malformed_row_is_named_with_its_line(tmp_path, row):
    path = written(tmp_path, HEADER + GOOD + row + "\n" + GOOD)
    with pytest.raises(DataError) as refusal:
        read_capture(path, bad_row_share=0.0)
    message = str(refusal.value)
    assert f"{path}, line 3: {BAD_ROWS[row]}" in message
    assert f"found {row!r}" in message
    assert "1 of 3 (33.333%), allowed: 0.000%" in message
    frames, bad_rows = read_capture(path, bad_row_share=0.34)
    assert len(frames) == 2
    assert bad_rows[["line", "text"]].values.tolist() == [[3, row]]


def test_malformed_rows_are_listed_in_file_order(tmp_path):
    lines = [row + "\n" + GOOD for row in BAD_ROWS]
    path = written(tmp_path, HEADER + "".join(lines))
    frames, bad_rows = read_capture(path, bad_row_share=0.5)
    assert len(frames) == len(BAD_ROWS)
    assert bad_rows["line"].tolist() == list(range(2, 2 + 2 * len(BAD_ROWS), 2))
    assert bad_rows["text"].tolist() == list(BAD_ROWS)
    for found, expected in zip(bad_rows["reason"], BAD_ROWS.values(), strict=True):
        assert found.startswith(expected)


def test_lines_are_counted_in_files_of_many_blocks(tmp_path):
    rows = [GOOD] * 100_000
    rows[70_000] = "1,2\n"
    rows[90_000] = "1.0,2C0,0,0\n"
    _, bad_rows = read_capture(written(tmp_path, HEADER + "".join(rows)), bad_row_share=0.1)
    assert bad_rows["line"].tolist() == [70_002, 90_002]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "is empty; expected one of parquet"),
        ("\n\n", "is empty"),
        (HEADER, "holds a header and no frame"),
        ("timestamp,id,data_field\n1,2,3\n", "line 1: no column arbitration_id, attack; found"),
        (b"\x7fELF\x02\x01\x00\xff\xfe\n\x00", "is a binary file of no known format"),
        (b"\xff\xfe" + HEADER.encode("utf-16-le"), "is UTF-16 text: convert it to UTF-8"),
        ("seconds;number\n1;2\n", "line 1: found 'seconds;number', which begins none of"),
        (HEADER.encode() + b"\x00\xff\xfe,\x80\n", "line 2: the row holds NUL bytes"),
        (HEADER.encode() + b"\xff\xfe,\x80\n", "line 2: wrong number of fields"),
        (HEADER + "1.0,2C0,zz,0\n", "1 of 1"),
    ],
)
def test_an_unusable_file_is_refused(tmp_path, text, said):
    path = written(tmp_path, text)
    with pytest.raises(DataError, match=re.escape(said)) as refusal:
        read_capture(path, bad_row_share=1.0)
    assert str(path) in str(refusal.value)


def test_a_broken_gzip_file_is_refused(tmp_path):
    raw = gzip.compress(HEADER.encode() * 9)[:-9]
    with pytest.raises(DataError, match="cannot be read"):
        read_capture(written(tmp_path, raw, "capture.csv.gz"), bad_row_share=0.0)


def test_the_last_line_may_lack_its_end_but_not_its_fields(tmp_path):
    whole, _ = read_capture(written(tmp_path, HEADER + GOOD + GOOD.strip()), bad_row_share=0.0)
    assert len(whole) == 2
    cut = written(tmp_path, HEADER + GOOD * 9 + "1513920459.74,2C0")
    frames, bad_rows = read_capture(cut, bad_row_share=0.2)
    assert len(frames) == 9
    assert bad_rows["reason"].tolist() == ["the last line is cut off"]


def test_a_byte_order_mark_and_windows_line_ends_are_no_matter(tmp_path):
    text = b"\xef\xbb\xbf" + (HEADER + GOOD * 2).replace("\n", "\r\n").encode()
    frames, bad_rows = read_capture(written(tmp_path, text), bad_row_share=0.0)
    assert len(frames) == 2
    assert bad_rows.empty


def test_an_overlong_row_is_kept_short(tmp_path):
    path = written(tmp_path, HEADER + GOOD + "0" * 3_000_000)
    _, bad_rows = read_capture(path, bad_row_share=0.5)
    assert bad_rows["text"].str.len().tolist() == [200]


def test_many_digits_and_exponents_give_the_nearest_number(tmp_path):
    texts = ["1513920459.745822000", "1.5e3", "0.1234567890123456789", "-2.25", "1478198376.389427"]
    rows = "".join(f"{text},2C0,00,0\n" for text in texts)
    frames, _ = read_capture(written(tmp_path, HEADER + rows), bad_row_share=0.0)
    assert frames["timestamp"].tolist() == [float(text) for text in texts]


def test_8_digits_make_an_id_extended(tmp_path):
    rows = "1.0,000002C0,00,0\n1.0,2C0,00,0\n1.0,18FEF1,00,0\n"
    frames, _ = read_capture(written(tmp_path, HEADER + rows), bad_row_share=0.0)
    assert frames["arbitration_id"].tolist() == [0x2C0, 0x2C0, 0x18FEF1]
    assert frames["is_extended"].tolist() == [True, False, True]


def test_what_csv_cannot_say_is_not_written(tmp_path):
    nothing = np.full((1, 8), ABSENT, np.int16)
    one = np.ones(1, int)
    remote = frame_table(one, one, one, nothing, one, is_remote=np.ones(1, bool))
    with pytest.raises(DataError, match="no remote and no CAN FD frames"):
        write_capture(remote, tmp_path / "x.csv")


def test_a_missing_file_is_refused(tmp_path):
    with pytest.raises(DataError, match="cannot be read"):
        read_capture(tmp_path / "none.csv", bad_row_share=0.0)


@st.composite
def frame_tables(draw) -> pd.DataFrame:
    num_frames = draw(st.integers(1, 12))
    dlc = np.array(draw(st.lists(st.integers(0, 8), min_size=num_frames, max_size=num_frames)))
    generator = np.random.default_rng(draw(st.integers(0, 2**32)))
    values = generator.integers(0, 256, (num_frames, 8)).astype(np.int16)
    values[np.arange(8) >= dlc[:, None]] = ABSENT
    return frame_table(
        timestamp=generator.integers(0, 2 * 10**15, num_frames) / 1e6,
        arbitration_id=generator.integers(0, 2 ** draw(st.integers(1, 29)), num_frames),
        dlc=dlc,
        payload=values,
        attack=generator.integers(0, 2, num_frames),
    )


@settings(max_examples=50, deadline=None)
@given(frames=frame_tables(), suffix=st.sampled_from([".csv", ".csv.gz"]))
def test_what_is_written_is_read_back(tmp_path_factory, frames, suffix):
    path = tmp_path_factory.mktemp("round_trip") / f"capture{suffix}"
    write_capture(frames, path)
    again, bad_rows = read_capture(path, bad_row_share=0.0)
    pd.testing.assert_frame_equal(again, frames)
    assert bad_rows.empty
    first = path.read_bytes()
    write_capture(frames, path)
    assert path.read_bytes() == first
    assert [x.name for x in path.parent.iterdir()] == [path.name]


def test_captures_are_found_and_sorted(tmp_path):
    for name in ("train_02_b/x.csv.gz", "train_01_a/y.csv", "test_01_a/x.csv", "notes/z.csv"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    (tmp_path / "train_01_a" / "README.md").touch()
    (tmp_path / "train_01_a" / "folder.csv").mkdir()
    captures = find_captures(tmp_path)
    assert list(captures) == ["test_01_a/x", "train_01_a/y", "train_02_b/x"]
    assert captures["train_02_b/x"] == tmp_path / "train_02_b" / "x.csv.gz"


def test_a_folder_that_no_metric_can_be_named_after_is_refused(tmp_path):
    for folder in ("train_01", "test_Ä (neu), 50%"):
        (tmp_path / folder).mkdir()
        written(tmp_path / folder, HEADER + GOOD)
    with pytest.raises(DataError, match="is no name of a scenario: after train_ or test_ letters"):
        find_captures(tmp_path)


def test_a_scenario_named_like_the_calibrated_figures_of_another_is_refused(tmp_path):
    for folder in ("train_01", "test_01", "test_01_calibrated"):
        (tmp_path / folder).mkdir()
        written(tmp_path / folder, HEADER + GOOD)
    with pytest.raises(DataError, match="test_01_calibrated would bear the name of another's"):
        find_captures(tmp_path)


def test_an_unknown_dataset_names_those_beside_it(tmp_path):
    (tmp_path / "set_01").mkdir()
    (tmp_path / "hcrl_sa").mkdir()
    with pytest.raises(DataError, match="datasets beside it: hcrl_sa, set_01"):
        find_captures(tmp_path / "set_99")
    with pytest.raises(DataError, match="datasets beside it: none"):
        find_captures(tmp_path / "no" / "set_99")


def test_both_training_and_test_are_needed(tmp_path):
    (tmp_path / "test_01_a").mkdir()
    (tmp_path / "test_01_a" / "x.csv").touch()
    with pytest.raises(DataError, match=r"no train_\* scenario"):
        find_captures(tmp_path)
    (tmp_path / "test_01_a").rename(tmp_path / "train_01_a")
    with pytest.raises(DataError, match=r"no test_\* scenario"):
        find_captures(tmp_path)


def test_a_capture_both_plain_and_compressed_is_refused(tmp_path):
    (tmp_path / "train_01_a").mkdir()
    for name in ("x.csv", "x.csv.gz"):
        (tmp_path / "train_01_a" / name).touch()
    with pytest.raises(DataError, match="train_01_a/x twice"):
        find_captures(tmp_path)


def test_the_real_training_captures_repeat_two(real_captures):
    paths = find_captures(real_captures / "hcrl_sa")
    captures = {
        name: read_capture(path, bad_row_share=0.0)[0]
        for name, path in paths.items()
        if name.startswith("train_")
    }
    assert sum(map(len, captures.values())) == 936_949
    assert len(set().union(*(frames["arbitration_id"] for frames in captures.values()))) == 2_048
    hashes = {name: content_hash(frames) for name, frames in captures.items()}
    assert find_repeated(hashes) == [
        ("train_02_with_attacks/attack-free-kia", "train_01_attack_free/attack-free-kia"),
        ("train_02_with_attacks/attack-free-sonata", "train_01_attack_free/attack-free-sonata"),
    ]


def test_the_one_malformed_row_of_set_03_is_set_aside(real_captures):
    path = find_captures(real_captures / "set_03")["train_02_with_attacks/fuzzing-3"]
    frames, bad_rows = read_capture(path, bad_row_share=0.001)
    assert len(frames) == 296_364
    assert bad_rows["line"].tolist() == [19]
    with pytest.raises(DataError, match=r"fuzzing-3.csv.gz, line 19: data_field"):
        read_capture(path, bad_row_share=0.0)


@pytest.mark.parametrize("share", [float("nan"), -0.1, 1.1])
def test_a_share_of_bad_rows_is_a_share(tmp_path, share):
    path = written(tmp_path, HEADER + GOOD)
    with pytest.raises(ParameterError, match=r"bad_row_share is .*: 0 to 1"):
        read_capture(path, bad_row_share=share)
