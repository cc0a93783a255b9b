"""A model is asked about windows only where features are measured as where it was trained."""

from itertools import zip_longest
from typing import Any

import numpy as np

from kdgat.can.graph_store import GraphStore
from kdgat.errors import DataError
from kdgat.models.artifact import ModelArtifact

RELATIVE, ABSOLUTE = 1e-4, 1e-5
"""Differences that processors may make, far above rounding."""


def features_of(store: GraphStore) -> dict[str, Any]:
    """Say what a store's features are, for the metadata of a model that trains on it; JSON."""
    return {
        "node_feature_names": list(store.node_features),
        "edge_feature_names": list(store.edge_features),
        "feature_sample": list(store.feature_sample),
    }


def require_same_features(model: ModelArtifact, store: GraphStore) -> None:
    """Let a model at a store only if both have the same features, measured alike.

    Args:
        model: a stored VGAE or GAT.
        store: windows.

    Raises:
        DataError: they differ, or the model does not say what it was trained on.
    """
    version = model.metadata.get("provenance", {}).get("version", "no run")
    name = f"the stored {model.kind} of {version}"
    if "feature_sample" not in model.metadata:
        raise DataError(
            f"{name} does not say how its features were measured, as it comes from an earlier "
            "kdgat: train it again, or use the kdgat of its git commit"
        )
    pairs = list(zip_longest(_measured(model.metadata), _measured(features_of(store))))
    changed = [there or here for there, here in pairs if not _are_alike(there, here)]
    if changed:
        names = ", ".join(name for name, _ in changed[:3]) + (", ..." if changed[3:] else "")
        raise DataError(
            f"{name} was trained on features of which these windows have {len(changed)} others, or "
            f"measured otherwise ({names}): train it again, or use the kdgat of its git commit"
        )


def _measured(features: dict[str, Any]) -> list[tuple[str, float]]:
    names = [*features["node_feature_names"], *features["edge_feature_names"]]
    return list(zip(names, features["feature_sample"] or [np.nan] * len(names), strict=True))


def _are_alike(one: tuple[str, float] | None, other: tuple[str, float] | None) -> bool:
    if one is None or other is None or one[0] != other[0]:
        return False
    return bool(np.isclose(one[1], other[1], RELATIVE, ABSOLUTE, equal_nan=True))
