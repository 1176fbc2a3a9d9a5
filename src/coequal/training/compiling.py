"""Nets compiled by torch, while they train."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import torch
from torch import nn

METHODS = ("forward", "encode", "decode", "log_likelihood")
"""Of nets, which objectives call (`coequal.contract`)."""

BACKEND = "inductor"


class CompiledNets:
    """Nets whose methods are compiled by `torch.compile`; outside `in_use` they are as ever, so
    that images are made and measured by the same code with and without compiling.

    Args:
        nets: by player.
        differentiated_twice: whether the loss takes the gradient of the discriminator's gradient,
            which torch can't compile: then the discriminator is left as it is.
    """

    def __init__(self, nets: Mapping[Any, nn.Module], *, differentiated_twice: bool) -> None:
        self._compiled: list[tuple[nn.Module, str, Callable[..., Any]]] = [
            (net, name, torch.compile(getattr(net, name), backend=BACKEND))
            for player, net in nets.items()
            if not (player == "discriminator" and differentiated_twice)
            for name in METHODS
            if hasattr(net, name)
        ]

    @contextmanager
    def in_use(self) -> Iterator[None]:
        """Let the nets run as they were compiled; the first call of each compiles it."""
        for net, name, compiled in self._compiled:
            setattr(net, name, compiled)
        try:
            yield
        finally:
            for net, name, _ in self._compiled:
                delattr(net, name)


def refuse_uncompilable(device: str) -> None:
    """Compile a sum, to know whether anything can be compiled for a device.

    Args:
        device: as torch writes it.

    Raises:
        ValueError: nothing can; the message says why.
    """

    def doubled(values: torch.Tensor) -> torch.Tensor:
        return values + values

    try:
        torch.compile(doubled, backend=BACKEND)(torch.ones(2, device=device))
    except Exception as error:  # of the compiler, which may be anything
        why = next((line for line in str(error).splitlines() if line.strip()), "")
        raise ValueError(
            f"training.compile: torch can't compile for device '{device}' here "
            f"({type(error).__name__}: {why[:200]}); what would do: a C++ compiler (g++ or clang; "
            "on a GPU also Triton), or compile: false"
        ) from error
