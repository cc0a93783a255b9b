import torch
from hypothesis import given
from hypothesis import strategies as st

from kdgat.models.hashing import UNKNOWN_ROW, IdEmbedding, hash_row


def test_by_hand():
    # 1 * 2654435769 mod 2^32, times 64, shifted by 32 bits: floor(64 * .6180339886) = 39.
    assert hash_row(torch.tensor([0, 1]), rows=64).tolist() == [1, 40]


@given(st.integers(0, 2**29 - 1), st.integers(1, 2**20))
def test_every_id_has_a_row_and_none_the_unknown_one(arbitration_id, rows):
    row = int(hash_row(torch.tensor([arbitration_id], dtype=torch.int32), rows=rows))
    assert 1 <= row <= rows
    assert row == int(hash_row(torch.tensor([arbitration_id]), rows=rows))


def test_standard_ids_hardly_collide():
    rows = hash_row(torch.arange(2048), rows=4096)
    assert len(rows.unique()) == 2048


def test_hidden_and_untrained_ids_read_as_zeros():
    embedding = IdEmbedding(rows=64, dim=3)
    ids = torch.tensor([0x100, 0x2C0, 0x7DF])
    optimizer = torch.optim.AdamW(embedding.parameters(), lr=0.1, weight_decay=0.1)
    (embedding(ids[:1]) - 1).square().sum().backward()
    optimizer.step()
    seen, unseen, hidden = embedding(
        torch.tensor([0x100, 0x2C0, 0x100]), torch.tensor([False, False, True])
    )
    assert seen.abs().min() > 0
    assert torch.equal(unseen, torch.zeros(3))
    assert torch.equal(hidden, torch.zeros(3))
    assert torch.equal(embedding.table.weight[UNKNOWN_ROW], torch.zeros(3))
