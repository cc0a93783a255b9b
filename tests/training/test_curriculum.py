import numpy as np
import pytest

from kdgat.parameters import Curriculum
from kdgat.training.curriculum import CurriculumSampler, EpochSampler, epoch_sampler, hardness

Y = np.array([0] * 80 + [1] * 20)
SCORE = np.random.default_rng(0).normal(size=100)
HARDNESS = hardness(Y, SCORE)


@pytest.fixture
def sampler(curriculum):
    return CurriculumSampler(y=Y, hardness=HARDNESS, curriculum=curriculum, epochs=11, seed=7)


def test_hardness_by_hand():
    found = hardness([0, 0, 0, 1, 1], [5.0, 1.0, 3.0, 9.0, 2.0])
    assert found.tolist() == [1.0, 0.0, 0.5, 0.0, 1.0]


def test_first_middle_and_last_epoch_differ_as_the_parameters_say(sampler):
    """Half of the epochs reach full pace: epoch 5 of 0..10."""
    shares, hardest, different = [], [], []
    for epoch in (0, 2, 5, 10):
        drawn = sampler.draw(epoch)
        assert drawn.shape == (100,)
        shares.append(Y[drawn].mean())
        hardest.append(HARDNESS[drawn].max())
        different.append(np.unique(drawn).size)
    assert shares == [0.5, 0.31, 0.2, 0.2]  # ratios 1, 2.2, 4, 4
    assert hardest[0] <= 0.3 < hardest[1] <= 0.58 < hardest[2] == hardest[3] == 1.0
    assert different[0] < different[1] < different[2] == 100
    assert sampler.full_epoch == 5


def test_hardness_grows_in_both_classes(sampler):
    for label in (0, 1):
        means = [
            HARDNESS[drawn[Y[drawn] == label]].mean() for drawn in map(sampler.draw, (0, 2, 5))
        ]
        assert means[0] < means[1] < means[2]


def test_draws_depend_on_seed_and_epoch_alone(sampler, curriculum):
    other = CurriculumSampler(y=Y, hardness=HARDNESS, curriculum=curriculum, epochs=11, seed=8)
    assert np.array_equal(sampler.draw(3), sampler.draw(3))
    assert not np.array_equal(sampler.draw(9), sampler.draw(10))
    assert not np.array_equal(sampler.draw(3), other.draw(3))


def test_iterates_over_the_epoch_it_is_set_to(sampler):
    sampler.set_epoch(4)
    assert list(sampler) == sampler.draw(4).tolist()
    assert len(list(sampler)) == len(sampler)


@pytest.mark.parametrize("label", [0, 1])
def test_one_class_alone(curriculum, label):
    y = np.full(10, label)
    score = np.arange(10.0)
    sampler = CurriculumSampler(
        y=y, hardness=hardness(y, score), curriculum=curriculum, epochs=3, seed=0
    )
    assert sorted(sampler.draw(2)) == list(range(10))


def test_a_single_epoch_sees_everything(curriculum):
    sampler = CurriculumSampler(y=Y, hardness=HARDNESS, curriculum=curriculum, epochs=1, seed=0)
    assert sampler.pace(0) == 1.0
    assert sampler.full_epoch == 0


def test_normal_mode_shuffles_all_and_asks_for_no_score(curriculum: Curriculum):
    def refuse() -> np.ndarray:
        raise AssertionError("no score is needed")

    arguments = {"y": Y, "curriculum": curriculum, "epochs": 3, "seed": 0}
    normal = epoch_sampler(mode="normal", anomaly_score=refuse, **arguments)
    assert type(normal) is EpochSampler
    assert sorted(normal.draw(0)) == list(range(100))
    assert not np.array_equal(normal.draw(0), normal.draw(1))
    ranked = epoch_sampler(mode="curriculum", anomaly_score=lambda: SCORE, **arguments)
    assert np.array_equal(ranked.hardness, HARDNESS)


def test_epochs_take_turns_with_a_share_of_the_windows():
    sampler = EpochSampler(num_graphs=103, seed=3, share=0.25)
    assert len(sampler) == 25
    turn = [sampler.draw(epoch) for epoch in range(4)]
    assert len(set(np.concatenate(turn).tolist())) == 100
    assert sampler.draw(0).tolist() != sampler.draw(4).tolist()
    assert sampler.draw(2).tolist() == turn[2].tolist()


def test_a_share_of_a_curriculum_draws_fewer_windows(curriculum):
    sampler = CurriculumSampler(
        y=Y, hardness=HARDNESS, curriculum=curriculum, epochs=11, seed=7, share=0.5
    )
    assert sampler.draw(10).size == len(sampler) == 50
