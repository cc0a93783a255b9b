"""Alarms as a driver would meet them: episodes found, seconds to the first alarm, false alarms.

An episode is an unbroken run of attack windows of one capture, gaps of up to `GAP` s included. A
false alarm is an unbroken run of alarms in benign windows: an alarm that lasts counts once. Those
within `AFTERMATH` s after an episode are its own. The first alarm comes at the end of its window,
which has to fill first.
"""

from collections.abc import Mapping

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.stats import chi2

from kdgat.metrics.scorecards import margins

GAP = 0.5
"""Seconds between attack windows up to which they are one episode: sparse attacks skip windows."""

AFTERMATH = 0.5
"""Seconds after an episode in which an alarm still belongs to it: rhythms have to settle."""

HOUR = 3600.0
BUDGETS = (1.0, 10.0)
"""False alarms an hour at which the recall of episodes is given."""

ALARM_COLUMNS = (
    "model",
    "protocol",
    "scenario",
    "episodes",
    "episodes_found",
    "episode_recall",
    "seconds_to_alarm",
    "benign_hours",
    "false_alarms",
    "false_alarms_per_hour",
    "false_alarms_per_hour_low",
    "false_alarms_per_hour_high",
    "episode_recall_at_1_per_hour",
    "episode_recall_at_10_per_hour",
)


def alarm_scorecard(
    window_scores: pd.DataFrame,
    thresholds: Mapping[str, Mapping[str, float]],
    *,
    persistence: tuple[int, int],
    confidence: float,
) -> pd.DataFrame:
    """Count episodes and false alarms of every model, protocol and test scenario.

    Args:
        window_scores: `scorecards.WINDOW_SCORE_COLUMNS`, start_time and end_time (s).
        thresholds: model -> protocol -> operating point.
        persistence: k and n: an alarm needs k of the last n windows above the operating point.
        confidence: level of the Poisson interval.

    Returns:
        ALARM_COLUMNS, one row per model, protocol and scenario.
    """
    test = window_scores[window_scores["split"] == "test"]
    rows = []
    for (model, protocol, scenario), windows in test.groupby(
        ["model", "protocol", "scenario"], sort=False
    ):
        captures = [
            _Capture(part, margins(part, thresholds[model]), persistence)
            for _, part in windows.sort_values("start").groupby("capture")
        ]
        rows.append(
            {
                "model": model,
                "protocol": protocol,
                "scenario": scenario,
                **_row(captures, confidence),
            }
        )
    return pd.DataFrame(rows, columns=list(ALARM_COLUMNS))


class _Capture:
    """Windows of one capture, in time, with their margin above the operating point."""

    def __init__(self, windows: pd.DataFrame, margin: NDArray, persistence: tuple[int, int]):
        self.begin = windows["start_time"].to_numpy()
        self.end = windows["end_time"].to_numpy()
        self.attack = windows["label"].to_numpy() == 1
        self.level = persistent_level(margin, *persistence)
        self.episodes = find_episodes(self.begin, self.end, self.attack)
        self.benign = ~self.attack & ~self._within_episode()

    def _within_episode(self) -> NDArray[np.bool_]:
        within = np.zeros(len(self.begin), bool)
        for first, last in self.episodes:
            within |= (self.begin <= last + AFTERMATH) & (self.end > first)
        return within

    def benign_hours(self) -> float:
        return float((self.end - self.begin)[self.benign].sum()) / HOUR

    def false_alarms(self, level: float) -> int:
        alarm = self.benign & (self.level >= level)
        return int((alarm & ~np.concatenate([[False], alarm[:-1]])).sum())

    def delays(self, level: float) -> list[float]:
        """Give the seconds to the first alarm of each episode, NaN where there is none."""
        delays = []
        for first, last in self.episodes:
            hits = (self.level >= level) & (self.end > first) & (self.begin <= last + AFTERMATH)
            delays.append(float(self.end[hits][0] - first) if hits.any() else np.nan)
        return delays


def persistent_level(margin: NDArray[np.float64], k: int, n: int) -> NDArray[np.float64]:
    """Give the k-th largest of the last n margins: above 0 where k of n windows alarm.

    Before the n-th window the windows there are count alone.
    """
    if (k, n) == (1, 1):
        return margin
    padded = np.concatenate([np.full(n - 1, -np.inf), margin])
    last = np.lib.stride_tricks.sliding_window_view(padded, n)
    return np.sort(last, axis=1)[:, n - k]


def find_episodes(
    begin: NDArray[np.float64], end: NDArray[np.float64], attack: NDArray[np.bool_]
) -> list[tuple[float, float]]:
    """Join runs of attack windows `[num_windows]` to episodes: start and end, s."""
    episodes: list[tuple[float, float]] = []
    for first, last in zip(begin[attack], end[attack], strict=True):
        if episodes and first - episodes[-1][1] <= GAP:
            episodes[-1] = (episodes[-1][0], float(last))
        else:
            episodes.append((float(first), float(last)))
    return episodes


def poisson_interval(count: int, exposure: float, confidence: float) -> tuple[float, float]:
    """Give the exact interval of a rate (Garwood 1936); NaN without exposure.

    Args:
        count: events.
        exposure: hours.
        confidence: level.
    """
    if exposure <= 0:
        return np.nan, np.nan
    outside = (1.0 - confidence) / 2.0
    low = chi2.ppf(outside, 2 * count) / 2.0 if count else 0.0
    high = chi2.ppf(1.0 - outside, 2 * count + 2) / 2.0
    return float(low / exposure), float(high / exposure)


def _row(captures: list[_Capture], confidence: float) -> dict[str, float | int]:
    hours = sum(capture.benign_hours() for capture in captures)
    false_alarms = sum(capture.false_alarms(0.0) for capture in captures)
    delays = np.array([delay for capture in captures for delay in capture.delays(0.0)])
    found = ~np.isnan(delays)
    low, high = poisson_interval(false_alarms, hours, confidence)
    recalls = [_recall_at(captures, budget * hours) for budget in BUDGETS]
    return {
        "episodes": int(delays.size),
        "episodes_found": int(found.sum()),
        "episode_recall": float(found.mean()) if delays.size else np.nan,
        "seconds_to_alarm": float(np.median(delays[found])) if found.any() else np.nan,
        "benign_hours": hours,
        "false_alarms": false_alarms,
        "false_alarms_per_hour": false_alarms / hours if hours > 0 else np.nan,
        "false_alarms_per_hour_low": low,
        "false_alarms_per_hour_high": high,
        "episode_recall_at_1_per_hour": recalls[0],
        "episode_recall_at_10_per_hour": recalls[1],
    }


def _recall_at(captures: list[_Capture], allowed: float) -> float:
    """Give the best recall of episodes at any level with at most so many false alarms.

    A ranking figure, found on test: it says what an operating point could reach, not what the
    stored one does.
    """
    levels = np.unique(np.concatenate([capture.level[capture.benign] for capture in captures]))
    total = sum(len(capture.episodes) for capture in captures)
    if total == 0:
        return np.nan
    low, high = 0, len(levels)
    while low < high:
        middle = (low + high) // 2
        level = np.nextafter(levels[middle], np.inf)
        if sum(capture.false_alarms(level) for capture in captures) <= allowed:
            high = middle
        else:
            low = middle + 1
    level = np.nextafter(levels[low], np.inf) if low < len(levels) else -np.inf
    delays = np.concatenate([capture.delays(level) for capture in captures])
    return float((~np.isnan(delays)).mean())
