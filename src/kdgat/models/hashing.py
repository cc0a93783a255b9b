"""From arbitration IDs to rows of an embedding table, with no vocabulary to keep."""

import torch
from torch import Tensor, nn

UNKNOWN_ROW = 0
# 2^32 divided by the golden ratio: consecutive IDs land far apart (Knuth, TAOCP vol. 3, 6.4).
MULTIPLIER = 2_654_435_769
BITS = 32


def hash_row(arbitration_id: Tensor, *, rows: int) -> Tensor:
    """Give every arbitration ID a row from 1 to `rows` by multiplicative hashing.

    Args:
        arbitration_id: integer tensor of any shape, 0 to 2^29 - 1.
        rows: number of rows, at least 1.

    Returns:
        int64 tensor of the same shape; row 0 is left for the unknown.
    """
    hashed = (arbitration_id.long() * MULTIPLIER) & (2**BITS - 1)
    return 1 + ((hashed * rows) >> BITS)


class IdEmbedding(nn.Module):
    """A learned vector per hash row of the arbitration ID.

    All rows start as zeros and row 0, the unknown, stays zero: windows whose IDs are hidden read
    it, and a row that training never met equals it. (AdamW leaves zeros without gradient at zero.)

    Args:
        rows: hash rows, without the unknown row.
        dim: width of the vectors.
    """

    def __init__(self, *, rows: int, dim: int) -> None:
        super().__init__()
        self.rows = rows
        self.table = nn.Embedding(rows + 1, dim, padding_idx=UNKNOWN_ROW)
        nn.init.zeros_(self.table.weight)

    def forward(self, arbitration_id: Tensor, hidden: Tensor | None = None) -> Tensor:
        """Look the IDs up.

        Args:
            arbitration_id: integer `[num_nodes]`.
            hidden: bool `[num_nodes]`, True where the ID is to read as unknown.

        Returns:
            float32 `[num_nodes, dim]`.
        """
        node_id = hash_row(arbitration_id, rows=self.rows)
        if hidden is not None:
            node_id = torch.where(hidden, UNKNOWN_ROW, node_id)
        return self.table(node_id)
