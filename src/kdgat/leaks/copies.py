"""Does validation or test repeat what was trained on? By windows, by place, by frames."""

from collections.abc import Collection, Mapping
from itertools import permutations

import numpy as np
from numba import njit

from kdgat.can.fingerprints import ODD, Fingerprints, mix
from kdgat.can.graph_store import GraphStore
from kdgat.leaks.findings import Finding
from kdgat.leaks.traces import Trace

TWICE_ATTACKED = (
    "share of frames, times ignored, of a test capture that occur in another one of its scenario"
)
ONE_RECORDING = 0.5
"""Two captures of which one repeats more than this of the other are of one recording."""


def shared_windows(
    stores: Mapping[str, GraphStore], allowed: Collection[str] = ()
) -> list[Finding]:
    """Count the graphs of one split that another split holds too, bit for bit.

    Args:
        stores: `train`, `validation` and `test`.
        allowed: test captures that may repeat training.
    """
    hashes = {
        split: graph_hashes(store, allowed if split == "test" else ())
        for split, store in stores.items()
    }
    findings = []
    for split, other in (("validation", "train"), ("test", "train"), ("test", "validation")):
        own = hashes[split]
        twins = np.isin(own, hashes[other])
        findings.append(
            Finding(
                "shared_windows",
                f"share of {split} windows that are also {other} windows",
                float(twins.mean()) if len(own) else None,
                f"{int(twins.sum())} of {len(own)}",
            )
        )
    return findings


def graph_hashes(store: GraphStore, left_out: Collection[str] = ()) -> np.ndarray:
    """Hash everything that a model sees of each graph: uint64 `[num_graphs]`.

    Graphs of one node are left out: a window that a flood fills looks the same everywhere.

    Args:
        store: graphs.
        left_out: captures whose graphs are left out; those that the store lacks are ignored.
    """
    hashes = [_part_hashes(part, left_out) for part in store.parts()]
    return np.concatenate([np.zeros(0, np.uint64), *hashes])


def _part_hashes(store: GraphStore, left_out: Collection[str]) -> np.ndarray:
    hashes = _graph_hashes(
        store.x.contiguous().numpy().view(np.uint32),
        store.arbitration_id.numpy(),
        store.edge_index.numpy(),
        store.edge_attr.contiguous().numpy().view(np.uint32),
        store.node_offsets.numpy(),
        store.edge_offsets.numpy(),
    )
    wanted = np.array([name not in left_out for name in store.captures], bool)
    return hashes[(np.diff(store.node_offsets.numpy()) > 1) & wanted[store.capture.numpy()]]


@njit(cache=True, nogil=True)
def _graph_hashes(x, arbitration_id, edge_index, edge_attr, node_offsets, edge_offsets):
    hashes = np.empty(len(node_offsets) - 1, np.uint64)
    for graph in range(len(hashes)):
        value = np.uint64(node_offsets[graph + 1] - node_offsets[graph])
        for node in range(node_offsets[graph], node_offsets[graph + 1]):
            value = mix(value * ODD + np.uint64(arbitration_id[node]))
            for bits in x[node]:
                value = value * ODD + np.uint64(bits)
        for edge in range(edge_offsets[graph], edge_offsets[graph + 1]):
            ends = (np.uint64(edge_index[0, edge]) << np.uint64(32)) + np.uint64(
                edge_index[1, edge]
            )
            value = mix(value * ODD + ends)
            for bits in edge_attr[edge]:
                value = value * ODD + np.uint64(bits)
        hashes[graph] = mix(value)
    return hashes


