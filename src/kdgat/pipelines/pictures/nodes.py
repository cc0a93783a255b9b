"""Pictures of what the detectors do on test, under the calibrated protocol.

Windows without a label, those in which an ID is silent, are in none of them.
"""

import pandas as pd
from matplotlib.figure import Figure

from kdgat import figures, metrics
from kdgat.calibration import CALIBRATED, point_values
from kdgat.can.graph_store import GraphStore
from kdgat.figures import DrawnGraph
from kdgat.models.artifact import ModelArtifact
from kdgat.parameters import Compute
from kdgat.training.inside import edge_attention, latent_of_windows
from kdgat.training.offenders import name_ids, node_suspicion
from kdgat.training.window_scores import Part, window_table


def draw_alarms(
    window_scores: pd.DataFrame, thresholds: dict, test_episodes: pd.DataFrame
) -> tuple[Figure, Figure]:
    """Draw precision over recall, and recall over false alarms an hour."""
    test, points = _judged(window_scores, thresholds, test_episodes)
    return figures.precision_recall(test, points), figures.false_alarms_and_recall(test, points)


def draw_confusion(
    window_scores: pd.DataFrame,
    thresholds: dict,
    test_episodes: pd.DataFrame,
    capture_summary: pd.DataFrame,
) -> Figure:
    """Draw which share of each kind of attack alarms, for every model."""
    test, points = _judged(window_scores, thresholds, test_episodes)
    kinds = capture_summary.set_index("capture")["attack_type"].to_dict()
    return figures.confusion_by_attack(test, points, kinds)


def draw_latent_space(
    calibrated_test_graphs: GraphStore,
    teacher_autoencoder: ModelArtifact,
    test_episodes: pd.DataFrame,
    compute: Compute,
) -> Figure:
    """Draw where the teacher autoencoder puts the test windows."""
    latent = latent_of_windows(teacher_autoencoder, calibrated_test_graphs, compute=compute)
    windows = window_table(Part(calibrated_test_graphs, "test", CALIBRATED))
    known = metrics.known_windows(windows, test_episodes)
    return figures.latent_space(latent[known.index], known, "teacher_autoencoder")


def draw_window_graphs(
    calibrated_test_graphs: GraphStore,
    student_classifier: ModelArtifact,
    window_scores: pd.DataFrame,
    test_episodes: pd.DataFrame,
    compute: Compute,
) -> Figure:
    """Draw two test windows as the student classifier sees them.

    They are the benign window of the median score, and of the first capture with attacks the
    attack window of the highest; one alone where there is no window of the other kind.
    """
    logits = _of_test(window_scores)
    logits = logits[logits["model"] == "student_classifier"].reset_index(drop=True)
    logits = metrics.known_windows(logits, test_episodes)
    benign, attack = (logits[logits["label"] == label] for label in (0, 1))
    attack = attack[attack["capture"].isin(attack["capture"].iloc[:1])]
    median = benign.sort_values("score").index[len(benign) // 2 :][:1]
    highest = attack.sort_values("score").index[-1:]
    graphs = [
        _drawn(calibrated_test_graphs.subset([row]), student_classifier, compute, name, logits, row)
        for name, row in [("benign", row) for row in median] + [("attack", row) for row in highest]
    ]
    return figures.window_graphs(graphs, "what the student classifier attends to")


def _drawn(
    window: GraphStore,
    classifier: ModelArtifact,
    compute: Compute,
    name: str,
    logits: pd.DataFrame,
    row: int,
) -> DrawnGraph:
    suspicion = node_suspicion(classifier, window, compute=compute)
    blamed = name_ids(suspicion, window)[0]
    scenario, _, capture = logits["capture"][row].partition("/")  # together they run into the next
    return DrawnGraph(
        title=f"{name} window, attack logit {logits['score'][row]:.1f}\n{scenario}\n{capture}",
        arbitration_id=window.arbitration_id.numpy(),
        edge_index=window.edge_index.numpy(),
        attention=edge_attention(classifier, window),
        suspicion=suspicion,
        named=tuple(blamed[blamed >= 0].tolist()) if name == "attack" else (),
    )


def _of_test(window_scores: pd.DataFrame) -> pd.DataFrame:
    of_test = (window_scores["split"] == "test") & (window_scores["protocol"] == CALIBRATED)
    return window_scores[of_test]


def _judged(
    window_scores: pd.DataFrame, thresholds: dict, test_episodes: pd.DataFrame
) -> tuple[pd.DataFrame, dict[str, float]]:
    """Measure scores from the operating point that judges each window: from 0 on they alarm."""
    known = metrics.known_windows(_of_test(window_scores), test_episodes)
    test = metrics.above_points(known, point_values(thresholds))
    return test, dict.fromkeys(dict.fromkeys(test["model"]), 0.0)
