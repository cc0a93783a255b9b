import logging

import pytest
import torch

from kdgat.errors import KdgatError
from kdgat.models.artifact import build
from kdgat.parameters import Autoencoder
from kdgat.training.autoencoder import benign_graphs, train_autoencoder
from kdgat.training.losses import autoencoder_loss
from kdgat.training.trainer import network_inputs, start_stage


def run(parts, fit, **changes):
    train, validation, scaling, model, loss, compute = parts
    return train_autoencoder(
        train=train,
        validation=validation,
        scaling=scaling,
        parameters=Autoencoder(model=model, loss=loss, fit=fit.model_copy(update=changes)),
        compute=compute,
        seed=1,
    )


@pytest.fixture
def parts(train, validation, scaling, autoencoder_model, loss, compute):
    return train, validation, scaling, autoencoder_model, loss, compute


def test_stage_seed_depends_on_seed_and_stage(compute):
    seeds = {start_stage(seed=s, stage=stage, compute=compute) for s in (1, 2) for stage in "ab"}
    assert len(seeds) == 4
    assert start_stage(seed=1, stage="a", compute=compute) in seeds
    first = torch.rand(1)
    start_stage(seed=1, stage="a", compute=compute)
    assert torch.equal(torch.rand(1), first)


def test_the_best_epoch_is_what_is_kept(parts, fit, validation, loss):
    """Four benign training windows are soon known by heart: the last epoch is not the best."""
    train, *rest = parts
    few = (train.subset(range(8)), *rest)
    artifact, history = run(few, fit, learning_rate=0.05, epochs=40, patience=40)
    losses = [epoch["val_loss"] for epoch in history]
    best = artifact.metadata["best_epoch"]
    assert len(losses) == 40
    assert losses[best] == min(losses) < 0.98 * losses[-1]
    batch = benign_graphs(validation, part="validation").batch(range(32))
    with torch.no_grad():
        found = autoencoder_loss(build(artifact)(**network_inputs(batch)), loss)
    assert float(found) == pytest.approx(min(losses), rel=1e-4)


def test_stops_when_patience_ends(parts, fit):
    _, history = run(parts, fit, learning_rate=1e-12, epochs=30, patience=2)
    losses = [epoch["val_loss"] for epoch in history]
    best = losses.index(min(losses))
    assert len(history) == best + 3 < 30


def test_a_loss_that_is_never_finite_is_an_error(parts, fit):
    train, validation, *rest = parts
    broken = (train, validation.subset([0, 1]), *rest)
    broken[1].x.fill_(torch.nan)
    with pytest.raises(KdgatError, match=r"stage autoencoder.*never finite"):
        run(broken, fit, epochs=1)


def test_leaves_no_noise_and_no_files(parts, fit, tmp_path, monkeypatch, capfd, recwarn, caplog):
    monkeypatch.chdir(tmp_path)
    for logger in map(logging.getLogger, ("kdgat", "kdgat.epochs")):  # as in an empty process
        monkeypatch.setattr(logger, "handlers", [])
        monkeypatch.setattr(logger, "propagate", True)
    with caplog.at_level(logging.INFO):
        run(parts, fit, epochs=2)
    out, err = capfd.readouterr()
    assert out == err == ""
    assert len(recwarn) == 0
    assert list(tmp_path.iterdir()) == []
    assert {record.name for record in caplog.records} == {"kdgat.epochs"}
    assert len(caplog.records) == 2
