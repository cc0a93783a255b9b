"""What alarms cost and what the networks see, drawn."""

import numpy as np
import pandas as pd
import pytest
import yaml
from kedro_datasets.pandas import CSVDataset

from kdgat.errors import DataError
from kdgat.figures import (
    DrawnGraph,
    batch_sizes,
    confusion_by_attack,
    false_alarms_and_recall,
    latent_space,
    precision_recall,
    window_graphs,
)
from kdgat.figures.alarms import alarm_curve, alarm_shares
from kdgat.locations import CONF


@pytest.fixture
def windows() -> pd.DataFrame:
    """Six windows of 36 s, four of them benign: 0.04 benign hours."""
    start = np.arange(6) * 40.0
    return pd.DataFrame(
        {
            "scenario": "test_01",
            "capture": ["a"] * 3 + ["b"] * 3,
            "model": "student_fusion",
            "label": [0, 0, 1, 0, 1, 0],
            "score": [-3.0, 1.0, 2.0, -2.0, 1.0, -1.0],
            "start_time": start,
            "end_time": start + 36.0,
        }
    )


def test_alarm_curve_counts_ties_together(windows):
    per_hour, recall = alarm_curve(windows)
    # Scores 2 (attack), 1 (attack and benign), -1, -2, -3 (benign): 1, 2, 3, 4 false alarms.
    np.testing.assert_allclose(per_hour, [0, 0, 25, 50, 75, 100])
    np.testing.assert_allclose(recall, [0, 0.5, 1, 1, 1, 1])


def test_alarm_shares_by_attack_type(windows):
    shares, counts = alarm_shares(windows, {"student_fusion": 1.5}, {"a": "dos", "b": "replay"})
    assert shares["student_fusion"].to_dict() == {"dos": 1.0, "replay": 0.0, "benign": 0.0}
    assert counts.to_dict() == {"dos": 1, "replay": 1, "benign": 4}


def test_attack_types_are_words_also_where_captures_are_numbered(windows, tmp_path):
    summary = tmp_path / "capture_summary.csv"
    summary.write_text("capture,vehicle,attack_type,frames\n7,1,001,9\n8,1,null,9\n")
    catalog = yaml.safe_load((CONF / "base" / "catalog_data_processing.yml").read_text())
    read = CSVDataset(filepath=str(summary), load_args=catalog["capture_summary"]["load_args"])
    table = read.load()
    assert table.loc[0].to_list() == ["7", "1", "001", 9]
    kinds = table.assign(capture=["a", "b"]).set_index("capture")["attack_type"].to_dict()
    shares, _ = alarm_shares(windows, {"student_fusion": 1.5}, kinds)
    assert shares["student_fusion"].to_dict() == {"001": 1.0, "null": 0.0, "benign": 0.0}
    confusion_by_attack(windows, {"student_fusion": 1.5}, kinds)


@pytest.mark.parametrize("draw", [precision_recall, false_alarms_and_recall])
def test_curves_mark_the_operating_point(windows, draw):
    figure = draw(windows, {"student_fusion": 1.0})
    axes = figure.axes[0]
    assert axes.get_title(loc="left") == "test 01"
    (circle,) = [line for line in axes.lines if line.get_marker() == "o"]
    found = {precision_recall: (1.0, 2 / 3), false_alarms_and_recall: (25.0, 1.0)}[draw]
    np.testing.assert_allclose([circle.get_xdata()[0], circle.get_ydata()[0]], found)


def test_a_scenario_of_one_class_has_no_curve(windows):
    silent = windows.assign(scenario="test_05", label=0)
    figure = precision_recall(pd.concat([windows, silent]), {"student_fusion": 1.0})
    assert [axes.get_title(loc="left") for axes in figure.axes] == ["test 01"]


def test_a_scenario_without_benign_time_has_no_false_alarms_an_hour(windows):
    frozen = windows.assign(scenario="test_02", start_time=0.0, end_time=0.0)
    points = {"student_fusion": 1.0}
    both = false_alarms_and_recall(pd.concat([windows, frozen]), points)
    assert [axes.get_title(loc="left") for axes in both.axes] == ["test 01"]
    (sentence,) = false_alarms_and_recall(frozen, points).texts
    assert sentence.get_text().startswith("No scenario holds benign time")


