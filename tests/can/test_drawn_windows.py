"""Drawn windows: what a split may see, and that equal seeds draw equal windows."""

import numpy as np
import pytest
import torch

from kdgat.can.drawing import Drawing
from kdgat.can.drawn_windows import drawn_blocks
from kdgat.can.graph_store import concatenate
from kdgat.can.graphs import NODE_FEATURES
from kdgat.can.injections import ATTACKS, inject
from kdgat.can.simulator import simulate_vehicle
from kdgat.can.splits import Cut, deal_windows
from kdgat.can.vehicles import VEHICLES
from kdgat.parameters import Injections, ProfileDraw

CUT = Cut(window=100, stride=100, validation_share=0.3)
PROFILE = ProfileDraw(seconds=1.0, drop=0.35, short_share=0.7)
PLAN = Injections(
    seed=0,
    draws=2,
    validation_draws=1,
    share=1.0,
    pseudo_share=0.5,
    pseudo_vehicles=2,
    simulated_vehicles=2,
    held_out=["replay"],
    held_out_rates=0.1,
    bitrate=500_000,
)


def car(name: str):
    return simulate_vehicle(
        VEHICLES[name],
        generator=np.random.default_rng(4),
        duration=10.0,
        bitrate=500_000,
        start=0.0,
    )


@pytest.fixture(scope="module")
def captures():
    attacked = inject(car("birch"), "dos", np.random.default_rng(1), bitrate=500_000).frames
    return {
        "train_01/free-aster": car("aster"),
        "train_01/free-birch": car("birch"),
        "train_02/dos-birch": attacked,
    }


VEHICLES_OF = {
    "train_01/free-aster": "aster",
    "train_01/free-birch": "birch",
    "train_02/dos-birch": "birch",
}


def drawn(captures, drawing):
    blocks: dict = {}
    for split, block in drawn_blocks(captures, VEHICLES_OF, CUT, drawing):
        blocks.setdefault(split, []).append(block)
    return {split: concatenate(parts) for split, parts in blocks.items()}


@pytest.fixture(scope="module")
def stores(captures):
    return drawn(captures, Drawing(PROFILE, PLAN))


def kinds(store) -> set[str]:
    return {name.split("+")[-1] for name in store.captures if "+" in name}


def cars(store, kind: str) -> set[str]:
    """Name the cars of a kind that do not exist, without what attacks them."""
    found = {name.removesuffix(f"+{attack}") for name in store.captures for attack in ATTACKS}
    return {name for name in found if f"{kind}_vehicle_" in name and not name.endswith(ATTACKS)}


def test_held_out_attacks_are_validated_on_alone(stores):
    assert set(stores) == {"drawn_train", "drawn_validation"}
    assert "replay" not in kinds(stores["drawn_train"])
    assert "replay" in kinds(stores["drawn_validation"])
    assert {"dos", "fuzzing", "spoofing_sparse"} <= kinds(stores["drawn_train"])


def test_rates_beyond_those_of_training_are_validated_on_alone(captures, stores):
    within = PLAN.model_copy(update={"held_out_rates": 0.0})
    others = drawn(captures, Drawing(PROFILE, within))
    same = {
        split: torch.equal(store.start, others[split].start)
        and torch.equal(store.x, others[split].x)
        for split, store in stores.items()
    }
    assert same == {"drawn_train": True, "drawn_validation": False}


def test_recorded_windows_come_once_a_draw_from_their_own_split(captures, stores):
    for name, frames in captures.items():
        parts = deal_windows(name, frames, CUT)
        for split, draws in (("train", 2), ("validation", 1)):
            store = stores[f"drawn_{split}"]
            mine = store.start[store.capture == store.captures.index(name)]
            assert sorted(mine.tolist()) == sorted(parts[split].tolist() * draws)


