"""What a run is called, and the figures and the view by which a list of runs is read."""

import base64
import json
import zlib

import pandas as pd
from mlflow import MlflowClient

from kdgat.parameters import Parameters
from kdgat.tracking.description import headline_metrics, name_run
from kdgat.tracking.view import TAG, saved_view


def columns_of(tag: str) -> list[str]:
    """Unpack a saved view as MLflow's UI does."""
    head, packed = json.loads(tag)["state"].split(";")
    assert head == "deflate"
    return json.loads(zlib.decompress(base64.b64decode(packed)))["selectedColumns"]


def test_means_over_scenarios_that_have_the_metric():
    nan = float("nan")
    card = pd.DataFrame(
        [
            ("student_fusion", "zero_shot", 0.5, 0.1),
            ("student_fusion", "zero_shot", 1.0, 0.3),
            ("student_fusion", "zero_shot", nan, 0.2),
            ("student_fusion", "calibrated", 0.75, nan),
            ("teacher_fusion", "calibrated", 0.0, 0.9),
        ],
        columns=["model", "protocol", "f1", "false_positive_rate"],
    )
    found = {name: round(value, 9) for name, value in headline_metrics(card).items()}
    assert found == {"f1/zero_shot": 0.75, "f1/calibrated": 0.75, "fpr/zero_shot": 0.2}


def test_a_run_is_named_by_what_its_command_chose():
    parameters = Parameters.model_construct(dataset="hcrl_sa", seed=2)
    chosen = {"seed": 2, "distillation": {"soft": {"enabled": False}}}
    usual = "fusion hcrl_sa seed 2"
    assert name_run("fusion", parameters, {"seed": 2}) == usual
    assert name_run("fusion", parameters, chosen) == f"{usual} distillation.soft.enabled=False"


def test_an_experiment_has_a_view_with_its_key_figures(data, begin):
    begin("v1").end("FINISHED")
    client = MlflowClient(f"sqlite:///{data}/mlflow.db")
    tag = client.get_experiment_by_name("fusion").tags[TAG]
    assert tag == saved_view("fusion")
    assert columns_of(tag)[:2] == ["metrics.`f1/zero_shot`", "metrics.`f1/calibrated`"]
    assert "metrics.`teacher/val_f1`" in columns_of(saved_view("teacher"))
