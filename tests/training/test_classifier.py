import numpy as np
import pytest
import torch

from kdgat.can.graph_store import GraphStore
from kdgat.can.scaling import feature_scaling
from kdgat.errors import DataError
from kdgat.parameters import Autoencoder, Teacher
from kdgat.training.autoencoder import train_autoencoder
from kdgat.training.classifier import train_classifier
from kdgat.training.curriculum import hardness
from kdgat.training.scoring import score_autoencoder, score_classifier


@pytest.fixture(scope="module")
def autoencoder(train, validation, scaling, autoencoder_model, loss, fit, compute):
    return train_autoencoder(
        train=train,
        validation=validation,
        scaling=scaling,
        parameters=Autoencoder(model=autoencoder_model, loss=loss, fit=fit),
        compute=compute,
        seed=1,
    )[0]


@pytest.fixture(scope="module")
def arguments(train, validation, scaling, autoencoder, classifier_model, fit, curriculum, compute):
    return {
        "train": train,
        "validation": validation,
        "scaling": scaling,
        "autoencoder": autoencoder,
        "parameters": Teacher(
            mode="normal",
            id_dropout=0.3,
            model=classifier_model,
            fit=fit,
            curriculum=curriculum,
        ),
        "compute": compute,
        "seed": 1,
    }


def test_overfits_sixteen_windows(arguments, store_of, fit):
    few = store_of(num_graphs=16, seed=5)
    longer = fit.model_copy(update={"epochs": 40, "patience": 40})
    parameters = arguments["parameters"].model_copy(update={"fit": longer, "id_dropout": 0.0})
    changed = {"train": few, "validation": few, "scaling": feature_scaling(few)}
    artifact, history = train_classifier(**arguments | changed | {"parameters": parameters})
    assert history[-1]["val_loss"] < 0.05
    logit = score_classifier(artifact, few, compute=arguments["compute"])["attack_logit"]
    assert np.array_equal(logit > 0, few.y.numpy() == 1)


def test_repeats_and_differs_by_seed(arguments):
    first, _ = train_classifier(**arguments)
    torch.rand(3)
    again, _ = train_classifier(**arguments)
    other, _ = train_classifier(**arguments | {"seed": 2})
    assert all(torch.equal(again.state[name], t) for name, t in first.state.items())
    assert not torch.equal(other.state["output.weight"], first.state["output.weight"])


@pytest.mark.parametrize("part", ["train", "validation"])
def test_needs_both_classes(arguments, train, part):
    benign = train.subset(torch.nonzero(train.y == 0).flatten())
    with pytest.raises(DataError, match="0 attack windows and 48 benign ones"):
        train_classifier(**arguments | {part: benign})


class RecordingStore(GraphStore):
    """A store that writes down which windows are asked for."""

    asked: list

    def batch(self, indices):
        self.asked.extend(indices)
        return super().batch(indices)


def test_the_curriculum_really_changes_what_an_epoch_sees(arguments, train, fit):
    """What the training loop asks of the store, epoch by epoch, not what a sampler promises."""
    recording = RecordingStore(**vars(train))
    object.__setattr__(recording, "asked", [])
    longer = fit.model_copy(update={"epochs": 7, "patience": 7})
    parameters = arguments["parameters"].model_copy(update={"fit": longer, "mode": "curriculum"})
    artifact, history = train_classifier(
        **arguments | {"train": recording, "parameters": parameters}
    )
    assert artifact.metadata["training_mode"] == "curriculum"
    assert len(history) == 7

    score = score_autoencoder(arguments["autoencoder"], train, compute=arguments["compute"])
    rank = hardness(train.y, score["anomaly_score"])
    ranking, epochs = recording.asked[:96], np.reshape(recording.asked[96:], (7, 96))
    assert ranking == list(range(96))
    share = [train.y.numpy()[epoch].mean() for epoch in epochs]
    assert share[0] == 0.5
    assert share[3] == share[6] == pytest.approx(0.2, abs=0.01)
    assert rank[epochs[0]].max() <= 0.3
    assert rank[epochs[3]].max() == rank[epochs[6]].max() == 1.0
    assert rank[epochs[0]].mean() < rank[epochs[1]].mean() < rank[epochs[3]].mean()
