"""Captures to a saved store, against the plain Python reference of the tests.

python benchmarks/build_graphs.py --dataset <raw root>/hcrl_sa

Training captures, windows of 100 frames without overlap, CPU time. The reference turns a sample
of the same windows into graphs and is charged for nothing else: no reading, no writing.
"""

import sys
from pathlib import Path
from uuid import uuid4

from measure import cpu_seconds, dataset_folder, report, scratch, simulate

from kdgat.can.capture_folders import find_captures
from kdgat.can.captures import Capture, read_capture, write_canonical
from kdgat.can.profile import Profile
from kdgat.can.readers.plain_csv import write_capture
from kdgat.can.recording import Recording
from kdgat.can.repeats import content_hash, find_repeated
from kdgat.can.splits import Cut, capture_blocks
from kdgat.can.store_writer import StoreWriter
from kdgat.can.windows import window_starts

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests" / "reference"))
from graph_reference import reference_graph

WINDOW = 100
SAMPLE = 40
CUT = Cut(window=WINDOW, stride=WINDOW, validation_share=0.2)


def captures_of(folder: Path | None) -> dict:
    if folder is None:
        return {f"train_01/simulated-{seed}": simulate(300_000, seed) for seed in range(3)}
    paths = {k: path for k, path in find_captures(folder).items() if k.startswith("train_")}
    captures = {name: read_capture(path, 0.001)[0] for name, path in paths.items()}
    hashes = {name: content_hash(frames) for name, frames in captures.items()}
    repeated = {name for name, _ in find_repeated(hashes)}
    return {name: frames for name, frames in captures.items() if name not in repeated}


def write_store(files: dict[str, Path], folder: Path, profile: Profile | None = None) -> None:
    """Write a new file, as every run does: replacing one would be charged with removing it."""
    target, writer = folder / f"{uuid4()}.safetensors", None
    for name, path in files.items():
        frames, _ = read_capture(path, 0.001)
        starts = window_starts(len(frames), WINDOW, WINDOW)
        for block in capture_blocks(name, Recording.of(frames), starts, CUT, profile):
            writer = writer or StoreWriter(target, block)
            writer.add(block)
    with writer:
        writer.finish()


def reference(captures: dict) -> int:
    """Build every `SAMPLE`-th graph; return how many frames that was."""
    num_frames = 0
    for frames in captures.values():
        for start in window_starts(len(frames), WINDOW, WINDOW)[::SAMPLE]:
            reference_graph(frames.iloc[start : start + WINDOW])
            num_frames += WINDOW
    return num_frames


def main() -> None:
    captures = captures_of(dataset_folder(__doc__))
    num_frames = sum(map(len, captures.values()))
    print(f"{len(captures)} captures, {num_frames:,} frames")
    with scratch() as folder:
        parquet, text = {}, {}
        for number, (name, frames) in enumerate(captures.items()):
            parquet[name] = folder / f"{number}.parquet"
            text[name] = folder / f"{number}.csv"
            scenario = name.split("/")[0]
            about = Capture(name, scenario, "", "", frames, frames.iloc[:0])
            write_canonical(about, parquet[name])
            write_capture(frames, text[name])
        slow = reference(captures) / cpu_seconds(lambda: reference(captures)) / 1e6
        profile = Profile.empty().update(next(iter(captures.values()))).end_recording()
        for what, files, against in (
            ("Parquet to saved store", parquet, None),
            ("CSV to saved store", text, None),
            ("Parquet to saved store, with a profile", parquet, profile),
        ):
            seconds = cpu_seconds(lambda f=files, p=against: write_store(f, folder, p))
            fast = num_frames / seconds / 1e6
            report(what, fast, "M frames/s", "Python reference", slow, fast / slow)


if __name__ == "__main__":
    main()
