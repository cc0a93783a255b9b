"""Figures say what they show: labelled axes, the right windows marked, the right numbers."""

import io

import matplotlib
import numpy as np
import pandas as pd
import pytest
from matplotlib.figure import Figure
from rich.console import Console

from kdgat.errors import DataError
from kdgat.figures import (
    fusion_weight_over_state,
    learning_curves,
    roc_low_false_positives,
    score_over_time,
    scorecard_bars,
    scorecard_page,
    scorecard_table,
    scores_to_explore,
    teacher_against_student,
)
from kdgat.figures.style import in_words, model_styles, score_name
from kdgat.metrics import Resampling, scorecard

MODELS = ("teacher_classifier", "student_classifier", "bag_of_ids_forest")
THRESHOLDS = dict.fromkeys(MODELS, 0.0)


def capture_scores(model, scenario, labels, scores):
    number = np.arange(len(labels))
    return pd.DataFrame(
        {
            "split": "test",
            "protocol": "zero_shot",
            "operating_point": "zero_shot",
            "scenario": scenario,
            "capture": f"{scenario}/drive",
            "start": number * 100,
            "stretch": number,
            "start_time": 1000.0 + number,
            "end_time": 1000.9 + number,
            "label": labels,
            "model": model,
            "score": scores,
        }
    )


@pytest.fixture(scope="module")
def window_scores():
    generator, tables = np.random.default_rng(0), []
    for scenario, shift in (("test_01_known_vehicle", 0.0), ("test_02_unknown_vehicle", 1.0)):
        labels = np.repeat([0, 1, 0, 1, 0], 20)
        for model in MODELS:
            scores = 3.0 * labels - 1.5 + shift + generator.normal(size=labels.size)
            tables.append(capture_scores(model, scenario, labels, scores))
    quiet = capture_scores("teacher_classifier", "test_05_suppress", [0, 0], [-1.0, 1.0])
    return pd.concat([*tables, quiet], ignore_index=True)


@pytest.fixture(scope="module")
def card(window_scores):
    points = {model: {"zero_shot": value} for model, value in THRESHOLDS.items()}
    return scorecard(window_scores, points, Resampling(50, 0.95, 0))


@pytest.fixture
def states():
    generator = np.random.default_rng(1)
    return pd.DataFrame(
        {
            "anomaly_score": generator.normal(size=50),
            "attack_logit": generator.normal(size=50),
            "fusion_weight": generator.integers(0, 21, size=50) / 20,
            "label": generator.integers(0, 2, size=50),
        }
    )


@pytest.fixture
def history():
    epochs = [
        {"stage": stage, "epoch": epoch, "train_loss": 3.0 / (epoch + 1), "seconds": 1.0}
        for stage in ("teacher_autoencoder", "teacher_classifier")
        for epoch in range(4)
    ]
    table = pd.DataFrame(epochs)
    table["val_loss"] = [2.0, 1.0, 3.0, 4.0, 4.0, 3.0, 2.0, 1.0]
    table["val_auroc"] = [np.nan] * 4 + [0.5, 0.6, 0.7, 0.8]
    return table


def panels(figure):
    figure.draw_without_rendering()
    return [axes for axes in figure.axes if axes.axison]


def legend_of(figure):
    texts = [text for legend in figure.legends for text in legend.get_texts()]
    for axes in figure.axes:
        texts += axes.get_legend().get_texts() if axes.get_legend() else []
    return [text.get_text() for text in texts]


def test_metrics_that_end_alike_name_their_axis():
    rows = {"stage": "student_fusion", "epoch": [0, 1], "train_loss": [2.0, 1.0]}
    both = pd.DataFrame(rows | {"train_reward": [0.1, 0.2], "val_reward": [0.1, 0.3]})
    mixed = both.rename(columns={"val_reward": "val_auroc"})
    assert [axes.get_ylabel() for axes in panels(learning_curves(both))][1] == "reward"
    assert [axes.get_ylabel() for axes in panels(learning_curves(mixed))][1] == "metric"


