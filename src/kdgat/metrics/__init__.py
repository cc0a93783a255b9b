"""What a detector is worth: rates, ranking, intervals that respect clusters, the scorecard."""

from kdgat.metrics.aftermath import known_windows
from kdgat.metrics.detection import COUNT_METRICS, detection_metrics
from kdgat.metrics.episodes import (
    ALARM_COLUMNS,
    CAPTURE_ALARM_COLUMNS,
    EPISODE_COLUMNS,
    alarm_scorecard,
)
from kdgat.metrics.intervals import Resampling, block_ids, bootstrap_interval
from kdgat.metrics.offenders import OFFENDER_COLUMNS, offender_scorecard
from kdgat.metrics.scorecards import (
    CAPTURE_COLUMNS,
    SCORECARD_COLUMNS,
    WINDOW_SCORE_COLUMNS,
    above_points,
    by_condition,
    capture_scorecard,
    hardest_captures,
    margins,
    scorecard,
)
from kdgat.metrics.verdicts import VERDICT_COLUMNS, verdicts

__all__ = [
    "ALARM_COLUMNS",
    "CAPTURE_ALARM_COLUMNS",
    "CAPTURE_COLUMNS",
    "COUNT_METRICS",
    "EPISODE_COLUMNS",
    "OFFENDER_COLUMNS",
    "SCORECARD_COLUMNS",
    "VERDICT_COLUMNS",
    "WINDOW_SCORE_COLUMNS",
    "Resampling",
    "above_points",
    "alarm_scorecard",
    "block_ids",
    "bootstrap_interval",
    "by_condition",
    "capture_scorecard",
    "detection_metrics",
    "hardest_captures",
    "known_windows",
    "margins",
    "offender_scorecard",
    "scorecard",
    "verdicts",
]
