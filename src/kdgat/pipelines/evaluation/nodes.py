"""The scorecard: thresholds from validation, figures from test."""

import pandas as pd
from matplotlib.figure import Figure
from plotly.graph_objects import Figure as PlotlyFigure

from kdgat import calibration, figures, metrics
from kdgat.can.graph_store import GraphStore
from kdgat.models.artifact import ModelArtifact
from kdgat.parameters import Compute, Evaluation
from kdgat.training import window_scores as scoring


def score_windows(
    validation_graphs: GraphStore,
    test_graphs: GraphStore,
    teacher_autoencoder: ModelArtifact,
    teacher_classifier: ModelArtifact,
    teacher_agent: ModelArtifact,
    student_autoencoder: ModelArtifact,
    student_classifier: ModelArtifact,
    student_agent: ModelArtifact,
    compute: Compute,
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Score every validation and test window with every model.

    Returns:
        Long table, one row per window and model; wide table, one row per window and size with
        the agent's state and fusion weight.
    """
    sizes = {
        "teacher": (teacher_autoencoder, teacher_classifier, teacher_agent),
        "student": (student_autoencoder, student_classifier, student_agent),
    }
    stores = {"validation": validation_graphs, "test": test_graphs}
    states = pd.concat(
        [
            scoring.fusion_states(
                store,
                split,
                size,
                autoencoder=autoencoder,
                classifier=classifier,
                agent=agent,
                compute=compute,
            )
            for size, (autoencoder, classifier, agent) in sizes.items()
            for split, store in stores.items()
        ],
        ignore_index=True,
    )
    return scoring.long_scores(states), states


def score_baselines(
    train_graphs: GraphStore,
    validation_graphs: GraphStore,
    test_graphs: GraphStore,
    parameters: Evaluation,
    seed: int,
) -> pd.DataFrame:
    """Score the same windows with detectors that use no graph network."""
    stores = {"validation": validation_graphs, "test": test_graphs}
    return scoring.baseline_scores(train_graphs, stores, trees=parameters.trees, seed=seed)


def fit_thresholds(
    window_scores: pd.DataFrame, baseline_scores: pd.DataFrame
) -> dict[str, dict[str, float | int | str]]:
    """Fit one operating point per model, on validation alone."""
    fitted = calibration.fit_thresholds(pd.concat([window_scores, baseline_scores]))
    return {model: threshold.to_dict() for model, threshold in fitted.items()}


def build_scorecard(
    window_scores: pd.DataFrame,
    baseline_scores: pd.DataFrame,
    thresholds: dict[str, dict],
    parameters: Evaluation,
) -> pd.DataFrame:
    """Apply the operating points to test: one row per model and scenario."""
    return metrics.scorecard(
        pd.concat([window_scores, baseline_scores]),
        _values(thresholds),
        bootstrap=parameters.bootstrap,
        confidence=parameters.confidence,
        seed=parameters.bootstrap_seed,
    )


def write_page(
    scorecard: pd.DataFrame,
    thresholds: dict[str, dict],
    parameters: Evaluation,
    compute: Compute,
    dataset: str,
    seed: int,
) -> str:
    """Write the scorecard as a section of `docs/results.md`, with what it rests on."""
    fitted = next(iter(thresholds.values()))
    return figures.scorecard_page(
        scorecard,
        heading=f"{dataset}, seed {seed}",
        remarks=(
            f"Protocol zero-shot. Thresholds: {fitted['rule']} ({fitted['n']:,} windows, "
            f"{fitted['n_attack']:,} attacks). Intervals: {parameters.confidence:.0%}, "
            f"{parameters.bootstrap:,} bootstrap samples over captures and blocks. "
            f"{compute.threads} CPU thread(s)."
        ),
    )


def draw_scorecard(scorecard: pd.DataFrame) -> PlotlyFigure:
    """Draw F1 of every model and scenario with its interval."""
    return figures.scorecard_bars(scorecard)


def draw_scores(
    window_scores: pd.DataFrame, thresholds: dict[str, dict], parameters: Evaluation
) -> tuple[Figure, Figure, Figure]:
    """Draw a capture's scores over time, the ROC at low false-positive rates, both classifiers.

    Returns:
        The three figures; the capture is the first test capture with attacks, the model
        `evaluation.drawn_model`.
    """
    test = window_scores[window_scores["split"] == "test"]
    values = {model: _values(thresholds)[model] for model in test["model"].unique()}
    drawn = test[test["model"] == parameters.drawn_model]
    capture = drawn[drawn["label"] == 1]["capture"].iloc[0]
    return (
        figures.score_over_time(drawn[drawn["capture"] == capture], values[parameters.drawn_model]),
        figures.roc_low_false_positives(test, values),
        figures.teacher_against_student(test, "teacher_classifier", "student_classifier", values),
    )


def draw_fusion_weights(fusion_states: pd.DataFrame) -> Figure:
    """Draw the weight that the students' agent gives each test window."""
    students = fusion_states[
        (fusion_states["size"] == "student") & (fusion_states["split"] == "test")
    ]
    return figures.fusion_weight_over_state(students)


def _values(thresholds: dict[str, dict]) -> dict[str, float]:
    return {model: threshold["value"] for model, threshold in thresholds.items()}
