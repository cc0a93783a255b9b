"""Averages of the weights: what is validated and kept instead of the weights of one step.

Steps at a learning rate that has not fallen yet leave noise in the weights, the more of it the
earlier the best epoch is. It shows on cars unlike those of training first.
"""

from collections.abc import Iterator
from contextlib import contextmanager

from torch import Tensor, nn
from torch.optim.swa_utils import AveragedModel

from kdgat.training.task import GraphTask

EXPONENT = 8
"""The average covers about the last ninth of the steps so far."""


def weight_average(model: nn.Module) -> AveragedModel:
    """Begin an average of a network's weights; `update_parameters` takes each step in."""
    return AveragedModel(model, multi_avg_fn=move_towards)


def move_towards(averaged: list[Tensor], trained: list[Tensor], steps: Tensor | int) -> None:
    """Move averaged weights towards those that are trained.

    Polynomial-decay averaging (Shamir, Zhang: Stochastic Gradient Descent for Non-smooth
    Optimization, 2013, section 4): the weights after step n count (a + 1) / (n + a), so that the
    span grows with the training and needs no setting for its length.

    Args:
        averaged: changed in place.
        trained: the same tensors after a step.
        steps: steps averaged before it, at least 1.
    """
    share = (EXPONENT + 1) / (int(steps) + 1 + EXPONENT)
    for mean, weight in zip(averaged, trained, strict=True):
        mean.lerp_(weight, share)


@contextmanager
def averaged_weights(task: GraphTask, average: AveragedModel) -> Iterator[None]:
    """Let a task judge with averaged weights for a while."""
    trained, task.model = task.model, average.module
    task.model.eval()
    try:
        yield
    finally:
        task.model = trained
