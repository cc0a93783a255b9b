"""Small windows with a known shape."""

import pytest
import torch

from kdgat.models.gat import GAT
from kdgat.models.vgae import VGAE

FEATURES = {"node_features": 3, "edge_features": 2}
IDS = {"id_rows": 64, "id_dim": 4}


@pytest.fixture
def two_windows() -> dict:
    """Three IDs in a ring with a self-loop, and two IDs back and forth."""
    generator = torch.Generator().manual_seed(0)
    return {
        "x": torch.randn(5, 3, generator=generator),
        "arbitration_id": torch.tensor([0x100, 0x2C0, 0x7DF, 0x100, 0x316]),
        "edge_index": torch.tensor([[0, 1, 2, 0, 3, 4], [1, 2, 0, 0, 4, 3]]),
        "edge_attr": torch.randn(6, 2, generator=generator),
        "batch": torch.tensor([0, 0, 0, 1, 1]),
        "num_graphs": 2,
    }


@pytest.fixture
def one_window(two_windows) -> dict:
    """The second of the two windows, alone."""
    return {
        "x": two_windows["x"][3:],
        "arbitration_id": two_windows["arbitration_id"][3:],
        "edge_index": two_windows["edge_index"][:, 4:] - 3,
        "edge_attr": two_windows["edge_attr"][4:],
        "batch": torch.zeros(2, dtype=torch.int64),
        "num_graphs": 1,
    }


@pytest.fixture
def gat() -> GAT:
    torch.manual_seed(0)
    sizes = {"hidden": 4, "heads": 2, "layers": 2, "readout": 8, "dropout": 0.5}
    model = GAT(**FEATURES, **IDS, **sizes)
    torch.nn.init.normal_(model.layers.id_embedding.table.weight[1:])
    return model.eval()


@pytest.fixture
def vgae() -> VGAE:
    torch.manual_seed(0)
    sizes = {"hidden": 4, "heads": 2, "layers": 1, "latent": 4, "decoder": 8, "dropout": 0.5}
    model = VGAE(**FEATURES, **IDS, **sizes)
    torch.nn.init.normal_(model.encoder.id_embedding.table.weight[1:])
    torch.nn.init.normal_(model.id_key.table.weight[1:])
    return model.eval()
