import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kdgat.models.vgae import ANOMALY_COMPONENTS
from kdgat.scores import (
    AUTOENCODER_FEATURES,
    BENIGN_LOGIT,
    FUSION_FEATURES,
    FUSION_WEIGHTS,
    anomaly_logit,
    attack_probability,
    binary_entropy,
    chosen_weight,
    fused_logit,
    reward,
    score_statistics,
)

LOGIT = st.floats(-1e6, 1e6)


def test_names():
    assert len(FUSION_FEATURES) == len(set(FUSION_FEATURES)) == 15
    assert (*ANOMALY_COMPONENTS, "anomaly_score") == AUTOENCODER_FEATURES
    assert len(FUSION_WEIGHTS) == 21
    assert FUSION_WEIGHTS[0] == 0.0
    assert FUSION_WEIGHTS[1] == 0.05
    assert FUSION_WEIGHTS[-1] == 1.0


def test_anomaly_logit_goes_through_two_points():
    statistics = score_statistics(np.arange(101.0))
    assert statistics == {"count": 101, "median": 50.0, "quantile_99": 99.0, "maximum": 100.0}
    assert anomaly_logit([50.0, 99.0, 148.0], statistics).tolist() == [BENIGN_LOGIT, 0.0, 5.0]


def test_anomaly_logit_of_benign_scores_that_are_all_equal_is_finite():
    assert np.isfinite(anomaly_logit([1.0, 2.0], score_statistics([1.0, 1.0]))).all()


@pytest.mark.parametrize("scores", [[], [1.0, np.nan]])
def test_statistics_refuse_nothing_and_nan(scores):
    with pytest.raises(ValueError, match="all finite"):
        score_statistics(scores)


@given(LOGIT)
def test_probability_and_entropy(logit):
    probability = float(attack_probability(logit))
    assert 0.0 <= probability <= 1.0
    assert float(attack_probability(-logit)) == pytest.approx(1 - probability)
    assert -1e-12 <= float(binary_entropy(logit)) <= np.log(2) + 1e-12


def test_probability_and_entropy_by_hand():
    assert attack_probability(np.log(3.0)) == pytest.approx(0.75)
    expected = -(0.75 * np.log(0.75) + 0.25 * np.log(0.25))
    assert binary_entropy(np.log(3.0)) == pytest.approx(expected)
    assert binary_entropy(-np.log(3.0)) == pytest.approx(expected)


def test_fusion_mixes():
    assert fused_logit([2.0, 2.0, 2.0], [-4.0, -4.0, -4.0], [0.0, 0.5, 1.0]).tolist() == [2, -1, -4]


@given(LOGIT)
def test_reward_is_signed_certainty(logit):
    assert reward(1, logit, scale=4.0) == -reward(0, logit, scale=4.0)
    assert abs(reward(1, logit, scale=4.0)) <= 1
    assert np.sign(reward(1, logit, scale=1.0)) == np.sign(np.tanh(logit / 2))
    assert reward(1, logit, scale=1.0) == pytest.approx(2 * attack_probability(logit) - 1)
    assert reward(1, 4.0 * logit, scale=4.0) == pytest.approx(reward(1, logit, scale=1.0))


def test_of_weights_that_are_as_good_the_one_nearest_to_the_usual_is_chosen():
    value = np.full((4, 21), -1.0)
    value[0, 3] = 1.0
    value[1, [0, 8, 20]] = [1.0, 0.95, 0.85]
    value[2, [0, 8]] = [1.0, 0.75]
    value[3, [0, 20]] = 1.0
    assert chosen_weight(value, 1.0).tolist() == [0.15, 1.0, 0.0, 1.0]
    assert chosen_weight(value, 0.5).tolist() == [0.15, 0.4, 0.0, 0.0]
    assert chosen_weight(value, 1.0, indifference=0.1).tolist() == [0.15, 0.4, 0.0, 1.0]
    assert chosen_weight(value, 0.75, indifference=0.0).tolist() == [0.15, 0.0, 0.0, 1.0]


@pytest.mark.parametrize("step", range(1, 10))
def test_of_two_weights_as_far_from_the_usual_one_the_smaller_is_chosen(step):
    value = np.zeros((1, 21))
    value[0, [10 - step, 10 + step]] = 1.0
    assert chosen_weight(value, 0.5).tolist() == [FUSION_WEIGHTS[10 - step]]
