"""Small stores of windows in which an attack is one node that differs."""

import logging
from collections.abc import Callable

import pytest
import torch

from kdgat.can.graph_store import GraphStore
from kdgat.can.scaling import FeatureScaling, feature_scaling
from kdgat.parameters import (
    AutoencoderLoss,
    AutoencoderModel,
    BatchSize,
    ClassifierModel,
    Compute,
    Curriculum,
    Distillation,
    Fit,
    Soft,
)

NODES, EDGES = 6, 10


@pytest.fixture(autouse=True)
def logging_of_a_new_process(monkeypatch) -> None:
    """Forget the project's logging, which other tests of this process may have set up."""
    for logger in map(logging.getLogger, ("kdgat", "kdgat.epochs")):
        monkeypatch.setattr(logger, "handlers", [])
        monkeypatch.setattr(logger, "propagate", True)
        monkeypatch.setattr(logger, "level", logging.NOTSET)


def make_store(*, num_graphs: int, seed: int, strength: float = 3.0) -> GraphStore:
    """Draw windows of six IDs; in every second one, a node's first feature is raised."""
    generator = torch.Generator().manual_seed(seed)
    y = torch.arange(num_graphs) % 2
    x = torch.randn(num_graphs, NODES, 4, generator=generator)
    struck = torch.randint(NODES, (num_graphs,), generator=generator)
    x[torch.arange(num_graphs), struck, 0] += strength * y
    pairs = torch.rand(num_graphs, NODES * NODES, generator=generator).argsort(dim=1)[:, :EDGES]
    pairs = pairs.sort(dim=1).values.flatten()
    return GraphStore(
        x=x.reshape(-1, 4),
        arbitration_id=(0x100 + torch.arange(NODES)).repeat(num_graphs),
        edge_index=torch.stack([pairs // NODES, pairs % NODES]).int(),
        edge_attr=torch.randn(num_graphs * EDGES, 2, generator=generator),
        y=y.to(torch.uint8),
        attack_frames=y.int(),
        rule_count=torch.zeros(len(y), dtype=torch.int32),
        capture=torch.zeros(num_graphs, dtype=torch.int32),
        start=torch.arange(num_graphs) * 100,
        start_time=torch.arange(num_graphs).double(),
        end_time=torch.arange(num_graphs).double() + 0.9,
        node_offsets=torch.arange(num_graphs + 1) * NODES,
        edge_offsets=torch.arange(num_graphs + 1) * EDGES,
        captures=("train_02_with_attacks/made",),
        node_features=("first", "second", "third", "fourth"),
        edge_features=("one", "two"),
        window=100,
        stride=100,
    )


@pytest.fixture(scope="session")
def store_of() -> Callable[..., GraphStore]:
    return make_store


@pytest.fixture(scope="session")
def train() -> GraphStore:
    return make_store(num_graphs=96, seed=1)


@pytest.fixture(scope="session")
def validation() -> GraphStore:
    return make_store(num_graphs=64, seed=2)


@pytest.fixture(scope="session")
def scaling(train) -> FeatureScaling:
    return feature_scaling(train)


@pytest.fixture(scope="session")
def compute() -> Compute:
    return Compute(
        accelerator="cpu",
        devices=1,
        num_nodes=1,
        precision="32-true",
        threads=1,
        score_batch_size=50,
    )


@pytest.fixture(scope="session")
def batch_size() -> BatchSize:
    return BatchSize(
        graphs=16,
        mode="fixed",
        target=0.8,
        momentum=0.5,
        trials=8,
        smallest=6,
        largest=10_000,
        cpu_memory=1000,
        scale_learning_rate=False,
        by_mode={},
        by_dataset={},
    )


@pytest.fixture(scope="session")
def fit(batch_size) -> Fit:
    return Fit(
        epoch_share=1.0,
        epochs=4,
        patience=4,
        batch_size=batch_size,
        learning_rate=0.01,
        weight_decay=0.01,
        gradient_clip=1.0,
    )


@pytest.fixture(scope="session")
def autoencoder_model() -> AutoencoderModel:
    return AutoencoderModel(
        id_rows=32, id_dim=4, hidden=8, heads=2, layers=1, latent=4, decoder=16, dropout=0.1
    )


@pytest.fixture(scope="session")
def classifier_model() -> ClassifierModel:
    return ClassifierModel(
        id_rows=32,
        id_dim=4,
        hidden=8,
        heads=2,
        layers=2,
        readout=16,
        maximum_readout=True,
        dropout=0.1,
    )


@pytest.fixture(scope="session")
def loss() -> AutoencoderLoss:
    return AutoencoderLoss(edge_weight=1.0, id_weight=0.1, kl_weight=0.01, id_dropout=0.3)


@pytest.fixture(scope="session")
def curriculum() -> Curriculum:
    return Curriculum(start_ratio=1.0, end_ratio=4.0, start_share=0.3, pace_share=0.5)


@pytest.fixture(scope="session")
def distillation(fit, autoencoder_model, classifier_model, loss, curriculum) -> Distillation:
    return Distillation(
        mode="normal",
        id_dropout=0.3,
        soft=Soft(
            enabled=True,
            temperature=2.0,
            soft_weight=0.5,
            latent_weight=0.1,
            reconstruction_weight=0.5,
        ),
        autoencoder=autoencoder_model.model_copy(update={"hidden": 4, "latent": 2}),
        autoencoder_loss=loss,
        autoencoder_fit=fit,
        classifier=classifier_model.model_copy(update={"hidden": 4}),
        classifier_fit=fit,
        curriculum=curriculum,
    )
