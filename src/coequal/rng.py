"""Random streams: the only source of random numbers in training and evaluation."""

import random
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import numpy as np
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


@contextmanager
def global_states_kept(device: torch.device | str = "cpu") -> Iterator[None]:
    """Put the global generators of torch, NumPy and Python back into their states afterwards, for
    code that is not ours and may draw from them.

    Args:
        device: whose global generator is put back, too.
    """
    where = torch.device(device)
    module: Any = None if where.type == "cpu" else torch.get_device_module(where)
    index = (where,) if where.type == "cuda" else ()
    python, numpy = random.getstate(), np.random.get_state(legacy=False)  # noqa: NPY002
    of_cpu = torch.get_rng_state()
    of_device = None if module is None else module.get_rng_state(*index)
    try:
        yield
    finally:
        random.setstate(python)
        np.random.set_state(numpy)  # noqa: NPY002
        torch.set_rng_state(of_cpu)
        if module is not None:
            module.set_rng_state(of_device, *index)


class GlobalStates:
    """The states of the global generators at a moment: torch's of the CPU and of one device,
    NumPy's and Python's. They are read, and never written.

    Args:
        device: on which torch computes.
    """

    def __init__(self, device: torch.device | str = "cpu") -> None:
        self._device = torch.device(device)
        self._modules = len(sys.modules)
        self._states = self._read()

    def moved(self) -> list[str]:
        """The generators that somebody has drawn from, or seeded, since this moment."""
        now = self._read()
        moved = [name for name, state in self._states.items() if now[name] != state]
        imported = len(sys.modules) != self._modules  # imports draw from Python's
        return [name for name in moved if not (imported and name == "Python")]

    def _read(self) -> dict[str, object]:
        states: dict[str, object] = {
            "torch": torch.get_rng_state().numpy().tobytes(),
            "NumPy": _plain(np.random.get_state(legacy=False)),  # noqa: NPY002  (it is watched)
            "Python": random.getstate(),
        }
        if self._device.type != "cpu":
            module: Any = torch.get_device_module(self._device)
            index = () if self._device.type == "mps" else (self._device,)
            name = f"torch on {self._device.type}"
            states[name] = module.get_rng_state(*index).cpu().numpy().tobytes()
        return states


def _plain(state: Any) -> Any:
    """A state of NumPy's as values that can be compared."""
    if isinstance(state, dict):
        return {name: _plain(value) for name, value in state.items()}
    return state.tobytes() if isinstance(state, np.ndarray) else state
