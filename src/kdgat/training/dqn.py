"""Stage `fusion`: an agent that weighs both detectors, window by window.

A contextual bandit trained as a DQN (Mnih et al., Human-level control through deep reinforcement
learning, Nature 2015). Taken over: the Q-network, the replay memory, the linear epsilon schedule,
the clipped (Huber) error. Left out, because a verdict on one window does not change the next:
an episode is one window, every transition is terminal and its target is the reward alone, so
there is neither a discount nor a target network. Added: an episode first draws the class, since
attacks may be rare, and the weights kept are those of the best validation reward.
"""

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
import torch
from numpy.typing import ArrayLike, NDArray
from torch import Tensor
from torch.nn import functional

from kdgat.errors import DataError
from kdgat.models.artifact import ModelArtifact, build_module, pack
from kdgat.parameters import Agent, Compute, QNetwork
from kdgat.scores import FUSION_FEATURES, FUSION_WEIGHTS, USUAL_WEIGHT, fused_logit, reward
from kdgat.training.checkpoints import (
    Checkpoint,
    State,
    checkpoint_size,
    random_state,
    set_random_state,
)
from kdgat.training.replay_memory import ReplayMemory
from kdgat.training.report import StageReport, short, stage_report, thousands
from kdgat.training.scoring import fusion_state
from kdgat.training.trainer import start_stage


@dataclass(frozen=True)
class Windows:
    """What the agent plays on.

    Attributes:
        state: float32 `[num_windows, 15]`.
        rewards: float32 `[num_windows, 21]`, the reward that each fusion weight would bring;
            the agent is shown that of the weight it plays only.
        classes: the rows of benign and of attack windows.
    """

    state: Tensor
    rewards: Tensor
    classes: tuple[NDArray[np.int64], NDArray[np.int64]]


def windows(table: pd.DataFrame, y: ArrayLike, *, scale: float, part: str) -> Windows:
    """Prepare a table of scores for play.

    Args:
        table: columns FUSION_COLUMNS.
        y: label 0 or 1 `[num_windows]`.
        scale: of the reward, logit.
        part: its name in the error message.

    Raises:
        DataError: a class is missing.
    """
    y = np.asarray(y)
    classes = (np.flatnonzero(y == 0), np.flatnonzero(y == 1))
    if min(rows.size for rows in classes) == 0:
        raise DataError(
            f"the {part} part has {classes[1].size} attack windows and {classes[0].size} benign "
            "ones; the fusion agent needs both"
        )
    anomaly = table["anomaly_logit"].to_numpy()[:, None]
    attack = table["attack_logit"].to_numpy()[:, None]
    logits = fused_logit(anomaly, attack, np.asarray(FUSION_WEIGHTS))
    rewards = reward(y[:, None], logits, scale=scale)
    return Windows(
        state=fusion_state(table),
        rewards=torch.from_numpy(rewards.astype(np.float32)),
        classes=classes,
    )


def epsilon_at(step: int, agent: Agent) -> float:
    """Give the share of random actions at a step: a straight line, then constant."""
    progress = min(1.0, step / (agent.epsilon_decay * agent.steps))
    return agent.epsilon_start + (agent.epsilon_end - agent.epsilon_start) * progress


def draw_windows(
    classes: tuple[NDArray[np.int64], NDArray[np.int64]],
    count: int,
    generator: np.random.Generator,
) -> NDArray[np.int64]:
    """Draw windows with replacement, either class with even chance, int64 `[count]`."""
    benign = generator.choice(classes[0], size=count)
    attack = generator.choice(classes[1], size=count)
    return np.where(generator.random(count) < 0.5, benign, attack)


@torch.no_grad()
def choose(
    network: torch.nn.Module, state: Tensor, epsilon: float, generator: np.random.Generator
) -> Tensor:
    """Choose int64 actions `[n]` for states `[n, 15]`: the best, or with chance epsilon any."""
    value = network(state)
    random_action = torch.from_numpy(generator.integers(value.shape[1], size=len(value)))
    explores = torch.from_numpy(generator.random(len(value)) < epsilon)
    return torch.where(explores, random_action, value.argmax(dim=1))


@torch.no_grad()
def greedy_reward(network: torch.nn.Module, played: Windows) -> float:
    """Give the mean reward of the best actions, either class with even weight, -1 to 1.

    Without falling back to the usual weight: what the values are worth by themselves.
    """
    action = network(played.state).argmax(dim=1, keepdim=True)
    gained = played.rewards.gather(1, action).squeeze(1).numpy()
    return float(np.mean([gained[rows].mean() for rows in played.classes]))


