"""The Q-network of the fusion agent."""

from itertools import pairwise

from torch import Tensor, nn

from kdgat.models.scaling import Standardise


class QNetwork(nn.Module):
    """A multilayer perceptron from the fusion state to the value of every fusion weight.

    Mnih et al., Human-level control through deep reinforcement learning (Nature 2015), with a
    perceptron in place of the convolutions.

    Args:
        state_features: fusion features.
        actions: fusion weights to choose from.
        hidden: width of the hidden layers.
        layers: hidden layers, at least 1.
    """

    def __init__(self, *, state_features: int, actions: int, hidden: int, layers: int) -> None:
        super().__init__()
        self.scaling = Standardise(num_features=state_features)
        widths = [state_features] + [hidden] * layers
        blocks: list[nn.Module] = []
        for fan_in, fan_out in pairwise(widths):
            blocks += [nn.Linear(fan_in, fan_out), nn.ReLU()]
        self.network = nn.Sequential(*blocks, nn.Linear(hidden, actions))

    def forward(self, state: Tensor) -> Tensor:
        """Value every action.

        Args:
            state: float32 `[num_windows, state_features]`, raw.

        Returns:
            float32 `[num_windows, actions]`: expected reward, -1 to 1, of each fusion weight.
        """
        return self.network(self.scaling(state))
