"""Every check passes on clean data and fails on the leak that it is there for."""

from functools import partial

import numpy as np
import pandas as pd
import pytest
import torch
from memory_splits import build_splits

from kdgat.can.captures import find_captures, read_capture
from kdgat.can.frames import frame_table
from kdgat.can.graph_store import GraphStore, concatenate
from kdgat.can.repeats import content_hash, find_repeated
from kdgat.can.splits import capture_graphs
from kdgat.leaks import CHECKS, leak_page, leak_report, refusal, remarks
from kdgat.leaks.traces import both_fingerprints
from kdgat.parameters import LeakLimits

WINDOW = 50
NUM_FRAMES = 6000
FREE = [f"train_01_attack_free/drive-{number}" for number in range(3)]
ATTACKED = [f"train_02_with_attacks/spoofing-{number}" for number in range(3)]
TEST = "test_01_known_vehicle_known_attack/spoofing-3"
LIMITS = LeakLimits(
    shared_windows=0.0,
    close_windows=0.0,
    known_frames=0.01,
    retimed_frames=0.5,
    position=0.9,
    shuffled_labels=4.0,
    bag_of_ids=0.9,
    file_timestamps=0.9,
    file_features=0.9,
)
build = partial(capture_graphs, window=WINDOW, stride=WINDOW)


def drive(seed: int, *, attacked: bool) -> pd.DataFrame:
    """Random traffic of ten IDs; in some stretches of an attacked one, one of them is spoofed."""
    generator = np.random.default_rng(seed)
    num_frames = NUM_FRAMES + 300 * seed
    arbitration_id = generator.integers(0x100, 0x10A, num_frames)
    stretch = np.resize(np.repeat(generator.permutation([0, 1, 0, 1, 0]), 1000), num_frames)
    attack = (generator.random(num_frames) < 0.1 * stretch) & attacked
    arbitration_id[attack] = 0x101
    return frame_table(
        timestamp=np.cumsum(generator.integers(200, 900, num_frames)) / 1e6,
        arbitration_id=arbitration_id,
        dlc=np.full(num_frames, 8),
        payload=generator.integers(0, 256, (num_frames, 8)).astype(np.int16),
        attack=attack.astype(np.int64),
    )


@pytest.fixture
def captures() -> dict[str, pd.DataFrame]:
    names = [*FREE, *ATTACKED, TEST]
    return {name: drive(seed, attacked=name not in FREE) for seed, name in enumerate(names)}


def split(captures: dict[str, pd.DataFrame]) -> dict[str, GraphStore]:
    return build_splits(captures, window=WINDOW, stride=WINDOW, validation_share=0.25)


def report_on(captures, stores=None, **options) -> list[dict]:
    """Make the report of captures, split as the pipeline does unless stores are given."""
    options = {"build": build, "limits": LIMITS, **options}
    return leak_report(captures.items(), stores or split(captures), **options)


def failed(report: list[dict]) -> set[str]:
    return {row["check"] for row in report if row["verdict"] == "failed"}


def figures(report: list[dict], check: str) -> list[float | None]:
    return [row["figure"] for row in report if row["check"] == check]


def split_at_random(captures, stores, build=build) -> dict[str, GraphStore]:
    """Split as the forerunner did: windows dealt at random."""
    graphs = concatenate(
        [build(name, frames) for name, frames in captures.items() if name.startswith("train_")]
    )
    order = np.random.default_rng(0).permutation(len(graphs))
    held_out = len(graphs) // 5
    train, validation = np.sort(order[held_out:]), np.sort(order[:held_out])
    return {**stores, "train": graphs.subset(train), "validation": graphs.subset(validation)}


def test_clean_data_passes_every_check(captures):
    report = report_on(captures)
    assert {row["check"] for row in report if row["verdict"] == "passed"} == set(CHECKS)
    assert failed(report) == set()
    assert refusal(report) is None


def test_report_repeats(captures):
    assert report_on(captures) == report_on(captures)


@pytest.mark.parametrize("target", ["validation", "test"])
def test_windows_of_train_in_another_split(captures, target):
    stores = split(captures)
    twins = stores["train"].subset(range(10))
    stores[target] = concatenate([stores[target], twins])
    report = report_on(captures, stores)
    assert "shared_windows" in failed(report)
    place = {"validation": 0, "test": 1}[target]
    assert figures(report, "shared_windows")[place] == 10 / len(stores[target])


