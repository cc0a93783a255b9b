"""The autoencoder: how strange a window is to benign traffic."""

from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional
from torch_geometric.nn import global_max_pool, global_mean_pool
from torch_geometric.utils import to_dense_adj, to_dense_batch

from kdgat.models.attention import AttentionLayers
from kdgat.models.hashing import IdEmbedding

ANOMALY_COMPONENTS = (
    "node_error_mean",
    "node_error_max",
    "edge_error",
    "id_error",
    "kl",
    "latent_norm_mean",
    "latent_norm_max",
)

# exp(+-8): a posterior outside [1.8e-2, 55] standard deviations carries nothing but overflow.
LOG_VAR_LIMIT = 8.0

LEVEL_NOISE = 0.01
"""A component's logarithm is not known better than this: one that never changes stays harmless."""


class Reconstruction(NamedTuple):
    """What the autoencoder makes of a batch of windows.

    Attributes:
        mean: posterior mean, float32 `[num_nodes, latent]`.
        log_var: logarithm of the posterior variance, float32 `[num_nodes, latent]`.
        node_features: decoded scaled node features, float32 `[num_nodes, node_features]`.
        node_error: squared error of the scaled features, mean over features, `[num_nodes]`.
        edge_error: cross-entropy of the edges, mean over a window's pairs, `[num_graphs]`.
        id_error: cross-entropy of the IDs, mean over a window's nodes, `[num_graphs]`.
        kl: divergence of the posterior from a standard normal, nat, `[num_nodes]`.
    """

    mean: Tensor
    log_var: Tensor
    node_features: Tensor
    node_error: Tensor
    edge_error: Tensor
    id_error: Tensor
    kl: Tensor


