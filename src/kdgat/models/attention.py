"""The attention layers that the autoencoder and the classifier share."""

import torch
from torch import Tensor, nn
from torch_geometric.nn import GATv2Conv

from kdgat.models.hashing import IdEmbedding
from kdgat.models.scaling import Standardise


class AttentionLayers(nn.Module):
    """Residual GATv2 layers with edge features over raw node features and hashed IDs.

    Brody, Alon, Yahav: How Attentive are Graph Attention Networks? (ICLR 2022). Layer l computes

        h[l+1] = h[l] + dropout(relu(GATv2(layer_norm(h[l]), edges)))

    The self-loops of a window (an ID directly followed by itself) carry edge features of their
    own, so none are added: what a node knows of itself passes through the residual.

    Args:
        node_features: raw features of a node.
        edge_features: raw features of an edge.
        id_rows: hash rows of arbitration IDs.
        id_dim: width of the ID embedding.
        hidden: channels of a head.
        heads: attention heads.
        layers: attention layers.
        dropout: share of activations dropped in training, [0, 1).
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
        dropout: float,
    ) -> None:
        super().__init__()
        self.width = heads * hidden
        self.node_scaling = Standardise(num_features=node_features)
        self.edge_scaling = Standardise(num_features=edge_features)
        self.id_embedding = IdEmbedding(rows=id_rows, dim=id_dim)
        self.project = nn.Linear(node_features + id_dim, self.width)
        self.norms = nn.ModuleList(nn.LayerNorm(self.width) for _ in range(layers))
        self.attention = nn.ModuleList(
            GATv2Conv(
                self.width,
                hidden,
                heads=heads,
                edge_dim=edge_features,
                share_weights=True,
                add_self_loops=False,
            )
            for _ in range(layers)
        )
        self.dropout = nn.Dropout(dropout)

    def forward(
        self,
        x: Tensor,
        arbitration_id: Tensor,
        edge_index: Tensor,
        edge_attr: Tensor,
        hidden_nodes: Tensor | None = None,
    ) -> list[Tensor]:
        """Run all layers.

        Args:
            x: float32 `[num_nodes, node_features]`, raw.
            arbitration_id: integer `[num_nodes]`.
            edge_index: int64 `[2, num_edges]`.
            edge_attr: float32 `[num_edges, edge_features]`, raw.
            hidden_nodes: bool `[num_nodes]`, True where the ID reads as unknown.

        Returns:
            float32 `[num_nodes, heads * hidden]` of every layer, first layer first.
        """
        state = self._enter(x, arbitration_id, hidden_nodes)
        edges = self.edge_scaling(edge_attr)
        states = []
        for norm, attention in zip(self.norms, self.attention, strict=True):
            state = state + self.dropout(attention(norm(state), edge_index, edges).relu())
            states.append(state)
        return states

    @torch.no_grad()
    def edge_attention(
        self, x: Tensor, arbitration_id: Tensor, edge_index: Tensor, edge_attr: Tensor
    ) -> Tensor:
        """Give the attention on every edge.

        Args: as `forward`.

        Returns:
            float32 `[num_edges]`, 0 to 1: mean over layers and heads; the edges into a node add
            up to 1.
        """
        state = self._enter(x, arbitration_id, None)
        edges = self.edge_scaling(edge_attr)
        total = torch.zeros(edge_index.shape[1], device=x.device)
        for norm, attention in zip(self.norms, self.attention, strict=True):
            message, (_, weight) = attention(
                norm(state), edge_index, edges, return_attention_weights=True
            )
            state = state + self.dropout(message.relu())
            total += weight.mean(dim=1)
        return total / len(self.attention)

    def _enter(self, x: Tensor, arbitration_id: Tensor, hidden_nodes: Tensor | None) -> Tensor:
        ids = self.id_embedding(arbitration_id, hidden_nodes)
        return self.project(torch.cat([self.node_scaling(x), ids], dim=1))
