"""Stage `distillation`: small students that learn from the teachers, or from the data alone."""

from typing import Any, Self

import torch
from torch import Tensor, nn
from torch.nn import functional
from torch_geometric.data import Batch

from kdgat.can.graph_store import GraphStore
from kdgat.can.scaling import FeatureScaling
from kdgat.models.artifact import ModelArtifact, build
from kdgat.parameters import Compute, Distillation, Soft
from kdgat.training.autoencoder import AutoencoderTask, benign_graphs, fit_autoencoder
from kdgat.training.classifier import ClassifierTask, attack_weights, fit_classifier
from kdgat.training.curriculum import EpochSampler, epoch_sampler
from kdgat.training.feature_check import require_same_features
from kdgat.training.losses import autoencoder_loss, label_loss, soft_target_loss
from kdgat.training.scoring import score_autoencoder
from kdgat.training.trainer import (
    lineage,
    network_arguments,
    network_inputs,
    scaled_network,
    start_stage,
)

AUTOENCODER_STAGE = "student_autoencoder"
CLASSIFIER_STAGE = "student_classifier"


def training_mode(parameters: Distillation) -> str:
    """Say how the students are trained.

    Returns:
        `normal` or `curriculum`, with `distilled_` before it where there is a teacher.
    """
    return f"distilled_{parameters.mode}" if parameters.soft.enabled else parameters.mode


def frozen(teacher: ModelArtifact) -> nn.Module:
    """Build a teacher strictly, in evaluation mode and without gradients."""
    return build(teacher).requires_grad_(False)


class DistilledAutoencoderTask(AutoencoderTask):
    """A student VGAE whose latent and reconstruction follow a teacher's.

    FitNets (Romero et al., ICLR 2015) for the latent: a learned projection takes the student's
    posterior mean to the teacher's width, and both are compared by squared error. The projection
    is dropped after training.

    Args:
        teacher: a frozen VGAE.
        soft: weights of both matches.
        arguments: of AutoencoderTask.
    """

    is_distilled = True

    def __init__(self, *, teacher: nn.Module, soft: Soft, **arguments: Any) -> None:
        super().__init__(**arguments)
        self.teacher = teacher
        self.soft = soft
        self.projection = nn.Linear(self.model.mean.out_features, teacher.mean.out_features)

    def train(self, mode: bool = True) -> Self:
        """Switch the student's mode; the teacher stays in evaluation mode."""
        super().train(mode)
        self.teacher.eval()
        return self

    def training_loss(self, batch: Batch) -> Tensor:
        """Reconstruct a batch, close to the data and to the teacher."""
        inputs = network_inputs(batch)
        with torch.no_grad():
            lesson = self.teacher(**inputs)
        student = self.model(**inputs, hidden=self.hidden_windows(batch))
        latent = functional.mse_loss(self.projection(student.mean), lesson.mean)
        reconstruction = functional.mse_loss(student.node_features, lesson.node_features)
        return (
            autoencoder_loss(student, self.loss)
            + self.soft.latent_weight * latent
            + self.soft.reconstruction_weight * reconstruction
        )


class DistilledClassifierTask(ClassifierTask):
    """A student GAT that learns soft targets and labels.

    Args:
        teacher: a frozen GAT.
        soft: temperature and weight of the soft loss.
        arguments: of ClassifierTask.
    """

    is_distilled = True

    def __init__(self, *, teacher: nn.Module, soft: Soft, **arguments: Any) -> None:
        super().__init__(**arguments)
        self.teacher = teacher
        self.soft = soft

    def train(self, mode: bool = True) -> Self:
        """Switch the student's mode; the teacher stays in evaluation mode."""
        super().train(mode)
        self.teacher.eval()
        return self

    def training_loss(self, batch: Batch) -> Tensor:
        """Judge a batch, close to the labels and to the teacher."""
        inputs = network_inputs(batch)
        with torch.no_grad():
            lesson = self.teacher(**inputs)
        logit = self.model(**inputs, hidden=self.hidden_windows(batch))
        hard = label_loss(logit, batch.y, self.attack_weight)
        soft = soft_target_loss(logit, lesson, temperature=self.soft.temperature)
        weight = self.soft.soft_weight
        return (1.0 - weight) * hard + weight * soft