def close_windows(train: GraphStore, validation: GraphStore) -> Finding:
    """Count validation windows with less than a whole window between them and a train window.

    Args:
        train: training split.
        validation: validation split of the same captures.
    """
    close = np.zeros(len(validation), bool)
    for number, name in enumerate(validation.captures):
        if name not in train.captures:
            continue
        trained = np.sort(train.start[train.capture == train.captures.index(name)].numpy())
        here = validation.capture.numpy() == number
        if not len(trained) or not here.any():
            continue
        start = validation.start.numpy()[here]
        after = np.searchsorted(trained, start)
        later = trained[np.minimum(after, len(trained) - 1)]
        earlier = trained[np.maximum(after - 1, 0)]
        distance = np.minimum(np.abs(later - start), np.abs(earlier - start))
        close[here] = distance < 2 * validation.window
    return Finding(
        "close_windows",
        "share of validation windows less than a window away from a train window",
        float(close.mean()) if len(close) else None,
        f"{int(close.sum())} of {len(close)}",
    )


def known_frames(
    stores: Mapping[str, GraphStore],
    traces: Mapping[str, Trace],
    trained_elsewhere: Mapping[str, tuple[Fingerprints, Fingerprints]],
    allowed: Collection[str] = (),
) -> list[Finding]:
    """Measure how much of each held-out capture was trained on, under whatever name.

    Args:
        stores: `train`, `validation` and `test`.
        traces: capture name -> trace.
        trained_elsewhere: training captures of other datasets -> fingerprints with and without
            times.
        allowed: test captures that may repeat training.

    Returns:
        For validation and test, of their worst capture: with times (`known_frames`) and without
        (`retimed_frames`).
    """
    findings = []
    for place, (check, frames) in enumerate(
        (("known_frames", "frames"), ("retimed_frames", "frames, times ignored,"))
    ):
        own = [
            trace.fingerprints[place].within(covered_frames(stores["train"], trace))
            for trace in traces.values()
        ]
        others = [pair[place].key for pair in trained_elsewhere.values()]
        trained = np.unique(np.concatenate([*own, *others]))
        for split in ("validation", "test"):
            shares = _known_shares(stores[split], traces, trained, place, allowed)
            name = max(shares, key=shares.get, default=None)
            findings.append(
                Finding(
                    check,
                    f"share of {frames} of the worst {split} capture that occur in training",
                    None if name is None else shares[name],
                    "no capture is long enough" if name is None else name,
                )
            )
    return findings


def twice_attacked(test: GraphStore, traces: Mapping[str, Trace]) -> Finding:
    """Measure how much of a test capture another one of its scenario repeats, times ignored.

    Two attacks put into one recording are two captures. That leaks nothing, but benign time and
    intervals over captures count the recording twice.

    Args:
        test: windows of test.
        traces: capture name -> trace.
    """
    keys = {
        name: traces[name].fingerprints[1].within(covered_frames(test, traces[name]))
        for name in test.captures
    }
    shares = {
        (one, other): float(np.isin(keys[one], keys[other]).mean())
        for one, other in permutations(keys, 2)
        if len(keys[one]) and one.partition("/")[0] == other.partition("/")[0]
    }
    most = sorted(shares, key=shares.get, reverse=True)
    one_recording = [pair for pair in most if shares[pair] > ONE_RECORDING]
    return Finding(
        "",
        TWICE_ATTACKED,
        shares[most[0]] if most else None,
        "; ".join(" in ".join(pair) for pair in one_recording or most[:1])
        or "no scenario has two captures that are long enough",
    )


def covered_frames(store: GraphStore, trace: Trace) -> np.ndarray:
    """Mark the frames of a capture that lie in a window of the store: bool `[num_frames]`."""
    steps = np.zeros(trace.num_frames + 1, np.int64)
    if trace.name in store.captures:
        start = store.start[store.capture == store.captures.index(trace.name)].numpy()
        np.add.at(steps, start, 1)
        np.add.at(steps, start + store.window, -1)
    return np.cumsum(steps[:-1]) > 0


def _known_shares(store, traces, trained, place, allowed) -> dict[str, float]:
    shares = {}
    for name in store.captures:
        if name in allowed and not traces[name].is_training:
            continue
        keys = traces[name].fingerprints[place].within(covered_frames(store, traces[name]))
        if len(keys):
            shares[name] = float(np.isin(keys, trained).mean())
    return shares
