"""The table by capture, by hand."""

import pandas as pd

from kdgat.figures import capture_table


def row(model: str, f1: float, capture: str = "test_01/dos", protocol: str = "calibrated"):
    figures = {"precision": 1.0, "recall": f1, "average_precision": 1.0, "mcc": f1}
    return {
        "model": model, "protocol": protocol, "capture": capture, "f1": f1,
        "false_positive_rate": 0.0125, "auroc": 0.9, "n": 1200, "n_attack": 30, **figures,
    }  # fmt: skip


def lines(*rows: dict, distrusted: tuple[str, ...] = ()) -> list[str]:
    return capture_table(pd.DataFrame(rows), distrusted).splitlines()[2:]


def test_a_capture_has_its_detectors_and_the_best_baseline():
    (line,) = lines(
        row("student_fusion", 0.5), row("rule", 0.75), row("forest", 0.25),
        row("mean of students", 1.0),
    )  # fmt: skip
    assert line == (
        "| test_01/dos | calibrated | 1,200 | 30 | – | .500, .0125, .900 | – | – "
        "| rule: .750, .0125, .900 |"
    )


def test_a_distrusted_prefix_is_marked_where_it_would_have_calibrated():
    two = [row("student_fusion", 0.5, protocol=name) for name in ("calibrated", "zero_shot")]
    calibrated, zero_shot = lines(*two, distrusted=("test_01/dos",))
    assert "| calibrated, prefix distrusted |" in calibrated
    assert "| zero shot |" in zero_shot


def test_a_capture_without_attacks_has_no_best_baseline():
    (line,) = lines(row("student_fusion", float("nan")), row("rule", float("nan")))
    assert line.endswith("| – |")
