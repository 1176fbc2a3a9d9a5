"""What an objective is given, what it returns, and what it may ask for."""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Generic, NamedTuple, Protocol

from jaxtyping import Float
from torch import Tensor

from coequal.contract.nets import D, Discriminate, DiscriminatorOutput, G, Generator, Samples
from coequal.rng import Rng

State = Mapping[str, Tensor]


class Loss(NamedTuple):
    """What an objective returns: the scalar to minimise, named parts for the log, and its new
    state."""

    value: Float[Tensor, ""]
    parts: Mapping[str, Tensor]
    state: State


class LossFunction(Protocol):
    """A loss of one player. The discriminator's gets `discriminate`; the generator's `generator,
    discriminate`."""

    def __call__(self, *players: Any, real: Samples, fake: Samples, state: State, rng: Rng) -> Loss:
        """The loss of a batch."""
        ...


@dataclass(frozen=True)
class LazyRegulariser:
    """A further loss on every n-th step of a player, times n, in the same backward pass.

    One optimiser step per move for every model. (Karras et al. 2020 make a separate optimiser step
    of each lazy regulariser; a bench that counts steps can't.)
    """

    every: int
    loss: LossFunction


@dataclass(frozen=True)
class Requirements:
    """What an objective wants of the loop and the nets, as data."""

    generator: type[Generator] = Generator
    output: type[DiscriminatorOutput] | None = None  # None: there is no discriminator
    weight_bound: float | None = None  # the loop clamps D's weights (2 axes or more) after D's step
    discriminator_lazy: tuple[LazyRegulariser, ...] = ()
    generator_lazy: tuple[LazyRegulariser, ...] = ()


class Objective(ABC):
    """The mathematics of one paper. Final subclasses are frozen dataclasses of its settings."""

    @abstractmethod
    def requirements(self) -> Requirements:
        """What this objective asks of the loop and of the nets."""

    def initial_state(self) -> State:
        """What it remembers at the start; the loop refuses other keys later."""
        return {}


class Adversarial(Objective, Generic[G, D]):
    """An objective of two players. Neither loss may step, draw from elsewhere, or write to a
    net."""

    @abstractmethod
    def discriminator_loss(
        self, discriminate: Discriminate[D], *, real: Samples, fake: Samples, state: State, rng: Rng
    ) -> Loss:
        """The discriminator's loss; `fake` has no gradient."""

    @abstractmethod
    def generator_loss(
        self,
        generator: G,
        discriminate: Discriminate[D],
        *,
        real: Samples,
        fake: Samples,
        state: State,
        rng: Rng,
    ) -> Loss:
        """The generator's loss; `fake` has a gradient, the discriminator is frozen."""


class Likelihood(Objective, Generic[G]):
    """An objective of one player (VAE, autoregressive and flow models)."""

    @abstractmethod
    def generator_loss(self, generator: G, *, real: Samples, state: State, rng: Rng) -> Loss:
        """The loss of the one player there is."""
