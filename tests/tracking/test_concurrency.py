"""Many real processes at once on one SQLite store."""

import json
from collections import Counter

from mlflow import MlflowClient

WRITER = """
import json, os, sys, time
from pathlib import Path
from kdgat.tracking.run import REQUIRED_TAGS, TrackedRun
version, epochs, go = os.environ["VERSION"], int(os.environ["EPOCHS"]), Path(os.environ["GO"])
while not go.exists():
    time.sleep(0.005)
tags = {**dict.fromkeys(REQUIRED_TAGS, "x"), "version": version}
run = TrackedRun.begin(version, experiment="fusion", name=f"fusion {version}", tags=tags)
run.log_parameters({"seed": version})
longest = 0.0
for epoch in range(epochs):
    start = time.perf_counter()
    run.log_epoch("teacher", epoch, {"train_loss": 1.0 / (epoch + 1), "val_loss": float(epoch)})
    longest = max(longest, time.perf_counter() - start)
    time.sleep(0.004)
run.end("FINISHED")
print(json.dumps({"longest": longest}))
"""


def write_together(forks, tmp_path, writers: int, epochs: int) -> list[float]:
    """Let processes write at the same moment; return the longest call of each, s."""
    go = tmp_path / "go"
    started = [
        forks.python(
            tmp_path / "data", WRITER, VERSION=f"v{number:02}", EPOCHS=str(epochs), GO=str(go)
        )
        for number in range(writers)
    ]
    go.touch()
    assert [process.wait() for process in started] == [0] * writers, started[0].printed
    return [json.loads(process.printed.splitlines()[-1])["longest"] for process in started]


def complete_runs(tmp_path, epochs: int) -> Counter:
    """Count the complete runs, by experiment."""
    client = MlflowClient(f"sqlite:///{tmp_path}/data/mlflow.db")
    complete = Counter()
    for experiment in client.search_experiments():
        for run in client.search_runs([experiment.experiment_id], max_results=100):
            assert run.info.status == "FINISHED"
            assert run.data.params == {"seed": run.data.tags["version"]}
            for key in ("teacher/train_loss", "teacher/val_loss"):
                history = client.get_metric_history(run.info.run_id, key)
                assert sorted(metric.step for metric in history) == list(range(epochs))
            complete[experiment.name] += 1
    return complete


def test_sixteen_writers_of_500_epochs_on_a_new_store_lose_nothing_and_never_stall(forks, tmp_path):
    longest = write_together(forks, tmp_path, writers=16, epochs=500)
    assert complete_runs(tmp_path, 500) == {"fusion": 16}
    assert max(longest) < 1.0
    assert not list((tmp_path / "data" / "09_tracking" / "journal").iterdir())
