import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from six_frames import BITRATE, START, microseconds, six_frames

from kdgat.can.captures import read_capture
from kdgat.can.frames import ABSENT, BYTE_COLUMNS, FRAME_COLUMNS, frame_table, payload
from kdgat.can.injections import (
    ATTACK_SHARE,
    ATTACKS,
    EPISODE_COLUMNS,
    draw_episodes,
    inject,
)
from kdgat.can.simulator import simulate_vehicle
from kdgat.can.vehicles import VEHICLES
from kdgat.errors import DataError, ParameterError

ADDING = ("dos", "fuzzing", "spoofing_dense", "spoofing_sparse", "replay")


def test_suppress_by_hand():
    frames = six_frames(ids=[0x100] * 6)
    result = inject(
        frames,
        "suppress",
        np.random.default_rng(0),
        bitrate=BITRATE,
        episodes=[(START + 0.0015, START + 0.004)],
    )
    assert result.frames["byte_0"].tolist() == [0, 1, 5]
    assert microseconds(result.frames) == [0, 1000, 5000]
    assert result.frames["attack"].tolist() == [0, 0, 0]
    assert result.frames.index.tolist() == [0, 1, 2]
    assert result.episodes.to_numpy().tolist() == [
        ["suppress", START + 0.0015, START + 0.004, "0x100"]
    ]


def test_masquerade_by_hand():
    frames = six_frames(ids=[0x100] * 6)
    result = inject(
        frames,
        "masquerade",
        np.random.default_rng(0),
        bitrate=BITRATE,
        episodes=[(START + 0.0015, START + 0.004)],
    )
    assert result.frames["attack"].tolist() == [0, 0, 1, 1, 1, 0]
    columns = ["timestamp", "arbitration_id", "dlc"]
    pd.testing.assert_frame_equal(result.frames[columns], frames[columns])
    changed = payload(result.frames) != payload(frames)
    # One of the two bytes is forged, in the frames of the episode alone.
    assert changed.any(axis=1).tolist() == [False, False, True, True, True, False]
    assert changed.any(axis=0).sum() == 1


@pytest.mark.parametrize("attack", ATTACKS)
@settings(deadline=None, max_examples=6)
@given(seed=st.integers(0, 2**32 - 1))
def test_properties(benign, attack, seed):
    before = benign.copy()
    frames, episodes = inject(benign, attack, np.random.default_rng(seed), bitrate=BITRATE)
    pd.testing.assert_frame_equal(benign, before)
    assert list(frames.dtypes.astype(str).items()) == list(FRAME_COLUMNS.items())
    time = frames["timestamp"].to_numpy()
    assert (np.diff(time) > 0).all()
    assert np.array_equal(time, np.round(time, 6))
    attacked = frames["attack"].to_numpy() == 1
    assert attacked.any() == (attack != "suppress")
    inside = np.zeros(len(frames), bool)
    for episode in episodes.itertuples():
        during = (time >= episode.start) & (time <= episode.end)
        inside |= during
        if episode.arbitration_ids != "any":
            ids = {int(number, 16) for number in episode.arbitration_ids.split()}
            assert set(frames["arbitration_id"][during & attacked]) <= ids
    assert inside[attacked].all()
    assert (episodes["start"].to_numpy()[1:] > episodes["end"].to_numpy()[:-1]).all()
    assert episodes["start"][0] > time[0] + 0.2 * (benign["timestamp"].iloc[-1] - time[0])
    assert list(episodes.columns) == list(EPISODE_COLUMNS)