class VGAE(nn.Module):
    """A variational graph autoencoder over the window's own nodes.

    Kipf, Welling: Variational Graph Auto-Encoders (2016), with a GATv2 encoder and three
    decoders of the latent z:

        node features  a perceptron per node, squared error of the scaled features
        edges          directed and bilinear, sigmoid((S z_i) . (T z_j) + b), over all pairs of
                       the window's own nodes
        arbitration ID a softmax over the window's own IDs, (Q z_i) . key[row of ID_j]: which of
                       them is node i? Among its own IDs a window costs a fifth of the whole
                       vocabulary, and the decoder works for any car.

    In training z is drawn from the posterior; in evaluation it is the posterior mean, so that
    scores repeat.

    Args:
        node_features: raw features of a node.
        edge_features: raw features of an edge.
        id_rows: hash rows of arbitration IDs, without the unknown row.
        id_dim: width of the ID embedding and of the ID keys.
        hidden: channels of a head.
        heads: attention heads.
        layers: encoder layers.
        latent: width of a node's latent.
        decoder: width of the two hidden layers of the node decoder.
        dropout: share of activations dropped in the encoder, [0, 1).
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
        latent: int,
        decoder: int,
        dropout: float,
    ) -> None:
        super().__init__()
        self.encoder = AttentionLayers(
            node_features=node_features,
            edge_features=edge_features,
            id_rows=id_rows,
            id_dim=id_dim,
            hidden=hidden,
            heads=heads,
            layers=layers,
            dropout=dropout,
        )
        self.mean = nn.Linear(self.encoder.width, latent)
        self.log_var = nn.Linear(self.encoder.width, latent)
        self.node_decoder = nn.Sequential(
            nn.Linear(latent, decoder),
            nn.ReLU(),
            nn.Linear(decoder, decoder),
            nn.ReLU(),
            nn.Linear(decoder, node_features),
        )
        self.edge_source = nn.Linear(latent, latent, bias=False)
        self.edge_target = nn.Linear(latent, latent, bias=False)
        self.edge_bias = nn.Parameter(torch.zeros(()))
        self.id_query = nn.Linear(latent, id_dim)
        self.id_key = IdEmbedding(rows=id_rows, dim=id_dim)
        self.register_buffer("component_mean", torch.zeros(len(ANOMALY_COMPONENTS)))
        self.register_buffer("component_whitening", torch.eye(len(ANOMALY_COMPONENTS)))

    def set_scaling(
        self, *, node_mean: Tensor, node_std: Tensor, edge_mean: Tensor, edge_std: Tensor
    ) -> None:
        """Store the statistics of benign training rows, float `[node_features]` and so on."""
        self.encoder.node_scaling.set_statistics(mean=node_mean, std=node_std)
        self.encoder.edge_scaling.set_statistics(mean=edge_mean, std=edge_std)

    def forward(
        self,
        x: Tensor,
        arbitration_id: Tensor,
        edge_index: Tensor,
        edge_attr: Tensor,
        batch: Tensor,
        num_graphs: int,
        hidden: Tensor | None = None,
    ) -> Reconstruction:
        """Encode and decode a batch of windows.

        Args:
            x: float32 `[num_nodes, node_features]`, raw.
            arbitration_id: integer `[num_nodes]`.
            edge_index: int64 `[2, num_edges]`, each directed pair at most once.
            edge_attr: float32 `[num_edges, edge_features]`, raw.
            batch: int64 `[num_nodes]`, the window of each node, ascending.
            num_graphs: windows in the batch.
            hidden: bool `[num_graphs]`, True where the encoder must not see a window's IDs;
                the ID decoder still has to find them.

        Returns:
            The reconstruction and its errors.
        """
        mean, log_var = self.encode(
            x, arbitration_id, edge_index, edge_attr, None if hidden is None else hidden[batch]
        )
        latent = mean
        if self.training:
            latent = mean + torch.randn_like(mean) * (0.5 * log_var).exp()
        node_features = self.node_decoder(latent)
        node_target = self.encoder.node_scaling(x)
        return Reconstruction(
            mean=mean,
            log_var=log_var,
            node_features=node_features,
            node_error=(node_features - node_target).square().mean(dim=1),
            edge_error=self._edge_error(latent, edge_index, batch, num_graphs),
            id_error=self._id_error(latent, arbitration_id, batch, num_graphs),
            kl=0.5 * (mean.square() + log_var.exp() - 1 - log_var).sum(dim=1),
        )

    def encode(
        self,
        x: Tensor,
        arbitration_id: Tensor,
        edge_index: Tensor,
        edge_attr: Tensor,
        hidden_nodes: Tensor | None = None,
    ) -> tuple[Tensor, Tensor]:
        """Give mean and log-variance of the posterior, float32 `[num_nodes, latent]` each."""
        state = self.encoder(x, arbitration_id, edge_index, edge_attr, hidden_nodes)[-1]
        return self.mean(state), self.log_var(state).clamp(-LOG_VAR_LIMIT, LOG_VAR_LIMIT)

    def anomaly_components(
        self, reconstruction: Reconstruction, batch: Tensor, num_graphs: int
    ) -> Tensor:
        """Sum a reconstruction up per window.

        Args:
            reconstruction: result of `forward`.
            batch: int64 `[num_nodes]`, the window of each node.
            num_graphs: windows in the batch.

        Returns:
            float32 `[num_graphs, 7]`, columns as ANOMALY_COMPONENTS, all at least 0.
        """
        node_error = reconstruction.node_error.unsqueeze(1)
        norm = reconstruction.mean.norm(dim=1, keepdim=True)
        columns = (
            global_mean_pool(node_error, batch, num_graphs),
            global_max_pool(node_error, batch, num_graphs),
            reconstruction.edge_error.unsqueeze(1),
            reconstruction.id_error.unsqueeze(1),
            global_mean_pool(reconstruction.kl.unsqueeze(1), batch, num_graphs),
            global_mean_pool(norm, batch, num_graphs),
            global_max_pool(norm, batch, num_graphs),
        )
        return torch.cat(columns, dim=1)

    def set_anomaly_statistics(self, components: Tensor) -> None:
        """Store how the components of benign validation windows spread, and spread together.

        Args:
            components: float32 `[num_graphs, 7]` of benign windows, at least one.
        """
        level = self._level(components).double()
        covariance = torch.cov(level.T, correction=0) + LEVEL_NOISE**2 * torch.eye(level.shape[1])
        # With L L' the inverse covariance, |L' d| is the length of d in standard deviations.
        self.component_mean.copy_(level.mean(dim=0))
        self.component_whitening.copy_(torch.linalg.cholesky(torch.linalg.inv(covariance)))

    def anomaly_score(self, components: Tensor) -> Tensor:
        """Combine the components of each window into one score, higher = stranger.

        The Mahalanobis distance of the components' logarithms from those of benign windows, over
        the root of their number. A car that is harder to reconstruct as a whole raises all
        components together, as benign windows do among themselves, and is less strange than a
        window in which one component rises alone.

        Args:
            components: float32 `[num_graphs, 7]`.

        Returns:
            float32 `[num_graphs]`, root mean square 1 over benign windows.
        """
        deviation = (self._level(components) - self.component_mean) @ self.component_whitening
        return deviation.square().mean(dim=1).sqrt()

    @staticmethod
    def _level(components: Tensor) -> Tensor:
        return components.clamp_min(1e-6).log()

    def _edge_error(
        self, latent: Tensor, edge_index: Tensor, batch: Tensor, num_graphs: int
    ) -> Tensor:
        source, mask = to_dense_batch(self.edge_source(latent), batch, batch_size=num_graphs)
        target, _ = to_dense_batch(self.edge_target(latent), batch, batch_size=num_graphs)
        logit = source @ target.transpose(1, 2) + self.edge_bias
        present = to_dense_adj(
            edge_index, batch, max_num_nodes=mask.shape[1], batch_size=num_graphs
        )
        pair = mask.unsqueeze(2) & mask.unsqueeze(1)
        error = functional.binary_cross_entropy_with_logits(logit, present, reduction="none") * pair
        return error.sum(dim=(1, 2)) / pair.sum(dim=(1, 2))

    def _id_error(
        self, latent: Tensor, arbitration_id: Tensor, batch: Tensor, num_graphs: int
    ) -> Tensor:
        query, mask = to_dense_batch(self.id_query(latent), batch, batch_size=num_graphs)
        key, _ = to_dense_batch(self.id_key(arbitration_id), batch, batch_size=num_graphs)
        logit = query @ key.transpose(1, 2)
        logit = logit.masked_fill(~mask.unsqueeze(1), -torch.inf)
        error = logit.logsumexp(dim=2) - logit.diagonal(dim1=1, dim2=2)
        return torch.where(mask, error, 0.0).sum(dim=1) / mask.sum(dim=1)
