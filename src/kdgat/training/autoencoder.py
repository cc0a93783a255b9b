"""Stage `autoencoder`: a VGAE that knows benign traffic alone."""

from typing import Any

import numpy as np
from torch import Tensor
from torch_geometric.data import Batch

from kdgat.can.graph_store import GraphStore
from kdgat.can.scaling import FeatureScaling
from kdgat.errors import DataError
from kdgat.models.artifact import ModelArtifact, pack
from kdgat.models.vgae import VGAE
from kdgat.parameters import Autoencoder, AutoencoderLoss, Compute, Fit
from kdgat.scores import score_statistics
from kdgat.training.curriculum import EpochSampler
from kdgat.training.losses import autoencoder_loss
from kdgat.training.scoring import anomaly_components
from kdgat.training.trainer import (
    GraphTask,
    fit_task,
    lineage,
    network_arguments,
    network_inputs,
    scaled_network,
    start_stage,
)

STAGE = "autoencoder"


class AutoencoderTask(GraphTask):
    """A VGAE in training.

    Args:
        model: the VGAE.
        loss: weights of the parts of the loss, and the share of windows with hidden IDs.
        fit: how it is trained.
    """

    def __init__(self, *, model: VGAE, loss: AutoencoderLoss, fit: Fit) -> None:
        super().__init__(model=model, fit=fit, id_dropout=loss.id_dropout)
        self.loss = loss

    def training_loss(self, batch: Batch) -> Tensor:
        """Reconstruct a batch with the IDs of some windows hidden."""
        reconstruction = self.model(**network_inputs(batch), hidden=self.hidden_windows(batch))
        return autoencoder_loss(reconstruction, self.loss)

    def validation_loss(self, batch: Batch) -> Tensor:
        """Reconstruct a batch from the posterior mean."""
        return autoencoder_loss(self.model(**network_inputs(batch)), self.loss)


def benign_graphs(store: GraphStore, *, part: str) -> GraphStore:
    """Keep the windows without attack.

    Args:
        store: windows.
        part: its name in the error message.

    Raises:
        DataError: there are none.
    """
    rows = np.flatnonzero(store.y.numpy() == 0)
    if rows.size == 0:
        raise DataError(f"the {part} part has {len(store)} windows, none of them benign")
    return store.subset(rows)


def train_autoencoder(
    *,
    train: GraphStore,
    validation: GraphStore,
    scaling: FeatureScaling,
    parameters: Autoencoder,
    compute: Compute,
    seed: int,
) -> tuple[ModelArtifact, list[dict[str, Any]]]:
    """Train the teacher VGAE on the benign windows of a store.

    Args:
        train: training windows; attack windows are left out here.
        validation: validation windows; attack windows are left out here.
        scaling: statistics of benign training rows.
        parameters: of the stage.
        compute: device and threads.
        seed: of the run.

    Returns:
        The best epoch's model and one dict an epoch.

    Raises:
        DataError: no benign window in a part.
    """
    stage_seed = start_stage(seed=seed, stage=STAGE, compute=compute)
    benign = benign_graphs(train, part="training")
    arguments = network_arguments(train, parameters.model.model_dump())
    task = AutoencoderTask(
        model=scaled_network("vgae", arguments, scaling), loss=parameters.loss, fit=parameters.fit
    )
    return fit_autoencoder(
        task,
        stage=STAGE,
        train=benign,
        validation=benign_graphs(validation, part="validation"),
        sampler=EpochSampler(
            num_graphs=len(benign), seed=stage_seed, share=parameters.fit.epoch_share
        ),
        arguments=arguments,
        compute=compute,
        metadata=lineage(train, parameters, training_mode="normal", seed=seed),
    )


def fit_autoencoder(
    task: AutoencoderTask,
    *,
    stage: str,
    train: GraphStore,
    validation: GraphStore,
    sampler: EpochSampler,
    arguments: dict[str, Any],
    compute: Compute,
    metadata: dict[str, Any],
) -> tuple[ModelArtifact, list[dict[str, Any]]]:
    """Fit a VGAE and measure its scores on benign validation windows.

    Args:
        task: model and loss.
        stage: its name.
        train: benign training windows.
        validation: benign validation windows.
        sampler: which training windows each epoch sees.
        arguments: of the model's constructor.
        compute: device and threads.
        metadata: lineage, to which best epoch and score statistics are added.

    Returns:
        The best epoch's model and one dict an epoch.
    """
    history, summary = fit_task(
        task, stage=stage, train=train, validation=validation, sampler=sampler, compute=compute
    )
    components = anomaly_components(task.model, validation, compute)
    task.model.cpu().set_anomaly_statistics(components)
    statistics = score_statistics(task.model.anomaly_score(components).numpy())
    artifact = pack(
        kind="vgae",
        arguments=arguments,
        model=task.model,
        metadata=metadata
        | summary
        | {"training_graphs": len(train), "score_statistics": statistics},
    )
    return artifact, history
