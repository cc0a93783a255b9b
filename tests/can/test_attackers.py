import numpy as np
import pandas as pd
import pytest
from six_frames import BITRATE, START, six_frames
from sklearn.metrics import roc_auc_score
from sklearn.tree import DecisionTreeClassifier

from kdgat.can.attackers import ADDERS, FLOOD_SHARE, draw_rate, forge
from kdgat.can.bus import frame_time
from kdgat.can.frames import ABSENT, BYTE_COLUMNS
from kdgat.can.injections import inject
from kdgat.can.recording import Recording
from kdgat.can.traffic import on_bus

ADDING = ("dos", "fuzzing", "spoofing_dense", "spoofing_sparse", "replay")


def contents(frames: pd.DataFrame) -> pd.Series:
    columns = ["arbitration_id", "dlc", *BYTE_COLUMNS]
    return frames[columns].apply(tuple, axis=1)


def test_rates_come_from_a_range_or_from_a_little_beyond_its_ends():
    within, beyond = np.random.default_rng(0), np.random.default_rng(0)
    inside = np.array([draw_rate(10.0, 20.0, 0.0, within) for _ in range(2000)])
    wider = np.array([draw_rate(10.0, 20.0, 0.1, beyond) for _ in range(2000)])
    np.testing.assert_allclose(wider - 15.0, 1.2 * (inside - 15.0))
    assert 10.0 <= inside.min() < 10.1
    assert 19.9 < inside.max() <= 20.0
    assert 0.12 < ((wider < 10.0) | (wider > 20.0)).mean() < 0.22


def floods(benign, beyond: float) -> np.ndarray:
    """Give the share of the free bus time that each of many DoS attacks of a second takes."""
    traffic = on_bus(Recording.of(benign), BITRATE)
    start, generator = int(traffic.time[0]), np.random.default_rng(0)
    shares = []
    for _ in range(200):
        added = ADDERS["dos"](traffic, start, start + 1_000_000, beyond, generator)
        time_on_bus = frame_time(added.arbitration_id, added.dlc, added.payload, BITRATE)
        shares.append(time_on_bus.sum() / 1e6 / traffic.free)
    return np.array(shares)


def test_floods_take_what_they_may_of_the_bus_and_validation_sees_others(benign):
    least, most = FLOOD_SHARE
    within, beyond = floods(benign, 0.0), floods(benign, 0.1)
    assert within.min() == pytest.approx(least, abs=0.015)
    assert within.max() == pytest.approx(most, abs=0.015)
    assert beyond.min() < least - 0.02
    assert most + 0.05 < beyond.max() < 1.0


def test_replay_by_hand():
    """The past of the episode is the first two frames; they are the only ones to play again."""
    frames = six_frames(ids=[0x100] * 6)
    result = inject(
        frames,
        "replay",
        np.random.default_rng(0),
        bitrate=BITRATE,
        episodes=[(START + 0.002, START + 0.004)],
    )
    replayed = result.frames[result.frames["attack"] == 1]
    assert replayed["byte_0"].tolist() == [0, 1]
    assert (np.diff(replayed["timestamp"]) > 0.0009).all()


def test_spoofing_by_hand():
    frames = six_frames(ids=[0x100] * 6)
    result = inject(
        frames,
        "spoofing_dense",
        np.random.default_rng(0),
        bitrate=BITRATE,
        episodes=[(START + 0.0015, START + 0.004)],
    )
    spoofed = result.frames[result.frames["attack"] == 1]
    assert len(spoofed) == 1
    assert spoofed["arbitration_id"].tolist() == [0x100]
    assert spoofed["dlc"].tolist() == [2]


def test_forged_bytes_are_those_of_payloads_that_were_sent():
    genuine = np.full((4, 8), ABSENT, np.int16)
    genuine[:, :3] = 7
    sent = np.full((4, 8), ABSENT, np.int16)
    sent[:, :2] = np.arange(8).reshape(4, 2)
    own, same = sent.copy(), np.repeat(sent[:1], 4, axis=0)
    own[:, 2] = same[:, 2] = 7
    found = [
        forge(genuine, np.full(4, 3), (1.0, 1.0), np.random.default_rng(seed), sent)
        for seed in range(20)
    ]
    assert all((data == own).all() or (data == same).all() for data in found)
    assert any((data == own).all() for data in found)
    assert any((data == same).all() for data in found)


