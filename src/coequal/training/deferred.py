"""What the last steps left on the device, and the point to which a training can go back."""

from collections.abc import Mapping
from typing import Any, NamedTuple, Protocol

import torch
from torch import Tensor, nn

from coequal.checkpoints import Spent
from coequal.monitoring.monitor import Monitor
from coequal.monitoring.transfer import numbers
from coequal.rng import Rng
from coequal.training.active_tricks import ActiveTricks
from coequal.training.batches import Batches
from coequal.training.loss_curves import Curves


def synchronise(device: torch.device) -> None:
    """Wait until a device has done all that it was given to do; the CPU always has."""
    if device.type != "cpu":
        torch.get_device_module(device).synchronize()


class _Point(NamedTuple):
    """Values of a step for the curves."""

    step: int
    values: Mapping[str, Tensor]


class Deferred:
    """Values of steps that lie on the device, to be read all at once."""

    def __init__(self) -> None:
        self._sums: list[Tensor] = []
        self._points: list[_Point] = []

    def check(self, values: Tensor) -> None:
        """Note values that should be finite. Their sum is kept: it is finite only if all are."""
        self._sums.append(values.detach().sum())

    def note(self, step: int, values: Mapping[str, Tensor]) -> None:
        """Note values for the curves, in the order in which they are to be added."""
        self._points.append(_Point(step, values))

    def all_finite(self) -> bool:
        """Whether all checked values may be finite. A sum can exceed what a number can hold though
        none of its terms does: whoever hears False looks at each value."""
        return not self._sums or bool(torch.stack(self._sums).isfinite().all())

    def move_into(self, curves: Curves) -> None:
        """Add what was noted to the curves, in one transfer, and forget everything."""
        flat = numbers([value for point in self._points for value in point.values.values()])
        read = iter(flat)
        for step, values in self._points:
            curves.add(step, {name: next(read) for name in values})
        self._sums, self._points = [], []


class _Training(Protocol):
    """What a trainer has that a step changes."""

    device: torch.device
    batches: Batches
    active_tricks: ActiveTricks
    state: dict[str, Tensor]
    spent: Spent
    monitor: Monitor | None

    @property
    def streams(self) -> Mapping[str, Rng]: ...

    @property
    def optimisers(self) -> Mapping[Any, torch.optim.Optimizer]: ...

    @property
    def average(self) -> nn.Module | None: ...

    def nets(self) -> Mapping[Any, nn.Module]: ...


class RestorePoint:
    """A state of a training between two steps, kept on its device.

    It holds everything that a step changes, except what is read from the device only once the steps
    are known to be good: the curves, and the rows of the monitor.

    Args:
        trainer: whose state is kept.
    """

    def __init__(self, trainer: _Training) -> None:
        self._trainer = trainer
        self._copies: list[Tensor] = []
        self.take()

    @torch.no_grad()
    def take(self) -> None:
        """Keep the present state instead of the former one."""
        trainer, batches, monitor = self._trainer, self._trainer.batches, self._trainer.monitor
        live = self._changed_in_place()
        if len(live) == len(self._copies):
            torch._foreach_copy_(self._copies, live)
        else:
            self._copies = [value.detach().clone() for value in live]
        self._with_moments = [set(each.state) for each in trainer.optimisers.values()]
        self._state, self._spent = trainer.state, trainer.spent
        self._position = (batches.epoch, batches.position)
        self._streams = {name: stream.state() for name, stream in trainer.streams.items()}
        tricks = trainer.active_tricks.state()
        self._tricks = {name: value.clone() for name, value in tricks.items()}
        if monitor is not None:
            self._pending = {name: list(values) for name, values in monitor.pending.items()}
            self._fresh = list(monitor.fresh)

    @torch.no_grad()
    def go_back(self) -> None:
        """Put the trainer back."""
        trainer, monitor = self._trainer, self._trainer.monitor
        for optimiser, known in zip(trainer.optimisers.values(), self._with_moments, strict=True):
            for parameter in set(optimiser.state) - known:
                del optimiser.state[parameter]
        torch._foreach_copy_(self._changed_in_place(), self._copies)
        trainer.state, trainer.spent = self._state, self._spent
        trainer.batches.restore(*self._position)
        for name, stream in trainer.streams.items():
            stream.restore(self._streams[name])
        trainer.active_tricks.restore(self._tricks, self._spent.discriminator_steps, trainer.device)
        if monitor is not None:
            monitor.pending, monitor.fresh = self._pending, self._fresh

    def _changed_in_place(self) -> list[Tensor]:
        """The tensors that a step writes to: nets, their moving average, optimisers."""
        trainer = self._trainer
        nets = list(trainer.nets().values())
        if trainer.average is not None:
            nets.append(trainer.average)
        found = [value for net in nets for value in (*net.parameters(), *net.buffers())]
        for optimiser in trainer.optimisers.values():
            for moments in optimiser.state.values():
                found += [value for value in moments.values() if isinstance(value, Tensor)]
        return found