@pytest.mark.parametrize("attack", ADDING)
def test_recorded_frames_are_all_there_and_never_early(benign, attack):
    frames, episodes = inject(benign, attack, np.random.default_rng(8), bitrate=BITRATE)
    kept = frames[frames["attack"] == 0]
    for number, own in kept.groupby("arbitration_id"):
        recorded = benign[benign["arbitration_id"] == number]
        assert np.array_equal(payload(own), payload(recorded))
        delay = own["timestamp"].to_numpy() - recorded["timestamp"].to_numpy()
        assert delay.min() > -1e-6
        assert delay.max() < 0.5
    before = benign["timestamp"] < episodes["start"][0]
    pd.testing.assert_frame_equal(frames[: before.sum()], benign[before])


@pytest.mark.parametrize("attack", ["suppress", "masquerade"])
def test_frames_of_other_ids_stay_untouched(benign, attack):
    frames, episodes = inject(benign, attack, np.random.default_rng(8), bitrate=BITRATE)
    targets = {int(number, 16) for number in " ".join(episodes["arbitration_ids"]).split()}
    others, recorded = (x[~x["arbitration_id"].isin(targets)] for x in (frames, benign))
    pd.testing.assert_frame_equal(others.reset_index(drop=True), recorded.reset_index(drop=True))


def test_suppressed_ids_are_silent(benign):
    frames, episodes = inject(benign, "suppress", np.random.default_rng(2), bitrate=BITRATE)
    for episode in episodes.itertuples():
        own = frames["arbitration_id"] == int(episode.arbitration_ids, 16)
        assert not frames["timestamp"][own].between(episode.start, episode.end).any()
        assert own.any()


@given(st.sampled_from(ATTACKS), st.integers(0, 10**6), st.floats(1.0, 10_000.0))
def test_episodes_leave_benign_stretches(attack, seed, span):
    episodes = np.array(draw_episodes(0.0, span, attack, np.random.default_rng(seed)))
    bounds = episodes.ravel()
    assert (np.diff(bounds) > 0).all()
    assert bounds[0] > 0.2 * span
    assert bounds[-1] < span
    minutes = max(1, np.ceil(span / 60))
    assert 2 * minutes <= len(episodes) <= 5 * minutes
    least, most = ATTACK_SHARE[attack]
    assert least - 1e-9 <= (episodes[:, 1] - episodes[:, 0]).sum() / span <= most + 1e-9


def test_equal_generators_give_equal_attacks(benign):
    first, second = (
        inject(benign, "fuzzing", np.random.default_rng(4), bitrate=BITRATE) for _ in range(2)
    )
    pd.testing.assert_frame_equal(first.frames, second.frames)
    pd.testing.assert_frame_equal(first.episodes, second.episodes)


def test_what_cannot_be_attacked_is_refused():
    frames = six_frames()
    generator = np.random.default_rng(0)
    with pytest.raises(ParameterError, match="'flood' is unknown; allowed: dos, fuzzing"):
        inject(frames, "flood", generator, bitrate=BITRATE)
    with pytest.raises(DataError, match="at least one frame"):
        inject(frames[:0], "dos", generator, bitrate=BITRATE)
    with pytest.raises(DataError, match="found 6 attack frames"):
        inject(frames.assign(attack=np.uint8(1)), "dos", generator, bitrate=BITRATE)
    with pytest.raises(DataError, match=r"frame 1 is 0\.001000 s before"):
        inject(frames.iloc[::-1], "dos", generator, bitrate=BITRATE)
    outside = [(START + 1.0, START + 2.0)]
    with pytest.raises(DataError, match="too short for suppress"):
        inject(frames, "suppress", generator, bitrate=BITRATE, episodes=outside)
    empty = frames.assign(dlc=np.uint8(0), **dict.fromkeys(BYTE_COLUMNS, np.int16(ABSENT)))
    with pytest.raises(DataError, match="frames with data"):
        inject(empty, "masquerade", generator, bitrate=BITRATE)


