"""Every loss of the graph networks, as functions of tensors."""

import torch
from torch import Tensor
from torch.nn import functional

from kdgat.models.vgae import Reconstruction
from kdgat.parameters import AutoencoderLoss


def autoencoder_loss(reconstruction: Reconstruction, weights: AutoencoderLoss) -> Tensor:
    """Weigh the errors of a reconstruction (negative evidence lower bound, weighted as in
    beta-VAE, Higgins et al., ICLR 2017).

    Args:
        reconstruction: of a batch of windows.
        weights: of edges, IDs and divergence; the node features weigh 1.

    Returns:
        float32 `[]`.
    """
    return (
        reconstruction.node_error.mean()
        + weights.edge_weight * reconstruction.edge_error.mean()
        + weights.id_weight * reconstruction.id_error.mean()
        + weights.kl_weight * reconstruction.kl.mean()
    )


def label_loss(attack_logit: Tensor, y: Tensor, attack_weight: Tensor) -> Tensor:
    """Binary cross-entropy in which an attack window counts `attack_weight` times.

    Args:
        attack_logit: float32 `[num_graphs]`.
        y: 0 or 1 `[num_graphs]`.
        attack_weight: float32 `[]`.

    Returns:
        float32 `[]`.
    """
    return functional.binary_cross_entropy_with_logits(
        attack_logit, y.float(), pos_weight=attack_weight
    )


def soft_target_loss(attack_logit: Tensor, teacher_logit: Tensor, *, temperature: float) -> Tensor:
    """Match the teacher's softened probability (Hinton, Vinyals, Dean: Distilling the Knowledge in
    a Neural Network, 2015).

    Cross-entropy between sigmoid(teacher / T) and sigmoid(student / T), times T^2 so that its
    gradient keeps the size of the label loss's whatever T is.

    Args:
        attack_logit: the student's, float32 `[num_graphs]`.
        teacher_logit: float32 `[num_graphs]`.
        temperature: T > 0.

    Returns:
        float32 `[]`.
    """
    target = torch.sigmoid(teacher_logit / temperature)
    loss = functional.binary_cross_entropy_with_logits(attack_logit / temperature, target)
    return loss * temperature**2
