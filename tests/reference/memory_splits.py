"""The three splits in memory, as the pipeline writes them to disk."""

from collections.abc import Mapping

import pandas as pd

from kdgat.can.graph_store import GraphStore, concatenate
from kdgat.can.splits import Cut, split_blocks


def build_splits(
    captures: Mapping[str, pd.DataFrame], *, window: int, stride: int, validation_share: float
) -> dict[str, GraphStore]:
    blocks: dict[str, list[GraphStore]] = {"train": [], "validation": [], "test": []}
    for split, block in split_blocks(captures, Cut(window, stride, validation_share)):
        blocks[split].append(block)
    return {split: concatenate(parts) for split, parts in blocks.items()}
