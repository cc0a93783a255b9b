import numpy as np
import pandas as pd
import pytest
import torch

from kdgat.errors import DataError
from kdgat.parameters import Agent, QNetwork
from kdgat.scores import FUSION_WEIGHTS
from kdgat.training.dqn import (
    ReplayMemory,
    draw_windows,
    epsilon_at,
    train_agent,
    windows,
)
from kdgat.training.scoring import FUSION_COLUMNS, score_agent

AGENT = Agent(
    steps=1200,
    episodes_per_step=32,
    batch_size=64,
    replay_size=4096,
    learning_rate=2e-3,
    epsilon_start=1.0,
    epsilon_end=0.05,
    reward_scale=1.0,
    epsilon_decay=0.5,
    evaluate_every=200,
)
NETWORK = QNetwork(hidden=32, layers=2)


def two_detectors(seed: int, count: int = 800) -> tuple[pd.DataFrame, np.ndarray]:
    """Make detectors of which `kl` tells the reliable one: the anomaly logit where it is below 0.

    The other detector is sure of itself and right in half of the cases.
    """
    generator = np.random.default_rng(seed)
    y = generator.integers(2, size=count)
    table = pd.DataFrame(generator.normal(size=(count, 16)), columns=list(FUSION_COLUMNS))
    right = 4.0 * (2 * y - 1) + generator.normal(size=count)
    random = 4.0 * (2 * generator.integers(2, size=count) - 1)
    anomaly_is_reliable = table["kl"] < 0
    table["anomaly_logit"] = np.where(anomaly_is_reliable, right, random)
    table["attack_logit"] = np.where(anomaly_is_reliable, random, right)
    table["anomaly_score"] = table["anomaly_logit"]
    return table, y


def learn(compute, seed=1, agent=AGENT):
    train, train_y = two_detectors(0)
    validation, validation_y = two_detectors(1)
    return train_agent(
        train=train,
        train_y=train_y,
        validation=validation,
        validation_y=validation_y,
        network=NETWORK,
        agent=agent,
        compute=compute,
        seed=seed,
        stage="test_fusion",
    )


def test_finds_the_reliable_detector(compute):
    agent, history = learn(compute)
    test, y = two_detectors(2)
    verdict = score_agent(agent, test, compute=compute)
    accuracy = np.mean((verdict["fused_logit"] > 0) == (y == 1))
    assert accuracy > 0.93  # either detector alone, or their mean: .75
    weight = verdict["fusion_weight"]
    assert agent.metadata["usual_weight"] == 0.5
    assert weight[test["kl"] < -0.5].mean() < 0.4
    assert weight[test["kl"] > 0.5].mean() > 0.6
    rewards = [look["val_reward"] for look in history]
    assert len(history) == 6
    assert agent.metadata["best_val_reward"] == max(rewards) > 0.75
    assert agent.metadata["best_step"] == 200 * (1 + rewards.index(max(rewards)))


def test_repeats_and_differs_by_seed(compute):
    short = AGENT.model_copy(update={"steps": 50, "evaluate_every": 20})
    first, history = learn(compute, agent=short)
    again, _ = learn(compute, agent=short)
    other, _ = learn(compute, seed=2, agent=short)
    assert len(history) == 3
    assert all(torch.equal(again.state[name], t) for name, t in first.state.items())
    assert not torch.equal(other.state["network.0.weight"], first.state["network.0.weight"])


def test_rewards_of_every_weight_by_hand():
    table = pd.DataFrame(np.zeros((2, 16)), columns=list(FUSION_COLUMNS))
    table["anomaly_logit"], table["attack_logit"] = [2.0, 2.0], [-2.0, -2.0]
    played = windows(table, [0, 1], scale=1.0, part="training")
    expected = -np.tanh(1.0 - 2.0 * np.asarray(FUSION_WEIGHTS))
    np.testing.assert_allclose(played.rewards[0], expected, atol=1e-6)
    np.testing.assert_allclose(played.rewards[1], -expected, atol=1e-6)
    assert played.state.shape == (2, 15)


def test_needs_both_classes():
    table = pd.DataFrame(np.zeros((2, 16)), columns=list(FUSION_COLUMNS))
    with pytest.raises(DataError, match="the training part has 0 attack windows and 2 benign"):
        windows(table, [0, 0], scale=1.0, part="training")


def test_epsilon_falls_in_a_straight_line_then_stays():
    agent = AGENT.model_copy(update={"steps": 100, "epsilon_decay": 0.5, "epsilon_end": 0.2})
    assert [epsilon_at(step, agent) for step in (0, 25, 50, 100)] == pytest.approx(
        [1.0, 0.6, 0.2, 0.2]
    )


def test_replay_overwrites_the_oldest():
    memory = ReplayMemory(size=4, state_features=1)
    for value in range(3):
        pair = torch.tensor([2.0 * value, 2.0 * value + 1])
        memory.add(pair.unsqueeze(1), pair.long(), -pair)
    assert len(memory) == 4
    state, action, reward = memory.sample(200, np.random.default_rng(0))
    assert set(action.tolist()) == {2, 3, 4, 5}
    assert torch.equal(state.squeeze(1), action.float())
    assert torch.equal(reward, -action.float())


def test_classes_are_drawn_evenly_however_rare_attacks_are():
    rows = draw_windows((np.arange(990), np.arange(990, 1000)), 4000, np.random.default_rng(0))
    assert np.mean(rows >= 990) == pytest.approx(0.5, abs=0.03)
