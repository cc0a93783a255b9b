"""The same frames have the same fingerprints, whatever they are called and wherever they lie."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kdgat.can.fingerprints import SAMPLED, TIMED, UNTIMED, fingerprints
from kdgat.can.frames import frame_table


def traffic(num_frames: int, seed: int) -> pd.DataFrame:
    generator = np.random.default_rng(seed)
    return frame_table(
        timestamp=np.cumsum(generator.integers(200, 900, num_frames)) / 1e6,
        arbitration_id=generator.integers(0x100, 0x120, num_frames),
        dlc=np.full(num_frames, 8),
        payload=generator.integers(0, 256, (num_frames, 8)).astype(np.int16),
        attack=np.zeros(num_frames, np.int64),
    )


def share_known(frames: pd.DataFrame, source: pd.DataFrame, run) -> float:
    return np.isin(fingerprints(frames, run).key, fingerprints(source, run).key).mean()


@pytest.mark.parametrize("run", [TIMED, UNTIMED])
def test_one_run_in_sixteen_is_kept(run):
    kept = len(fingerprints(traffic(50_000, 0), run).key)
    assert kept == pytest.approx(50_000 / SAMPLED, rel=0.1)


@pytest.mark.parametrize("run", [TIMED, UNTIMED])
def test_other_traffic_shares_nothing(run):
    assert share_known(traffic(20_000, 1), traffic(20_000, 2), run) == 0


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 4000), st.integers(500, 1000), st.integers(-(10**9), 10**9))
def test_a_part_is_found_at_another_place_time_and_label(first, length, shift):
    source = traffic(5000, 3)
    part = source.iloc[first : first + length].reset_index(drop=True)
    part = part.assign(timestamp=part["timestamp"] + shift / 1e6, attack=np.uint8(1))
    assert share_known(part, source, TIMED) == 1
    assert share_known(part, source, UNTIMED) == 1


def test_frames_spliced_in_do_not_hide_a_copy():
    source = traffic(20_000, 4)
    spliced = np.arange(0, 20_000, 20)
    frames = pd.concat([source, traffic(len(spliced), 5)], ignore_index=True)
    frames = frames.iloc[np.argsort(np.concatenate([np.arange(20_000), spliced]), kind="stable")]
    assert share_known(frames, source, TIMED) > 0.5
    assert share_known(frames, source, UNTIMED) == 0


def test_rewritten_timestamps_are_found_without_times_only():
    source = traffic(20_000, 6)
    slower = source.assign(timestamp=source["timestamp"] * 1.01)
    assert share_known(slower, source, TIMED) < 0.01
    assert share_known(slower, source, UNTIMED) == 1


def test_a_flood_has_no_fingerprint():
    one = traffic(1000, 7).iloc[np.zeros(1000, int)].assign(timestamp=np.arange(1000) / 4000)
    for run in (TIMED, UNTIMED):
        assert len(fingerprints(one, run).key) == 0


def test_within_keeps_whole_runs_only():
    marks = fingerprints(traffic(4000, 8), TIMED)
    covered = np.zeros(4000, bool)
    covered[1000:2000] = True
    inside = (marks.frame >= 1000) & (marks.frame + marks.length <= 2000)
    np.testing.assert_array_equal(marks.within(covered), marks.key[inside])


def test_shorter_than_a_run():
    assert len(fingerprints(traffic(7, 9), TIMED).key) == 0
