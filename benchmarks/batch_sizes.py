"""Follow adaptive batch sizes over three successive runs; print a table and draw a picture.

python benchmarks/batch_sizes.py --memory 60 [--epochs 8] [--picture FILE] [--env smoke]
python benchmarks/batch_sizes.py --gpu                # the device's own memory counts

The first run begins with the configured size, each later one with what the tracking store knows.
The last row is the fixed default, measured in the same call: windows a second against it.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

from kdgat.datasets.batch_history import BatchHistoryDataset
from kdgat.figures import batch_sizes

ROOT = Path(__file__).resolve().parents[1]
SHARED = "simulator.duration=30.0"


def kedro(data: Path, environment: str, pipeline: str, *values: str) -> dict:
    """Run a pipeline and read its record."""
    command = ["run", "--env", environment, "--pipeline", pipeline, "--params", ",".join(values)]
    done = subprocess.run(
        [sys.executable, "-m", "kedro", *command],
        cwd=ROOT,
        env={**os.environ, "KDGAT_DATA_ROOT": str(data)},
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode != 0:
        sys.exit(done.stderr)
    newest = max((data / "09_tracking" / "runs").glob("*.json"))
    history = max(data.glob(f"08_reporting/*/*/{pipeline}_history.csv/*/*.csv"), default=None)
    record = json.loads(newest.read_text())
    record["seconds"] = (
        [float(line.split(",")[-1]) for line in history.read_text().splitlines()[1:]]
        if history
        else []
    )
    return record


def draw(data: Path, picture: Path) -> None:
    """Draw the teacher's runs as their own pipeline does."""
    os.environ["KDGAT_DATA_ROOT"] = str(data)
    history = BatchHistoryDataset(dataset="synthetic").load()
    teacher = history[history["stage"] == "teacher"]
    batch_sizes(teacher, history).savefig(picture, dpi=150)


def main() -> None:
    """Run, print, draw."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--memory", type=int, default=60, help="MB that count as there on a CPU")
    parser.add_argument("--env", default="local", help="environment of kedro, such as smoke")
    parser.add_argument("--gpu", action="store_true")
    parser.add_argument("--epochs", type=int, default=8)
    parser.add_argument("--picture", type=Path)
    asked = parser.parse_args()
    base = [SHARED, f"teacher.fit.epochs={asked.epochs}", f"teacher.fit.patience={asked.epochs}"]
    base += [f"compute.accelerator={'gpu' if asked.gpu else 'cpu'}"]
    prefix = "teacher.fit.batch_size"
    adaptive = [f"{prefix}.mode=adaptive", f"{prefix}.cpu_memory={asked.memory}"]
    with tempfile.TemporaryDirectory() as folder:
        data = Path(folder) / "data"
        kedro(data, asked.env, "data_processing", SHARED)
        kedro(data, asked.env, "autoencoder", SHARED, "autoencoder.fit.epochs=1")
        records = [kedro(data, asked.env, "teacher", *base, *adaptive) for _ in range(3)]
        if asked.picture:
            draw(data, asked.picture)
        fixed = kedro(data, asked.env, "teacher", *base)
    runs = [record["used"]["teacher"] for record in records]
    print("| run | budget first, last | peak memory last, MB | time of all epochs / fixed |")
    print("|---|---|---|---|")
    usual = sum(fixed["seconds"])
    for number, (run, record) in enumerate(zip(runs, records, strict=True), start=1):
        budget, memory = run["batch_budget"], run["batch_memory"][-1] / 1e6
        ratio = sum(record["seconds"]) / usual
        print(f"| {number} | {budget[0]:,.0f}, {budget[-1]:,.0f} | {memory:.1f} | {ratio:.2f} |")
    print(f"| fixed | {fixed['used']['teacher']['batch_nodes'][0]:,.0f} | | 1 |")


if __name__ == "__main__":
    main()
