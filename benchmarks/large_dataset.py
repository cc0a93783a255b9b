"""`kedro run --pipeline data_processing` on 50 million frames, against one million.

python benchmarks/large_dataset.py [--frames 50000000] [--draws 1]

Simulated captures of a million frames each, canonical Parquet, two in three with attacks; the whole
pipeline, leak report included, in a process of its own: peak memory, and CPU time per frame
without what the process costs on the smallest dataset that it accepts; of the two small sizes the
median of three runs. `--draws` sets how often windows are drawn, for training and for validation,
instead of the configured four each. With these it wants 1 kB of disk a frame, and keeps 0.6.
"""

import argparse
import os
import shutil
import statistics
import subprocess
import sys
from pathlib import Path

import numpy as np
from measure import scratch, simulate

from kdgat.can.captures import Capture, write_canonical
from kdgat.can.injections import inject

ROOT = Path(__file__).resolve().parents[1]
MILLION = 1_000_000
SMALLEST = 60_000
SCENARIOS = ("train_01_attack_free", "train_02_with_attacks", "test_01_known_vehicle_known_attack")
ATTACKS = ("dos", "fuzzing", "spoofing_dense")


def make_dataset(folder: Path, num_frames: int) -> None:
    """Write at least six captures: the smallest dataset that has every split and class."""
    captures = max(6, num_frames // MILLION)
    for number in range(captures):
        frames = simulate(num_frames // captures, number)
        scenario = SCENARIOS[number % len(SCENARIOS)]
        attack = "attack_free"
        if scenario != SCENARIOS[0]:
            attack = ATTACKS[number % len(ATTACKS)]
            generator = np.random.default_rng(number)
            frames = inject(frames, attack, generator=generator, bitrate=500_000).frames
        name = f"{attack}-{number}"
        path = folder / scenario / f"{name}.parquet"
        path.parent.mkdir(parents=True, exist_ok=True)
        capture = Capture(
            f"{scenario}/{name}", scenario, "unknown", attack, frames, frames.iloc[:0]
        )
        write_canonical(capture, path)


def run_pipeline(raw_root: Path, data_root: Path, draws: int | None) -> tuple[float, float]:
    """Return the CPU time (s) and the peak memory (GB) of one run."""
    environment = os.environ | {
        "KDGAT_RAW_ROOT": str(raw_root),
        "KDGAT_DATA_ROOT": str(data_root),
        "MLFLOW_TRACKING_URI": f"sqlite:///{data_root}/mlflow.db",
    }
    parameters = ["dataset=large"]
    if draws is not None:
        drawn = "data_processing.injections"
        parameters += [f"{drawn}.draws={draws}", f"{drawn}.validation_draws={draws}"]
    command = ["kedro", "run", "--pipeline", "data_processing", "--params", ",".join(parameters)]
    log = data_root / "log.txt"
    with log.open("w") as output:
        process = subprocess.Popen(
            [sys.executable, "-m", *command],
            cwd=ROOT,
            env=environment,
            stdout=output,
            stderr=output,
        )
        _, status, usage = os.wait4(process.pid, 0)
    if status:
        sys.exit(f"the pipeline failed:\n{log.read_text()[-2000:]}")
    return usage.ru_utime + usage.ru_stime, usage.ru_maxrss * 1024 / 1e9


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--frames", type=int, default=50 * MILLION)
    parser.add_argument("--draws", type=int)
    arguments = parser.parse_args()
    wanted = arguments.frames
    results = {}
    with scratch() as folder:
        make_dataset(folder / "raw-warm" / "large", SMALLEST)
        (folder / "data-warm").mkdir()
        # Compiles what is not compiled yet.
        run_pipeline(folder / "raw-warm", folder / "data-warm", arguments.draws)
        for frames, runs in ((SMALLEST, 3), (MILLION, 3), (wanted, 1)):
            raw, data = folder / f"raw-{frames}", folder / f"data-{frames}"
            make_dataset(raw / "large", frames)
            times = []
            for _ in range(runs):
                data.mkdir()
                seconds, memory = run_pipeline(raw, data, arguments.draws)
                shutil.rmtree(data)
                times.append(seconds)
                print(f"{frames:,} frames: {seconds:.1f} CPU s, peak {memory:.2f} GB", flush=True)
            results[frames] = statistics.median(times)
    start = results[SMALLEST]
    per_frame = {
        frames: (seconds - start) / (frames - SMALLEST) * 1e6
        for frames, seconds in results.items()
        if frames > SMALLEST
    }
    ratio = per_frame[wanted] / per_frame[MILLION]
    print(
        f"{wanted:,} frames: {per_frame[wanted]:.2f} µs/frame; "
        f"{MILLION:,} frames: {per_frame[MILLION]:.2f} µs/frame; ratio {ratio:.2f}"
    )


if __name__ == "__main__":
    main()
