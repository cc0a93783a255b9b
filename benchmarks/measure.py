"""What the benchmarks share: one thread, medians of five, the captures they run on."""

import argparse
import os
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

for _name in ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS", "ARROW_NUM_THREADS"):
    os.environ[_name] = "1"

import numpy as np
import pyarrow as pa
import torch

from kdgat.can.simulator import simulate_vehicle
from kdgat.can.vehicles import VEHICLES

REPEATS = 5

pa.set_cpu_count(1)
pa.set_io_thread_count(1)
torch.set_num_threads(1)


def median_seconds(work: Callable[[], object], clock: Callable[[], float]) -> float:
    """Return the median time of five runs, after one that compiles and fills caches, s."""
    work()
    times = []
    for _ in range(REPEATS):
        began = clock()
        work()
        times.append(clock() - began)
    return statistics.median(times)


def cpu_seconds(work: Callable[[], object]) -> float:
    """Return the median CPU time of five runs, s."""
    return median_seconds(work, time.process_time)


@contextmanager
def scratch() -> Iterator[Path]:
    """Give a folder that goes with the benchmark."""
    with tempfile.TemporaryDirectory(prefix="kdgat-benchmark-") as folder:
        yield Path(folder)


def dataset_folder(description: str | None) -> Path | None:
    """Read `--dataset FOLDER` from the command line; without it captures are simulated."""
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("--dataset", type=Path, help="folder of a dataset, such as hcrl_sa")
    return parser.parse_args().dataset


def simulate(num_frames: int, seed: int):
    """Simulate benign traffic of one car: a frame table of exactly so many frames."""
    vehicle = list(VEHICLES.values())[seed % len(VEHICLES)]
    duration = 60.0
    while True:
        frames = simulate_vehicle(
            vehicle,
            generator=np.random.default_rng(seed),
            duration=duration,
            bitrate=500_000,
            start=0.0,
        )
        if len(frames) >= num_frames:
            return frames.iloc[:num_frames].reset_index(drop=True)
        duration *= 1.1 * num_frames / len(frames)


def report(what: str, figure: float, unit: str, baseline: str, its_figure: float, ratio: float):
    """Print one line: a figure, the baseline's, and how many times better the first is."""
    print(f"{what}: {figure:,.3g} {unit}; {baseline}: {its_figure:,.3g} {unit}; ratio {ratio:.1f}")
