"""What a detector is worth: rates, ranking, intervals that respect clusters, the scorecard."""

from kdgat.metrics.detection import COUNT_METRICS, detection_metrics
from kdgat.metrics.intervals import block_ids, bootstrap_interval
from kdgat.metrics.scorecards import SCORECARD_COLUMNS, WINDOW_SCORE_COLUMNS, scorecard

__all__ = [
    "COUNT_METRICS",
    "SCORECARD_COLUMNS",
    "WINDOW_SCORE_COLUMNS",
    "block_ids",
    "bootstrap_interval",
    "detection_metrics",
    "scorecard",
]