def test_learning_curves_have_a_panel_per_stage_and_kind_of_metric(history):
    figure = learning_curves(history)
    drawn = panels(figure)
    assert [axes.get_ylabel() for axes in drawn] == ["loss", "loss", "validation AUROC"]
    assert {axes.get_xlabel() for axes in drawn} == {"epoch"}
    assert [axes.get_title(loc="left") for axes in drawn[:2]] == [
        "teacher autoencoder",
        "teacher classifier",
    ]
    assert legend_of(figure) == ["training loss", "validation loss"] * 2 + ["validation AUROC"]
    best = drawn[0].lines[-1].get_xdata()[0]
    assert best == 2, "the second epoch, counted from 1, has the lowest validation loss"
    assert drawn[0].get_yscale() == "log"


def test_losses_below_zero_keep_a_linear_axis(history):
    only_losses = history.drop(columns="val_auroc").assign(train_loss=-1.0)
    assert [axes.get_yscale() for axes in panels(learning_curves(only_losses))] == ["linear"] * 2


def test_score_over_time_shades_episodes_and_counts_verdicts():
    labels, scores = [0, 1, 1, 0, 1, 0], [-1.0, 2.0, -2.0, 3.0, 0.0, -1.0]
    one = capture_scores("student_classifier", "test_01", labels, scores)
    silent = capture_scores("student_classifier", "test_05", [0, np.nan, np.nan], [-1.0, 1.0, -1.0])
    episodes = pd.DataFrame(
        {
            "capture": ["test_01/drive", "test_01/drive", "test_05/drive", "test_05/drive"],
            "start": [1001.2, 1004.0, 1001.5, np.nan],
            "end": [1002.8, 1004.5, 1002.7, np.nan],
        }
    )
    points = {"test_01/drive": 0.0, "test_05/drive": 0.5}
    begins = {"test_01/drive": 995.0, "test_05/drive": 1000.0}
    figure = score_over_time(pd.concat([one, silent]), points, episodes, begins)
    upper, lower = panels(figure)
    assert lower.get_xlabel() == "time since the capture began [s]"
    assert upper.collections[0].get_offsets()[0][0] == 5.0
    assert upper.get_ylabel() == "attack logit"
    assert legend_of(figure) == [
        "episode",
        "quiet",
        "alarm",
        "missed attack",
        "false alarm",
        "no label",
        "threshold",
    ]
    shaded = [
        [(patch.get_x(), patch.get_x() + patch.get_width()) for patch in axes.patches]
        for axes in (upper, lower)
    ]
    np.testing.assert_allclose(shaded[0], [(6.2, 7.8), (9.0, 9.5)])
    np.testing.assert_allclose(shaded[1], [(1.5, 2.7)])
    marked = [len(points.get_offsets()) for points in upper.collections]
    assert marked == [2, 2, 1, 1, 0], "quiet, alarm, missed attack, false alarm, no label"
    assert [len(points.get_offsets()) for points in lower.collections] == [1, 0, 0, 0, 2]
    assert figure.get_suptitle() == "student classifier"
    assert [axes.get_title(loc="left").splitlines() for axes in (upper, lower)] == [
        ["test_01/drive", "alarms: 2 of 3 attack windows, 1 of 3 benign windows"],
        ["test_05/drive", "alarms: 0 of 1 benign windows, 1 of 2 without a label"],
    ]


def test_score_over_time_takes_one_model(window_scores):
    with pytest.raises(DataError, match="hold 3 models"):
        score_over_time(window_scores, {}, pd.DataFrame(columns=["capture", "start", "end"]), {})


def test_roc_is_logarithmic_and_marks_the_operating_points(window_scores):
    figure = roc_low_false_positives(window_scores, THRESHOLDS)
    drawn = panels(figure)
    assert [axes.get_title(loc="left") for axes in drawn] == [
        "test 01 known vehicle",
        "test 02 unknown vehicle",
        "test 05 suppress",
    ]
    assert {axes.get_xscale() for axes in drawn} == {"log"}
    assert {axes.get_xlabel() for axes in drawn} == {
        "false-positive rate [share of benign windows]"
    }
    assert drawn[0].get_ylabel() == "recall [share of attack windows]"
    assert drawn[0].get_xlim() == (0.5 / 60, 1)
    assert legend_of(figure) == [in_words(model) for model in MODELS]
    chosen = window_scores[
        (window_scores["model"] == MODELS[0])
        & (window_scores["scenario"] == "test_02_unknown_vehicle")
    ]
    alarms = chosen["score"] >= 0
    point = drawn[1].lines[1]
    assert point.get_xdata()[0] == alarms[chosen["label"] == 0].mean()
    assert point.get_ydata()[0] == alarms[chosen["label"] == 1].mean()
    assert [text.get_text() for text in drawn[2].texts] == ["one class only: no ROC"]


