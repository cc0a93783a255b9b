"""Pictures and the terminal's table: functions from data frames to figures, no files, one style."""

from kdgat.figures.detection import roc_low_false_positives, score_over_time
from kdgat.figures.fusion import fusion_weight_over_state
from kdgat.figures.scorecard import (
    alarm_table,
    offender_table,
    scorecard_bars,
    scorecard_page,
    scorecard_table,
)
from kdgat.figures.training import learning_curves, teacher_against_student
from kdgat.figures.verdicts import summary_sentences, verdict_section, verdict_sentences

__all__ = [
    "alarm_table",
    "fusion_weight_over_state",
    "learning_curves",
    "offender_table",
    "roc_low_false_positives",
    "score_over_time",
    "scorecard_bars",
    "scorecard_page",
    "scorecard_table",
    "summary_sentences",
    "teacher_against_student",
    "verdict_section",
    "verdict_sentences",
]
