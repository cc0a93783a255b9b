"""Kill every stage at random moments and compare what it ends with; print a table.

python benchmarks/survival.py [--kills 3] [--seed 0]

Every stage runs once without interruption, then again, killed and begun anew as often as asked,
with SIGTERM, SIGUSR1 and kill -9 in turn. Its weights must agree to the bit.
"""

import argparse
import os
import random
import re
import signal
import subprocess
import sys
import tempfile
import time
from itertools import cycle
from pathlib import Path

from safetensors import safe_open

SHARED = "simulator.duration=6.0"
EPOCHS = {
    "autoencoder": "autoencoder.fit.epochs=12",
    "teacher": "teacher.fit.epochs=12,teacher.mode=curriculum",
    "distillation": "distillation.autoencoder_fit.epochs=8,distillation.classifier_fit.epochs=8",
    "fusion": "fusion.agent.steps=800,evaluation.bootstrap=5",
}
EPOCH = re.compile(r"  epoch \d+/\d+  ")


class Life:
    """One process of a run, and its log.

    Args:
        data: the data root.
        stage: the pipeline.
    """

    def __init__(self, data: Path, stage: str):
        values = ",".join(filter(None, [SHARED, EPOCHS.get(stage)]))
        command = ["run", "--env", "smoke", "--pipeline", stage, "--params", values]
        self.log = data.parent / f"{stage}-{time.monotonic_ns()}.log"
        with self.log.open("wb") as file:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "kedro", *command],
                cwd=Path(__file__).resolve().parents[1],
                env={**os.environ, "KDGAT_DATA_ROOT": str(data)},
                stdout=file,
                stderr=file,
            )

    @property
    def epochs(self) -> int:
        """Epochs that it has told of."""
        return len(EPOCH.findall(self.log.read_text()))

    def kill_after(self, epochs: int, seconds: float, number: signal.Signals) -> bool:
        """Kill it some epochs and seconds on; say whether it was still there."""
        while self.epochs < epochs and self.process.poll() is None:
            time.sleep(0.01)
        time.sleep(seconds)
        if self.process.poll() is None:
            self.process.send_signal(number)
        return self.process.wait() != 0


def weights(data: Path) -> dict[str, dict[str, bytes]]:
    """Read the newest weights of every model, name -> tensor -> bytes."""
    newest = {}
    for path in sorted((data / "06_models").rglob("*.safetensors")):
        if path.is_file():
            with safe_open(path, framework="np") as file:
                names = list(file.keys())
                newest[path.name] = {name: file.get_tensor(name).tobytes() for name in names}
    return newest


def ended(life: Life) -> Life:
    """Wait for a life that nobody kills."""
    if life.process.wait() != 0:
        sys.exit(life.log.read_text())
    return life


def killed_run(data: Path, stage: str, kills: int, moment: random.Random, numbers) -> list[str]:
    """Make a run in several lives; give what ended each but the last."""
    lives = []
    while len(lives) < kills:
        number, life = next(numbers), Life(data, stage)
        if not life.kill_after(moment.randrange(1, 3), moment.uniform(0.0, 0.3), number):
            break
        lives.append(f"{number.name} after {life.epochs}")
    ended(Life(data, stage))
    return lives


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--kills", type=int, default=3)
    parser.add_argument("--seed", type=int, default=0)
    asked = parser.parse_args()
    moment = random.Random(asked.seed)
    numbers = cycle([signal.SIGTERM, signal.SIGUSR1, signal.SIGKILL])
    print("| stage | log, B | epochs | killed by, after how many epochs of that life | weights |")
    print("|---|---|---|---|---|")
    with tempfile.TemporaryDirectory() as folder:
        data = Path(folder) / "data"
        ended(Life(data, "data_processing"))
        for stage in EPOCHS:
            whole = ended(Life(data, stage))
            expected = weights(data)
            lives = killed_run(data, stage, asked.kills, moment, numbers)
            verdict = "equal" if weights(data) == expected else "DIFFER"
            size = f"{whole.log.stat().st_size:,}"
            print(
                f"| {stage} | {size} | {whole.epochs} | {', '.join(lives)} | {verdict} |",
                flush=True,
            )


if __name__ == "__main__":
    main()
