"""Random streams: the only source of random numbers in training and evaluation."""

from collections.abc import Mapping

import torch
from torch import Tensor

from coequal.seeds import seed_for


class Rng:
    """An independent random stream on one device, with a state that a checkpoint can hold."""

    def __init__(self, seed: int, device: torch.device | str = "cpu") -> None:
        self.device = torch.device(device)
        self.generator = torch.Generator(device=self.device)
        self.generator.manual_seed(seed)

    def uniform(self, *shape: int, low: float = 0.0, high: float = 1.0) -> Tensor:
        """Float32 tensor of `shape`, uniform on [low, high)."""
        draw = torch.rand(shape, generator=self.generator, device=self.device)
        return draw if (low, high) == (0.0, 1.0) else draw * (high - low) + low

    def normal(self, *shape: int) -> Tensor:
        """Float32 tensor of `shape`, standard normal."""
        return torch.randn(shape, generator=self.generator, device=self.device)

    def integers(self, high: int, count: int) -> Tensor:
        """`count` int64 values, uniform on 0 .. high - 1."""
        return torch.randint(high, (count,), generator=self.generator, device=self.device)

    def permutation(self, count: int) -> Tensor:
        """0 .. count - 1 in random order, int64."""
        return torch.randperm(count, generator=self.generator, device=self.device)

    def state(self) -> Tensor:
        """The state of the stream, a uint8 tensor on the CPU."""
        return self.generator.get_state()

    def restore(self, state: Tensor) -> None:
        """Continue exactly where `state()` was taken, on the same kind of device."""
        self.generator.set_state(state)


def streams(seed: int | str, *names: str, device: torch.device | str = "cpu") -> Mapping[str, Rng]:
    """Make one stream per name; adding a name changes no other stream.

    Args:
        seed: that all streams share, or a name for it.
        names: of the streams.
        device: on which they draw.
    """
    return {name: Rng(seed_for(seed, name), device) for name in names}
