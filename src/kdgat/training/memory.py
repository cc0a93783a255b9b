"""What a training step takes of a device's memory, and whether that was too much."""

import gc
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Protocol

import torch
from torch import Tensor, nn

OPTIMIZER_COPIES = 4
"""Weight, gradient and AdamW's two moments."""


class Memory(Protocol):
    """What the batch size follows."""

    @property
    def total(self) -> int:
        """Memory that is there, bytes."""

    @property
    def fixed(self) -> int:
        """Memory that no batch size changes, bytes."""

    @property
    def peak(self) -> int:
        """Most memory taken since `reset`, bytes."""

    def reset(self) -> None:
        """Forget the peak."""

    def watched(self) -> Iterator[None]:
        """Give a context in which a step is taken."""


class Unwatched:
    """A CPU in mode `fixed`: nothing is measured, so nothing costs time."""

    total = fixed = peak = 0

    def reset(self) -> None:
        """Do nothing."""

    @contextmanager
    def watched(self) -> Iterator[None]:
        """Let a step be taken."""
        yield


class CpuMemory:
    """A CPU with a memory of a size of our choice.

    What autograd keeps for the backward pass is counted as it is kept: the bulk of what a step
    takes, and the part that grows with the batch. Above the limit a step ends as it would on a
    GPU. Nothing is kept in validation, so that no validation batch is too large here.

    Args:
        model: what is trained, teachers included.
        total: memory that counts as there, bytes.
    """

    def __init__(self, model: nn.Module, *, total: int) -> None:
        self.total = total
        self.fixed = sum(
            parameter.nbytes * (OPTIMIZER_COPIES if parameter.requires_grad else 1)
            for parameter in model.parameters()
        )
        self.peak = self.fixed

    def reset(self) -> None:
        """Forget the peak."""
        self.peak = self.fixed

    @contextmanager
    def watched(self) -> Iterator[None]:
        """Count what a step keeps.

        Raises:
            torch.OutOfMemoryError: more than there is.
        """
        kept: dict[int, int] = {}
        taken = self.fixed

        def keep(tensor: Tensor) -> Tensor:
            nonlocal taken
            storage = tensor.untyped_storage()
            if storage.data_ptr() not in kept:
                kept[storage.data_ptr()] = storage.nbytes()
                taken += storage.nbytes()
                self.peak = max(self.peak, min(taken, self.total))
            if taken > self.total:
                raise torch.OutOfMemoryError(f"{taken:,} of {self.total:,} bytes")
            return tensor

        with torch.autograd.graph.saved_tensors_hooks(keep, lambda tensor: tensor):
            yield


class GpuMemory:
    """A CUDA device, as torch's allocator sees it.

    Args:
        device: the device.
    """

    def __init__(self, device: torch.device) -> None:
        self.device = device
        self.total = torch.cuda.get_device_properties(device).total_memory
        self.fixed = torch.cuda.memory_allocated(device)

    @property
    def peak(self) -> int:
        """Most memory taken since `reset`, bytes."""
        return torch.cuda.max_memory_allocated(self.device)

    def reset(self) -> None:
        """Forget the peak; what is held between two epochs is what no batch size changes."""
        self.fixed = torch.cuda.memory_allocated(self.device)
        torch.cuda.reset_peak_memory_stats(self.device)

    @contextmanager
    def watched(self) -> Iterator[None]:
        """Let a step be taken; the allocator itself says when there is no more."""
        yield


def memory_of(device: torch.device, model: nn.Module, *, mode: str, cpu_memory: int) -> Memory:
    """Choose how memory is measured.

    Args:
        device: that trains.
        model: what is trained, teachers included.
        mode: of the batch size.
        cpu_memory: memory that counts as there on a CPU, MB.
    """
    if device.type == "cuda":
        return GpuMemory(device)
    if mode == "fixed":
        return Unwatched()
    return CpuMemory(model, total=cpu_memory * 10**6)


def is_out_of_memory(error: BaseException) -> bool:
    """Say whether an error means that a batch was too large."""
    return (
        isinstance(error, torch.OutOfMemoryError | MemoryError)
        or (
            isinstance(error, RuntimeError) and "can't allocate memory" in str(error)
        )  # torch's words for a CPU
    )


def free_memory(device: torch.device) -> None:
    """Give back what a failed step still holds."""
    gc.collect()
    if device.type == "cuda":
        torch.cuda.empty_cache()
