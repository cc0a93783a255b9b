"""What it takes to judge one window alone, as a detector on the bus would have to."""

import time
from collections.abc import Callable, Mapping

import numpy as np
import pandas as pd

from kdgat.can.graph_store import GraphStore
from kdgat.can.profile import Profile
from kdgat.can.recording import Recording
from kdgat.can.simulator import simulate_vehicle
from kdgat.can.splits import Cut, capture_blocks
from kdgat.can.vehicles import VEHICLES
from kdgat.models.artifact import ModelArtifact
from kdgat.parameters import Compute
from kdgat.training.scoring import agent_judge, autoencoder_judge, classifier_judge, join_scores

TIMED = 30
"""Windows timed, one after another; the median counts."""

BITRATE, SECONDS, SECONDS_A_FRAME = 500_000, 2.0, 2e-3
"""Of the simulated traffic that graphs are built from to time it: so long, or, if windows are long,
so much longer than the .7 ms from frame to frame that it holds more than one."""


def median_seconds(calls: Callable[[int], object]) -> float:
    """Give the median CPU time of a call, s: on a busy machine wall time says little.

    Args:
        calls: called TIMED times with 0, 1, ...; once before that, without being timed.
    """
    calls(0)
    seconds = []
    for number in range(TIMED):
        begin = time.process_time()
        calls(number)
        seconds.append(time.process_time() - begin)
    return float(np.median(seconds))


def single_windows(store: GraphStore) -> list[GraphStore]:
    """Take TIMED windows spread over a store, each a store of its own."""
    rows = np.linspace(0, len(store) - 1, TIMED).astype(np.int64)
    return [store.subset([row]) for row in rows]


def graph_seconds(window: int) -> float:
    """Time how frames become a graph, measured against a profile: s per window."""
    frames = simulate_vehicle(
        VEHICLES["aster"],
        generator=np.random.default_rng(0),
        duration=max(SECONDS, window * SECONDS_A_FRAME),
        bitrate=BITRATE,
        start=0.0,
    )
    profile, cut = Profile.empty().update(frames), Cut(window, window, 0.0)
    last = len(frames) - window

    def build(number: int) -> None:
        first = number * last // TIMED
        part = Recording.of(frames.iloc[first : first + window])
        list(capture_blocks("test_/timed", part, np.zeros(1, np.int64), cut, profile))

    return median_seconds(build)


def judge_seconds(
    judges: Mapping[str, Callable[[GraphStore], object]], store: GraphStore
) -> pd.DataFrame:
    """Time judges of windows.

    Args:
        judges: model -> judge.
        store: windows to take some from.

    Returns:
        One row per model: model, computation_seconds (CPU s per window, its graph included).
    """
    windows, graph = single_windows(store), graph_seconds(store.window)
    seconds = {
        model: graph + median_seconds(lambda number, judge=judge: judge(windows[number]))
        for model, judge in judges.items()
    }
    return pd.DataFrame(seconds.items(), columns=["model", "computation_seconds"])


def model_seconds(
    size: str,
    store: GraphStore,
    *,
    autoencoder: ModelArtifact,
    classifier: ModelArtifact,
    agent: ModelArtifact,
    compute: Compute,
) -> pd.DataFrame:
    """Time both detectors of a size and their fusion, which needs both; as `judge_seconds`."""
    reconstruct = autoencoder_judge(autoencoder, compute=compute)
    classify = classifier_judge(classifier, compute=compute)
    weigh = agent_judge(agent, compute=compute)
    statistics = autoencoder.metadata["score_statistics"]

    def fuse(one: GraphStore) -> pd.DataFrame:
        return weigh(join_scores(reconstruct(one), classify(one), statistics))

    judges = {"autoencoder": reconstruct, "classifier": classify, "fusion": fuse}
    return judge_seconds({f"{size}_{role}": judge for role, judge in judges.items()}, store)
