"""Batches out of a packed store, against PyG's DataLoader on a list of `Data`; opening a store.

python benchmarks/assemble_batches.py --dataset <raw root>/hcrl_sa

The same random graphs in the same batches, one thread, no workers, CPU time of one epoch.
"""

import time
from pathlib import Path

import torch
from measure import cpu_seconds, dataset_folder, median_seconds, report, scratch, simulate
from torch.utils.data import BatchSampler
from torch_geometric.loader import DataLoader

from kdgat.can.capture_folders import find_captures
from kdgat.can.captures import read_capture
from kdgat.can.graph_store import GraphStore, concatenate
from kdgat.can.loading import loader
from kdgat.can.splits import capture_graphs

WINDOW = 100
BATCH_SIZES = (64, 512, 4096)
GRAPHS = 8192


def build(folder: Path | None) -> GraphStore:
    if folder is None:
        captures = {"train_01/simulated": simulate(300_000, 0)}
    else:
        paths = {k: path for k, path in find_captures(folder).items() if k.startswith("train_")}
        captures = {name: read_capture(path, 0.001)[0] for name, path in paths.items()}
    return concatenate(
        [capture_graphs(*item, window=WINDOW, stride=WINDOW) for item in captures.items()]
    )


def consume(batches) -> None:
    for _ in batches:
        pass


def main() -> None:
    built = build(dataset_folder(__doc__))
    generator = torch.Generator().manual_seed(1)
    order = torch.randint(len(built), (GRAPHS,), generator=generator).tolist()
    with scratch() as folder:
        path = folder / "store.safetensors"
        built.save(path)
        store = GraphStore.load(path)
        graphs = [store[number] for number in range(len(store))]
        print(f"{len(store):,} graphs, {path.stat().st_size / 1e6:.0f} MB")
        for size in BATCH_SIZES:
            batches = list(BatchSampler(order, size, drop_last=False))
            ours = cpu_seconds(lambda b=batches: consume(loader(store, batch_sampler=b)))
            pyg = cpu_seconds(lambda b=batches: consume(DataLoader(graphs, batch_sampler=b)))
            report(
                f"batches of {size:,}", GRAPHS / ours / 1e3, "k graphs/s",
                "PyG's DataLoader", GRAPHS / pyg / 1e3, pyg / ours,
            )  # fmt: skip
        twice = folder / "large.safetensors"
        concatenate([built] * 10).save(twice)
        small, large = (
            median_seconds(lambda p=p: GraphStore.load(p), time.perf_counter) for p in (path, twice)
        )
        report(
            "opening ten times the graphs", large * 1e3, "ms",
            "opening the store", small * 1e3, small / large,
        )  # fmt: skip


if __name__ == "__main__":
    main()