def test_one_changed_bit_makes_another_window(captures):
    stores = split(captures)
    x = stores["train"].subset([0]).x.clone()
    x[0, 0] += 1e-3
    other = GraphStore(**{**vars(stores["train"].subset([0])), "x": x})
    stores["test"] = concatenate([stores["test"], other])
    assert figures(report_on(captures, stores), "shared_windows")[1] == 0


@pytest.fixture
def one_car(captures) -> dict[str, pd.DataFrame]:
    return {name: captures[name] for name in (ATTACKED[0], TEST)}


def test_a_random_split_is_too_close_and_told_by_position(one_car):
    report = report_on(one_car, split_at_random(one_car, split(one_car)))
    assert {"close_windows", "position"} <= failed(report)
    assert figures(report, "close_windows")[0] > 0.9


def test_a_gap_of_less_than_a_window_is_too_close(captures):
    stores = split({name: captures[name] for name in [*ATTACKED, TEST]})
    graphs = build(ATTACKED[0], captures[ATTACKED[0]])
    for gap, close in ((1, 0.0), (0, 0.05)):
        stores["train"] = graphs.subset(range(60))
        stores["validation"] = graphs.subset(range(60 + gap, 80 + gap))
        assert figures(report_on(captures, stores), "close_windows") == [close]


def test_half_a_training_capture_in_test_under_another_name(captures):
    first, second = captures[TEST].iloc[:3007], later(captures[FREE[0]].iloc[:3000], 7.0)
    captures[TEST] = pd.concat([first, second], ignore_index=True)
    report = report_on(captures)
    assert failed(report) == {"known_frames"}
    assert figures(report, "known_frames")[1] == pytest.approx(0.5, abs=0.05)
    assert [row["note"] for row in report if row["check"] == "known_frames"][1] == TEST


def later(frames: pd.DataFrame, seconds: float) -> pd.DataFrame:
    return frames.assign(timestamp=frames["timestamp"] + seconds)


def test_a_training_capture_with_an_attack_spliced_in_is_known_in_validation(captures):
    frames = captures[ATTACKED[0]].iloc[1013:].reset_index(drop=True)
    frames.loc[::40, "arbitration_id"] = np.uint32(0x101)
    captures["train_02_with_attacks/again"] = frames
    report = report_on(captures)
    assert {"known_frames", "retimed_frames"} & failed(report) == {"known_frames"}
    assert figures(report, "known_frames")[0] > 0.05


def test_a_training_capture_with_rewritten_timestamps_in_test(captures):
    copy = captures[FREE[0]]
    captures[TEST] = copy.assign(timestamp=np.arange(len(copy)) / 2000)
    assert failed(report_on(captures)) == {"retimed_frames"}


def test_a_test_capture_may_repeat_training_by_name(captures):
    captures[TEST] = captures[ATTACKED[0]]
    report = report_on(captures)
    assert {"shared_windows", "known_frames"} <= failed(report)
    assert failed(report_on(captures, allowed_repeats=[TEST])) == set()


def test_one_recording_with_two_attacks_is_told_but_no_leak(captures):
    assert not [line for line in remarks(report_on(captures)) if "one recording" in line]
    other = captures[TEST].copy()
    other["timestamp"] = np.cumsum(np.random.default_rng(9).integers(200, 900, len(other))) / 1e6
    other.loc[3000:3500:100, "byte_0"] = 0
    report = report_on(captures | {f"{TEST}-again": other, f"test_02_x/{TEST[8:]}": other})
    assert not failed(report)
    (told,) = [line for line in remarks(report) if "one recording" in line]
    assert f"{TEST} in {TEST}-again" in told
    assert f"{TEST}-again in {TEST}" in told


def test_a_capture_trained_on_in_another_dataset(captures):
    elsewhere = {"other/train_01/x": both_fingerprints(later(captures[TEST], 100.0))}
    report = report_on(captures, trained_elsewhere=elsewhere)
    assert failed(report) == {"known_frames", "retimed_frames"}
    assert figures(report, "known_frames")[1] == 1


