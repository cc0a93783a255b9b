"""The scorecard: operating points from benign validation, figures from test."""

import pandas as pd
from matplotlib.figure import Figure
from plotly.graph_objects import Figure as PlotlyFigure

from kdgat import calibration, figures, metrics
from kdgat.calibration import BENIGN_TAIL, CALIBRATED, ZERO_SHOT, point_values
from kdgat.can.graph_store import GraphStore
from kdgat.models.artifact import ModelArtifact
from kdgat.parameters import Compute, Evaluation, OperatingPoint
from kdgat.training import baseline_scores as baselines
from kdgat.training import computation, offenders
from kdgat.training import window_scores as scoring
from kdgat.training.fusion_baselines import fusion_baseline_scores, fusion_baseline_seconds
from kdgat.training.operating_points import warn_of_other_points
from kdgat.training.window_scores import Part

Thresholds = dict[str, dict[str, dict]]
"""Model -> protocol -> operating point."""


def score_windows(
    drawn_validation_graphs: GraphStore,
    test_graphs: GraphStore,
    calibrated_test_graphs: GraphStore,
    teacher_autoencoder: ModelArtifact,
    teacher_classifier: ModelArtifact,
    teacher_agent: ModelArtifact,
    student_autoencoder: ModelArtifact,
    student_classifier: ModelArtifact,
    student_agent: ModelArtifact,
    compute: Compute,
) -> tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame]:
    """Score every validation window, and every test window under both protocols.

    Returns:
        Long table, one row per window and model; wide table, one row per window and size with
        the agent's state and fusion weight; the computation time of each model.
    """
    sizes = {
        "teacher": {
            "autoencoder": teacher_autoencoder,
            "classifier": teacher_classifier,
            "agent": teacher_agent,
        },
        "student": {
            "autoencoder": student_autoencoder,
            "classifier": student_classifier,
            "agent": student_agent,
        },
    }
    parts = _parts(drawn_validation_graphs, test_graphs, calibrated_test_graphs)
    states = pd.concat(
        [
            scoring.fusion_states(part, size, **models, compute=compute)
            for size, models in sizes.items()
            for part in parts
        ],
        ignore_index=True,
    )
    seconds = [
        computation.model_seconds(size, test_graphs, **models, compute=compute)
        for size, models in sizes.items()
    ]
    return scoring.long_scores(states), states, pd.concat(seconds, ignore_index=True)


