"""Alarms as a driver would meet them: episodes found, seconds to the first alarm, false alarms.

An episode lasts from its first attack frame to its last, or, where an ID falls silent and no frame
is part of it, as its dataset declares. It is found if a window that touches it alarms. The first
alarm comes at the end of its window, which has to fill first, and after the computation. A false
alarm is an unbroken run of alarms in benign windows: an alarm that lasts counts once. Windows that
touch an episode, and those within `AFTERMATH` s after it, are not benign; nor, where an alarm needs
k of the last n windows, are those with such a window among their last n.
"""

from collections.abc import Mapping

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.stats import chi2

from kdgat.metrics.aftermath import seconds_watched, touched
from kdgat.metrics.intervals import Resampling, percentile_interval, resampled_blocks
from kdgat.metrics.scorecards import margins

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
    "episode_recall_low",
    "episode_recall_high",
    "seconds_to_alarm",
    "computation_seconds",
    "benign_hours",
    "false_alarms",
    "false_alarms_per_hour",
    "false_alarms_per_hour_low",
    "false_alarms_per_hour_high",
    "episode_recall_at_1_per_hour",
    "episode_recall_at_10_per_hour",
)
CAPTURE_ALARM_COLUMNS = ("model", "protocol", "capture", *ALARM_COLUMNS[3:])
EPISODE_COLUMNS = (
    "model",
    "protocol",
    "capture",
    "start",
    "end",
    "attack_frames",
    "found",
    "seconds_to_alarm",
)


def alarm_scorecard(
    window_scores: pd.DataFrame,
    thresholds: Mapping[str, Mapping[str, float]],
    episodes: pd.DataFrame,
    computation_seconds: Mapping[str, float],
    *,
    persistence: tuple[int, int],
    resampling: Resampling,
) -> tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame]:
    """Count episodes and false alarms of every model, protocol, test scenario and test capture.

    Args:
        window_scores: `scorecards.WINDOW_SCORE_COLUMNS` but stretch, start_time and end_time (s).
        thresholds: model -> protocol -> operating point.
        episodes: columns capture, start, end (s, NaN where nobody says when) and attack_frames;
            those that are over before the first window that is scored do not count.
        computation_seconds: model -> what it takes to judge one window, s.
        persistence: k and n: an alarm needs k of the last n windows above the operating point.
        resampling: of the intervals.

    Returns:
        ALARM_COLUMNS, one row per model, protocol and scenario; CAPTURE_ALARM_COLUMNS, one per
        model, protocol and capture; EPISODE_COLUMNS, one per model, protocol and episode.
    """
    test = window_scores[window_scores["split"] == "test"]
    by_capture = {str(name): rows for name, rows in episodes.groupby("capture")}
    rows, single, found = [], [], []
    for (model, protocol, scenario), windows in test.groupby(
        ["model", "protocol", "scenario"], sort=False
    ):
        captures = [
            _Capture(
                part,
                margins(part, thresholds[model]),
                by_capture.get(name, episodes.iloc[:0]),
                computation_seconds[model],
                persistence,
            )
            for name, part in windows.sort_values("start").groupby("capture")
        ]
        names = {"model": model, "protocol": protocol}
        rows.append({**names, "scenario": scenario, **_row(captures, resampling)})
        single += [{**names, "capture": c.name, **_row([c], resampling)} for c in captures]
        found += [{**names, **row} for capture in captures for row in capture.rows()]
    return (
        pd.DataFrame(rows, columns=list(ALARM_COLUMNS)),
        pd.DataFrame(single, columns=list(CAPTURE_ALARM_COLUMNS)),
        pd.DataFrame(found, columns=list(EPISODE_COLUMNS)),
    )


class _Capture:
    """Windows of one capture, in time, with their margin above the operating point."""

    def __init__(
        self,
        windows: pd.DataFrame,
        margin: NDArray,
        episodes: pd.DataFrame,
        computation_seconds: float,
        persistence: tuple[int, int],
    ):
        self.computation_seconds = computation_seconds
        self.name = windows["capture"].iloc[0]
        self.begin = windows["start_time"].to_numpy()
        self.end = windows["end_time"].to_numpy()
        self.margin, self.level = margin, persistent_level(margin, *persistence)
        bounds = episodes[["start", "end"]].to_numpy(dtype=np.float64)
        is_attacked = touched(self.begin, self.end, bounds).astype(np.float64)
        was_attacked = persistent_level(is_attacked, 1, persistence[1]) > 0  # one of the last n
        self.benign = (windows["label"].to_numpy() == 0) & ~was_attacked
        is_there = (bounds[:, 1] >= self.begin[0]) & (bounds[:, 0] <= self.end[-1])
        self.bounds, self.episodes = bounds[is_there], episodes[is_there]

    def benign_hours(self) -> float:
        return float(seconds_watched(self.begin, self.end)[self.benign].sum()) / HOUR

    def false_alarms(self, level: float) -> int:
        alarm = self.benign & (self.level >= level)
        return int((alarm & ~np.concatenate([[False], alarm[:-1]])).sum())

    def alarm_spans(self) -> NDArray[np.float64]:
        """Give the levels at which a false alarm begins at each benign window.

        Returns:
            float64 `[num_benign, 2]`: above the first, up to and with the second.
        """
        before = np.concatenate([[-np.inf], np.where(self.benign, self.level, -np.inf)[:-1]])
        spans = np.stack([np.minimum(before, self.level), self.level], axis=1)
        return spans[self.benign]

    def delays(self, level: float) -> NDArray[np.float64]:
        """Give the seconds to the first alarm of each episode, NaN where there is none."""
        delays = np.full(len(self.bounds), np.nan)
        can_alarm = (self.level >= level) & np.isfinite(self.level)
        for place, (first, last) in enumerate(self.bounds):
            touches = (self.end >= first) & (self.begin <= last)
            # What an episode before has left of an alarm does not find this one.
            has_begun = np.logical_or.accumulate(touches & (self.margin >= level))
            hits = can_alarm & touches & has_begun
            if hits.any():
                filled = self.end[hits][0] - max(first, self.begin[0])
                delays[place] = filled + self.computation_seconds
        return delays

    def rows(self) -> list[dict[str, object]]:
        delays = self.delays(0.0)
        table = self.episodes.assign(found=~np.isnan(delays), seconds_to_alarm=delays)
        return table.to_dict("records")


