"""The only training loop: moves, optimisers, clock, state. It knows no objective by name."""

import math
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, nullcontext
from copy import deepcopy
from typing import Any

import torch
from torch import Tensor, nn

from coequal.checkpoints import Spent
from coequal.contract import (
    Architecture,
    Generator,
    LazyRegulariser,
    Objective,
    Players,
    Requirements,
)
from coequal.devices import Precision, computing_on
from coequal.monitoring.monitor import Monitor
from coequal.monitoring.transfer import numbers
from coequal.rng import streams
from coequal.training.active_tricks import ActiveTricks
from coequal.training.batches import Batches
from coequal.training.compiling import CompiledNets
from coequal.training.cuda_graphs import MoveGraphs
from coequal.training.deferred import Deferred, RestorePoint, synchronise
from coequal.training.flops import CountFlops
from coequal.training.loss_curves import Curves
from coequal.training.move_loss import Computed, MoveInputs, MoveLoss, Player
from coequal.training.optimisers import decayed, optimiser_for, rate_of
from coequal.training.part_calls import (
    checked_latents,
    refuse_malformed_objective,
    refuse_malformed_players,
    refuse_other_arguments,
)
from coequal.training.settings import Optimisation, Training
from coequal.training.tricks import Tricks

STREAMS = ("latents", "objective")
READ_EVERY = 25
"""Steps on a GPU after which their values are read: each read makes the CPU wait for the GPU, and
then the GPU for the CPU. On the CPU itself nothing is gained by waiting less."""


class Diverged(Exception):
    """A loss or an image is not finite; the message says which, and at which step."""


def build_players(
    architecture: Architecture,
    shape: Any,
    classes: int | None,
    requirements: Requirements,
    seed: int,
) -> Players:
    """The nets of a trial, with parameters drawn from `seed`; the global generator is left as it
    was.

    Raises:
        ContractError: the architecture built something else than the objective requires.
    """
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        players = architecture.build(shape, classes, requirements)
    refuse_malformed_players(type(architecture).build, players, requirements)
    return players