def test_confusion_writes_shares(windows):
    figure = confusion_by_attack(windows, {"student_fusion": 1.5}, {"a": "dos", "b": "replay"})
    assert [text.get_text() for text in figure.axes[0].texts] == ["1.000", ".000", ".000"]
    rows = [text.get_text() for text in figure.axes[0].get_yticklabels()]
    assert rows == ["dos (1)", "replay (1)", "benign (4)"]


def test_window_graph_names_and_marks_ids():
    graph = DrawnGraph(
        title="attack window",
        arbitration_id=np.array([0x2C0, 0x10, 0x130]),
        edge_index=np.array([[0, 1, 1], [1, 2, 1]]),
        attention=np.array([1.0, 0.2, 0.8]),
        suspicion=np.array([0.1, 3.0, 0.2]),
        named=(0x10,),
    )
    axes = window_graphs([graph], "student classifier").axes[0]
    names = {text.get_text(): text.get_fontweight() for text in axes.texts if text.get_text()}
    assert names == {"0x2c0": "normal", "0x10": "bold", "0x130": "normal"}
    arrows = [text for text in axes.texts if not text.get_text()]
    assert len(arrows) == 2, "a self-loop is not drawn"


def test_latent_space_says_what_its_axes_explain():
    latent = np.array([[0, 0, 0], [4, 0, 0], [0, 1, 0], [4, 1, 0]], dtype=np.float32)
    windows = pd.DataFrame({"scenario": ["a", "a", "b", "b"], "label": [0, 1, 0, 1]})
    benign, attack = latent_space(latent, windows, "teacher_autoencoder").axes
    assert benign.get_xlabel() == "first component (94% of the variance)"
    assert [len(points.get_offsets()) for points in attack.collections] == [1, 1]


def test_batch_sizes_stand_run_after_run():
    nan = float("nan")
    columns = ["stage", "version", "batch_nodes", "batch_budget", "batch_memory", "batch_target"]
    rows = [
        ("teacher", "v1", 90.0, 100.0, 2e6, 8e6, 2.0),
        ("teacher", "v1", 190.0, 200.0, 4e6, 8e6, 2.0),
        ("teacher", "v2", 390.0, 400.0, 8e6, 8e6, 1.0),
        ("student_classifier", "v2", 64.0, nan, nan, nan, nan),
    ]
    table = pd.DataFrame(rows, columns=[*columns, "batch_factor"])
    figure = batch_sizes(table[["stage"]], table)
    budget, memory, factor, fixed, *empty = figure.axes
    assert [axes.axison for axes in empty] == [False, False]
    drawn = [(line.get_label(), *map(list, line.get_data())) for line in budget.lines]
    assert drawn == [("v1", [1, 2], [100.0, 200.0]), ("v2", [3], [400.0])]
    assert [list(line.get_ydata()) for line in memory.lines] == [[2.0, 4.0], [8.0], [8.0] * 3]
    assert [text.get_text() for text in memory.get_legend().get_texts()] == ["target"]
    assert [list(line.get_ydata()) for line in factor.lines[:2]] == [[2.0, 2.0], [1.0]]
    assert fixed.get_title(loc="left") == "student classifier"
    assert list(fixed.lines[0].get_ydata()) == [64.0]


def test_without_a_run_on_record_the_picture_says_so():
    history, others = (pd.DataFrame({"stage": [name]}) for name in ("teacher", "autoencoder"))
    (sentence,) = batch_sizes(history, others).texts
    assert sentence.get_text() == "no run on record says how large its batches were"


@pytest.mark.parametrize("draw", [precision_recall, false_alarms_and_recall])
def test_a_table_without_its_columns_is_refused(draw):
    with pytest.raises(DataError, match="lack the columns"):
        draw(pd.DataFrame({"score": [1.0]}), {})