def train_agent(
    *,
    train: pd.DataFrame,
    train_y: ArrayLike,
    validation: pd.DataFrame,
    validation_y: ArrayLike,
    network: QNetwork,
    agent: Agent,
    compute: Compute,
    seed: int,
    stage: str,
) -> tuple[ModelArtifact, list[dict[str, Any]]]:
    """Train a fusion agent.

    Args:
        train: scores of the windows it plays on, columns FUSION_COLUMNS.
        train_y: their labels, 0 or 1 `[num_windows]`.
        validation: scores of the windows that choose the best weights.
        validation_y: their labels.
        network: size of the Q-network.
        agent: how it learns.
        compute: threads (the agent is small: it runs on the CPU).
        seed: of the run.
        stage: name in the report and of the random stream, such as `teacher_fusion`.

    Returns:
        The best agent and one dict per look at validation.

    Raises:
        DataError: a class is missing in a part.
    """
    generator = np.random.default_rng(start_stage(seed=seed, stage=stage, compute=compute))
    scale = agent.reward_scale
    played = windows(train, train_y, scale=scale, part="training")
    held_out = windows(validation, validation_y, scale=scale, part="validation")
    arguments = {
        "state_features": len(FUSION_FEATURES),
        "actions": len(FUSION_WEIGHTS),
        **network.model_dump(),
    }
    model = build_module("q_network", arguments)
    model.scaling.set_statistics(
        mean=played.state.mean(dim=0),
        std=played.state.std(dim=0, unbiased=False).clamp_min(1e-6),
    )
    learner = Learner(model, played, held_out, agent=agent, generator=generator)
    checkpoint = Checkpoint.of(stage)
    checkpoint.reserve(checkpoint_size(model) + learner.memory.nbytes)
    header = (
        f"{len(played.state):,} windows to play on, {len(held_out.state):,} to validate; "
        f"{thousands(sum(p.numel() for p in model.parameters()))} parameters; epochs of "
        f"{agent.evaluate_every} steps"
    )
    with stage_report(stage, -(-agent.steps // agent.evaluate_every), header) as report:
        learner.learn(report, checkpoint)
    best = learner.best
    report.close(f"best step {best['step']}, val reward {short(best['reward'])}")
    metadata = {
        "training_mode": "dqn",
        "seed": seed,
        "fusion_feature_names": list(FUSION_FEATURES),
        "fusion_weights": list(FUSION_WEIGHTS),
        "usual_weight": USUAL_WEIGHT,
        "parameters": {"network": network.model_dump(), "agent": agent.model_dump()},
        "best_step": best["step"],
        "best_val_reward": best["reward"],
    }
    artifact = pack(kind="q_network", arguments=arguments, model=model, metadata=metadata)
    return artifact, report.history


class Learner:
    """An agent that plays and learns, from where a checkpoint stands to the last step.

    Args:
        model: the Q-network.
        played: windows that it plays on.
        held_out: windows that choose the best weights.
        agent: how it learns.
        generator: of all that is drawn.
    """

    def __init__(
        self,
        model: torch.nn.Module,
        played: Windows,
        held_out: Windows,
        *,
        agent: Agent,
        generator: np.random.Generator,
    ) -> None:
        self.model = model
        self.played = played
        self.held_out = held_out
        self.agent = agent
        self.generator = generator
        self.memory = ReplayMemory(size=agent.replay_size, state_features=played.state.shape[1])
        self.optimizer = torch.optim.Adam(model.parameters(), lr=agent.learning_rate, fused=True)
        self.best: dict[str, Any] = {"reward": -math.inf, "step": 0, "weights": {}}

    def learn(self, report: StageReport, checkpoint: Checkpoint) -> None:
        """Play and learn; leave the best weights in the model."""
        state = checkpoint.load()
        if state is not None:
            self._go_on(state, report)
        first = len(report.epochs_done) * self.agent.evaluate_every + 1
        gained = lost = 0.0
        for step in range(first, self.agent.steps + 1):
            earned, loss = self._step(step)
            gained, lost = gained + earned, lost + loss
            if step % self.agent.evaluate_every == 0 or step == self.agent.steps:
                steps = step - len(report.epochs_done) * self.agent.evaluate_every
                figures = {"train_loss": lost / steps, "train_reward": gained / steps}
                figures["val_reward"] = greedy_reward(self.model, self.held_out)
                gained = lost = 0.0
                self._keep_best(step, figures["val_reward"])
                report.measure(len(report.epochs_done), figures)
                checkpoint.save(self._state(report))
                report.announce()
        self.model.load_state_dict(self.best["weights"])
        self.model.eval()

    def _step(self, step: int) -> tuple[float, float]:
        agent, generator = self.agent, self.generator
        rows = torch.from_numpy(
            draw_windows(self.played.classes, agent.episodes_per_step, generator)
        )
        action = choose(self.model, self.played.state[rows], epsilon_at(step, agent), generator)
        earned = self.played.rewards[rows, action]
        self.memory.add(self.played.state[rows], action, earned)

        state, action, target = self.memory.sample(agent.batch_size, generator)
        value = self.model(state).gather(1, action.unsqueeze(1)).squeeze(1)
        loss = functional.smooth_l1_loss(value, target)
        self.optimizer.zero_grad()
        loss.backward()
        self.optimizer.step()
        return earned.mean().item(), loss.item()

    def _keep_best(self, step: int, reward: float) -> None:
        if reward > self.best["reward"]:
            weights = {k: v.detach().clone() for k, v in self.model.state_dict().items()}
            self.best = {"reward": reward, "step": step, "weights": weights}

    def _state(self, report: StageReport) -> State:
        return {
            "model": self.model.state_dict(),
            "optimizer": self.optimizer.state_dict(),
            "memory": vars(self.memory),
            "generator": self.generator.bit_generator.state,
            "random": random_state(),
            "best": self.best,
            "epochs": report.epochs_done,
        }

    def _go_on(self, state: State, report: StageReport) -> None:
        self.model.load_state_dict(state["model"])
        self.optimizer.load_state_dict(state["optimizer"])
        vars(self.memory).update(state["memory"])
        self.generator.bit_generator.state = state["generator"]
        set_random_state(state["random"])
        self.best = state["best"]
        report.restore(state["epochs"])
