"""The packed store: batches equal PyG's own, round trips."""

import dataclasses

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from random_stores import assert_same_data, assert_same_store, random_store
from safetensors.torch import save_file
from torch_geometric.data import Batch

from kdgat.can import graph_store
from kdgat.can.gathering import gather_batch, gather_by_index
from kdgat.can.graph_store import GraphStore, concatenate, read_identity
from kdgat.errors import DataError


def test_one_graph_is_cut_out():
    store = random_store(0)
    data = store[3]
    nodes = slice(int(store.node_offsets[3]), int(store.node_offsets[4]))
    assert torch.equal(data.x, store.x[nodes])
    assert torch.equal(data.arbitration_id, store.arbitration_id[nodes])
    assert data.edge_index.dtype == data.y.dtype == torch.int64
    assert data.y.tolist() == [int(store.y[3])]
    assert len(store) == 12


@settings(max_examples=60, deadline=None)
@given(seed=st.integers(0, 1000), indices=st.lists(st.integers(0, 11), min_size=1, max_size=20))
def test_a_batch_equals_that_of_pyg(seed, indices):
    store = random_store(seed)
    mine = store.batch(indices)
    theirs = Batch.from_data_list([store[i] for i in indices])
    assert_same_data(mine, theirs)
    assert type(mine) is type(theirs)
    assert mine.num_graphs == theirs.num_graphs == len(indices)
    assert_same_data(store.__getitems__(indices), theirs)
    for one, other in zip(mine.to_data_list(), theirs.to_data_list(), strict=True):
        assert_same_data(one, other)
    for place, i in enumerate(indices):
        assert_same_data(mine.get_example(place), store[i])


@settings(max_examples=30, deadline=None)
@given(seed=st.integers(0, 1000), indices=st.lists(st.integers(0, 11), min_size=1, max_size=20))
def test_compiled_and_indexed_gathering_agree(seed, indices):
    store, chosen = random_store(seed), torch.tensor(indices)
    one, other = gather_batch(store, chosen), gather_by_index(store, chosen)
    assert one.keys() == other.keys()
    for name, values in one.items():
        assert values.dtype == other[name].dtype, name
        assert torch.equal(values, other[name]), name


def test_batches_are_formed_on_the_device_of_the_store(monkeypatch):
    """Every tensor is made there by name: a default device of no memory would spoil the sums."""
    store = random_store(3)
    expected = store.batch([2, 0])
    monkeypatch.setattr(graph_store, "gather_batch", gather_by_index)
    with torch.device("meta"):
        batch = store.batch([2, 0])
        part = store.subset([2, 0])
    assert_same_data(batch, expected)
    assert_same_data(part[0], store[2])


def test_a_moved_store_is_the_same_store():
    store = random_store(3)
    assert_same_store(store.to("cpu"), store)
    assert store.to(torch.device("cpu")).device.type == "cpu"


@settings(max_examples=20, deadline=None)
@given(seed=st.integers(0, 1000), indices=st.lists(st.integers(0, 11), max_size=20))
def test_a_subset_keeps_graphs_and_their_origin(seed, indices):
    store = random_store(seed, captures=("train_01_a/x", "train_01_a/y"))
    part = store.subset(indices)
    assert len(part) == len(indices)
    for place, i in enumerate(indices):
        assert_same_data(part[place], store[i])
    for name in ("attack_frames", "capture", "start", "start_time", "end_time"):
        assert torch.equal(getattr(part, name), getattr(store, name)[indices])
    assert part.captures == store.captures


def test_stores_are_put_one_after_another():
    one = random_store(1, captures=("train_01_a/x", "train_01_a/y"))
    two = random_store(2, num_graphs=5, captures=("test_01_a/z",))
    joined = concatenate([one, two])
    assert len(joined) == 17
    assert joined.captures == ("train_01_a/x", "train_01_a/y", "test_01_a/z")
    assert joined.capture.tolist() == [*one.capture.tolist(), *[2] * 5]
    for i in range(5):
        assert_same_data(joined[12 + i], two[i])
    assert_same_store(joined.subset(range(12)), dataclasses.replace(one, captures=joined.captures))


def test_blocks_of_one_capture_are_one_capture():
    one = random_store(1, captures=("train_01_a/x", "train_01_a/y"))
    two = random_store(2, num_graphs=5, captures=("train_01_a/y",))
    joined = concatenate([one, two])
    assert joined.captures == ("train_01_a/x", "train_01_a/y")
    assert joined.capture[12:].tolist() == [1] * 5


@pytest.mark.parametrize("num_graphs", [0, 12])
def test_what_is_saved_is_loaded(tmp_path, num_graphs):
    store = random_store(4, captures=("train_01_a/x", "test_01_a/ü")).subset(range(num_graphs))
    path = tmp_path / "store.safetensors"
    store.save(path)
    assert_same_store(GraphStore.load(path), store)
    assert [file.name for file in tmp_path.iterdir()] == [path.name]


def test_a_mapped_store_is_linked_and_not_written_again(tmp_path):
    first, second = tmp_path / "first.safetensors", tmp_path / "second.safetensors"
    random_store(4).save(first)
    store = GraphStore.load(first)
    store.save(second)
    assert second.stat().st_ino == first.stat().st_ino
    assert_same_store(GraphStore.load(second), store)


def test_a_changed_store_is_never_saved_as_the_file_it_was_mapped_from(tmp_path):
    first, second = tmp_path / "first.safetensors", tmp_path / "second.safetensors"
    random_store(4).save(first)
    store = GraphStore.load(first)
    changed = dataclasses.replace(store, x=store.x + 1)
    changed.save(second)
    assert torch.equal(GraphStore.load(second).x, store.x + 1)
    random_store(5).save(first)  # another file under the same name
    store.save(second)
    assert_same_store(GraphStore.load(second), random_store(4))
    first.unlink()
    store.save(second)
    assert_same_store(GraphStore.load(second), random_store(4))


def test_a_store_knows_what_it_was_made_from(tmp_path):
    path = tmp_path / "store.safetensors"
    dataclasses.replace(random_store(4), identity="abc").save(path)
    assert read_identity(path) == GraphStore.load(path).identity == "abc"
    assert GraphStore.load(path).subset([0, 1]).identity == ""
    path.write_bytes(b"no store")
    with pytest.raises(DataError, match=r"store.safetensors is not a graph store"):
        read_identity(path)


def test_a_broken_file_is_refused(tmp_path):
    path = tmp_path / "store.safetensors"
    random_store(4).save(path)
    whole = path.read_bytes()
    for broken in (b"", b"no store", whole[:-100], whole[: len(whole) // 2]):
        path.write_bytes(broken)
        with pytest.raises(DataError, match=r"store.safetensors is not a graph store"):
            GraphStore.load(path)


def test_a_safetensors_file_of_something_else_is_refused(tmp_path):
    path = tmp_path / "weights.safetensors"
    for metadata in (None, {"format": "pt"}):
        save_file({"weight": torch.zeros(2)}, path, metadata=metadata)
        with pytest.raises(DataError, match=r"weights.safetensors is not a graph store"):
            GraphStore.load(path)


def test_parts_are_the_graphs_in_order(tmp_path):
    store = random_store(7)
    store.save(tmp_path / "store.safetensors")
    for held in (store, GraphStore.load(tmp_path / "store.safetensors")):
        parts = list(held.parts(5))
        assert [len(part) for part in parts] == [5, 5, 2]
        assert_same_store(concatenate(parts), store)
