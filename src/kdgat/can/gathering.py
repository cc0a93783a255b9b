"""Rows of chosen graphs out of packed arrays: compiled on a CPU, index arithmetic elsewhere."""

import torch
from numba import njit
from torch import Tensor


def offsets_of(lengths: Tensor) -> Tensor:
    """Return where each piece begins, and the end of the last: int64 `[num_pieces + 1]`."""
    offsets = torch.zeros(len(lengths) + 1, dtype=torch.int64, device=lengths.device)
    torch.cumsum(lengths, dim=0, out=offsets[1:])
    return offsets


def gather_rows(offsets: Tensor, chosen: Tensor) -> tuple[Tensor, Tensor]:
    """Find the rows of chosen graphs.

    Args:
        offsets: int64 `[num_graphs + 1]`, first row of each graph.
        chosen: int64 `[num_chosen]`, graphs.

    Returns:
        int64 `[num_rows]`, their rows one graph after another; int64 `[num_chosen + 1]`, where
        each graph's rows begin among them.
    """
    lengths = offsets[chosen + 1] - offsets[chosen]
    begins = offsets_of(lengths)
    shift = torch.repeat_interleave(offsets[chosen] - begins[:-1], lengths)
    return torch.arange(int(begins[-1]), device=offsets.device) + shift, begins


def gather_batch(store, chosen: Tensor) -> dict[str, Tensor]:
    """Gather what a batch holds, on the device of the store.

    Args:
        store: a `GraphStore`.
        chosen: int64 `[num_chosen]`, graphs in the order wanted.

    Returns:
        `x`, `edge_index`, `edge_attr`, `y`, `arbitration_id`, `batch`, `ptr` as PyG's own batch
        has them, and `edge_ptr`, where each graph's edges begin.
    """
    if store.x.device.type == "cpu":
        return _gather_compiled(store, chosen)
    return gather_by_index(store, chosen)


def gather_by_index(store, chosen: Tensor) -> dict[str, Tensor]:
    """Do the same as `gather_batch` on any device."""
    nodes, node_ptr = gather_rows(store.node_offsets, chosen)
    edges, edge_ptr = gather_rows(store.edge_offsets, chosen)
    graph = torch.arange(len(chosen), device=chosen.device)
    shift = torch.repeat_interleave(node_ptr[:-1], edge_ptr.diff())
    return {
        "x": store.x[nodes],
        "edge_index": store.edge_index[:, edges].long() + shift,
        "edge_attr": store.edge_attr[edges],
        "y": store.y[chosen].long(),
        "arbitration_id": store.arbitration_id[nodes],
        "batch": torch.repeat_interleave(graph, node_ptr.diff()),
        "ptr": node_ptr,
        "edge_ptr": edge_ptr,
    }


def _gather_compiled(store, chosen: Tensor) -> dict[str, Tensor]:
    node_ptr = offsets_of(store.node_offsets[chosen + 1] - store.node_offsets[chosen])
    edge_ptr = offsets_of(store.edge_offsets[chosen + 1] - store.edge_offsets[chosen])
    num_nodes, num_edges = int(node_ptr[-1]), int(edge_ptr[-1])
    gathered = {
        "x": torch.empty((num_nodes, store.x.shape[1])),
        "edge_index": torch.empty((2, num_edges), dtype=torch.int64),
        "edge_attr": torch.empty((num_edges, store.edge_attr.shape[1])),
        "arbitration_id": torch.empty(num_nodes, dtype=torch.int64),
        "batch": torch.empty(num_nodes, dtype=torch.int64),
    }
    _copy_graphs(
        chosen.numpy(), store.node_offsets.numpy(), store.edge_offsets.numpy(),
        node_ptr.numpy(), edge_ptr.numpy(),
        store.x.numpy(), store.edge_index.numpy(), store.edge_attr.numpy(),
        store.arbitration_id.numpy(), *(tensor.numpy() for tensor in gathered.values()),
    )  # fmt: skip
    return {**gathered, "y": store.y[chosen].long(), "ptr": node_ptr, "edge_ptr": edge_ptr}


@njit(cache=True, nogil=True)
def _copy_graphs(
    chosen, node_offsets, edge_offsets, node_ptr, edge_ptr,
    x, edge_index, edge_attr, arbitration_id,
    to_x, to_edge_index, to_edge_attr, to_arbitration_id, to_batch,
):  # fmt: skip
    """Copy the rows of each chosen graph behind those of the one before."""
    for place in range(len(chosen)):
        graph = chosen[place]
        nodes = slice(node_offsets[graph], node_offsets[graph + 1])
        to_nodes = slice(node_ptr[place], node_ptr[place + 1])
        to_x[to_nodes] = x[nodes]
        to_arbitration_id[to_nodes] = arbitration_id[nodes]
        to_batch[to_nodes] = place
        edges = slice(edge_offsets[graph], edge_offsets[graph + 1])
        to_edges = slice(edge_ptr[place], edge_ptr[place + 1])
        to_edge_attr[to_edges] = edge_attr[edges]
        shift = edge_ptr[place] - edge_offsets[graph]
        for edge in range(edges.start, edges.stop):
            to_edge_index[0, edge + shift] = edge_index[0, edge] + node_ptr[place]
            to_edge_index[1, edge + shift] = edge_index[1, edge] + node_ptr[place]
