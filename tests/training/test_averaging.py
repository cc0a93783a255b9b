import pytest
import torch
from torch import nn

from kdgat.parameters import Fit
from kdgat.training.averaging import EXPONENT, averaged_weights, move_towards, weight_average
from kdgat.training.task import GraphTask


def test_the_share_of_a_step_falls_as_worked_out_by_hand():
    """Of 0 and then 1 nine tenths are the second; a third step counts 9 in 11."""
    weights = [torch.zeros(2)]
    move_towards(weights, [torch.ones(2)], 1)
    assert weights[0].tolist() == pytest.approx([0.9, 0.9])
    move_towards(weights, [torch.full((2,), 12.0)], torch.tensor(2))
    assert weights[0].tolist() == pytest.approx([0.9 + 11.1 * 9 / 11] * 2)


def test_the_average_covers_the_last_ninth_of_the_steps():
    """Of weights that grow by one a step it lies about a tenth of the way behind the last."""
    model = nn.Linear(1, 1, bias=False)
    average = weight_average(model)
    for step in range(1, 1001):
        nn.init.constant_(model.weight, step)
        average.update_parameters(model)
    assert average.module.weight.item() == pytest.approx(1000 * (1 - 1 / (EXPONENT + 2)), rel=0.01)
    assert model.weight.item() == 1000.0


def test_a_task_judges_with_the_average_and_trains_its_own_weights(fit: Fit):
    task = GraphTask(model=nn.Linear(1, 1), fit=fit, id_dropout=0.0)
    own, average = task.model, weight_average(task.model)
    with averaged_weights(task, average):
        assert task.model is average.module
        assert not task.model.training
    assert task.model is own
