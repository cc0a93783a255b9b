"""CAN FD through all that becomes of a capture: read, drawn, calibrated, searched for leaks."""

from functools import partial

import can
import numpy as np
import pytest

from kdgat.can.calibration_prefix import calibrated_blocks, inspect_prefixes
from kdgat.can.capture_tables import survey_captures
from kdgat.can.captures import CaptureFile
from kdgat.can.drawing import Drawing
from kdgat.can.drawn_windows import drawn_blocks
from kdgat.can.frames import MAX_DLC, payload
from kdgat.can.graph_store import concatenate
from kdgat.can.simulator import simulate_vehicle
from kdgat.can.splits import Cut, capture_graphs, split_blocks
from kdgat.can.vehicles import VEHICLES
from kdgat.leaks import leak_report
from kdgat.parameters import Guard, Injections, LeakLimits, ProfileDraw

CUT = Cut(window=50, stride=50, validation_share=0.3)
PROFILE = ProfileDraw(seconds=0.5, drop=0.35, short_share=0.7)
PLAN = Injections(
    seed=0,
    draws=1,
    validation_draws=1,
    share=1.0,
    pseudo_share=1.0,
    pseudo_vehicles=2,
    simulated_vehicles=1,
    held_out=[],
    held_out_rates=0.0,
    bitrate=500_000,
)
CAPTURES = {
    "train_01/free-aster": ("aster", True, False),
    "train_01/free-birch": ("birch", False, False),
    "train_02/dos-aster": ("aster", True, True),
    "test_01/dos-aster": ("aster", True, True),
}
"""Name -> car, whether it sends CAN FD, whether it is attacked."""


def write_candump(path, vehicle: str, seed: int, *, is_fd: bool, attacked: bool) -> None:
    """Write candump with the labels of CAN-MIRGU; every second frame of CAN FD has 12 bytes."""
    frames = simulate_vehicle(
        VEHICLES[vehicle],
        generator=np.random.default_rng(seed),
        duration=5.0,
        bitrate=500_000,
        start=0.0,
    )
    lines = []
    for number, (time, arbitration_id, dlc) in enumerate(
        frames[["timestamp", "arbitration_id", "dlc"]].itertuples(index=False)
    ):
        data = bytes(payload(frames)[number, :dlc].astype(np.uint8)).hex().upper()
        is_long = is_fd and dlc == MAX_DLC and number % 2 == 0
        text = f"##1{data}{number % 256:02X}AABBCC" if is_long else f"#{data}"
        attack = attacked and 2000 < number < 4000 and number % 10 == 0
        lines.append(f"({time:.6f}) can0 {arbitration_id:03X}{text} {int(attack)}\n")
    path.write_text("".join(lines))


@pytest.fixture(scope="module")
def captures(tmp_path_factory):
    folder = tmp_path_factory.mktemp("fd")
    readers = {}
    for seed, (name, (vehicle, is_fd, attacked)) in enumerate(CAPTURES.items()):
        path = folder / f"{name.replace('/', '-')}.log"
        write_candump(path, vehicle, seed, is_fd=is_fd, attacked=attacked)
        kind = "dos" if attacked else "attack_free"
        file = CaptureFile(name=name, path=path, vehicle=vehicle, attack_type=kind)
        readers[name] = partial(file, bad_row_share=0.0)
    return survey_captures(readers).captures


def test_long_frames_are_read_whole(captures):
    frames = captures["train_01/free-aster"]
    assert set(frames["dlc"]) >= {MAX_DLC, 12}
    long = frames[frames["dlc"] == 12]
    assert (long[["byte_9", "byte_10", "byte_11"]] == [0xAA, 0xBB, 0xCC]).all(axis=None)
    assert "byte_8" not in captures["train_01/free-birch"]


def test_features_see_the_first_eight_bytes_and_the_length(captures):
    frames = captures["train_01/free-aster"]
    whole = capture_graphs("train_01/a", frames, window=50, stride=50)
    other = frames.assign(byte_11=np.where(frames["dlc"] == 12, 0x11, frames["byte_11"]))
    same = capture_graphs("train_01/a", other, window=50, stride=50)
    np.testing.assert_array_equal(whole.x, same.x)
    shorter = frames.assign(dlc=np.minimum(frames["dlc"], MAX_DLC))
    changed = capture_graphs("train_01/a", shorter, window=50, stride=50)
    assert (whole.x != changed.x).any()


def test_every_split_is_built_and_nothing_leaks(captures):
    blocks: dict = {}
    guard = Guard(
        top_ratio=99.0,
        rare_ids=1.0,
        rate_ratio=99.0,
        early_share=1.0,
        steady_early_share=1.0,
        silence=1e9,
    )
    prefixes = inspect_prefixes(captures, PROFILE.seconds, guard, CUT)
    trained_on = captures.only([name for name in captures if name.startswith("train_")])
    for split, block in (
        *split_blocks(captures, CUT),
        *drawn_blocks(trained_on, trained_on.vehicles(), CUT, Drawing(PROFILE, PLAN)),
        *calibrated_blocks(captures, CUT, prefixes, with_profile=True),
    ):
        blocks.setdefault(split, []).append(block)
    stores = {split: concatenate(parts) for split, parts in blocks.items()}
    assert set(stores) == {
        *("train", "validation", "test", "calibrated_test", "drawn_train", "drawn_validation"),
    }
    drawn = stores["drawn_train"].captures
    assert any(name.startswith("train_01/free-birch+pseudo") for name in drawn)
    assert not any(name.startswith("train_01/free-aster+") for name in drawn)
    limits = LeakLimits(**dict.fromkeys(LeakLimits.model_fields, 1.0))
    report = leak_report(
        captures.items(),
        {split: stores[split] for split in ("train", "validation", "test")},
        build=partial(capture_graphs, window=50, stride=50),
        limits=limits,
    )
    figures = {row["check"]: row["figure"] for row in report if row["check"]}
    assert figures["shared_windows"] == figures["known_frames"] == 0


@pytest.mark.parametrize("suffix", [".blf", ".asc", ".db", ".csv"])
def test_what_python_can_writes_of_can_fd_becomes_the_same_graphs(tmp_path, suffix):
    """Lengths above 8 have codes in these formats; a reader may mistake the one for the other."""
    generator = np.random.default_rng(0)
    lengths = (8, 12, 16, 20, 24, 32, 48, 64, 3, 0)
    sent = [
        can.Message(
            timestamp=1.0 + number / 1000,
            arbitration_id=0x100 + number % len(lengths),
            is_extended_id=False,
            is_fd=lengths[number % len(lengths)] > MAX_DLC,
            channel=1,
            data=generator.integers(0, 256, lengths[number % len(lengths)]).astype(np.uint8),
        )
        for number in range(200)
    ]
    path = tmp_path / f"drive{suffix}"
    with can.Logger(str(path)) as logger:
        for message in sent:
            logger(message)
    capture = CaptureFile("train_01/drive", path, "unknown", "attack_free")(bad_row_share=0.0)
    assert capture.frames["dlc"].tolist() == [len(message.data) for message in sent]
    graphs = capture_graphs("train_01/drive", capture.frames, window=50, stride=50)
    assert len(graphs) == 4
    assert graphs.node_offsets.diff().tolist() == [10] * 4
