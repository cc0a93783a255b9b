"""The list of an experiment's runs as MLflow's UI shows it: a saved view with the key figures.

MLflow keeps a saved view as a tag of the experiment: JSON with the view's name and its state, the
state as JSON, deflated, in base64.
"""

import base64
import json
import zlib

VIEW = "kdgat"
"""In the UI's address: `...?viewStateShareKey=kdgat`."""
TAG = f"mlflow.sharedViewState.{VIEW}"
NAME = "key figures"
OF_TEST = ("f1/zero_shot", "f1/calibrated", "fpr/zero_shot", "fpr/calibrated")
METRICS = {
    "data_processing": ("captures/captures", "captures/frames", "captures/attack_frames"),
    "autoencoder": ("autoencoder/train_loss", "autoencoder/val_loss"),
    "teacher": ("teacher/train_loss", "teacher/val_loss", "teacher/val_f1"),
    "distillation": (
        "student_autoencoder/val_loss",
        "student_classifier/val_loss",
        "student_classifier/val_f1",
    ),
    "reporting": (),
}
"""Experiment -> metrics worth a column; OF_TEST elsewhere."""
TAGS = ("training_mode", "changed")


def saved_view(experiment: str) -> str:
    """Give the tag's value: which columns the list of runs has, newest run first.

    Args:
        experiment: its name, that of a pipeline.
    """
    metrics = METRICS.get(experiment, OF_TEST)
    columns = [
        *(f"metrics.`{name}`" for name in metrics),
        *(f"tags.`{name}`" for name in TAGS),
    ]
    state = {
        "searchFilter": "",
        "orderByKey": "attributes.start_time",
        "orderByAsc": False,
        "startTime": "ALL",
        "lifecycleFilter": "Active",
        "datasetsFilter": [],
        "modelVersionFilter": "All Runs",
        "selectedColumns": columns,
        "columnOrder": [],
        "columnWidths": {},
        "runsHiddenMode": "FIRST_10_RUNS",
        "viewMaximized": False,
        "runListHidden": False,
        "groupBy": None,
        "groupsExpanded": {},
    }
    packed = base64.b64encode(zlib.compress(json.dumps(state).encode())).decode()
    return json.dumps({"name": NAME, "createdAt": 0, "updatedAt": 0, "state": f"deflate;{packed}"})
