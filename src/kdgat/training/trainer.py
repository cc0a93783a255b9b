"""What every graph network's training shares: seeds, optimiser, the Lightning loop, best epoch."""

import hashlib
import logging
import math
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch
from lightning.pytorch import Callback, LightningModule, Trainer, seed_everything
from torch import Tensor, nn
from torch_geometric.data import Batch

from kdgat.can.graph_store import GraphStore, loader
from kdgat.can.scaling import FeatureScaling
from kdgat.errors import KdgatError
from kdgat.models.artifact import build_module
from kdgat.parameters import Compute, Fit, Group
from kdgat.training.curriculum import EpochSampler
from kdgat.training.report import StageReport, stage_report

WARM_UP = 0.15


def start_stage(*, seed: int, stage: str, compute: Compute) -> int:
    """Seed every generator and set the threads, for one stage.

    The seed depends on the run's seed and the stage's name alone: a stage gives the same weights
    whether it runs by itself or after others.

    Args:
        seed: of the run.
        stage: its name.
        compute: threads.

    Returns:
        The stage's own seed, 0 to 2^31 - 1.
    """
    digest = hashlib.sha256(f"{seed}/{stage}".encode()).digest()
    stage_seed = int.from_bytes(digest[:4], "big") >> 1
    torch.set_num_threads(compute.threads)
    seed_everything(stage_seed, verbose=False)
    return stage_seed


def network_arguments(store: GraphStore, sizes: dict[str, Any]) -> dict[str, Any]:
    """Give the constructor's arguments of a graph network: sizes and the store's widths."""
    return {
        "node_features": len(store.node_features),
        "edge_features": len(store.edge_features),
        **sizes,
    }


def scaled_network(kind: str, arguments: dict[str, Any], scaling: FeatureScaling) -> nn.Module:
    """Build an untrained graph network that scales its features by benign training statistics."""
    model = build_module(kind, arguments)
    model.set_scaling(
        node_mean=torch.as_tensor(scaling.node_mean, dtype=torch.float32),
        node_std=torch.as_tensor(scaling.node_std, dtype=torch.float32),
        edge_mean=torch.as_tensor(scaling.edge_mean, dtype=torch.float32),
        edge_std=torch.as_tensor(scaling.edge_std, dtype=torch.float32),
    )
    return model


def lineage(
    store: GraphStore, parameters: Group, *, training_mode: str, seed: int
) -> dict[str, Any]:
    """Say where a graph network comes from, for its artifact's metadata (JSON-able)."""
    return {
        "training_mode": training_mode,
        "seed": seed,
        "node_feature_names": list(store.node_features),
        "edge_feature_names": list(store.edge_features),
        "window": store.window,
        "stride": store.stride,
        "parameters": parameters.model_dump(mode="json"),
    }


def network_inputs(batch: Batch) -> dict[str, Any]:
    """Name what a graph network's `forward` takes from a batch of windows."""
    return {
        "x": batch.x,
        "arbitration_id": batch.arbitration_id,
        "edge_index": batch.edge_index,
        "edge_attr": batch.edge_attr,
        "batch": batch.batch,
        "num_graphs": batch.num_graphs,
    }


class GraphTask(LightningModule):
    """A graph network in training: optimiser, schedule, and what it logs.

    Subclasses give `training_loss` and `validation_loss` of a batch.

    Args:
        model: the network to train.
        fit: how it is trained.
        id_dropout: share of training windows whose IDs are hidden.
    """

    def __init__(self, *, model: nn.Module, fit: Fit, id_dropout: float) -> None:
        super().__init__()
        self.model = model
        self.fit = fit
        self.id_dropout = id_dropout

    def training_loss(self, batch: Batch) -> Tensor:
        """Give the loss to descend, float32 `[]`."""
        raise NotImplementedError

    def validation_loss(self, batch: Batch) -> Tensor:
        """Give the loss that chooses the best epoch, float32 `[]`."""
        raise NotImplementedError

    def hidden_windows(self, batch: Batch) -> Tensor:
        """Draw the windows whose IDs are hidden this time, bool `[num_graphs]`."""
        return torch.rand(batch.num_graphs, device=batch.x.device) < self.id_dropout

    def training_step(self, batch: Batch) -> Tensor:
        """Log and return the training loss."""
        loss = self.training_loss(batch)
        self.log("train_loss", loss, on_step=False, on_epoch=True, batch_size=batch.num_graphs)
        return loss

    def validation_step(self, batch: Batch) -> None:
        """Log the validation loss."""
        self.log("val_loss", self.validation_loss(batch), batch_size=batch.num_graphs)

    def configure_optimizers(self) -> dict[str, Any]:
        """AdamW under one cycle (Smith, Topin: Super-Convergence, 2018), stepped per batch."""
        trained = [parameter for parameter in self.parameters() if parameter.requires_grad]
        optimizer = torch.optim.AdamW(
            trained, lr=self.fit.learning_rate, weight_decay=self.fit.weight_decay, fused=True
        )
        schedule = torch.optim.lr_scheduler.OneCycleLR(
            optimizer,
            self.fit.learning_rate,
            total_steps=int(self.trainer.estimated_stepping_batches),
            pct_start=WARM_UP,
        )
        return {
            "optimizer": optimizer,
            "lr_scheduler": {"scheduler": schedule, "interval": "step"},
        }