def test_some_windows_have_a_profile_and_attacks_that_need_one_always(stores):
    store = stores["drawn_train"]
    informed = store.x[store.node_offsets[:-1], NODE_FEATURES.index("has_profile")]
    assert 0.5 < informed.mean() < 0.8
    for number, name in enumerate(store.captures):
        if name.endswith(("+suppress", "+masquerade")):
            assert informed[store.capture == number].all()


@pytest.mark.parametrize("vehicle", ["birch", "train_02/late-birch"])
def test_a_car_known_from_an_attacked_capture_alone_is_learned_from_its_beginning(vehicle):
    late = [(5.0, 6.0), (7.0, 9.0)]
    generator = np.random.default_rng(1)
    frames = inject(car("birch"), "dos", generator, bitrate=500_000, episodes=late).frames
    name = "train_02/late-birch"
    blocks = drawn_blocks({name: frames}, {name: vehicle}, CUT, Drawing(PROFILE, PLAN))
    own = concatenate([block for _, block in blocks if block.captures == (name,)])
    assert own.x[:, NODE_FEATURES.index("has_profile")].max() == 1.0


def test_suppression_is_labelled_though_no_frame_is(stores):
    store = stores["drawn_train"]
    found = [n for n, name in enumerate(store.captures) if name.endswith("+suppress")]
    chosen = torch.isin(store.capture, torch.tensor(found, dtype=torch.int32))
    assert store.y[chosen].sum() > 0
    assert store.attack_frames[chosen].sum() == 0


def test_each_capture_lends_itself_to_pseudo_vehicles_and_simulated_cars_join(stores):
    for store in stores.values():
        assert cars(store, "pseudo") == {
            f"train_01/free-{name}+pseudo_vehicle_{place}"
            for name in ("aster", "birch")
            for place in (0, 1)
        }
        assert cars(store, "simulated") == {"simulated_vehicle_0", "simulated_vehicle_1"}


def test_cars_that_do_not_exist_are_met_benign_and_attacked(stores):
    store = stores["drawn_train"]
    numbers = [n for n, name in enumerate(store.captures) if "simulated_vehicle" in name]
    chosen = torch.isin(store.capture, torch.tensor(numbers, dtype=torch.int32))
    assert set(store.y[chosen].tolist()) == {0, 1}


def test_equal_seeds_draw_equal_windows(captures, stores):
    again = drawn(captures, Drawing(PROFILE, PLAN))["drawn_train"]
    assert torch.equal(again.x, stores["drawn_train"].x)
    assert torch.equal(again.y, stores["drawn_train"].y)
    other = drawn(captures, Drawing(PROFILE, PLAN.model_copy(update={"seed": 1})))
    assert not torch.equal(other["drawn_train"].x[:100], again.x[:100])


def test_a_capture_with_stretches_too_short_to_be_attacked_is_named_once(captures, caplog):
    name = "train_01/free-aster"
    time = captures[name]["timestamp"]
    brief = {name: captures[name][time < time.iloc[0] + 2.5]}  # split .3 to .7: neither lasts 2 s
    found = drawn(brief, Drawing(PROFILE, PLAN.model_copy(update={"simulated_vehicles": 0})))
    attacked = {f"{name}+{attack}" for attack in ATTACKS}
    assert not attacked & {*found["drawn_train"].captures, *found["drawn_validation"].captures}
    warnings = [record.getMessage() for record in caplog.records if record.levelname == "WARNING"]
    assert warnings == [  # two draws for training, one for validation
        f"{name}: 3 stretches drawn of it last less than 2 s and are not attacked as they are"
    ]
    caplog.clear()
    drawn(brief, Drawing(PROFILE, PLAN.model_copy(update={"share": 0.0})))
    assert caplog.text == ""


def test_without_injections_only_recorded_windows_are_drawn(captures):
    plan = PLAN.model_copy(update={"share": 0.0, "pseudo_share": 0.0})
    found = drawn(captures, Drawing(PROFILE, plan))
    assert set(found["drawn_train"].captures) == set(captures)
