"""An MLflow server that is there, goes away and comes back."""

import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from itertools import chain

import pytest
from mlflow import MlflowClient

from kdgat.tracking.delivery import deliver_others


class Server:
    """`mlflow server` on loopback over a SQLite store."""

    def __init__(self, folder):
        self.folder = folder
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        self.uri = f"http://127.0.0.1:{self.port}"

    def start(self) -> None:
        options = {
            "--host": "127.0.0.1",
            "--port": str(self.port),
            "--workers": "1",
            "--backend-store-uri": f"sqlite:///{self.folder}/mlflow.db",
            "--artifacts-destination": str(self.folder / "artifacts"),
        }
        self.process = subprocess.Popen(
            [sys.executable, "-m", "mlflow", "server", *chain.from_iterable(options.items())],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        deadline = time.monotonic() + 300
        while not self._answers():
            assert time.monotonic() < deadline, "the MLflow server did not start in 300 s"
            time.sleep(0.2)

    def stop(self) -> None:
        self.process.send_signal(signal.SIGTERM)
        self.process.wait(30)

    def _answers(self) -> bool:
        try:
            return urllib.request.urlopen(f"{self.uri}/health", timeout=1).status == 200
        except (urllib.error.URLError, OSError):
            return False


@pytest.fixture
def server(data, monkeypatch):
    server = Server(data)
    monkeypatch.setenv("MLFLOW_TRACKING_URI", server.uri)
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "0")
    return server


def test_a_server_that_comes_later_gets_everything_exactly_once(server, begin, caplog):
    run = begin("v1")
    start = time.perf_counter()
    for epoch in range(100):
        run.log_epoch("teacher", epoch, {"train_loss": 1.0})
    assert time.perf_counter() - start < 1.0
    run.log_text("note.md", "hello")
    run.end("FINISHED")
    assert "does not answer" in caplog.text

    server.start()
    try:
        assert deliver_others() == ["v1"]
        assert deliver_others() == []
        begin("v2").end("FINISHED")
        client = MlflowClient(server.uri)
        experiment = client.get_experiment_by_name("fusion")
        runs = {r.data.tags["version"]: r for r in client.search_runs([experiment.experiment_id])}
        assert {name: r.info.status for name, r in runs.items()} == {
            "v1": "FINISHED",
            "v2": "FINISHED",
        }
        run_id = runs["v1"].info.run_id
        assert len(client.get_metric_history(run_id, "teacher/train_loss")) == 100
        assert [item.path for item in client.list_artifacts(run_id)] == ["note.md"]
    finally:
        server.stop()
