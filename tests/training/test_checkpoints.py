"""What is kept after every epoch, and where the disk does not take it."""

import random
import subprocess
from pathlib import Path

import numpy as np
import pytest
import torch

from kdgat.errors import DataError
from kdgat.parameters import Autoencoder
from kdgat.training.autoencoder import train_autoencoder
from kdgat.training.checkpoints import (
    Checkpoint,
    RunMemory,
    random_state,
    remembering,
    run_memory,
    set_random_state,
)
from kdgat.training.report import StageReport


def test_every_generator_goes_on_where_it_stood(tmp_path):
    checkpoint = Checkpoint(tmp_path / "a.checkpoint")
    checkpoint.save({"random": random_state()})
    drawn = [torch.rand(3), np.random.normal(size=3), random.random()]
    set_random_state(checkpoint.load()["random"])
    again = [torch.rand(3), np.random.normal(size=3), random.random()]
    assert torch.equal(drawn[0], again[0])
    assert (drawn[1] == again[1]).all()
    assert drawn[2] == again[2]


def test_nothing_is_kept_where_no_run_is(tmp_path):
    checkpoint = Checkpoint.of("teacher")
    checkpoint.reserve(100)
    checkpoint.save({"a": 1})
    assert checkpoint.load() is None
    with remembering(RunMemory(folder=tmp_path)):
        assert Checkpoint.of("teacher").path == tmp_path / "teacher.checkpoint"
    assert run_memory().folder is None


def test_a_checkpoint_is_whole_or_the_one_before(tmp_path, monkeypatch):
    checkpoint = Checkpoint(tmp_path / "a.checkpoint")
    checkpoint.save({"epoch": 1})

    def interrupted(source, target):
        raise SystemExit(143)

    with monkeypatch.context() as patch:
        patch.setattr("os.replace", interrupted)
        with pytest.raises(SystemExit):
            checkpoint.save({"epoch": 2})
    assert checkpoint.load() == {"epoch": 1}
    assert [path.name for path in tmp_path.iterdir()] == ["a.checkpoint"]


def test_what_is_no_checkpoint_is_refused_in_a_sentence(tmp_path):
    path = tmp_path / "a.checkpoint"
    for content in (b"", b"rubbish", b"PK\x03\x04"):
        path.write_bytes(content)
        with pytest.raises(DataError, match=r"is not a checkpoint .* delete it to begin"):
            Checkpoint(path).load()


def test_another_process_of_the_stage_reads_only(tmp_path):
    checkpoint = Checkpoint(tmp_path / "a.checkpoint")
    checkpoint.save({"epoch": 1})
    checkpoint.read_only().save({"epoch": 2})
    assert checkpoint.read_only().load() == {"epoch": 1}


@pytest.fixture
def small_disk(tmp_path):
    """A file system of 4 MB."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=4m", "tmpfs", str(folder)]
    if subprocess.run(mount, capture_output=True, check=False).returncode != 0:
        pytest.skip("no small file system can be mounted here: that takes root")
    yield folder
    subprocess.run(["umount", str(folder)], check=True)


def fill(folder: Path) -> Path:
    filler = folder / "filler"
    with filler.open("wb", buffering=0) as file:
        for size in (4096, 1):
            try:
                while True:
                    file.write(bytes(size))
            except OSError:
                continue
    return filler


@pytest.fixture
def train_it(train, validation, scaling, autoencoder_model, loss, compute, fit):
    def train_it(folder):
        with remembering(RunMemory(folder=folder)):
            return train_autoencoder(
                train=train,
                validation=validation,
                scaling=scaling,
                parameters=Autoencoder(model=autoencoder_model, loss=loss, fit=fit),
                compute=compute,
                seed=1,
            )

    return train_it


def test_a_full_disk_ends_the_run_and_loses_no_epoch(small_disk, train_it, tmp_path, monkeypatch):
    whole, whole_history = train_it(tmp_path / "whole")
    folder = small_disk / "run"
    announce = StageReport.announce

    def announce_and_fill(self):
        announce(self)
        if len(self.epochs_done) == 1:
            fill(small_disk)

    with monkeypatch.context() as patch:
        patch.setattr(StageReport, "announce", announce_and_fill)
        with pytest.raises(DataError, match=r"cannot write .*No space left.*every epoch is kept"):
            train_it(folder)
    kept = Checkpoint(folder / "autoencoder.checkpoint").load()
    assert len(kept["epochs"]) == 2, "also the one after which the disk was full"
    (small_disk / "filler").unlink()
    resumed, history = train_it(folder)
    assert [row["train_loss"] for row in history] == [row["train_loss"] for row in whole_history]
    for name, tensor in whole.state.items():
        assert torch.equal(resumed.state[name], tensor), name


def test_a_disk_that_is_full_from_the_beginning(small_disk, train_it):
    fill(small_disk)
    with pytest.raises(
        DataError, match=r"no checkpoint can be kept in .*No space left.*before training"
    ):
        train_it(small_disk)


def test_a_read_only_disk(small_disk, train_it):
    subprocess.run(["mount", "-o", "remount,ro", str(small_disk)], check=True)
    with pytest.raises(DataError, match=r"no checkpoint can be kept in .*Read-only"):
        train_it(small_disk / "run")
