"""Standardising inside the model, so that a stored model takes raw features."""

import torch
from torch import Tensor, nn

# A benign feature rarely leaves +-4 standard deviations; an attack may lie thousands away, which
# would drown every other feature and overflow the squared errors.
LIMIT = 10.0


class Standardise(nn.Module):
    """Shift and scale features by stored statistics and clamp the result to +-LIMIT.

    Buffers `mean` and `std` are float32 `[num_features]`; they start as 0 and 1.

    Args:
        num_features: width of the last dimension.
    """

    def __init__(self, *, num_features: int) -> None:
        super().__init__()
        self.register_buffer("mean", torch.zeros(num_features))
        self.register_buffer("std", torch.ones(num_features))

    def set_statistics(self, *, mean: Tensor, std: Tensor) -> None:
        """Store the statistics.

        Args:
            mean: float `[num_features]`.
            std: float `[num_features]`, greater than 0.

        Raises:
            ValueError: wrong shape, or a standard deviation that is not positive.
        """
        if mean.shape != self.mean.shape or std.shape != self.std.shape:
            raise ValueError(
                f"statistics must have shape {tuple(self.mean.shape)}, "
                f"got mean {tuple(mean.shape)} and std {tuple(std.shape)}"
            )
        if not bool((std > 0).all()):
            raise ValueError("every standard deviation must be greater than 0")
        self.mean.copy_(mean)
        self.std.copy_(std)

    def forward(self, features: Tensor) -> Tensor:
        """Scale `features` float `[..., num_features]`."""
        return ((features - self.mean) / self.std).clamp(-LIMIT, LIMIT)
