import pytest
import torch

from kdgat.models.scaling import LIMIT, Standardise


def test_shifts_scales_and_clamps():
    scaling = Standardise(num_features=2)
    scaling.set_statistics(mean=torch.tensor([1.0, 0.0]), std=torch.tensor([2.0, 0.1]))
    scaled = scaling(torch.tensor([[5.0, 0.1], [1.0, -1e9]]))
    assert torch.equal(scaled, torch.tensor([[2.0, 1.0], [0.0, -LIMIT]]))


def test_statistics_travel_with_the_weights():
    scaling, copy = Standardise(num_features=1), Standardise(num_features=1)
    scaling.set_statistics(mean=torch.tensor([3.0]), std=torch.tensor([2.0]))
    copy.load_state_dict(scaling.state_dict())
    assert copy(torch.tensor([5.0])) == 1.0


@pytest.mark.parametrize(
    ("mean", "std", "complaint"),
    [([0.0], [1.0, 1.0], "shape"), ([0.0, 0.0], [1.0, 0.0], "greater than 0")],
)
def test_refuses_what_does_not_fit(mean, std, complaint):
    with pytest.raises(ValueError, match=complaint):
        Standardise(num_features=2).set_statistics(mean=torch.tensor(mean), std=torch.tensor(std))
