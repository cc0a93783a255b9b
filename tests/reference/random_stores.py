"""Graph stores of random graphs, and what it means that two are the same."""

import dataclasses

import numpy as np
import torch

from kdgat.can.graph_store import GraphStore

TENSORS = [field.name for field in dataclasses.fields(GraphStore) if field.type is torch.Tensor]


def random_store(seed: int, num_graphs: int = 12, captures=("train_01_a/x",)) -> GraphStore:
    generator = np.random.default_rng(seed)
    num_nodes = generator.integers(1, 6, num_graphs)
    num_edges = generator.integers(0, 8, num_graphs)
    ends = np.repeat(num_nodes, num_edges)
    nodes, edges = int(num_nodes.sum()), int(num_edges.sum())
    attack_frames = generator.integers(0, 3, num_graphs)
    start = np.arange(num_graphs) * 100
    return GraphStore(
        x=torch.from_numpy(generator.normal(size=(nodes, 3)).astype(np.float32)),
        arbitration_id=torch.from_numpy(generator.integers(0, 2**29, nodes)),
        edge_index=torch.from_numpy(generator.integers(0, ends, (2, edges)).astype(np.int32)),
        edge_attr=torch.from_numpy(generator.normal(size=(edges, 2)).astype(np.float32)),
        y=torch.from_numpy((attack_frames > 0).astype(np.uint8)),
        attack_frames=torch.from_numpy(attack_frames.astype(np.int32)),
        rule_count=torch.from_numpy(generator.integers(0, 9, num_graphs, np.int32)),
        capture=torch.from_numpy(generator.integers(0, len(captures), num_graphs, np.int32)),
        start=torch.from_numpy(start),
        start_time=torch.from_numpy(1.5e9 + start / 2000),
        end_time=torch.from_numpy(1.5e9 + (start + 99) / 2000),
        node_offsets=torch.from_numpy(np.concatenate([[0], np.cumsum(num_nodes)])),
        edge_offsets=torch.from_numpy(np.concatenate([[0], np.cumsum(num_edges)])),
        captures=tuple(captures),
        node_features=("one", "two", "three"),
        edge_features=("four", "five"),
        window=100,
        stride=100,
    )


def assert_same_store(one: GraphStore, other: GraphStore) -> None:
    for field in dataclasses.fields(GraphStore):
        if field.name == "file":
            continue
        mine, theirs = getattr(one, field.name), getattr(other, field.name)
        if field.name in TENSORS:
            assert mine.dtype == theirs.dtype, field.name
            assert torch.equal(mine, theirs), field.name
        else:
            assert mine == theirs, field.name


def assert_same_data(one, other) -> None:
    assert sorted(one.keys()) == sorted(other.keys())
    for key in other.keys():  # noqa: SIM118
        assert one[key].dtype == other[key].dtype, key
        assert torch.equal(one[key], other[key]), key