def test_teacher_against_student_counts_equal_verdicts():
    labels = [0, 0, 1, 1]
    table = pd.concat(
        [
            capture_scores("teacher_classifier", "test_01", labels, [-1.0, 1.0, 1.0, 1.0]),
            capture_scores("student_classifier", "test_01", labels, [-6.5, -6.5, -0.5, 0.5]),
        ]
    )
    figure = teacher_against_student(table, "teacher_classifier", "student_classifier")
    (axes,) = panels(figure)
    assert axes.get_title(loc="left") == "same verdict on 2 of 4 test windows"
    assert axes.get_xlabel() == "attack logit of the teacher classifier above its operating point"
    assert axes.get_ylabel() == "attack logit of the student classifier above its operating point"
    assert legend_of(figure) == ["benign windows (2)", "attack windows (2)"]
    with pytest.raises(DataError, match="share no test window"):
        teacher_against_student(table, "teacher_classifier", "student_fusion")


def test_fusion_weights_show_both_classes_and_sum_to_one(states):
    figure = fusion_weight_over_state(states)
    benign, attack, histogram, bar = panels(figure)
    assert benign.get_xlabel() == attack.get_xlabel() == "attack logit of the classifier"
    assert benign.get_ylabel() == attack.get_ylabel() == "anomaly score"
    assert histogram.get_xlabel() == "fusion weight"
    assert "fusion weight" in bar.get_ylabel()
    num_attack = states["label"].sum()
    assert attack.get_title(loc="left") == f"attack windows ({num_attack})"
    assert len(attack.collections[0].get_offsets()) == num_attack
    heights = histogram.patches[0].get_xy()[1:-1:2, 1]
    assert heights.sum() == pytest.approx(1)


def test_fusion_weights_of_one_class_alone_can_be_drawn(states):
    assert isinstance(fusion_weight_over_state(states[states["label"] == 0]), Figure)


def test_drawing_leaves_matplotlib_as_it_was(states):
    before = dict(matplotlib.rcParams)
    fusion_weight_over_state(states)
    assert dict(matplotlib.rcParams) == before


def test_bars_hold_f1_and_its_interval(card):
    figure = scorecard_bars(card)
    assert [trace.name for trace in figure.data] == [in_words(model) for model in MODELS]
    trace, rows = figure.data[0], card[card["model"] == MODELS[0]]
    np.testing.assert_allclose(trace.y, rows["f1"])
    np.testing.assert_allclose(np.add(trace.y, trace.error_y.array), rows["f1_high"])
    np.testing.assert_allclose(np.subtract(trace.y, trace.error_y.arrayminus), rows["f1_low"])
    assert trace.x[0] == "test 01<br>known vehicle"
    assert figure.layout.yaxis.title.text == "F1 of windows"
    assert figure.layout.xaxis.title.text == "test scenario"


def test_table_fits_a_terminal_and_writes_a_dash_for_what_is_undefined(card):
    console = Console(width=80, record=True, file=io.StringIO())
    console.print(scorecard_table(card))
    lines = console.export_text().splitlines()
    assert max(map(len, lines)) <= 80
    text = "\n".join(lines)
    assert "…" not in text
    assert "test 05 suppress" in text
    assert lines[1].split() == [
        "model",
        "F1",
        "interval",
        "precision",
        "recall",
        "FPR",
        "AUROC",
        "n",
    ]
    suppress = lines[lines.index(next(line for line in lines if "suppress" in line)) + 3]
    words = suppress.split()
    # One of two benign windows alarms: precision 0 and a rate of .5, nothing else is defined.
    assert words == ["teacher", "classifier", "–", "–", ".000", "–", ".5000", "–", "2"]


ROW = {
    "scenario": "test_01",
    "protocol": "zero_shot",
    "f1_low": float("nan"),
    "f1_high": float("nan"),
    "precision": 0.5,
    "recall": 1.0,
    "false_positive_rate": 0.25,
    "auroc": 0.75,
    "n": 1000,
    "n_attack": 200,
    "n_captures": 2,
}


def card_of(**f1: float) -> pd.DataFrame:
    return pd.DataFrame([{**ROW, "model": model, "f1": value} for model, value in f1.items()])


