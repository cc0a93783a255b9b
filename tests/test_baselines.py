"""The bag of IDs by hand, and the failure that it is there to show."""

import numpy as np
import pytest

from kdgat.baselines import bag_of_ids, call_everything_attack, fit_bag_of_ids_forest
from kdgat.errors import DataError
from kdgat.metrics import detection_metrics

# Window 0: IDs 5 and 9; window 1: 9 and two unknown IDs, 7 and 11; window 2 is empty.
IDS = np.array([5, 9, 7, 9, 11])
SHARES = np.array([0.75, 0.25, 0.2, 0.5, 0.3])
OFFSETS = np.array([0, 2, 5, 5])


def test_everything_is_an_attack():
    scores = call_everything_attack(4)
    labels = [0, 1, 1, 0]
    result = detection_metrics(labels, scores, 1.0)
    assert (result["recall"], result["false_positive_rate"], result["auroc"]) == (1, 1, 0.5)
    assert result["f1"] == pytest.approx(2 / 3)


def test_bag_by_hand():
    bags = bag_of_ids(IDS, SHARES, OFFSETS, known_ids=np.array([5, 9])).toarray()
    np.testing.assert_allclose(bags, [[0.75, 0.25, 0.0], [0.0, 0.5, 0.5], [0.0, 0.0, 0.0]])


def windows_of_a_car(ids, attack_id, num_windows, generator):
    """Every window holds all the car's IDs; an attack window also holds the attack's ID."""
    labels = generator.integers(0, 2, size=num_windows)
    labels[:2] = 0, 1
    nodes = [np.append(ids, attack_id) if label else ids for label in labels]
    shares = [generator.dirichlet(np.full(len(window), 50.0)) for window in nodes]
    offsets = np.concatenate([[0], np.cumsum([len(window) for window in nodes])])
    return np.concatenate(nodes), np.concatenate(shares), offsets, labels


def test_forest_is_perfect_on_its_car_and_blind_on_an_unknown_one():
    generator = np.random.default_rng(0)
    known, unknown = np.arange(100, 110), np.arange(200, 210)
    *train, labels = windows_of_a_car(known, 0, 80, generator)
    forest = fit_bag_of_ids_forest(*train, labels, trees=30, seed=0)
    *test, test_labels = windows_of_a_car(known, 0, 60, generator)
    assert detection_metrics(test_labels, forest.score(*test), 0.5)["f1"] == 1
    benign_unknown = np.repeat([unknown], 20, axis=0).ravel(), np.full(200, 0.1)
    scores = forest.score(*benign_unknown, np.arange(0, 201, 10))
    # All of it falls into one leaf per tree: whatever the car does, the answer is the same.
    assert np.unique(scores).size == 1


def test_forest_repeats_with_its_seed():
    generator = np.random.default_rng(1)
    *train, labels = windows_of_a_car(np.arange(5), 9, 40, generator)
    noisy = np.where(generator.random(40) < 0.3, 1 - labels, labels)
    fits = [fit_bag_of_ids_forest(*train, noisy, trees=10, seed=seed) for seed in (0, 0, 1)]
    first, again, other = (forest.score(*train) for forest in fits)
    np.testing.assert_array_equal(first, again)
    assert not np.array_equal(first, other)


@pytest.mark.parametrize("labels", [[0, 0, 0], [1, 1, 1]])
def test_forest_needs_both_classes(labels):
    with pytest.raises(DataError, match="attack windows among 3"):
        fit_bag_of_ids_forest(IDS, SHARES, OFFSETS, labels, trees=5, seed=0)
