"""Stage `teacher`: a GAT that tells attack windows from benign ones."""

from typing import Any

import torch
from torch import Tensor
from torch_geometric.data import Batch

from kdgat.can.graph_store import GraphStore
from kdgat.can.scaling import FeatureScaling
from kdgat.errors import DataError
from kdgat.models.artifact import ModelArtifact, pack
from kdgat.models.gat import GAT
from kdgat.parameters import Compute, Fit, Teacher
from kdgat.training.curriculum import EpochSampler, epoch_sampler
from kdgat.training.losses import label_loss
from kdgat.training.scoring import score_autoencoder
from kdgat.training.trainer import (
    GraphTask,
    fit_task,
    lineage,
    network_arguments,
    network_inputs,
    scaled_network,
    start_stage,
)

STAGE = "teacher"


class ClassifierTask(GraphTask):
    """A GAT in training.

    Args:
        model: the GAT.
        fit: how it is trained.
        id_dropout: share of training windows whose IDs are hidden.
        attack_weight: how often an attack window counts in the training loss.
        validation_attack_weight: the same in the validation loss.
    """

    def __init__(
        self,
        *,
        model: GAT,
        fit: Fit,
        id_dropout: float,
        attack_weight: float,
        validation_attack_weight: float,
    ) -> None:
        super().__init__(model=model, fit=fit, id_dropout=id_dropout)
        self.register_buffer("attack_weight", torch.tensor(attack_weight))
        self.register_buffer("validation_attack_weight", torch.tensor(validation_attack_weight))

    def training_loss(self, batch: Batch) -> Tensor:
        """Judge a batch with the IDs of some windows hidden."""
        logit = self.model(**network_inputs(batch), hidden=self.hidden_windows(batch))
        return label_loss(logit, batch.y, self.attack_weight)

    def validation_loss(self, batch: Batch) -> Tensor:
        """Judge a batch, both classes with equal weight."""
        logit = self.model(**network_inputs(batch))
        self.count_decisions(logit > 0, batch.y)
        return label_loss(logit, batch.y, self.validation_attack_weight)


def class_ratio(store: GraphStore, *, part: str) -> float:
    """Give benign windows per attack window.

    Args:
        store: windows.
        part: its name in the error message.

    Raises:
        DataError: a class is missing.
    """
    attacks = int(store.y.sum())
    benign = len(store) - attacks
    if attacks == 0 or benign == 0:
        raise DataError(
            f"the {part} part has {attacks} attack windows and {benign} benign ones; "
            "a classifier needs both"
        )
    return benign / attacks


def attack_weights(train: GraphStore, validation: GraphStore, *, mode: str) -> dict[str, float]:
    """Balance the classes: by the loss in mode `normal`; the curriculum draws its own ratio.

    Raises:
        DataError: a class is missing in a part.
    """
    ratio = class_ratio(train, part="training")
    return {
        "attack_weight": ratio if mode == "normal" else 1.0,
        "validation_attack_weight": class_ratio(validation, part="validation"),
    }


def train_classifier(
    *,
    train: GraphStore,
    validation: GraphStore,
    scaling: FeatureScaling,
    autoencoder: ModelArtifact,
    parameters: Teacher,
    compute: Compute,
    seed: int,
) -> tuple[ModelArtifact, list[dict[str, Any]]]:
    """Train the teacher GAT.

    Args:
        train: training windows.
        validation: validation windows.
        scaling: statistics of benign training rows.
        autoencoder: its anomaly score says what is hard (mode `curriculum` only).
        parameters: of the stage.
        compute: device and threads.
        seed: of the run.

    Returns:
        The best epoch's model and one dict an epoch.

    Raises:
        DataError: a class is missing in a part.
    """
    stage_seed = start_stage(seed=seed, stage=STAGE, compute=compute)
    weights = attack_weights(train, validation, mode=parameters.mode)
    arguments = network_arguments(train, parameters.model.model_dump())
    task = ClassifierTask(
        model=scaled_network("gat", arguments, scaling),
        fit=parameters.fit,
        id_dropout=parameters.id_dropout,
        **weights,
    )
    sampler = epoch_sampler(
        mode=parameters.mode,
        y=train.y,
        anomaly_score=lambda: score_autoencoder(autoencoder, train, compute=compute)[
            "anomaly_score"
        ],
        curriculum=parameters.curriculum,
        epochs=parameters.fit.epochs,
        seed=stage_seed,
        share=parameters.fit.epoch_share,
    )
    return fit_classifier(
        task,
        stage=STAGE,
        train=train,
        validation=validation,
        sampler=sampler,
        arguments=arguments,
        compute=compute,
        metadata=lineage(train, parameters, training_mode=parameters.mode, seed=seed),
    )


def fit_classifier(
    task: ClassifierTask,
    *,
    stage: str,
    train: GraphStore,
    validation: GraphStore,
    sampler: EpochSampler,
    arguments: dict[str, Any],
    compute: Compute,
    metadata: dict[str, Any],
) -> tuple[ModelArtifact, list[dict[str, Any]]]:
    """Fit a GAT.

    Args:
        task: model and loss.
        stage: its name.
        train: training windows.
        validation: validation windows.
        sampler: which training windows each epoch sees.
        arguments: of the model's constructor.
        compute: device and threads.
        metadata: lineage, to which the best epoch is added.

    Returns:
        The best epoch's model and one dict an epoch.
    """
    history, summary = fit_task(
        task, stage=stage, train=train, validation=validation, sampler=sampler, compute=compute
    )
    metadata = metadata | summary | {"training_graphs": len(train)}
    return pack(kind="gat", arguments=arguments, model=task.model, metadata=metadata), history
