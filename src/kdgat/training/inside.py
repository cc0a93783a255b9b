"""What happens inside the networks, for pictures: latent places of windows, attention on edges."""

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch_geometric.nn import global_mean_pool

from kdgat.can.graph_store import GraphStore
from kdgat.errors import DataError
from kdgat.models.artifact import ModelArtifact, build
from kdgat.parameters import Compute
from kdgat.training.feature_check import require_same_features
from kdgat.training.scoring import over_batches
from kdgat.training.trainer import network_inputs


def latent_of_windows(
    autoencoder: ModelArtifact, store: GraphStore, *, compute: Compute
) -> NDArray[np.float32]:
    """Place windows in an autoencoder's latent space.

    Args:
        autoencoder: a trained VGAE.
        store: windows.
        compute: device, threads, batch size.

    Returns:
        float32 `[num_graphs, latent]`: the posterior mean, averaged over the window's nodes.
    """
    require_same_features(autoencoder, store)
    network = build(autoencoder)

    def of_batch(inputs: dict) -> Tensor:
        batch, count = inputs.pop("batch"), inputs.pop("num_graphs")
        mean, _ = network.encode(**inputs)
        return global_mean_pool(mean, batch, count)

    return over_batches(of_batch, network, store, compute, autoencoder.arguments["latent"]).numpy()


def edge_attention(classifier: ModelArtifact, window: GraphStore) -> NDArray[np.float64]:
    """Give the classifier's attention on the edges of one window.

    Args:
        classifier: a trained GAT.
        window: a store of one window.

    Returns:
        float64 `[num_edges]`, 0 to 1, in the order of the store's edges.

    Raises:
        DataError: the store holds another number of windows.
    """
    if len(window) != 1:
        raise DataError(f"attention is drawn of one window at a time, not of {len(window)}")
    require_same_features(classifier, window)
    inputs = network_inputs(window.batch([0]))
    names = ("x", "arbitration_id", "edge_index", "edge_attr")
    with torch.inference_mode():
        weight = build(classifier).edge_attention(**{name: inputs[name] for name in names})
    return weight.double().numpy()
