"""Stores written block by block equal those written at once; broken-off ones leave nothing."""

import dataclasses
import os
from itertools import pairwise

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from safetensors.torch import load_file

from kdgat.can import tensor_files
from kdgat.can.frames import ABSENT, frame_table
from kdgat.can.graph_store import GraphStore, concatenate
from kdgat.can.splits import capture_graphs
from kdgat.can.store_writer import StoreWriter
from kdgat.can.tensor_files import TensorFileWriter


def capture_store(name: str, num_frames: int) -> GraphStore:
    frames = frame_table(
        timestamp=np.arange(num_frames) / 1000,
        arbitration_id=np.arange(num_frames) % 5,
        dlc=np.zeros(num_frames, np.uint8),
        payload=np.full((num_frames, 8), ABSENT, np.int16),
        attack=np.arange(num_frames) % 40 > 25,
    )
    return capture_graphs(name, frames, window=10, stride=7)


STORE = concatenate([capture_store("train_01/a", 120), capture_store("train_01/ü", 90)])


def assert_same_store(one: GraphStore, other: GraphStore) -> None:
    for field in dataclasses.fields(GraphStore):
        mine, theirs = getattr(one, field.name), getattr(other, field.name)
        if isinstance(mine, torch.Tensor):
            assert mine.dtype == theirs.dtype, field.name
            assert torch.equal(mine, theirs), field.name
        elif field.name not in ("file", "identity"):
            assert mine == theirs, field.name


def files_open_in(folder) -> int:
    files = (os.path.realpath(f"/proc/self/fd/{number}") for number in os.listdir("/proc/self/fd"))
    return sum(file.startswith(f"{folder}/") for file in files)


@settings(max_examples=20, deadline=None)
@given(cuts=st.lists(st.integers(0, len(STORE)), max_size=5))
def test_blocks_give_the_same_store_as_the_whole(tmp_path_factory, cuts):
    path = tmp_path_factory.mktemp("store") / "store.safetensors"
    bounds = [0, *sorted(cuts), len(STORE)]
    with StoreWriter(path, STORE, identity="abc") as writer:
        for first, last in pairwise(bounds):
            writer.add(STORE.subset(range(first, last)))
        assert not path.exists()
        written = writer.finish()
    assert_same_store(written, STORE)
    assert written.identity == "abc"
    assert (writer.num_graphs, writer.num_attacks) == (len(STORE), int(STORE.y.sum()))
    assert [file.name for file in path.parent.iterdir()] == [path.name]


def test_a_written_file_holds_the_same_tensors_as_a_saved_one(tmp_path):
    STORE.save(tmp_path / "saved.safetensors")
    with StoreWriter(tmp_path / "written.safetensors", STORE) as writer:
        writer.add(STORE)
        writer.finish()
    saved = load_file(tmp_path / "saved.safetensors")
    written = load_file(tmp_path / "written.safetensors")
    assert len(written.pop("padding")) < 8
    assert saved.keys() == written.keys()
    for name, tensor in saved.items():
        assert torch.equal(tensor, written[name]), name
        assert written[name].data_ptr() % tensor.element_size() == 0, name


def test_tensors_too_large_to_wait_in_memory_wait_in_files(tmp_path, monkeypatch):
    monkeypatch.setattr(tensor_files, "KEPT", 1000)
    with StoreWriter(tmp_path / "store.safetensors", STORE) as writer:
        for graph in range(len(STORE)):
            writer.add(STORE.subset([graph]))
        assert files_open_in(tmp_path) > 1
        assert_same_store(writer.finish(), STORE)
        assert files_open_in(tmp_path) == 0  # else their room on the disk would stay taken
    assert [file.name for file in tmp_path.iterdir()] == ["store.safetensors"]


def test_a_head_may_be_longer_than_the_room_kept_for_it(tmp_path):
    names = tuple(f"train_01/{number:040}" for number in range(3000))
    store = dataclasses.replace(STORE.subset([3, 4]), captures=names)
    with StoreWriter(tmp_path / "store.safetensors", STORE) as writer:
        writer.add(store)
        assert_same_store(writer.finish(), store)


def test_a_store_of_no_graph_can_be_written(tmp_path):
    with StoreWriter(tmp_path / "store.safetensors", STORE) as writer:
        assert_same_store(writer.finish(), dataclasses.replace(STORE.subset([]), captures=()))


def test_broken_off_nothing_stays(tmp_path):
    def break_off():
        with StoreWriter(tmp_path / "store.safetensors", STORE) as writer:
            writer.add(STORE)
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        break_off()
    assert list(tmp_path.iterdir()) == []


def test_a_tensor_keeps_its_type(tmp_path):
    with (
        TensorFileWriter(tmp_path / "x", {"a": (np.dtype(np.int32), ())}) as writer,
        pytest.raises(ValueError, match="a is int64, int32 is needed"),
    ):
        writer.append("a", np.arange(3))