class Trainer:
    """One training run: an objective, its nets and the data, with everything that a checkpoint must
    hold.

    A step is one move of the discriminator, followed by one of the generator whenever the model's
    ratio says so; for a model of one player, one move of that player. Every move draws a fresh
    batch of real images and fresh latents, for every model (the code of Lucic et al. 2018 gives the
    generator's move the latents of the discriminator's, for all models but WGAN-GP).

    Attributes:
        read_every: steps after which their values are read from the device, at most. What is
            recorded of a training does not depend on it.
    """

    def __init__(
        self,
        objective: Objective,
        players: Players,
        batches: Batches,
        optimisation: Optimisation,
        training: Training,
        seed: int,
        device: torch.device | str = "cpu",
        tricks: Tricks | None = None,
    ) -> None:
        refuse_malformed_objective(objective)
        refuse_other_arguments(objective)
        self.objective = objective
        self.requirements = objective.requirements()
        self.device = torch.device(device)
        self.generator: Generator = players.generator.to(self.device)
        self.discriminator = players.discriminator and players.discriminator.to(self.device)
        self.batches = batches
        self.optimisation = optimisation
        self.training = training
        self.streams = streams(seed, *STREAMS, device=self.device)
        self.state = {
            name: value.to(self.device) for name, value in objective.initial_state().items()
        }
        self.active_tricks = ActiveTricks(tricks or Tricks(), seed, self.device, self.discriminator)
        self.optimisers = {
            name: optimiser_for(optimisation, name, net) for name, net in self.nets().items()
        }
        self.average = deepcopy(self.generator).requires_grad_(False) if training.ema else None
        self.curves = Curves()
        self.spent = Spent()
        self.flops_of_moves: dict[str, int] = {}
        self.monitor: Monitor | None = None  # to be set before the first step
        self.read_every = 1 if self.device.type == "cpu" else READ_EVERY
        self._deferred: Deferred | None = None  # of steps whose values are not read at once
        self._restore_point: RestorePoint | None = None
        self._compiled = self._graphs = None
        if training.compile:
            twice = bool(
                self.requirements.gradient_penalty
                or self.requirements.discriminator_lazy
                or self.active_tricks.tricks.gradient_penalty != "none"
            )
            self._compiled = CompiledNets(self.nets(), differentiated_twice=twice)
        if training.cuda_graphs:
            drawn = (*self.streams.values(), *self.active_tricks.streams.values())
            own = [stream.generator for stream in drawn if stream.device == self.device]
            self._graphs = MoveGraphs(own)
        self._loss = MoveLoss(
            objective,
            self.generator,
            self.discriminator,
            self.active_tricks,
            self.streams["objective"],
            self.device,
        )

    def nets(self) -> dict[Player, nn.Module]:
        """The nets that learn, by player."""
        nets: dict[Player, nn.Module] = {"generator": self.generator}
        if self.discriminator is not None:
            nets["discriminator"] = self.discriminator
        return nets

    @property
    def evaluated(self) -> Generator:
        """The generator that is measured: the moving average, if the study asked for one."""
        return self.generator if self.average is None else self.average

    @property
    def steps_done(self) -> int:
        """Discriminator steps so far."""
        return self.spent.discriminator_steps

    @property
    def spent_of_budget(self) -> float:
        """What is spent so far, in the budget's unit."""
        return float(getattr(self.spent, self.training.unit))

    @property
    def _progress(self) -> float:
        """The fraction of the budget that is spent."""
        return min(1.0, self.spent_of_budget / self.training.amount)

    def train_until(self, amount: float, *, at_most_steps: int | None = None) -> None:
        """Go on until so much of the budget is spent; the clock runs only here.

        Args:
            amount: in the budget's unit, counted from the start of the training.
            at_most_steps: come back after so many steps, whatever is spent by then.

        Raises:
            Diverged: something is not finite; what was spent until then stays in `spent`.
        """
        for net in self.nets().values():
            net.train()
        last = math.inf if at_most_steps is None else self.steps_done + at_most_steps
        while self.spent_of_budget < amount and self.steps_done < last:
            steps = min(self.read_every, last - self.steps_done)
            if self.monitor is not None:
                steps = min(steps, self.monitor.steps_until_probe(self.steps_done))
            if steps == 1:
                self._timed_step()
            else:
                self._steps_read_together(int(steps), amount)
            self._probe()

    def _timed_step(self) -> None:
        with self._on_the_clock(), self._products():
            self._step()

    @contextmanager
    def _on_the_clock(self) -> Iterator[None]:
        started = time.perf_counter()
        try:
            yield
        finally:
            self._spend(seconds=time.perf_counter() - started)

    def _steps_read_together(self, most: int, amount: float) -> None:
        """Take steps without waiting for any, then look whether all was finite.

        If something was not, the steps are taken again from where they began, each value read at
        once: the training ends at the very move that went wrong, as if every step had been waited
        for. So it is after an error, which may be one that a NaN caused later on.
        """
        with self._on_the_clock():
            if self._restore_point is None:
                self._restore_point = RestorePoint(self)
            else:
                self._restore_point.take()
        self._deferred, taken, good = Deferred(), 0, False
        try:
            while self.spent_of_budget < amount and taken < most:
                taken += 1
                self._timed_step()
            with self._on_the_clock():
                good = self._deferred.all_finite()
                synchronise(self.device)
        except Exception:
            if good := self._deferred.all_finite():
                raise
        finally:
            deferred, self._deferred = self._deferred, None
            if good:
                deferred.move_into(self.curves)
        if not good:
            self._restore_point.go_back()
            for _ in range(taken):
                self._timed_step()

    def _probe(self) -> None:
        """Probe both nets if a probe is due; off the clock."""
        if self.monitor is not None and self.monitor.probe_due(self.steps_done):
            rate = rate_of(self.optimisers["generator"]) / self.optimisation.rate("generator")
            self.monitor.probe(self.steps_done, self.generator, self.discriminator, rate)

    def _recording(self, move: int) -> Monitor | None:
        """The monitor, if it records a player's move of this number (from 0)."""
        return self.monitor if self.monitor is not None and self.monitor.record_due(move) else None

    def _step(self) -> None:
        if self.discriminator is None:
            self._move("generator")
            self._average()
        else:
            self._move("discriminator")
            self._clamp()
            if (self.steps_done + 1) % self.optimisation.discriminator_per_generator == 0:
                self.discriminator.requires_grad_(False)
                try:
                    self._move("generator")
                finally:
                    self.discriminator.requires_grad_(True)
                self._average()
        self._spend(discriminator_steps=1)

    def _move(self, player: Player) -> None:
        """One optimiser step of one player."""
        index = self.spent.generator_steps if player == "generator" else self.steps_done
        due = tuple(lazy for lazy in self._loss.lazy[player] if index % lazy.every == 0)
        # Draw a fresh batch and fresh latents.
        kind = f"{player}:{','.join(str(lazy.every) for lazy in due)}"
        first = kind not in self.flops_of_moves
        real = self.batches.draw()
        latents = self._loss.latents(len(real.images), self.streams["latents"], watched=first)
        latents = checked_latents(self.generator, latents, len(real.images))
        inputs = MoveInputs(real, latents, self.state)
        # Compute the loss and its gradient; count the FLOPs of the first move of each kind.
        counter = CountFlops() if first else None
        with counter or nullcontext():
            (value, parts, state), judged = self._computed(player, due, kind, inputs, first)
        if counter:
            self.flops_of_moves[kind] = counter.total
        # Let tricks and the monitor see the move, and refuse a loss that can't be.
        monitor = self._recording(index)
        if judged is not None:
            self.active_tricks.after_discriminator(judged.real)
            if monitor:
                monitor.record_outputs(judged.real, judged.fake, judged.exchanged, judged.images)
        self._check(player, value)
        if monitor:
            monitor.record_loss(player, value)
            monitor.record_gradients(player, self.nets()[player])
        # Take one optimiser step.
        self.active_tricks.gradients(player, self.nets()[player])
        decayed(self.optimisers[player], self.optimisation, player, self._progress)
        self.optimisers[player].step()
        # Keep the state, the curves and what was spent.
        self.state = {name: tensor.detach() for name, tensor in state.items()}
        self._note({player: value.detach()} | _named(player, parts))
        one_player = self.discriminator is None
        self._spend(
            generator_steps=int(player == "generator"),
            images=len(real.images) if one_player or player == "discriminator" else 0,
            flops=self.flops_of_moves[kind],
        )

    def _computed(
        self,
        player: Player,
        due: tuple[LazyRegulariser, ...],
        kind: str,
        inputs: MoveInputs,
        first: bool,
    ) -> Computed:
        """The loss of a move, whose gradient is then in the player's parameters."""
        at_once = first or self._deferred is None or self.active_tricks.vary
        if self._graphs is None or at_once:
            return self._differentiated(player, due, inputs, first, self._check_images)

        def compute(given: MoveInputs) -> Computed:
            return self._differentiated(player, due, given, False, lambda images: None)

        computed = self._graphs.run(kind, self.nets()[player], inputs, compute)
        if computed.judged is not None:
            self._check_images(computed.judged.images)
        return computed

    def _differentiated(
        self,
        player: Player,
        due: tuple[LazyRegulariser, ...],
        inputs: MoveInputs,
        first: bool,
        check_images: Callable[[Tensor], None],
    ) -> Computed:
        # The first move of a kind is watched and counted, which compiled code would escape.
        nets = self._compiled.in_use() if self._compiled and not first else nullcontext()
        with nets, self._autocast():
            computed = self._loss(player, due, inputs, first=first, check_images=check_images)
        self.optimisers[player].zero_grad()
        computed.loss.value.backward()
        return computed

    def _autocast(self) -> AbstractContextManager[object]:
        """In which the nets run."""
        if self.training.precision == "bfloat16":
            return torch.autocast(self.device.type, torch.bfloat16)
        return nullcontext()

    def _products(self) -> AbstractContextManager[object]:
        """In which all of a step is computed."""
        if self.training.precision == "tf32":
            return computing_on(str(self.device), Precision.tf32)
        return nullcontext()

    @torch.no_grad()
    def _clamp(self) -> None:
        bound = self.requirements.weight_bound
        if bound is None or self.discriminator is None:
            return
        for parameter in self.discriminator.parameters():
            if parameter.ndim >= 2:  # weights; not biases, nor the scales of norms
                parameter.clamp_(-bound, bound)

    @torch.no_grad()
    def _average(self) -> None:
        if self.average is None or self.training.ema is None:
            return
        newest = dict(self.generator.named_parameters())
        for name, mean in self.average.named_parameters():
            mean.lerp_(newest[name], 1 - self.training.ema)
        buffers = dict(self.generator.named_buffers())
        for name, buffer in self.average.named_buffers():
            buffer.copy_(buffers[name])

    def _note(self, values: Mapping[str, Tensor]) -> None:
        """Note values of the present step for the curves."""
        if self._deferred is None:
            names = tuple(values)
            read = numbers([values[name] for name in names])
            self.curves.add(self.steps_done, dict(zip(names, read, strict=True)))
        else:
            self._deferred.note(self.steps_done, values)

    def _check(self, player: Player, value: Tensor) -> None:
        if self._deferred is not None:
            self._deferred.check(value)
        elif not torch.isfinite(value):
            raise Diverged(
                f"the {player}'s loss was {float(value.detach())} at step {self.steps_done + 1}"
            )

    def _check_images(self, images: Tensor) -> None:
        if self._deferred is not None:
            self._deferred.check(images)
        elif not torch.isfinite(images.sum()) and not torch.isfinite(images).all():
            # The sum, a tenth of the time, is finite only if all are.
            bad = int((~torch.isfinite(images)).flatten(1).any(1).sum())
            raise Diverged(
                f"{bad} of {len(images)} generated images held NaN or infinity "
                f"at step {self.steps_done + 1}"
            )

    def _spend(self, **more: float) -> None:
        self.spent = Spent(
            **{name: have + more.get(name, 0) for name, have in vars(self.spent).items()}
        )


def _named(player: Player, parts: Mapping[str, Tensor]) -> dict[str, Tensor]:
    return {f"{player}.{name}": part.detach() for name, part in parts.items()}