def test_a_label_that_reaches_the_features(captures):
    def leaking(name, frames, starts):
        graphs = build(name, frames, starts=starts)
        per_node = torch.repeat_interleave(graphs.y, graphs.node_offsets.diff())
        x = graphs.x.clone()
        x[:, 0] += per_node
        return GraphStore(**{**vars(graphs), "x": x})

    assert failed(report_on(captures, build=leaking)) == {"shuffled_labels"}


def test_twins_in_validation_are_learned_by_heart(captures):
    again = "train_02_with_attacks/again"
    captures[again] = captures[ATTACKED[0]]
    stores = split(captures)
    stores["train"] = concatenate([build(name, captures[name]) for name in [*FREE, *ATTACKED]])
    stores["validation"] = build(again, captures[again])
    assert {"shared_windows", "shuffled_labels"} <= failed(report_on(captures, stores))


def attacked(captures) -> list[str]:
    return [name for name in captures if name not in FREE]


def test_captures_with_attacks_of_another_logger(captures):
    for name in attacked(captures):
        rounded = (captures[name]["timestamp"] * 1e4).round() / 1e4
        captures[name] = captures[name].assign(timestamp=rounded)
    assert "file_timestamps" in failed(report_on(captures))


def test_captures_with_attacks_of_a_car_in_another_state(captures):
    for name in attacked(captures):
        captures[name] = captures[name].assign(byte_0=np.int16(0))
    assert failed(report_on(captures)) == {"file_features"}


def test_captures_with_attacks_of_another_car(captures):
    for name in attacked(captures):
        ids = captures[name]["arbitration_id"].where(
            captures[name]["arbitration_id"] < 0x109, 0x7A0
        )
        captures[name] = captures[name].assign(arbitration_id=ids.astype(np.uint32))
    assert failed(report_on(captures)) == {"bag_of_ids"}


def test_one_attack_free_capture_cannot_be_judged(captures):
    few = {name: frames for name, frames in captures.items() if name not in FREE[1:]}
    report = report_on(few)
    rows = [row for row in report if row["check"] == "file_timestamps"]
    assert [row["verdict"] for row in rows] == ["not measured"]
    assert rows[0]["note"] == "4 captures with attacks, 1 without: two of each are needed"
    assert refusal(report) is None


def test_refusal_names_check_figure_limit_and_way_out(one_car):
    stores = split_at_random(one_car, split(one_car))
    report = report_on(one_car, stores)
    sentence = refusal(report)
    assert f"position is {figures(report, 'position')[0]:.3f}" in sentence
    assert "at most 0.9 passes" in sentence
    assert "\n" not in sentence
    names = sentence.rsplit("allowed_leaks=", maxsplit=1)[1].rstrip("`").split("+")
    allowed = report_on(one_car, stores, allowed=names)
    assert failed(allowed) == set()
    assert {row["check"] for row in allowed if row["verdict"] == "allowed"} == set(names)
    assert refusal(allowed) is None


def test_page_has_a_row_for_every_figure(captures):
    report = report_on(captures)
    assert len(leak_page(report).splitlines()) == len(report) + 2


def read_public(folder) -> dict[str, pd.DataFrame]:
    paths = find_captures(folder)
    captures = {name: read_capture(path, 0.001)[0] for name, path in paths.items()}
    hashes = {name: content_hash(frames) for name, frames in captures.items()}
    repeated = {name for name, _ in find_repeated(hashes)}
    return {name: frames for name, frames in captures.items() if name not in repeated}


made = partial(capture_graphs, window=100, stride=100)


@pytest.mark.parametrize(
    ("dataset", "refused"),
    [("hcrl_sa", set()), ("set_01", {"file_timestamps", "file_features"})],
)
def test_public_captures(real_captures, dataset, refused):
    captures = read_public(real_captures / dataset)
    stores = build_splits(captures, window=100, stride=100, validation_share=0.2)
    assert failed(report_on(captures, stores, build=made)) == refused


def test_public_captures_split_at_random(real_captures):
    captures = read_public(real_captures / "hcrl_sa")
    stores = build_splits(captures, window=100, stride=100, validation_share=0.2)
    report = report_on(captures, split_at_random(captures, stores, made), build=made)
    assert failed(report) == {"close_windows", "position"}
    assert figures(report, "position")[0] > 0.98