def train_student_autoencoder(
    *,
    train: GraphStore,
    validation: GraphStore,
    scaling: FeatureScaling,
    teacher: ModelArtifact,
    parameters: Distillation,
    compute: Compute,
    seed: int,
) -> tuple[ModelArtifact, list[dict[str, Any]]]:
    """Train the student VGAE on the benign windows of a store.

    Args:
        train: training windows; attack windows are left out here.
        validation: validation windows; attack windows are left out here.
        scaling: statistics of benign training rows.
        teacher: the teacher VGAE; not looked at when `soft.enabled` is false.
        parameters: of the stage.
        compute: device and threads.
        seed: of the run.

    Returns:
        The best epoch's model and one dict an epoch.

    Raises:
        DataError: no benign window in a part, or a teacher whose weights or features do not fit.
    """
    stage_seed = start_stage(seed=seed, stage=AUTOENCODER_STAGE, compute=compute)
    benign = benign_graphs(train, part="training")
    arguments = network_arguments(train, parameters.autoencoder.model_dump())
    ingredients = {
        "model": scaled_network("vgae", arguments, scaling),
        "loss": parameters.autoencoder_loss,
        "fit": parameters.autoencoder_fit,
    }
    if parameters.soft.enabled:
        require_same_features(teacher, train)
        task = DistilledAutoencoderTask(
            teacher=frozen(teacher), soft=parameters.soft, **ingredients
        )
    else:
        task = AutoencoderTask(**ingredients)
    return fit_autoencoder(
        task,
        stage=AUTOENCODER_STAGE,
        train=benign,
        validation=benign_graphs(validation, part="validation"),
        sampler=EpochSampler(
            num_graphs=len(benign), seed=stage_seed, share=parameters.autoencoder_fit.epoch_share
        ),
        arguments=arguments,
        compute=compute,
        metadata=lineage(train, parameters, training_mode=training_mode(parameters), seed=seed),
    )


def train_student_classifier(
    *,
    train: GraphStore,
    validation: GraphStore,
    scaling: FeatureScaling,
    teacher: ModelArtifact,
    autoencoder: ModelArtifact,
    parameters: Distillation,
    compute: Compute,
    seed: int,
) -> tuple[ModelArtifact, list[dict[str, Any]]]:
    """Train the student GAT.

    Args:
        train: training windows.
        validation: validation windows.
        scaling: statistics of benign training rows.
        teacher: the teacher GAT; not looked at when `soft.enabled` is false.
        autoencoder: the student VGAE, which says what is hard (mode `curriculum` only).
        parameters: of the stage.
        compute: device and threads.
        seed: of the run.

    Returns:
        The best epoch's model and one dict an epoch.

    Raises:
        DataError: a class is missing in a part, or a teacher whose weights or features do not
            fit.
    """
    stage_seed = start_stage(seed=seed, stage=CLASSIFIER_STAGE, compute=compute)
    arguments = network_arguments(train, parameters.classifier.model_dump())
    ingredients = {
        "model": scaled_network("gat", arguments, scaling),
        "fit": parameters.classifier_fit,
        "id_dropout": parameters.id_dropout,
        **attack_weights(train, validation, mode=parameters.mode),
    }
    if parameters.soft.enabled:
        require_same_features(teacher, train)
        task = DistilledClassifierTask(teacher=frozen(teacher), soft=parameters.soft, **ingredients)
    else:
        task = ClassifierTask(**ingredients)
    sampler = epoch_sampler(
        mode=parameters.mode,
        y=train.y,
        anomaly_score=lambda: score_autoencoder(autoencoder, train, compute=compute)[
            "anomaly_score"
        ],
        curriculum=parameters.curriculum,
        epochs=parameters.classifier_fit.epochs,
        seed=stage_seed,
        share=parameters.classifier_fit.epoch_share,
    )
    return fit_classifier(
        task,
        stage=CLASSIFIER_STAGE,
        train=train,
        validation=validation,
        sampler=sampler,
        arguments=arguments,
        compute=compute,
        metadata=lineage(train, parameters, training_mode=training_mode(parameters), seed=seed),
    )
