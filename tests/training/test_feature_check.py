"""A model and windows whose features are measured otherwise do not meet."""

from dataclasses import replace

import pytest

from kdgat.errors import DataError
from kdgat.models.artifact import ModelArtifact
from kdgat.training.feature_check import features_of, require_same_features

SAMPLE = (0.5, 1.0, 2.0, -3.0, 0.1, 0.0)


@pytest.fixture
def store(validation):
    """Windows of four features of nodes and two of edges, measured somehow."""
    return replace(validation, feature_sample=SAMPLE)


def model_of(store, **metadata) -> ModelArtifact:
    known = features_of(store) | {"provenance": {"version": "v1"}} | metadata
    return ModelArtifact(kind="gat", arguments={}, state={}, metadata=known)


def test_equal_features_meet(store, validation):
    require_same_features(model_of(store), store)
    rounded = [value * (1 + 1e-6) for value in SAMPLE]
    require_same_features(model_of(store, feature_sample=rounded), store)
    require_same_features(model_of(validation), validation)


@pytest.mark.parametrize(
    ("change", "found"),
    [
        ({"feature_sample": [0.5, 1.001, *SAMPLE[2:]]}, r"1 others, or .* \(second\)"),
        ({"feature_sample": []}, r"6 others, or .* \(first, second, third, \.\.\.\)"),
        (
            {"node_feature_names": ["second", "first", "third", "fourth"]},
            r"2 others, or .* \(second, first\)",
        ),
        ({"edge_feature_names": ["one"], "feature_sample": SAMPLE[:5]}, r"1 others, or .* \(two\)"),
    ],
)
def test_others_are_refused_and_named(store, change, found):
    with pytest.raises(DataError, match=f"stored gat of v1 was .* have {found}: train it again"):
        require_same_features(model_of(store, **change), store)


def test_a_model_that_does_not_say_is_refused(store):
    silent = replace(model_of(store), metadata={})
    with pytest.raises(DataError, match="the stored gat of no run does not say how its features"):
        require_same_features(silent, store)
