"""Stores are built once for what they are made from, and never taken for anything else."""

import gc
import json
import logging
import multiprocessing
import os
import signal

import numpy as np
import pytest
from kedro.io import DatasetError, Version

from kdgat.can.frames import ABSENT, frame_table
from kdgat.can.graph_store import GraphStore
from kdgat.can.splits import Cut, split_blocks, write_stores
from kdgat.datasets.graph_workspace import GraphWorkspace, GraphWorkspaceDataset
from kdgat.datasets.tensors import GraphStoreDataset
from kdgat.tracking.owners import Owner

FILES = {split: f"{split}_graphs.safetensors" for split in ("train", "validation", "test")}


def drive(num_frames: int):
    return frame_table(
        timestamp=np.arange(num_frames) / 1000,
        arbitration_id=np.arange(num_frames) % 5,
        dlc=np.zeros(num_frames, np.uint8),
        payload=np.full((num_frames, 8), ABSENT, np.int16),
        attack=np.arange(num_frames) % 400 > 250,
    )


class Builder:
    """Builds stores of an identity and counts how often."""

    def __init__(self, identity: str):
        self.identity = identity
        self.calls = 0

    def __call__(self, paths):
        self.calls += 1
        captures = {"train_01/a": drive(2000), "test_01/b": drive(600)}
        blocks = split_blocks(captures, Cut(10, 10, 0.2))
        return write_stores(blocks, paths, identity=self.identity)


def save(folder, stores, version: str) -> None:
    for split, store in stores.items():
        dataset = GraphStoreDataset(
            filepath=(folder / FILES[split]).as_posix(), version=Version(None, version)
        )
        dataset.save(store)


def leftovers(folder) -> list[str]:
    return [path.name for path in folder.iterdir() if path.name.startswith(".")]


def test_an_unchanged_store_is_linked_and_a_changed_one_built(tmp_path, caplog):
    caplog.set_level(logging.INFO, "kdgat")
    workspace, build = GraphWorkspace(tmp_path, FILES), Builder("one")
    save(tmp_path, workspace.provide("one", build), "2026-01-01")
    assert build.calls == 1
    assert "building graphs (identity one)" in caplog.text

    again = workspace.provide("one", build)
    assert build.calls == 1
    assert "graphs unchanged (identity one): taken from 2026-01-01" in caplog.text
    save(tmp_path, again, "2026-01-02")
    for file in FILES.values():
        first, second = (tmp_path / file / day / file for day in ("2026-01-01", "2026-01-02"))
        assert first.stat().st_ino == second.stat().st_ino

    other = Builder("two")
    save(tmp_path, workspace.provide("two", other), "2026-01-03")
    assert other.calls == 1
    # The first identity is still there, and still itself.
    assert workspace.provide("one", build)["test"].identity == "one"
    assert build.calls == 1


def test_built_files_go_with_their_stores(tmp_path):
    stores = GraphWorkspace(tmp_path, FILES).provide("one", Builder("one"))
    assert len(leftovers(tmp_path)) == 1
    save(tmp_path, stores, "2026-01-01")
    del stores
    gc.collect()
    assert leftovers(tmp_path) == []
    path = tmp_path / FILES["train"] / "2026-01-01" / FILES["train"]
    assert GraphStore.load(path).identity == "one"


def test_a_build_that_fails_leaves_nothing(tmp_path):
    def fail(paths):
        paths["train"].write_bytes(b"half")
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        GraphWorkspace(tmp_path, FILES).provide("one", fail)
    assert leftovers(tmp_path) == []


def test_what_a_killed_build_has_left_is_removed_and_a_living_one_kept(tmp_path):
    workspace = GraphWorkspace(tmp_path, FILES)
    process = multiprocessing.get_context("fork").Process(
        target=workspace.provide, args=("one", lambda paths: os.kill(os.getpid(), signal.SIGKILL))
    )
    process.start()
    process.join()
    (killed,) = leftovers(tmp_path)
    living = workspace.provide("one", Builder("one"))
    (mine,) = leftovers(tmp_path)
    assert mine != killed
    workspace.provide("two", Builder("two"))
    assert mine in leftovers(tmp_path)
    assert len(living["test"]) == 60


def test_a_build_on_another_machine_is_kept(tmp_path):
    room = tmp_path / ".building-elsewhere"
    room.mkdir()
    owner = Owner(host="elsewhere", pid=os.getpid(), started=0.0, job=None)
    (room / "owner.json").write_text(json.dumps(owner.to_dict()))
    GraphWorkspace(tmp_path, FILES).provide("one", Builder("one"))
    assert room.name in leftovers(tmp_path)


def test_a_split_that_is_missing_or_broken_is_built_again(tmp_path, caplog):
    workspace = GraphWorkspace(tmp_path, FILES)
    save(tmp_path, workspace.provide("one", Builder("one")), "2026-01-01")
    (tmp_path / FILES["test"] / "2026-01-01" / FILES["test"]).write_bytes(b"broken")
    build = Builder("one")
    workspace.provide("one", build)
    assert build.calls == 1
    assert "is not a graph store" in caplog.text


def test_the_dataset_gives_the_workspace(tmp_path):
    dataset = GraphWorkspaceDataset(filepath=tmp_path.as_posix(), files=FILES)
    assert isinstance(dataset.load(), GraphWorkspace)
    with pytest.raises(DatasetError, match="split by split"):
        dataset.save(1)
