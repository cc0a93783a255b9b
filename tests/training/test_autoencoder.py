from dataclasses import replace

import pytest
import torch

from kdgat.errors import DataError
from kdgat.models.artifact import build
from kdgat.parameters import Autoencoder
from kdgat.training.autoencoder import train_autoencoder
from kdgat.training.scoring import score_autoencoder


@pytest.fixture(scope="module")
def parameters(autoencoder_model, loss, fit) -> Autoencoder:
    return Autoencoder(model=autoencoder_model, loss=loss, fit=fit)


@pytest.fixture(scope="module")
def arguments(train, validation, scaling, parameters, compute) -> dict:
    return {
        "train": train,
        "validation": validation,
        "scaling": scaling,
        "parameters": parameters,
        "compute": compute,
        "seed": 1,
    }


@pytest.fixture(scope="module")
def trained(arguments):
    return train_autoencoder(**arguments)


def poisoned(store):
    """Make every attack window's features not a number: one of them would spoil all weights."""
    attack = store.y.repeat_interleave(store.node_offsets.diff()) == 1
    return replace(store, x=torch.where(attack[:, None], torch.nan, store.x))


def test_no_attack_window_reaches_it(arguments, trained, train, validation):
    artifact, history = train_autoencoder(
        **arguments | {"train": poisoned(train), "validation": poisoned(validation)}
    )
    assert history_without_time(history) == history_without_time(trained[1])
    assert all(torch.equal(artifact.state[name], t) for name, t in trained[0].state.items())
    assert artifact.metadata["training_graphs"] == 48


def test_learns_and_keeps_the_best_epoch(trained):
    artifact, history = trained
    losses = [epoch["val_loss"] for epoch in history]
    assert losses[-1] < losses[0]
    assert artifact.metadata["best_val_loss"] == min(losses)
    assert losses[artifact.metadata["best_epoch"]] == min(losses)


def test_attacks_score_higher(trained, store_of, compute):
    store = store_of(num_graphs=100, seed=3, strength=8.0)
    score = score_autoencoder(trained[0], store, compute=compute)["anomaly_score"].to_numpy()
    attack = store.y.numpy() == 1
    assert score[attack].mean() > 1.5 * score[~attack].mean()


def test_metadata_say_where_it_comes_from(trained):
    metadata = trained[0].metadata
    assert metadata["training_mode"] == "normal"
    assert metadata["seed"] == 1
    assert metadata["node_feature_names"] == ["first", "second", "third", "fourth"]
    assert metadata["parameters"]["fit"]["epochs"] == 4
    assert metadata["score_statistics"]["count"] == 32


def test_repeats_whatever_ran_before_and_differs_by_seed(arguments, trained):
    torch.rand(17)
    again, _ = train_autoencoder(**arguments)
    assert all(torch.equal(again.state[name], t) for name, t in trained[0].state.items())
    other, _ = train_autoencoder(**arguments | {"seed": 2})
    assert not torch.equal(other.state["mean.weight"], trained[0].state["mean.weight"])


def test_an_id_never_met_reads_as_hidden(trained, validation):
    model = build(trained[0])
    batch = validation.batch([0])
    inputs = {"x": batch.x, "edge_index": batch.edge_index, "edge_attr": batch.edge_attr}
    strange = 0x700 + torch.arange(6)
    known = model.encode(arbitration_id=batch.arbitration_id, **inputs)[0]
    hidden = model.encode(
        arbitration_id=batch.arbitration_id,
        hidden_nodes=torch.ones(6, dtype=torch.bool),
        **inputs,
    )[0]
    assert torch.equal(model.encode(arbitration_id=strange, **inputs)[0], hidden)
    assert not torch.equal(known, hidden)


@pytest.mark.parametrize("part", ["train", "validation"])
def test_needs_benign_windows(arguments, train, part):
    attacks = train.subset(torch.nonzero(train.y == 1).flatten())
    with pytest.raises(DataError, match="48 windows, none of them benign"):
        train_autoencoder(**arguments | {part: attacks})


def history_without_time(history):
    return [{k: v for k, v in epoch.items() if k != "seconds"} for epoch in history]
