"""A graph network in training: what every task shares."""

import torch
from torch import Tensor, nn
from torch.optim import AdamW
from torch.optim.lr_scheduler import OneCycleLR
from torch_geometric.data import Batch

from kdgat.parameters import Fit

WARM_UP = 0.15


class GraphTask(nn.Module):
    """A graph network in training: its losses, its optimiser and schedule.

    Subclasses give `training_loss` and `validation_loss` of a batch.

    Args:
        model: the network to train.
        fit: how it is trained.
        id_dropout: share of training windows whose IDs are hidden.
    """

    is_distilled = False

    def __init__(self, *, model: nn.Module, fit: Fit, id_dropout: float) -> None:
        super().__init__()
        self.model = model
        self.fit = fit
        self.id_dropout = id_dropout
        self.register_buffer("decisions", torch.zeros(3, dtype=torch.float64), persistent=False)

    def training_loss(self, batch: Batch) -> Tensor:
        """Give the loss to descend, float32 `[]`."""
        raise NotImplementedError

    def validation_loss(self, batch: Batch) -> Tensor:
        """Give the loss that chooses the best epoch, float32 `[]`."""
        raise NotImplementedError

    def hidden_windows(self, batch: Batch) -> Tensor:
        """Draw the windows whose IDs are hidden this time, bool `[num_graphs]`."""
        return torch.rand(batch.num_graphs, device=batch.x.device) < self.id_dropout

    def count_decisions(self, alarm: Tensor, y: Tensor) -> None:
        """Count decisions on validation windows.

        Args:
            alarm: bool `[num_graphs]`.
            y: label 0 or 1 `[num_graphs]`.
        """
        attack = y == 1
        counts = [alarm & attack, alarm & ~attack, ~alarm & attack]
        self.decisions += torch.stack([count.sum() for count in counts])

    @staticmethod
    def decision_metrics(decisions: Tensor) -> dict[str, float]:
        """Give F1 of the decisions counted, where there are any.

        Args:
            decisions: right alarms, false alarms, attacks missed `[3]`.
        """
        right, false, missed = decisions.tolist()
        total = 2 * right + false + missed
        return {"val_f1": 2 * right / total} if total else {}

    def optimizer(self, steps: int) -> tuple[AdamW, OneCycleLR]:
        """AdamW under one cycle (Smith, Topin: Super-Convergence, 2018), stepped per batch.

        Args:
            steps: of the whole training.
        """
        trained = [parameter for parameter in self.parameters() if parameter.requires_grad]
        optimizer = AdamW(
            trained, lr=self.fit.learning_rate, weight_decay=self.fit.weight_decay, fused=True
        )
        schedule = OneCycleLR(
            optimizer, self.fit.learning_rate, total_steps=steps, pct_start=WARM_UP
        )
        return optimizer, schedule
