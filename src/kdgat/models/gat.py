"""The classifier: one attack logit per window."""

import torch
from torch import Tensor, nn
from torch_geometric.nn import global_add_pool, global_max_pool, global_mean_pool

from kdgat.models.attention import AttentionLayers


class GAT(nn.Module):
    """GATv2 with jumping knowledge and a read-out that sees mean and maximum.

    Jumping knowledge (Xu et al., ICML 2018): the read-out sees the nodes as every layer left
    them. It takes the mean and the maximum over the window's nodes, since a sparse attack puts
    one frame into a hundred and a mean alone loses it:

        embedding = relu(W [mean_l ; max_l for every layer l] + b)
        attack_logit = w . embedding + c

    Args:
        node_features: raw features of a node.
        edge_features: raw features of an edge.
        id_rows: hash rows of arbitration IDs, without the unknown row.
        id_dim: width of the ID embedding.
        hidden: channels of a head.
        heads: attention heads.
        layers: attention layers, all read.
        readout: width of the embedding.
        dropout: share of activations dropped in training, [0, 1).
        maximum_readout: whether the read-out sees the maximum over the nodes beside the mean.
    """

    def __init__(
        self,
        *,
        node_features: int,
        edge_features: int,
        id_rows: int,
        id_dim: int,
        hidden: int,
        heads: int,
        layers: int,
        readout: int,
        dropout: float,
        maximum_readout: bool = True,
    ) -> None:
        super().__init__()
        self.layers = AttentionLayers(
            node_features=node_features,
            edge_features=edge_features,
            id_rows=id_rows,
            id_dim=id_dim,
            hidden=hidden,
            heads=heads,
            layers=layers,
            dropout=dropout,
        )
        self.maximum_readout = maximum_readout
        pooled = (1 + maximum_readout) * layers * self.layers.width
        self.readout = nn.Sequential(
            nn.LayerNorm(pooled), nn.Linear(pooled, readout), nn.ReLU(), nn.Dropout(dropout)
        )
        self.output = nn.Linear(readout, 1)

    def set_scaling(
        self, *, node_mean: Tensor, node_std: Tensor, edge_mean: Tensor, edge_std: Tensor
    ) -> None:
        """Store the statistics of benign training rows, float `[node_features]` and so on."""
        self.layers.node_scaling.set_statistics(mean=node_mean, std=node_std)
        self.layers.edge_scaling.set_statistics(mean=edge_mean, std=edge_std)

    def forward(
        self,
        x: Tensor,
        arbitration_id: Tensor,
        edge_index: Tensor,
        edge_attr: Tensor,
        batch: Tensor,
        num_graphs: int,
        hidden: Tensor | None = None,
    ) -> Tensor:
        """Judge a batch of windows.

        Args:
            x: float32 `[num_nodes, node_features]`, raw.
            arbitration_id: integer `[num_nodes]`.
            edge_index: int64 `[2, num_edges]`.
            edge_attr: float32 `[num_edges, edge_features]`, raw.
            batch: int64 `[num_nodes]`, the window of each node, ascending.
            num_graphs: windows in the batch.
            hidden: bool `[num_graphs]`, True where a window's IDs read as unknown.

        Returns:
            Attack logit, float32 `[num_graphs]`.
        """
        embedding = self.embed(
            x, arbitration_id, edge_index, edge_attr, batch, num_graphs, hidden=hidden
        )
        return self.classify(embedding)

    def embed(
        self,
        x: Tensor,
        arbitration_id: Tensor,
        edge_index: Tensor,
        edge_attr: Tensor,
        batch: Tensor,
        num_graphs: int,
        hidden: Tensor | None = None,
    ) -> Tensor:
        """Summarise each window; arguments as `forward`, result float32 `[num_graphs, readout]`."""
        hidden_nodes = None if hidden is None else hidden[batch]
        states = self.layers(x, arbitration_id, edge_index, edge_attr, hidden_nodes)
        kinds = (global_mean_pool, global_max_pool) if self.maximum_readout else (global_mean_pool,)
        pools = [pool(state, batch, num_graphs) for state in states for pool in kinds]
        return self.readout(torch.cat(pools, dim=1))

    def node_contributions(
        self,
        x: Tensor,
        arbitration_id: Tensor,
        edge_index: Tensor,
        edge_attr: Tensor,
        batch: Tensor,
        num_graphs: int,
    ) -> Tensor:
        """Say how much each node adds to its window's attack logit; arguments as `forward`.

        Returns:
            float32 `[num_nodes]`: the logit less what it would be if the read-out did not see
            the node. The attention layers still do, so a neighbour may carry part of the blame.
        """
        states = self.layers(x, arbitration_id, edge_index, edge_attr)
        pools, pools_without = [], []
        for state in states:
            mean = global_mean_pool(state, batch, num_graphs)
            pools.append(mean)
            pools_without.append(mean_without(state, batch, mean))
            if self.maximum_readout:
                largest = global_max_pool(state, batch, num_graphs)
                pools.append(largest)
                pools_without.append(max_without(state, batch, largest))
        logit = self.classify(self.readout(torch.cat(pools, dim=1)))
        return logit[batch] - self.classify(self.readout(torch.cat(pools_without, dim=1)))

    def classify(self, embedding: Tensor) -> Tensor:
        """Turn embeddings float32 `[num_graphs, readout]` into attack logits `[num_graphs]`."""
        return self.output(embedding).squeeze(1)

    def edge_attention(
        self, x: Tensor, arbitration_id: Tensor, edge_index: Tensor, edge_attr: Tensor
    ) -> Tensor:
        """Attention on each edge, float32 `[num_edges]`; see `AttentionLayers`."""
        return self.layers.edge_attention(x, arbitration_id, edge_index, edge_attr)


def mean_without(state: Tensor, batch: Tensor, mean: Tensor) -> Tensor:
    """Give for every node the mean over the other nodes of its window, 0 where it is alone.

    Args:
        state: float32 `[num_nodes, channels]`.
        batch: int64 `[num_nodes]`, the window of each node.
        mean: float32 `[num_graphs, channels]`, over all nodes of a window.

    Returns:
        float32 `[num_nodes, channels]`.
    """
    size = torch.bincount(batch, minlength=len(mean))[batch].unsqueeze(1)
    return (mean[batch] * size - state) / (size - 1).clamp_min(1)


def max_without(state: Tensor, batch: Tensor, largest: Tensor) -> Tensor:
    """Give for every node the maximum over the other nodes of its window, 0 where it is alone.

    Arguments and result as `mean_without`, with the maximum in place of the mean.
    """
    is_largest = state == largest[batch]
    rest = state.masked_fill(is_largest, -torch.inf)
    second = global_max_pool(rest, batch, len(largest))[batch]
    is_only = global_add_pool(is_largest.float(), batch, len(largest))[batch] == 1
    without = torch.where(is_largest & is_only, second, largest[batch])
    return torch.where(without.isinf(), 0.0, without)
