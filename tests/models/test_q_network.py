import torch

from kdgat.models.q_network import QNetwork


def test_values_every_action_from_standardised_features():
    torch.manual_seed(0)
    model = QNetwork(state_features=15, actions=21, hidden=8, layers=2)
    state = torch.randn(4, 15)
    value = model(state)
    assert value.shape == (4, 21)
    model.scaling.set_statistics(mean=torch.full((15,), 5.0), std=torch.full((15,), 2.0))
    assert torch.allclose(model(state * 2 + 5), value, atol=1e-5)


def test_layers_are_hidden_layers():
    model = QNetwork(state_features=2, actions=3, hidden=5, layers=3)
    shapes = [tuple(p.shape) for p in model.parameters() if p.dim() == 2]
    assert shapes == [(5, 2), (5, 5), (5, 5), (3, 5)]
