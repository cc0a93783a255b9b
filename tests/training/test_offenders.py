"""Which IDs a window's models blame: by hand, and better than chance on a trained model."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import torch

from kdgat.parameters import Autoencoder, Teacher
from kdgat.training.autoencoder import train_autoencoder
from kdgat.training.classifier import train_classifier
from kdgat.training.offenders import (
    fused_suspicion,
    ids_as_text,
    name_ids,
    named_in_attacks,
    node_suspicion,
    ranks,
)
from kdgat.training.window_scores import Part


@pytest.fixture(scope="module")
def two_windows(store_of):
    """A window of IDs 0x100 to 0x103, and one of 0x104 and 0x105."""
    store = store_of(num_graphs=1, seed=0)
    return replace(
        store.subset([0, 0]),
        x=store.x,
        arbitration_id=store.arbitration_id,
        node_offsets=torch.tensor([0, 4, 6]),
    )


def test_the_most_suspicious_are_named_first(two_windows):
    named = name_ids(np.array([0.1, 3.0, -1.0, 0.2, 5.0, 6.0]), two_windows)
    assert named.tolist() == [[0x101, 0x103, 0x100], [0x105, 0x104, -1]]
    assert ids_as_text(named) == ["0x101 0x103 0x100", "0x105 0x104"]


def test_ranks_and_their_weighted_mean_by_hand(two_windows):
    autoencoder = np.array([1.0, 2.0, 3.0, 4.0, 9.0, 8.0])
    classifier = np.array([4.0, 3.0, 2.0, 1.0, 0.0, 1.0])
    assert ranks(autoencoder, two_windows).tolist() == [0, 0.25, 0.5, 0.75, 0.5, 0]
    fused = fused_suspicion(autoencoder, classifier, np.array([0.0, 1.0]), two_windows)
    assert fused.tolist() == [0, 0.25, 0.5, 0.75, 0, 0.5]
    even = fused_suspicion(autoencoder, classifier, np.array([0.5, 0.5]), two_windows)
    np.testing.assert_allclose(even, [0.375, 0.375, 0.375, 0.375, 0.25, 0.25])


@pytest.fixture(scope="module")
def struck(validation):
    """The node of each attack window whose first feature is raised."""
    attacks = validation.subset(np.flatnonzero(validation.y.numpy()))
    first = attacks.x[:, 0].reshape(len(attacks), -1)
    return attacks, attacks.arbitration_id.reshape(len(attacks), -1).gather(
        1, first.argmax(dim=1, keepdim=True)
    )


def test_trained_detectors_name_the_struck_id(
    train, validation, scaling, compute, fit, autoencoder_model, classifier_model, loss, curriculum,
    struck,
):  # fmt: skip
    attacks, hit = struck
    names = ("first", "second", "third", "has_profile")
    train, validation, attacks = (
        replace(store, node_features=names) for store in (train, validation, attacks)
    )
    shared = {"train": train, "validation": validation, "scaling": scaling}
    autoencoder, _ = train_autoencoder(
        **shared,
        parameters=Autoencoder(model=autoencoder_model, loss=loss, fit=fit),
        compute=compute,
        seed=1,
    )
    longer = fit.model_copy(update={"epochs": 15, "patience": 15})
    classifier, _ = train_classifier(
        **shared,
        autoencoder=autoencoder,
        parameters=Teacher(
            mode="normal",
            id_dropout=0.3,
            model=classifier_model,
            fit=longer,
            curriculum=curriculum,
        ),
        compute=compute,
        seed=1,
    )
    for model in (autoencoder, classifier):
        named = name_ids(node_suspicion(model, attacks, compute=compute), attacks)
        # By chance one of six.
        assert (named[:, :1] == hit.numpy()).mean() > 0.5
    states = pd.DataFrame({"fusion_weight": np.full(len(validation), 0.5)})
    part = Part(validation, "test", "zero_shot")
    table = named_in_attacks(
        part, "student", states, autoencoder=autoencoder, classifier=classifier, compute=compute
    )
    assert table["model"].unique().tolist() == [
        "student_autoencoder",
        "student_classifier",
        "student_fusion",
    ]
    assert len(table) == 3 * len(attacks)
    assert (table["ids"] == 6).all()
