import torch
from torch.testing import assert_close

from kdgat.models.gat import GAT, max_without


def test_a_window_reads_the_same_alone_and_in_a_batch(gat, two_windows, one_window):
    assert_close(gat(**two_windows)[1:], gat(**one_window))


def test_the_order_of_nodes_and_edges_does_not_matter(gat, two_windows):
    nodes, edges = torch.tensor([2, 0, 1, 4, 3]), torch.tensor([5, 3, 0, 1, 2, 4])
    place = torch.empty(5, dtype=torch.int64)
    place[nodes] = torch.arange(5)
    shuffled = two_windows | {
        "x": two_windows["x"][nodes],
        "arbitration_id": two_windows["arbitration_id"][nodes],
        "edge_index": place[two_windows["edge_index"]][:, edges],
        "edge_attr": two_windows["edge_attr"][edges],
    }
    assert_close(gat(**shuffled), gat(**two_windows))


def test_edge_features_direction_and_ids_matter(gat, two_windows):
    logit = gat(**two_windows)
    for change in (
        {"edge_attr": two_windows["edge_attr"] + 1},
        {"edge_index": two_windows["edge_index"].flip(0)},
        {"arbitration_id": two_windows["arbitration_id"] + 1},
    ):
        assert not torch.allclose(gat(**(two_windows | change)), logit)


def test_hidden_windows_forget_their_ids(gat, two_windows):
    other = two_windows | {"arbitration_id": two_windows["arbitration_id"] + 5}
    hidden = torch.tensor([True, False])
    first, second = gat(**two_windows, hidden=hidden), gat(**other, hidden=hidden)
    assert_close(first[0], second[0])
    assert not torch.isclose(first[1], second[1])


def test_the_read_out_sees_one_node_among_many(gat):
    """A mean over a hundred equal nodes hides one of them from half of the read-out only."""
    count = 100
    window = {
        "x": torch.zeros(count, 3),
        "arbitration_id": torch.full((count,), 0x100),
        "edge_index": torch.empty(2, 0, dtype=torch.int64),
        "edge_attr": torch.empty(0, 2),
        "batch": torch.zeros(count, dtype=torch.int64),
        "num_graphs": 1,
    }
    struck = window["x"].clone()
    struck[7] = 5.0
    pooled = []
    gat.readout = torch.nn.Identity()
    for x in (window["x"], struck):
        pooled.append(gat.embed(**(window | {"x": x}))[0])
    width = gat.layers.width
    change = (pooled[1] - pooled[0]).abs()
    assert change[:width].max() < 0.1 * change[width : 2 * width].max()


def test_every_weight_learns(gat, two_windows):
    gat.train()
    gat(**two_windows).sum().backward()
    assert all(parameter.grad is not None for parameter in gat.parameters())


def test_embedding_and_logit_belong_together(gat, two_windows):
    embedding = gat.embed(**two_windows)
    assert embedding.shape == (2, 8)
    assert torch.equal(gat.classify(embedding), gat(**two_windows))


def test_attention_is_handed_out_once_per_node_with_a_predecessor(gat, two_windows):
    inputs = {k: two_windows[k] for k in ("x", "arbitration_id", "edge_index", "edge_attr")}
    followed = two_windows["edge_index"][1]
    handed_out = torch.zeros(5).index_add(0, followed, gat.edge_attention(**inputs))
    assert_close(handed_out, torch.ones(5))


def test_scaling_is_part_of_the_model(gat, two_windows):
    raw = two_windows | {
        "x": two_windows["x"] * 3 + 1,
        "edge_attr": two_windows["edge_attr"] * 2 - 1,
    }
    expected = gat(**two_windows)
    gat.set_scaling(
        node_mean=torch.full((3,), 1.0),
        node_std=torch.full((3,), 3.0),
        edge_mean=torch.full((2,), -1.0),
        edge_std=torch.full((2,), 2.0),
    )
    assert_close(gat(**raw), expected)


def test_the_contribution_of_a_node_is_what_the_logit_loses_without_it(gat, two_windows):
    """Without edges no node speaks for another: to the read-out or in all, it is left out."""
    apart = two_windows | {
        "edge_index": torch.empty(2, 0, dtype=torch.int64),
        "edge_attr": torch.empty(0, 2),
    }
    contribution = gat.node_contributions(**apart)
    whole = gat(**apart)
    for node, graph in enumerate(apart["batch"].tolist()):
        kept = torch.arange(5) != node
        without = {key: apart[key][kept] for key in ("x", "arbitration_id", "batch")}
        assert_close(contribution[node], whole[graph] - gat(**(apart | without))[graph])


def test_without_the_maximum_the_read_out_sees_the_mean_alone(gat, two_windows):
    torch.manual_seed(0)
    sizes = {"hidden": 4, "heads": 2, "layers": 2, "readout": 8, "dropout": 0.0}
    widths = {"node_features": 3, "edge_features": 2, "id_rows": 64, "id_dim": 4}
    mean_only = GAT(**widths, **sizes, maximum_readout=False).eval()
    assert mean_only.readout[0].normalized_shape[0] == gat.readout[0].normalized_shape[0] / 2
    mean_only.readout = torch.nn.Identity()
    seen = mean_only.embed(**two_windows)
    states = mean_only.layers(*(two_windows[key] for key in list(two_windows)[:4]))
    assert_close(seen, torch.cat([torch.stack([s[:3].mean(0), s[3:].mean(0)]) for s in states], 1))


def test_equal_nodes_leave_the_maximum_to_one_another():
    state = torch.tensor([[1.0, 5.0], [3.0, 5.0], [2.0, 0.0], [4.0, 4.0]])
    batch = torch.tensor([0, 0, 0, 1])
    largest = torch.tensor([[3.0, 5.0], [4.0, 4.0]])
    assert max_without(state, batch, largest).tolist() == [[3, 5], [2, 5], [3, 5], [0, 0]]
