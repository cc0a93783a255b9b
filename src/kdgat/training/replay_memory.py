"""What a fusion agent remembers of its episodes."""

import numpy as np
import torch
from torch import Tensor


class ReplayMemory:
    """The last transitions, overwritten in turn; every transition is terminal.

    Args:
        size: transitions held.
        state_features: width of a state.
    """

    def __init__(self, *, size: int, state_features: int) -> None:
        self.state = torch.zeros(size, state_features)
        self.action = torch.zeros(size, dtype=torch.int64)
        self.reward = torch.zeros(size)
        self.size = size
        self.seen = 0

    @property
    def nbytes(self) -> int:
        """Size of the whole memory, bytes."""
        return self.state.nbytes + self.action.nbytes + self.reward.nbytes

    def __len__(self) -> int:
        """Transitions held now."""
        return min(self.seen, self.size)

    def add(self, state: Tensor, action: Tensor, reward: Tensor) -> None:
        """Remember transitions `[n, ...]`, n at most the memory's size."""
        place = torch.arange(self.seen, self.seen + len(action)) % self.size
        self.state[place] = state
        self.action[place] = action
        self.reward[place] = reward
        self.seen += len(action)

    def sample(self, count: int, generator: np.random.Generator) -> tuple[Tensor, Tensor, Tensor]:
        """Draw `count` transitions with replacement: state, action, reward."""
        place = torch.from_numpy(generator.integers(len(self), size=count))
        return self.state[place], self.action[place], self.reward[place]