@pytest.mark.parametrize("attack", ATTACKS)
@pytest.mark.parametrize(
    "capture",
    [
        "hcrl_sa/train_01_attack_free/attack-free-kia.csv",
        "set_03/train_01_attack_free/accessory-3.csv.gz",
    ],
)
def test_real_captures_can_be_attacked(real_captures, capture, attack):
    frames, _ = read_capture(real_captures / capture, bad_row_share=0.0)
    result, episodes = inject(frames, attack, np.random.default_rng(0), bitrate=BITRATE)
    attacked = result["attack"].to_numpy() == 1
    assert (np.diff(result["timestamp"]) >= 0).all()
    assert len(episodes) >= 2
    if attack in ADDING:
        kept = result[~attacked].sort_values("arbitration_id", kind="stable")
        recorded = frames.sort_values("arbitration_id", kind="stable")
        assert np.array_equal(payload(kept), payload(recorded))
        assert (kept["timestamp"].to_numpy() - recorded["timestamp"].to_numpy() > -2e-6).all()
    elif attack == "masquerade":
        assert np.array_equal(result["arbitration_id"], frames["arbitration_id"])
        assert 0 < attacked.sum() < 0.1 * len(frames)
    else:
        assert 0.8 * len(frames) < len(result) < len(frames)


def recording_of_every_kind() -> pd.DataFrame:
    """A capture with a second channel, extended IDs below 2**11 and remote frames."""
    frames = simulate_vehicle(
        VEHICLES["aster"],
        generator=np.random.default_rng(5),
        duration=20.0,
        bitrate=BITRATE,
        start=START,
    )
    number = np.arange(len(frames))
    is_remote = number % 50 == 7
    data = np.where(is_remote[:, None], ABSENT, payload(frames))
    return frame_table(
        frames["timestamp"],
        frames["arbitration_id"],
        frames["dlc"],
        data,
        frames["attack"],
        channel=pd.Categorical.from_codes((number % 3 == 0).astype(int), ["can0", "can1"]),
        is_extended=number % 4 == 0,
        is_remote=is_remote,
    )


@pytest.mark.parametrize("attack", ATTACKS)
def test_what_a_recording_says_about_its_frames_is_kept(attack):
    frames = recording_of_every_kind()
    attacked, _ = inject(frames, attack, np.random.default_rng(1), bitrate=BITRATE)
    columns = ["arbitration_id", "channel", "is_extended", "is_remote", "dlc", *BYTE_COLUMNS]
    benign = attacked[attacked["attack"] == 0]
    kept = pd.Series(list(benign[columns].itertuples(index=False))).value_counts()
    before = pd.Series(list(frames[columns].itertuples(index=False))).value_counts()
    assert (kept <= before.reindex(kept.index)).all()
    if attack in ADDING:
        assert len(benign) == len(frames)
        added = attacked[attacked["attack"] == 1]
        assert set(added["channel"]) == {"can0"}
        assert not added["is_remote"].any()


@pytest.mark.parametrize("attack", ATTACKS)
def test_frames_are_numbered_by_the_episode_they_belong_to(attack):
    frames = recording_of_every_kind()
    attacked, episodes = inject(frames, attack, np.random.default_rng(2), bitrate=BITRATE)
    assert ((attacked["episode"] > 0) == (attacked["attack"] == 1)).all()
    for number, (start, end) in enumerate(zip(episodes["start"], episodes["end"], strict=True), 1):
        times = attacked["timestamp"][attacked["episode"] == number]
        if attack == "suppress":
            assert times.empty
        else:
            assert times.between(start - 1e-6, end + 1e-6).all()
            assert len(times)
    assert attacked["episode"].max() == (0 if attack == "suppress" else len(episodes))


def test_can_fd_is_not_attacked():
    data = np.full((2, 64), ABSENT, np.int16)
    data[:, :12] = 0
    frames = frame_table(np.array([0.0, 1.0]), np.ones(2, int), np.full(2, 12), data, np.zeros(2))
    with pytest.raises(DataError, match="classical CAN, found 12 bytes"):
        inject(frames, "dos", np.random.default_rng(0), bitrate=BITRATE)
