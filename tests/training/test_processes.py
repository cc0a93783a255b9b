"""Two processes train as one."""

import pytest
import torch

from kdgat.errors import ParameterError
from kdgat.parameters import Teacher
from kdgat.training.checkpoints import RunMemory, remembering
from kdgat.training.classifier import train_classifier
from kdgat.training.report import StageReport


@pytest.fixture(scope="module")
def train_it(train, validation, scaling, classifier_model, curriculum, compute, fit):
    def train_it(folder=None, epochs=3, **changes):
        with remembering(RunMemory(folder=folder)):
            return train_classifier(
                train=train.subset(range(91)),  # an odd number: one process has fewer
                validation=validation.subset(range(49)),  # a last batch of one window
                scaling=scaling,
                autoencoder=None,
                parameters=Teacher(
                    mode="normal",
                    id_dropout=0.0,
                    model=classifier_model.model_copy(update={"dropout": 0.0}),
                    fit=fit.model_copy(update={"epochs": epochs}),
                    curriculum=curriculum,
                ),
                compute=compute.model_copy(update=changes),
                seed=1,
            )

    return train_it


@pytest.fixture(scope="module")
def together(train_it, tmp_path_factory):
    """What two processes have trained together, checkpoints kept."""
    return train_it(tmp_path_factory.mktemp("together"), devices=2)


def test_two_processes_see_the_same_data_and_reach_the_same_metrics(train_it, together):
    alone, history = train_it()
    joint, joint_history = together
    assert len(history) == len(joint_history) == 3
    for one, two in zip(history, joint_history, strict=True):
        for name in set(one) - {"stage", "seconds"}:
            assert two[name] == pytest.approx(one[name], rel=1e-4), name
    for name, tensor in alone.state.items():
        torch.testing.assert_close(joint.state[name], tensor, rtol=1e-3, atol=1e-5)
    assert not torch.distributed.is_initialized()


def test_two_processes_go_on_from_a_checkpoint(train_it, together, tmp_path, monkeypatch):
    whole, _ = together

    def announce(self):
        if len(self.epochs_done) == 2:
            raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(StageReport, "announce", announce)
        with pytest.raises(KeyboardInterrupt):
            train_it(tmp_path / "killed", devices=2)
    resumed, history = train_it(tmp_path / "killed", devices=2)
    assert len(history) == 3
    for name, tensor in whole.state.items():
        assert torch.equal(resumed.state[name], tensor), name


def test_half_precision_trains(train_it):
    _, single = train_it(epochs=1)
    _, half = train_it(epochs=1, precision="bf16-mixed")
    assert half[0]["val_loss"] == pytest.approx(single[0]["val_loss"], rel=0.05)
    assert half[0]["val_loss"] != single[0]["val_loss"]


def test_several_machines_are_refused(train_it):
    with pytest.raises(ParameterError, match=r"compute\.num_nodes is 2: processes of one machine"):
        train_it(num_nodes=2)
