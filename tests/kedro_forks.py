"""Real `kedro` processes without seconds of imports each: this one imports once, then forks.

Reads one JSON request a line. `{"arguments", "environment", "output"}` starts `kedro <arguments>`;
with `"errors"`, another file, stderr goes there; with `"unmeasured"` coverage stops;
`{"code", ...}` a piece of Python, and answers the process id; `{"wait", "seconds"}` answers the
exit code, or null if the process goes on; `{"over"}` whether it has ended, and leaves its exit
code to be waited for.
"""

import atexit
import json
import os
import sys
import tempfile
import time
import traceback
from pathlib import Path

import kedro.framework.cli.cli as kedro_cli
import lightning.pytorch  # noqa: F401
import matplotlib.pyplot  # noqa: F401
import plotly.graph_objects  # noqa: F401
import sklearn.ensemble  # noqa: F401
import torch_geometric  # noqa: F401
from coverage import Coverage
from mlflow import MlflowClient

ROOT = Path(__file__).resolve().parents[1]


def begin(request: dict) -> None:
    for stream, key in ((1, "output"), (2, "errors")):
        path = request.get(key, request["output"])
        os.dup2(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND), stream)
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    for name in [name for name in os.environ if name.startswith(("KDGAT_", "MLFLOW_TRACKING"))]:
        del os.environ[name]
    os.environ.update(request["environment"])
    os.chdir(ROOT)
    measuring = Coverage.current()
    if measuring and request.get("unmeasured"):
        measuring.stop()
    if "code" in request:
        exec(compile(request["code"], "<test>", "exec"), {"__name__": "__main__"})
        return
    sys.argv = ["kedro", *request["arguments"]]
    kedro_cli.main()


def live(request: dict) -> None:
    """Run a request to its end and leave; tidying up a copy of all imports would take seconds."""
    code = 1
    try:
        begin(request)
        code = 0
    except SystemExit as leaving:
        code = leaving.code or 0
    except BaseException:
        traceback.print_exc()
    finally:
        atexit._run_exitfuncs()
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)


def wait(pid: int, seconds: float) -> int | None:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        ended, status = os.waitpid(pid, os.WNOHANG)
        if ended:
            return os.waitstatus_to_exitcode(status)
        time.sleep(0.02)
    return None


def is_over(pid: int) -> bool:
    return os.waitid(os.P_PID, pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is not None


def main() -> None:
    from kedro.framework.cli.cli import KedroCLI

    KedroCLI(project_path=ROOT)  # loads the plugins and the project's settings
    import kdgat.detector_files
    import kdgat.figures
    import kdgat.pipeline_registry
    import kdgat.tracking.run  # noqa: F401

    with tempfile.TemporaryDirectory() as folder:  # imports and compiles what a store needs
        MlflowClient(f"sqlite:///{folder}/mlflow.db").search_experiments()
    answers = os.fdopen(os.dup(1), "w")
    print("ready", file=answers, flush=True)
    for line in sys.stdin:
        request = json.loads(line)
        if "wait" in request:
            answer = wait(request["wait"], request["seconds"])
        elif "over" in request:
            answer = is_over(request["over"])
        else:
            answer = os.fork()
            if answer == 0:
                live(request)
        print(json.dumps(answer), file=answers, flush=True)


if __name__ == "__main__":
    main()