def test_page_is_a_markdown_table_with_remarks():
    page = scorecard_page(card_of(student_fusion=0.5, rule=0.8), "mine, seed 1", "Why.")
    lines = page.splitlines()
    assert lines[0] == "## mine, seed 1"
    assert lines[2] == "Why."
    assert (
        "| test 01 | rule | **.800** | – | .500 | 1.000 | .2500 | .750 | 1,000 | 200 | 2 |" in lines
    )


def test_a_models_colour_is_its_kind_and_its_line_its_size():
    styles = model_styles(["teacher_fusion", "student_fusion", "everything_attack", "forest"])
    assert styles["teacher_fusion"].colour == styles["student_fusion"].colour
    assert styles["teacher_fusion"].line != styles["student_fusion"].line
    assert styles["everything_attack"].colour != styles["forest"].colour
    alone = model_styles(["student_fusion"])
    assert alone["student_fusion"] == styles["student_fusion"]


def test_names_in_words():
    assert in_words("bag_of_ids_forest") == "bag of IDs forest"
    assert score_name("student_autoencoder") == "anomaly score"
    assert score_name("bag_of_ids_forest") == "score"


@pytest.mark.parametrize(
    "draw",
    [
        learning_curves,
        fusion_weight_over_state,
        scorecard_bars,
        scorecard_table,
        lambda table: score_over_time(table, {}, pd.DataFrame(), {}),
        lambda table: roc_low_false_positives(table, {}),
        lambda table: teacher_against_student(table, "a", "b"),
    ],
)
def test_a_table_without_its_columns_is_refused_in_one_sentence(draw):
    with pytest.raises(DataError, match="lack the columns"):
        draw(pd.DataFrame({"something": [1]}))


@pytest.mark.parametrize(
    "draw",
    [
        learning_curves,
        fusion_weight_over_state,
        lambda table: roc_low_false_positives(table, {}),
        lambda table: teacher_against_student(table, "a", "b"),
    ],
)
def test_a_picture_of_no_row_says_so(draw):
    """All test windows may lie in silences; what they are scored by is done by then."""
    columns = ["stage", "epoch", "split", "scenario", "capture", "start", "label", "model", "score"]
    states = ["anomaly_score", "attack_logit", "fusion_weight"]
    figure = draw(pd.DataFrame(columns=[*columns, *states]))
    assert not figure.axes
    assert "hold no row" in figure.texts[0].get_text()


def test_a_history_without_metrics_is_refused():
    with pytest.raises(DataError, match="hold no metric"):
        learning_curves(pd.DataFrame({"stage": ["fusion"], "epoch": [0], "seconds": [1.0]}))


def test_scores_to_explore_name_every_verdict():
    windows = pd.DataFrame(
        {
            "scenario": "test_01",
            "capture": ["benign"] + ["dos"] * 5,
            "model": "student_fusion",
            "start": [0, 0, 100, 200, 300, 400],
            "start_time": [5.0, 10.0, 11.0, 12.0, 13.0, 14.0],
            "end_time": [5.9, 10.9, 11.9, 12.9, 13.9, 14.9],
            "label": [0, 0, 1, 1, 0, np.nan],
            "score": [-1.0, -1.0, 2.0, 0.5, 1.0, 2.0],
        }
    )
    bounds = {"start": [11.2, np.nan], "end": [12.7, np.nan]}
    episodes = pd.DataFrame({"capture": "dos", **bounds})
    points, begins = {"benign": -1.0, "dos": 1.0}, {"benign": 5.0, "dos": 8.0}
    figure = scores_to_explore(windows, points, episodes, begins)
    assert [trace.visible for trace in figure.data] == [False, True]
    told = [verdict for verdict, _ in figure.data[1].customdata]
    assert told == ["quiet", "alarm", "missed attack", "false alarm", "no label"]
    assert list(figure.data[1].x) == [2.0, 3.0, 4.0, 5.0, 6.0]
    line, shade = figure.layout.shapes
    assert (line.y0, shade.x0, shade.x1) == (1.0, 3.2, 4.7)
    shown_for_benign = figure.layout.updatemenus[0].buttons[0].args
    assert shown_for_benign[0]["visible"] == [True, False]
    (line,) = shown_for_benign[1]["shapes"]
    assert line["y0"] == -1.0
    assert figure.data[0].customdata[0][0] == "false alarm"
