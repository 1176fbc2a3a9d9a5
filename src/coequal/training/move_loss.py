"""The loss of one move: images are made, the objective is asked, lazy losses are added."""

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from typing import Any, Literal, NamedTuple

import torch
from torch import Tensor, nn

from coequal.contract import (
    Adversarial,
    Batch,
    DiscriminatorOutput,
    Generator,
    GeneratorInput,
    LazyRegulariser,
    Likelihood,
    Loss,
    LossFunction,
    Objective,
    RealBatch,
    Samples,
)
from coequal.rng import Rng
from coequal.training.active_tricks import ActiveTricks, DiscriminatorView
from coequal.training.part_calls import checked_images, checked_loss, no_global_draws

Player = Literal["discriminator", "generator"]


class MoveInputs(NamedTuple):
    """What a move begins with.

    Attributes:
        real: a fresh batch of real images.
        latents: fresh latents of as many images.
        state: what the objective remembers.
    """

    real: Samples
    latents: tuple[Tensor, ...]
    state: Mapping[str, Tensor]


@dataclass(frozen=True, eq=False)
class Judged:
    """What the discriminator gave in its own move.

    Attributes:
        real: its output on the real side; None if it was not asked.
        fake: its output on the generated side; None if it was not asked.
        exchanged: (n,) true for the rows that had changed sides; None if none had.
        images: (n, c, h, w) the generated images, in [0, 1].
    """

    real: DiscriminatorOutput | None
    fake: DiscriminatorOutput | None
    exchanged: Tensor | None
    images: Tensor


class Computed(NamedTuple):
    """The loss of a move, and what the discriminator gave in a move of its own."""

    loss: Loss
    judged: Judged | None = None


class MoveLoss:
    """Computes the loss of a move, and changes nothing but random streams and the averages of
    BatchNorm.

    Args:
        objective: whose loss it is.
        generator: of the training.
        discriminator: of the training; None if it has none.
        tricks: that are on.
        rng: the objective's random stream.
        device: on which the nets are.

    Attributes:
        lazy: the losses that are added, by player.
    """

    def __init__(
        self,
        objective: Objective,
        generator: Generator,
        discriminator: nn.Module | None,
        tricks: ActiveTricks,
        rng: Rng,
        device: torch.device,
    ) -> None:
        self.objective, self.generator, self.discriminator = objective, generator, discriminator
        self.tricks, self.rng, self.device = tricks, rng, device
        needs = objective.requirements()
        self.lazy: dict[Player, tuple[LazyRegulariser, ...]] = {
            "discriminator": needs.discriminator_lazy + tricks.lazy("discriminator"),
            "generator": needs.generator_lazy + tricks.lazy("generator"),
        }

    def latents(self, count: int, rng: Rng, *, watched: bool) -> Any:
        """Fresh latents, as the generator gives them."""
        with self._watching(type(self.generator).latents, "latents", watched):
            return self.generator.latents(count, rng)

    def __call__(
        self,
        player: Player,
        due: tuple[LazyRegulariser, ...],
        inputs: MoveInputs,
        *,
        first: bool,
        check_images: Callable[[Tensor], None],
    ) -> Computed:
        """The loss of a player's move.

        Args:
            player: whose move it is.
            due: the lazy losses that are added in it.
            inputs: what the move begins with.
            first: whether it is the first of its kind, at which the parts are watched.
            check_images: is given the images of a discriminator's move before it sees them.
        """
        real, latents, state = inputs
        if isinstance(self.objective, Likelihood):
            alone = RealBatch(real=real, state=state, rng=self.rng)
            function = self.objective.generator_loss
            return Computed(self._checked(function, first, state, self.generator, alone))
        assert isinstance(self.objective, Adversarial)
        assert self.discriminator is not None
        # Make the images, without a gradient in the discriminator's move.
        request = GeneratorInput(latents, real.conditions)
        view = DiscriminatorView(self.discriminator, self.tricks)
        if player == "discriminator":
            with torch.no_grad():
                fake = self._generated(request, real, first)
            made = fake.images
            check_images(made)
            real, fake = self.tricks.sides(real, fake)
            main: LossFunction = self.objective.discriminator_loss
            players: tuple[Any, ...] = (view,)
        else:
            fake = self._generated(request, real, first)
            main, players = self.objective.generator_loss, (self.generator, view)
        # Add the lazy regularisers that are due to the objective's own loss.
        batch = Batch(real=real, fake=fake, state=state, rng=self.rng)
        value, parts, new = self._checked(main, first, state, *players, batch)
        for lazy in due:
            more = self._checked(lazy.loss, first, state, *players, replace(batch, state=new))
            value, parts, new = (
                value + lazy.every * more.value,
                {**parts, **more.parts},
                more.state,
            )
        if player == "generator":
            return Computed(Loss(value, parts, new))
        if self.tricks.tricks.augment == "ada":
            with torch.no_grad():
                view(real)  # which as a rule has been judged: nothing is computed anew
        judged = Judged(view.known(real), view.known(fake), self.tricks.exchanged, made)
        return Computed(Loss(value, parts, new), judged)

    def _watching(
        self, function: Callable[..., Any], what: str, first: bool
    ) -> AbstractContextManager[None]:
        return no_global_draws(function, what, self.device, watched=first)

    def _generated(self, request: GeneratorInput, real: Samples, first: bool) -> Samples:
        """Counterparts of real images."""
        with self._watching(type(self.generator).forward, "forward", first):
            fake = self.generator(request)
        return checked_images(self.generator, fake, real, values=first)

    def _checked(
        self, function: LossFunction, first: bool, state: Mapping[str, Tensor], *arguments: Any
    ) -> Loss:
        """What a loss returned, if the contract was kept."""
        with self._watching(function, "loss", first):
            returned = function(*arguments)
        return checked_loss(function, returned, state)