def score_baselines(
    train_graphs: GraphStore,
    validation_graphs: GraphStore,
    drawn_train_graphs: GraphStore,
    drawn_validation_graphs: GraphStore,
    test_graphs: GraphStore,
    calibrated_test_graphs: GraphStore,
    fusion_states: pd.DataFrame,
    model_seconds: pd.DataFrame,
    parameters: Evaluation,
    seed: int,
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Score the same windows with detectors that use no graph network, and other fusions.

    Returns:
        Long table, one row per window and model; the computation time of each.
    """
    judges = baselines.fit_baselines(
        train_graphs, drawn_train_graphs, trees=parameters.trees, seed=seed
    )
    parts = _parts(drawn_validation_graphs, test_graphs, calibrated_test_graphs)
    scores = [
        baselines.baseline_scores(judges, parts, validation_graphs),
        fusion_baseline_scores(fusion_states, seed=seed),
    ]
    seconds = [
        computation.judge_seconds(judges, test_graphs),
        fusion_baseline_seconds(model_seconds),
    ]
    return pd.concat(scores, ignore_index=True), pd.concat(seconds, ignore_index=True)


def fit_thresholds(
    window_scores: pd.DataFrame,
    baseline_scores: pd.DataFrame,
    operating_point: OperatingPoint,
    **models: ModelArtifact,
) -> Thresholds:
    """Fit one operating point per model and protocol, on benign validation windows alone.

    A warning names the models, as the catalog calls them, that carry other ones.
    """
    fitted = calibration.fit_thresholds(
        pd.concat([window_scores, baseline_scores]),
        budgets=operating_point.budgets,
        fixed=baselines.FIXED_POINTS,
        shared=[baselines.ON_RECORDED],
    )
    thresholds = {
        model: {protocol: point.to_dict() for protocol, point in points.items()}
        for model, points in fitted.items()
    }
    judged = {name.replace("_agent", "_fusion"): model for name, model in models.items()}
    warn_of_other_points(judged, thresholds)
    return thresholds


def build_scorecard(
    window_scores: pd.DataFrame,
    baseline_scores: pd.DataFrame,
    thresholds: Thresholds,
    test_episodes: pd.DataFrame,
    parameters: Evaluation,
) -> tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame]:
    """Apply the operating points to the test windows that have a label.

    Returns:
        One row per model, protocol and scenario; the same by capture; who wins.
    """
    scores = pd.concat([window_scores, baseline_scores], ignore_index=True)
    known, points = metrics.known_windows(scores, test_episodes), point_values(thresholds)
    resampling = _resampling(parameters)
    return (
        metrics.scorecard(known, points, resampling),
        metrics.capture_scorecard(known, points),
        metrics.verdicts(known, points, resampling),
    )


def count_alarms(
    window_scores: pd.DataFrame,
    baseline_scores: pd.DataFrame,
    thresholds: Thresholds,
    test_episodes: pd.DataFrame,
    model_seconds: pd.DataFrame,
    baseline_seconds: pd.DataFrame,
    parameters: Evaluation,
) -> tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame]:
    """Count the episodes found and the false alarms on test.

    Returns:
        One row per model, protocol and scenario; one per model, protocol and capture; one per
        model, protocol and episode.
    """
    return metrics.alarm_scorecard(
        pd.concat([window_scores, baseline_scores], ignore_index=True),
        point_values(thresholds),
        test_episodes,
        pd.concat([model_seconds, baseline_seconds])
        .set_index("model")["computation_seconds"]
        .to_dict(),
        persistence=tuple(parameters.persistence),
        resampling=_resampling(parameters),
    )


def _resampling(parameters: Evaluation) -> metrics.Resampling:
    return metrics.Resampling(
        parameters.bootstrap, parameters.confidence, parameters.bootstrap_seed
    )


def score_offenders(
    test_graphs: GraphStore,
    calibrated_test_graphs: GraphStore,
    teacher_autoencoder: ModelArtifact,
    teacher_classifier: ModelArtifact,
    student_autoencoder: ModelArtifact,
    student_classifier: ModelArtifact,
    window_scores: pd.DataFrame,
    fusion_states: pd.DataFrame,
    thresholds: Thresholds,
    attacked_ids: pd.DataFrame,
    compute: Compute,
) -> pd.DataFrame:
    """Say how often the IDs named in alarmed attack windows are those under attack."""
    detectors = {
        "teacher": {"autoencoder": teacher_autoencoder, "classifier": teacher_classifier},
        "student": {"autoencoder": student_autoencoder, "classifier": student_classifier},
    }
    named = [
        offenders.named_in_attacks(part, size, states, **pair, compute=compute)
        for size, pair in detectors.items()
        for part in _test_parts(test_graphs, calibrated_test_graphs)
        for states in [scoring.states_of(fusion_states, part, size)]
    ]
    return metrics.offender_scorecard(
        pd.concat(named, ignore_index=True), window_scores, point_values(thresholds), attacked_ids
    )


def write_page(
    scorecard: pd.DataFrame,
    capture_scorecard: pd.DataFrame,
    alarm_scorecard: pd.DataFrame,
    offender_scorecard: pd.DataFrame,
    verdicts: pd.DataFrame,
    thresholds: Thresholds,
    prefix_report: pd.DataFrame,
    parameters: Evaluation,
    compute: Compute,
    dataset: str,
    seed: int,
) -> str:
    """Write the scorecard as a section of `docs/results.md`, with what it rests on."""
    points = thresholds["student_fusion"]
    distrusted = list(prefix_report["capture"][prefix_report["complaint"].fillna("") != ""])
    remarks = (
        f"Protocols: zero-shot, and calibrated. Operating points: {BENIGN_TAIL}, just above the "
        f"highest of them at most, budget {points[ZERO_SHOT]['budget']:g} of windows "
        f"without a profile ({points[ZERO_SHOT]['n']:,} benign ones) and "
        f"{points[CALIBRATED]['budget']:g} of those with one ({points[CALIBRATED]['n']:,}). "
        f"Intervals: {parameters.confidence:.0%}, {parameters.bootstrap:,} bootstrap samples over "
        "captures and episodes. "
        f"{compute.threads} CPU thread(s). {figures.prefix_sentences(prefix_report)}"
    )
    page = figures.scorecard_page(scorecard, heading=f"{dataset}, seed {seed}", remarks=remarks)
    tables = [
        figures.capture_table(capture_scorecard, distrusted),
        figures.alarm_table(alarm_scorecard),
        figures.offender_table(offender_scorecard),
    ]
    return "\n".join([page, figures.verdict_section(verdicts), *tables])


def draw_scorecard(scorecard: pd.DataFrame) -> PlotlyFigure:
    """Draw F1 of every model and scenario with its interval."""
    return figures.scorecard_bars(scorecard)


def draw_scores(
    window_scores: pd.DataFrame,
    thresholds: Thresholds,
    capture_scorecard: pd.DataFrame,
    test_episodes: pd.DataFrame,
    parameters: Evaluation,
) -> tuple[Figure, PlotlyFigure, Figure, Figure]:
    """Draw scores over time, the ROC at low false-positive rates, both classifiers.

    As the scorecard does, they judge a capture whose prefix the guard distrusts at the zero-shot
    operating point.

    Returns:
        Calibrated scores over time to print, of each scenario's capture in which
        `evaluation.drawn_model` has the lowest F1; of all, to explore; ROC; teacher and student.
    """
    of_test = (window_scores["split"] == "test") & (window_scores["protocol"] == CALIBRATED)
    test, points = window_scores[of_test], point_values(thresholds)
    drawn = test[test["model"] == parameters.drawn_model]
    judged_at = drawn.drop_duplicates("capture").set_index("capture")["operating_point"]
    values = judged_at.map(points[parameters.drawn_model]).to_dict()
    known = metrics.known_windows(test, test_episodes)
    judged = metrics.above_points(known, points)
    drawn_models = [model for model in points if model in set(test["model"])]
    hardest = metrics.hardest_captures(drawn, capture_scorecard, protocol=CALIBRATED)
    shown = drawn.assign(label=known["label"])
    printed = shown[shown["capture"].isin(hardest)]
    begins = window_scores.groupby("capture")["start_time"].min().to_dict()
    return (
        figures.score_over_time(printed, values, test_episodes, begins),
        figures.scores_to_explore(shown, values, test_episodes, begins),
        figures.roc_low_false_positives(judged, dict.fromkeys(drawn_models, 0.0)),
        figures.teacher_against_student(judged, "teacher_classifier", "student_classifier"),
    )


def draw_fusion_weights(fusion_states: pd.DataFrame, test_episodes: pd.DataFrame) -> Figure:
    """Draw the weight that the students' agent gives each test window, calibrated."""
    students = fusion_states[
        (fusion_states["size"] == "student")
        & (fusion_states["split"] == "test")
        & (fusion_states["protocol"] == CALIBRATED)
    ]
    return figures.fusion_weight_over_state(metrics.known_windows(students, test_episodes))


def _parts(validation: GraphStore, test: GraphStore, calibrated: GraphStore) -> list[Part]:
    return [Part(validation, "validation"), *_test_parts(test, calibrated)]


def _test_parts(test: GraphStore, calibrated: GraphStore) -> list[Part]:
    return [Part(test, "test", ZERO_SHOT), Part(calibrated, "test", CALIBRATED)]
