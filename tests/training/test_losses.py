import math

import pytest
import torch

from kdgat.models.vgae import Reconstruction
from kdgat.parameters import AutoencoderLoss
from kdgat.training.losses import autoencoder_loss, label_loss, soft_target_loss


def test_autoencoder_loss_by_hand():
    reconstruction = Reconstruction(
        mean=torch.zeros(2, 1),
        log_var=torch.zeros(2, 1),
        node_features=torch.zeros(2, 3),
        node_error=torch.tensor([1.0, 3.0]),
        edge_error=torch.tensor([0.5]),
        id_error=torch.tensor([0.25]),
        kl=torch.tensor([10.0, 30.0]),
    )
    weights = AutoencoderLoss(edge_weight=2.0, id_weight=4.0, kl_weight=0.1, id_dropout=0.0)
    assert float(autoencoder_loss(reconstruction, weights)) == pytest.approx(2 + 1 + 1 + 2)


def test_label_loss_counts_an_attack_as_often_as_told():
    logit, y = torch.zeros(2), torch.tensor([1, 0])
    assert float(label_loss(logit, y, torch.tensor(3.0))) == pytest.approx(2 * math.log(2))


def test_soft_target_loss_by_hand():
    loss = soft_target_loss(torch.zeros(1), torch.tensor([5.0]), temperature=2.0)
    assert float(loss) == pytest.approx(4 * math.log(2))


def test_soft_target_loss_is_least_at_the_teacher():
    teacher = torch.tensor([1.5, -3.0])
    student = teacher.clone().requires_grad_()
    soft_target_loss(student, teacher, temperature=3.0).backward()
    assert student.grad.abs().max() < 1e-6


def test_soft_gradient_keeps_its_size_at_any_temperature():
    gradients = []
    for temperature in (10.0, 100.0):
        student = torch.tensor([0.5], requires_grad=True)
        soft_target_loss(student, torch.tensor([-0.5]), temperature=temperature).backward()
        gradients.append(float(student.grad))
    assert gradients[0] == pytest.approx(gradients[1], rel=0.01)
