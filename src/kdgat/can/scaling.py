"""Mean and spread of every feature, by which models scale what they see."""

from collections.abc import Iterator
from dataclasses import dataclass, fields

import torch
from torch import Tensor

from kdgat.can.graph_store import GraphStore
from kdgat.errors import DataError


@dataclass(frozen=True)
class FeatureScaling:
    """Mean and standard deviation of each feature over benign training rows.

    Attributes:
        node_features: names `[num_node_features]`.
        node_mean: per node feature.
        node_std: per node feature; 1 where a feature is constant.
        edge_features: names `[num_edge_features]`.
        edge_mean: per edge feature.
        edge_std: per edge feature; 1 where a feature is constant.
    """

    node_features: list[str]
    node_mean: list[float]
    node_std: list[float]
    edge_features: list[str]
    edge_mean: list[float]
    edge_std: list[float]

    def to_dict(self) -> dict[str, list]:
        """Give the fields as JSON holds them."""
        return {field.name: getattr(self, field.name) for field in fields(self)}

    @classmethod
    def from_dict(cls, fields_: dict[str, list]) -> "FeatureScaling":
        """Build the scaling that `to_dict` described."""
        return cls(**fields_)


def feature_scaling(store: GraphStore) -> FeatureScaling:
    """Measure the features of the benign graphs of a store, a part of its rows at a time.

    Args:
        store: the training split; its attack graphs are left out.

    Raises:
        DataError: It holds no benign graph.
    """
    if bool(store.y.all()):
        raise DataError(f"the training part has {len(store)} windows, none of them benign")
    node_mean, node_std = _mean_and_std(store, "x", "node_offsets")
    edge_mean, edge_std = _mean_and_std(store, "edge_attr", "edge_offsets")
    return FeatureScaling(
        list(store.node_features),
        node_mean,
        node_std,
        list(store.edge_features),
        edge_mean,
        edge_std,
    )


def _mean_and_std(store: GraphStore, features: str, offsets: str) -> tuple[list, list]:
    count, total = 0, 0.0
    for rows in _benign_rows(store, features, offsets):
        count += len(rows)
        total = total + rows.sum(dim=0)
    mean = total / max(1, count)
    squares = sum(((rows - mean) ** 2).sum(0) for rows in _benign_rows(store, features, offsets))
    std = (squares / max(1, count)).sqrt()
    return mean.tolist(), torch.where(std > 1e-6, std, 1.0).tolist()


def _benign_rows(store: GraphStore, features: str, offsets: str) -> Iterator[Tensor]:
    """Give the rows of the benign graphs, float64, a part of the store at a time."""
    for part in store.parts():
        benign = torch.repeat_interleave(part.y == 0, getattr(part, offsets).diff())
        yield getattr(part, features)[benign].double()
