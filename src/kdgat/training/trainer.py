"""What every graph network's training shares: seeds, construction, lineage, one fit."""

import hashlib
from typing import Any

import torch
from lightning.fabric import seed_everything
from torch import nn
from torch_geometric.data import Batch

from kdgat.can.graph_store import GraphStore
from kdgat.can.scaling import FeatureScaling
from kdgat.errors import KdgatError
from kdgat.models.artifact import build_module
from kdgat.parameters import Compute, Fit, Group
from kdgat.training.batch_size import GraphSizes, settled
from kdgat.training.checkpoints import Checkpoint, checkpoint_size, run_memory
from kdgat.training.curriculum import CurriculumSampler, EpochSampler
from kdgat.training.feature_check import features_of
from kdgat.training.processes import Training, device_name, together
from kdgat.training.report import short, stage_report, thousands
from kdgat.training.task import GraphTask


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
        **features_of(store),
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

    A stage that an earlier life of the run has begun goes on from its last complete epoch.

    Args:
        task: model and losses; `task.model` is changed, and left on the CPU in evaluation mode.
        stage: name of the stage in the report.
        train: training windows.
        validation: windows whose loss chooses the best epoch.
        sampler: which training windows each epoch sees.
        compute: device, processes, precision.

    Returns:
        History, one dict an epoch, and {"best_epoch", "best_val_loss", "epochs_run"}.

    Raises:
        KdgatError: no epoch had a finite validation loss, or a batch of the least size does not
            fit into memory.
    """
    task.fit = _with_settled_batch_size(task, sampler)
    settings = task.fit.batch_size
    kind = f"{device_name(compute)}, {_count(task)} parameters"
    adapts = settings.mode == "adaptive" and not settings.replay
    start = run_memory().last_budget(stage, kind) if adapts else None
    training = Training(
        task, train, validation, sampler, compute, stage, start, Checkpoint.of(stage)
    )
    training.checkpoint.reserve(checkpoint_size(task))
    header = _header(task, train, validation, kind, compute)
    with stage_report(stage, task.fit.epochs, header) as report, together(training, compute):
        best, nodes = training.run(report)
        if nodes:
            report.tag(nodes=str(nodes), kind=kind)
    if best.epoch < 0:
        raise KdgatError(
            f"stage {stage}: the validation loss was never finite; try a lower learning_rate"
        )
    report.close(f"best epoch {best.epoch + 1}, val loss {short(best.loss)}")
    task.model.load_state_dict(best.weights)
    task.model.cpu().eval()
    summary = {
        "best_epoch": best.epoch,
        "best_val_loss": best.loss,
        "epochs_run": len(report.history),
    }
    return report.history, summary


def _with_settled_batch_size(task: GraphTask, sampler: EpochSampler) -> Fit:
    modes = ["curriculum" if isinstance(sampler, CurriculumSampler) else "normal"]
    modes += ["distillation"] if task.is_distilled else []
    settings = settled(task.fit.batch_size, modes=modes, dataset=run_memory().dataset)
    return task.fit.model_copy(update={"batch_size": settings})


def _count(task: GraphTask) -> str:
    return thousands(sum(parameter.numel() for parameter in task.model.parameters()))


def _header(
    task: GraphTask, train: GraphStore, validation: GraphStore, kind: str, compute: Compute
) -> str:
    sizes = GraphSizes.of(train)
    batch = task.fit.batch_size
    return (
        f"{len(train):,} windows to train on ({thousands(sizes.nodes)} nodes, "
        f"{thousands(sizes.edges)} edges), {len(validation):,} to validate; {kind}; batches "
        f"{batch.mode}, {batch.graphs} graphs at first; {compute.devices} process(es)"
    )