class BestEpoch(Callback):
    """Report every epoch, keep the best one's weights, and stop when it stays the best too long.

    Args:
        report: told every epoch.
        patience: epochs without a better validation loss before training stops.
        first_epoch: epoch from which patience counts (a curriculum must show everything first).
    """

    def __init__(self, *, report: StageReport, patience: int, first_epoch: int) -> None:
        self.report = report
        self.patience = patience
        self.first_epoch = first_epoch
        self.best_epoch = -1
        self.best_loss = math.inf
        self.best_state: dict[str, Tensor] = {}

    def on_train_epoch_end(self, trainer: Trainer, pl_module: GraphTask) -> None:
        """Look at the epoch that has just ended, validation included."""
        metrics = {name: float(value) for name, value in trainer.callback_metrics.items()}
        epoch = trainer.current_epoch
        self.report(epoch, metrics)
        if metrics["val_loss"] < self.best_loss:
            self.best_loss, self.best_epoch = metrics["val_loss"], epoch
            self.best_state = {
                name: tensor.detach().clone()
                for name, tensor in pl_module.model.state_dict().items()
            }
        waited = epoch - max(self.best_epoch, self.first_epoch)
        trainer.should_stop = waited >= self.patience


@contextmanager
def _lightning_silenced() -> Iterator[None]:
    """Keep Lightning's advice out of the terminal; its errors still rise."""
    names = ("lightning.pytorch", "lightning.fabric")
    levels = {name: logging.getLogger(name).level for name in names}
    for name in names:
        logging.getLogger(name).setLevel(logging.ERROR)
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", module=r"lightning\.(pytorch|fabric)")
        try:
            yield
        finally:
            for name, level in levels.items():
                logging.getLogger(name).setLevel(level)


def fit_task(
    task: GraphTask,
    *,
    stage: str,
    train: GraphStore,
    validation: GraphStore,
    sampler: EpochSampler,
    compute: Compute,
) -> tuple[list[dict[str, Any]], dict[str, Any]]:
    """Train a task and leave the best epoch's weights in its model.

    Args:
        task: model and losses; `task.model` is changed, and left on the CPU in evaluation mode.
        stage: name of the stage in the report.
        train: training windows.
        validation: windows whose loss chooses the best epoch.
        sampler: which training windows each epoch sees.
        compute: device.

    Returns:
        History, one dict an epoch, and {"best_epoch", "best_val_loss", "epochs_run"}.

    Raises:
        KdgatError: no epoch had a finite validation loss.
    """
    fit = task.fit
    with stage_report(stage, fit.epochs) as report, _lightning_silenced():
        best = BestEpoch(report=report, patience=fit.patience, first_epoch=sampler.full_epoch)
        trainer = Trainer(
            max_epochs=fit.epochs,
            accelerator=compute.accelerator,
            devices=1,
            gradient_clip_val=fit.gradient_clip,
            callbacks=[best],
            logger=False,
            enable_checkpointing=False,
            enable_progress_bar=False,
            enable_model_summary=False,
            num_sanity_val_steps=0,
        )
        trainer.fit(
            task,
            loader(train, batch_size=fit.batch_size, sampler=sampler),
            loader(validation, batch_size=fit.batch_size),
        )
    if best.best_epoch < 0:
        raise KdgatError(
            f"stage {stage}: the validation loss was never finite; try a lower learning_rate"
        )
    task.model.load_state_dict(best.best_state)
    task.model.cpu().eval()
    summary = {
        "best_epoch": best.best_epoch,
        "best_val_loss": best.best_loss,
        "epochs_run": len(report.history),
    }
    return report.history, summary
