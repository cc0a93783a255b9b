"""Pictures and the terminal's table: functions from data frames to figures, no files, one style."""

from kdgat.figures.alarms import confusion_by_attack, false_alarms_and_recall, precision_recall
from kdgat.figures.batches import batch_sizes
from kdgat.figures.capture_table import capture_table
from kdgat.figures.detection import roc_low_false_positives, score_over_time
from kdgat.figures.exploring import scores_to_explore
from kdgat.figures.fusion import fusion_weight_over_state
from kdgat.figures.prefixes import prefix_sentences
from kdgat.figures.scorecard import (
    alarm_table,
    offender_table,
    scorecard_bars,
    scorecard_page,
    scorecard_table,
)
from kdgat.figures.training import learning_curves, teacher_against_student
from kdgat.figures.verdicts import summary_sentences, verdict_section, verdict_sentences
from kdgat.figures.windows import DrawnGraph, latent_space, window_graphs

__all__ = [
    "DrawnGraph",
    "alarm_table",
    "batch_sizes",
    "capture_table",
    "confusion_by_attack",
    "false_alarms_and_recall",
    "fusion_weight_over_state",
    "latent_space",
    "learning_curves",
    "offender_table",
    "precision_recall",
    "prefix_sentences",
    "roc_low_false_positives",
    "score_over_time",
    "scorecard_bars",
    "scorecard_page",
    "scorecard_table",
    "scores_to_explore",
    "summary_sentences",
    "teacher_against_student",
    "verdict_section",
    "verdict_sentences",
    "window_graphs",
]
