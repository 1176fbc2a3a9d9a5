"""What a file of a generator is once it is open: a net, and what the file says of its inputs."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from coequal.generators.latents import Independent


@dataclass(frozen=True)
class InputSpec:
    """An input of a program.

    Attributes:
        name: of it.
        shape: of one row, without the first axis; None for a size that is not fixed.
        dtype: that the program wants.
    """

    name: str
    shape: tuple[int | None, ...]
    dtype: torch.dtype

    @property
    def is_label(self) -> bool:
        """Whether it takes a whole number for each image."""
        return not self.dtype.is_floating_point and self.shape in ((), (1,))

    def __str__(self) -> str:
        sizes = ", ".join(["n", *("?" if size is None else str(size) for size in self.shape)])
        return f"{self.name} ({sizes}) {str(self.dtype).removeprefix('torch.')}"


@dataclass(frozen=True)
class Program:
    """A generator from a file.

    Attributes:
        net: is called with latents and perhaps labels, of any number of rows.
        inputs: what it takes; empty where the file doesn't say it.
        batch: the only number of rows that the file itself takes; None for any.
        differentiable: whether a gradient reaches the latents.
    """

    net: nn.Module
    inputs: tuple[InputSpec, ...] = ()
    batch: int | None = None
    differentiable: bool = True

    def latent(self, name: str) -> Independent:
        """The prior that follows from the inputs: standard normal, of the only float's shape.

        Args:
            name: of the file, for the message.

        Raises:
            ValueError: there is not exactly one input of floats whose sizes are fixed.
        """
        floats = [one for one in self.inputs if one.dtype.is_floating_point]
        sizes = floats[0].shape if len(floats) == 1 else ()
        shape = tuple(size for size in sizes if size is not None)
        if not shape or len(shape) < len(sizes):
            known = "; ".join(map(str, self.inputs)) or "nothing that the file says"
            raise ValueError(
                f"{name}: give its latent distribution, as --latent normal:128, in "
                f"Python latent=128 (its inputs are: {known})"
            )
        return Independent(shape)

    def refuse_mismatch(self, name: str, prior: object, classes: int) -> None:
        """Refuse latents of another shape than the file takes, and labels that it does not take.

        Raises:
            ValueError: with what the file takes.
        """
        if not self.inputs:
            return
        known = "; ".join(map(str, self.inputs))
        labels = [one for one in self.inputs if one.is_label]
        if len(labels) == 1 and not classes:
            raise ValueError(
                f"{name} takes labels ({known}); give their number: --classes 10, in "
                "Python classes=10"
            )
        if classes and not labels:
            raise ValueError(f"{name} takes no labels ({known}); leave out --classes (classes)")
        first = self.inputs[0].shape
        if isinstance(prior, Independent) and None not in first and prior.shape != first:
            raise ValueError(f"{name} takes other latents than {prior}: {known}")


class RowsInBatches(nn.Module):
    """A program that takes one number of rows alone, as a net of any number of rows.

    Rows are given in batches of that number; the last one is filled up with its last row, and what
    is made of the filling is dropped.
    """

    def __init__(
        self,
        call: nn.Module,
        inputs: tuple[InputSpec, ...],
        batch: int | None,
        moved: Callable[[torch.device], nn.Module] | None = None,
    ) -> None:
        """Wrap a call.

        Args:
            call: a module of these inputs.
            inputs: their types; what is given is converted to them.
            batch: the number of rows; None for any.
            moved: gives the call on a device; None: it stays where it is.
        """
        super().__init__()
        self.call, self.inputs, self.batch, self.moved = call, inputs, batch, moved

    def move_to(self, device: torch.device) -> None:
        """Compute on a device from now on, if it can."""
        if self.moved is not None:
            self.call = self.moved(device)

    def forward(self, *given: Tensor) -> Any:
        """What the program makes of each row."""
        if len(given) != len(self.inputs):
            known = "; ".join(map(str, self.inputs))
            raise ValueError(f"it takes {len(self.inputs)} inputs ({known}), not {len(given)}")
        rows = tuple(map(_as_wanted, given, self.inputs))
        if self.batch is None:
            return self.call(*rows)
        count, made = len(rows[0]), []
        for start in range(0, count, self.batch):
            part = tuple(_filled(one[start : start + self.batch], self.batch) for one in rows)
            images = self.call(*part)
            made.append(images[0] if isinstance(images, tuple | list) else images)
        return torch.cat(made)[:count]


def _as_wanted(part: Tensor, spec: InputSpec) -> Tensor:
    rows = part.reshape(len(part), 1) if spec.is_label and spec.shape else part
    return rows.to(spec.dtype)


def _filled(rows: Tensor, size: int) -> Tensor:
    missing = size - len(rows)
    return torch.cat([rows, rows[-1:].expand(missing, *rows.shape[1:])]) if missing else rows
