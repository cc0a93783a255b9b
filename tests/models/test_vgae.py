import math

import pytest
import torch
from torch import nn
from torch.testing import assert_close

from kdgat.models.vgae import ANOMALY_COMPONENTS


def test_a_window_reads_the_same_alone_and_in_a_batch(vgae, two_windows, one_window):
    together, alone = vgae(**two_windows), vgae(**one_window)
    assert_close(together.mean[3:], alone.mean)
    assert_close(together.edge_error[1:], alone.edge_error)
    assert_close(together.id_error[1:], alone.id_error)
    components = vgae.anomaly_components(together, two_windows["batch"], 2)
    assert_close(components[1:], vgae.anomaly_components(alone, one_window["batch"], 1))


def test_repeats_in_evaluation_and_samples_in_training(vgae, two_windows):
    assert torch.equal(vgae(**two_windows).node_features, vgae(**two_windows).node_features)
    vgae.train()
    vgae.encoder.dropout.p = 0.0
    assert not torch.equal(vgae(**two_windows).node_features, vgae(**two_windows).node_features)


def test_errors_by_hand_with_silent_decoders(vgae, two_windows):
    """With all decoders at zero: features squared, log 2 a pair, log n an ID."""
    for silent in (vgae.node_decoder[-1], vgae.edge_source, vgae.id_query, vgae.mean, vgae.log_var):
        for parameter in silent.parameters():
            nn.init.zeros_(parameter)
    found = vgae(**two_windows)
    assert_close(found.node_error, two_windows["x"].square().mean(dim=1))
    assert_close(found.edge_error, torch.full((2,), math.log(2)))
    assert_close(found.id_error, torch.tensor([math.log(3), math.log(2)]))
    assert_close(found.kl, torch.zeros(5))


def test_kl_by_hand(vgae, two_windows):
    nn.init.zeros_(vgae.mean.weight)
    nn.init.constant_(vgae.mean.bias, 2.0)
    nn.init.zeros_(vgae.log_var.weight)
    nn.init.constant_(vgae.log_var.bias, math.log(4.0))
    each = 0.5 * (4 + 4 - 1 - math.log(4.0))
    assert_close(vgae(**two_windows).kl, torch.full((5,), 4 * each))


def test_edges_are_directed_and_within_the_window(vgae, two_windows):
    with torch.no_grad():
        latent, _ = vgae.encode(
            **{k: two_windows[k] for k in ("x", "arbitration_id", "edge_index", "edge_attr")}
        )
        logit = vgae.edge_source(latent) @ vgae.edge_target(latent).T + vgae.edge_bias
        expected = []
        for members in (slice(0, 3), slice(3, 5)):
            size = members.stop - members.start
            present = torch.zeros(size, size)
            for source, target in two_windows["edge_index"].T.tolist():
                if members.start <= source < members.stop:
                    present[source - members.start, target - members.start] = 1
            probability = torch.sigmoid(logit[members, members])
            likelihood = torch.where(present == 1, probability, 1 - probability)
            expected.append(-likelihood.log().mean())
        assert_close(vgae(**two_windows).edge_error, torch.stack(expected))


def test_the_id_decoder_knows_hidden_ids_but_the_encoder_does_not(vgae, two_windows):
    hidden = torch.tensor([True, True])
    other = two_windows | {"arbitration_id": two_windows["arbitration_id"] + 5}
    first, second = vgae(**two_windows, hidden=hidden), vgae(**other, hidden=hidden)
    assert_close(first.mean, second.mean)
    assert not torch.allclose(first.id_error, second.id_error)


def test_components_by_name(vgae, two_windows):
    found = vgae(**two_windows)
    table = vgae.anomaly_components(found, two_windows["batch"], 2)
    first = dict(zip(ANOMALY_COMPONENTS, table[0], strict=True))
    norm = found.mean[:3].norm(dim=1)
    assert_close(first["node_error_mean"], found.node_error[:3].mean())
    assert_close(first["node_error_max"], found.node_error[:3].max())
    assert_close(first["kl"], found.kl[:3].mean())
    assert_close(first["latent_norm_mean"], norm.mean())
    assert_close(first["latent_norm_max"], norm.max())


def test_score_is_one_for_benign_windows_and_grows_with_strangeness(vgae):
    torch.manual_seed(0)
    benign = torch.randn(1000, 7).exp()
    vgae.set_anomaly_statistics(benign)
    assert vgae.anomaly_score(benign).square().mean() == pytest.approx(1.0, abs=0.001)
    stranger = torch.stack([torch.full((7,), factor) for factor in (1.0, 1e3, 1e6, 1e9)])
    assert (vgae.anomaly_score(stranger).diff() > 0).all()


def test_score_by_hand_is_a_distance_in_standard_deviations(vgae):
    """The first two components rise together, e^+-2; the others are independent, e^+-1."""
    signs = torch.cartesian_prod(*[torch.tensor([-1.0, 1.0])] * 6)
    level = torch.column_stack([2 * signs[:, 0], 2 * signs[:, 0] + 0.1 * signs[:, 1], signs[:, 1:]])
    vgae.set_anomaly_statistics(level[:, :7].exp())
    together, apart = torch.zeros(7), torch.zeros(7)
    together[0] = together[1] = 2.0
    apart[1] = 2.0
    score = vgae.anomaly_score(torch.stack([together, apart]).exp())
    assert score[0] < 1.0
    assert score[1] > 5.0


def test_score_survives_a_component_that_never_changes(vgae):
    vgae.set_anomaly_statistics(torch.ones(5, 7))
    assert torch.equal(vgae.anomaly_score(torch.ones(2, 7)), torch.zeros(2))


def test_every_weight_learns(vgae, two_windows):
    vgae.train()
    found = vgae(**two_windows)
    (found.node_error.sum() + found.edge_error.sum() + found.id_error.sum()).backward()
    assert all(parameter.grad is not None for parameter in vgae.parameters())