def persistent_level(margin: NDArray[np.float64], k: int, n: int) -> NDArray[np.float64]:
    """Give the k-th largest of the last n margins: above 0 where k of n windows alarm.

    Before the n-th window the windows there are count alone.
    """
    if (k, n) == (1, 1):
        return margin
    if k > len(margin):
        return np.full(len(margin), -np.inf)
    n = min(n, len(margin))  # more than all windows are no more than all
    padded = np.concatenate([np.full(n - 1, -np.inf), margin])
    last = np.lib.stride_tricks.sliding_window_view(padded, n)
    return np.sort(last, axis=1)[:, n - k]


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


def recall_interval(
    found: NDArray[np.bool_], capture: NDArray[np.int64], resampling: Resampling
) -> tuple[float, float]:
    """Give the bootstrap interval of a share of episodes, captures drawn first, then episodes.

    Args:
        found: of each episode `[num_episodes]`.
        capture: its capture, 0 to num_captures - 1 `[num_episodes]`.
        resampling: samples, level and seed.

    Returns:
        low and high; NaN with fewer than two episodes.
    """
    if len(found) < 2:
        return np.nan, np.nan
    times = resampled_blocks(
        capture,
        np.ones(len(found), dtype=bool),
        resampling.bootstrap,
        np.random.default_rng(resampling.seed),
    )
    return percentile_interval(times @ found / times.sum(axis=1), resampling.confidence)


def _row(captures: list[_Capture], resampling: Resampling) -> dict[str, float | int]:
    hours = sum(capture.benign_hours() for capture in captures)
    false_alarms = sum(capture.false_alarms(0.0) for capture in captures)
    by_capture = [delays for capture in captures if (delays := capture.delays(0.0)).size]
    delays = np.concatenate([np.empty(0), *by_capture])
    found = ~np.isnan(delays)
    number = np.repeat(np.arange(len(by_capture)), [len(part) for part in by_capture])
    recall_low, recall_high = recall_interval(found, number, resampling)
    low, high = poisson_interval(false_alarms, hours, resampling.confidence)
    recalls = [_recall_at(captures, budget * hours) for budget in BUDGETS]
    return {
        "episodes": int(delays.size),
        "episodes_found": int(found.sum()),
        "episode_recall": float(found.mean()) if delays.size else np.nan,
        "episode_recall_low": recall_low,
        "episode_recall_high": recall_high,
        "seconds_to_alarm": float(np.median(delays[found])) if found.any() else np.nan,
        "computation_seconds": captures[0].computation_seconds,
        "benign_hours": hours,
        "false_alarms": false_alarms,
        "false_alarms_per_hour": false_alarms / hours if hours > 0 else np.nan,
        "false_alarms_per_hour_low": low,
        "false_alarms_per_hour_high": high,
        "episode_recall_at_1_per_hour": recalls[0],
        "episode_recall_at_10_per_hour": recalls[1],
    }


def _recall_at(captures: list[_Capture], allowed: float) -> float:
    """Give the recall of episodes at the lowest level with at most so many false alarms.

    A ranking figure, found on test: it says what an operating point could reach, not what the
    stored one does. From the highest level down, it ends where the false alarms first exceed what
    is allowed: further down they become fewer again, as alarms grow together. NaN without an
    episode, or without a benign window.
    """
    spans = [capture.alarm_spans() for capture in captures]
    if not sum(len(capture.bounds) for capture in captures) or not sum(map(len, spans)):
        return np.nan
    level = lowest_level(spans, allowed)
    delays = np.concatenate([capture.delays(level) for capture in captures])
    return float((~np.isnan(delays)).mean())


def lowest_level(spans: list[NDArray[np.float64]], allowed: float) -> float:
    """Give the lowest level above which there are never more false alarms than allowed.

    Args:
        spans: of each capture, float64 `[num_windows, 2]`, see `_Capture.alarm_spans`.
        allowed: false alarms.

    Returns:
        Just above the highest level with too many, -inf if there is none.
    """
    above, up_to = np.concatenate([np.empty((0, 2)), *spans]).T
    levels = np.unique(up_to)
    # An alarm begins at a window at all levels in (above, up_to].
    begun = len(up_to) - np.searchsorted(np.sort(up_to), levels, side="left")
    ended = len(above) - np.searchsorted(np.sort(above), levels, side="left")
    too_many = np.flatnonzero(begun - ended > allowed)
    return float(np.nextafter(levels[too_many[-1]], np.inf)) if too_many.size else -np.inf