def spoofed_sixty_frames() -> list[tuple[pd.DataFrame, pd.DataFrame]]:
    """Spoof 60 frames, whose bytes are 0 to 5, then 0xA5, a hundred times.

    Returns:
        Spoofed frames, and the frame of their ID before each.
    """
    frames = pd.concat([six_frames()] * 10, ignore_index=True)
    frames["timestamp"] = START + np.arange(60) / 1000
    pairs = []
    for seed in range(100):
        attacked = inject(
            frames,
            "spoofing_dense",
            np.random.default_rng(seed),
            bitrate=BITRATE,
            episodes=[(START + 0.0065, START + 0.058)],
        ).frames
        spoofed = attacked["attack"] == 1
        before = attacked.groupby("arbitration_id")[list(BYTE_COLUMNS)].shift()
        pairs.append((attacked[spoofed], before[spoofed]))
    return pairs


def test_two_in_three_spoofed_episodes_carry_bytes_that_the_id_has_sent():
    known = [
        (spoofed["byte_0"].isin(range(6)) & (spoofed["byte_1"] == 0xA5)).all()
        for spoofed, _ in spoofed_sixty_frames()
    ]
    assert 52 <= sum(known) <= 81


def test_one_in_three_spoofed_episodes_repeats_what_the_id_has_just_sent():
    repeated = [
        (spoofed[list(BYTE_COLUMNS)].fillna(-1) == before.fillna(-1)).all(axis=None)
        for spoofed, before in spoofed_sixty_frames()
    ]
    assert 19 <= sum(repeated) <= 48


def test_replayed_frames_have_been_on_the_bus_before(benign):
    frames, _ = inject(benign, "replay", np.random.default_rng(1), bitrate=BITRATE)
    assert set(contents(frames[frames["attack"] == 1])) <= set(contents(benign))


def test_dense_spoofing_fills_windows_and_sparse_spoofing_never_hits_one_twice(benign):
    dense, _ = inject(benign, "spoofing_dense", np.random.default_rng(1), bitrate=BITRATE)
    sparse, _ = inject(benign, "spoofing_sparse", np.random.default_rng(1), bitrate=BITRATE)
    assert np.diff(np.flatnonzero(sparse["attack"])).min() > 100
    assert np.median(np.diff(np.flatnonzero(dense["attack"]))) < 50


@pytest.mark.parametrize("attack", ["dos", "fuzzing", "spoofing_dense", "spoofing_sparse"])
def test_a_third_to_a_half_of_the_windows_is_attacked(benign, attack):
    shares = []
    for seed in range(6):
        frames, _ = inject(benign, attack, np.random.default_rng(seed), bitrate=BITRATE)
        whole = len(frames) // 100 * 100
        windows = frames["attack"].to_numpy()[:whole].reshape(-1, 100)
        shares.append(windows.any(axis=1).mean())
    assert 0.28 < np.mean(shares) < 0.55


@pytest.mark.parametrize("attack", ADDING)
def test_neither_timestamps_nor_lengths_give_an_attack_away(benign, attack):
    """A tree that sees the last digits of a timestamp and the dlc cannot tell frames apart."""
    frames, _ = inject(benign, attack, np.random.default_rng(3), bitrate=BITRATE)
    ids = frames["arbitration_id"][frames["attack"] == 1].unique()
    if attack not in ("dos", "fuzzing"):
        # A spoofed ID has one length: compare its frames with the genuine ones.
        frames = frames[frames["arbitration_id"].isin(ids)]
    last_digits = np.rint(frames["timestamp"] * 1e6).astype(np.int64)
    seen = np.column_stack([last_digits % 2, last_digits % 10, last_digits % 1000])
    if attack != "dos":
        seen = np.column_stack([seen, frames["dlc"]])
    half = np.arange(len(frames)) % 2 == 0
    tree = DecisionTreeClassifier(min_samples_leaf=30, random_state=0)
    tree.fit(seen[half], frames["attack"][half])
    ranking = tree.predict_proba(seen[~half])[:, 1]
    assert roc_auc_score(frames["attack"][~half], ranking) < 0.65
    assert set(frames["dlc"]) <= set(benign["dlc"])
