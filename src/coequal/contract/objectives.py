"""What an objective is given, what it returns, and what it may ask for."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Generic, NamedTuple

from jaxtyping import Float
from torch import Tensor

from coequal.contract.nets import D, Discriminate, DiscriminatorOutput, G, Generator, Samples
from coequal.rng import Rng
from coequal.settings import Settings

State = Mapping[str, Tensor]


@dataclass(frozen=True, kw_only=True, eq=False)
class RealBatch:
    """What the loss of a model without a discriminator is given for one move.

    Attributes:
        real: n images of the training split, (n, c, h, w) in [0, 1], with their labels and sources
            if the data has them. n is the batch size of the study.
        state: what the objective remembers, by name, as its last loss returned it; at the first
            move, its `initial_state()`. The tensors carry no gradient, and are never written to.
        rng: the objective's own random stream, on the device of the images. It is the only source
            that a loss may draw from; checkpoints hold its state.
    """

    real: Samples
    state: State
    rng: Rng


@dataclass(frozen=True, kw_only=True, eq=False)
class Batch(RealBatch):
    """What a loss of an adversarial model is given for one move.

    Attributes:
        fake: n generated images, (n, c, h, w) in [0, 1], with the labels and sources that they were
            asked for: those of `real`, row by row. They carry a gradient to the generator's
            parameters in the generator's move only.
    """

    fake: Samples


class Loss(NamedTuple):
    """What a loss function returns.

    Attributes:
        value: the finite scalar that the player's optimiser step minimises, with a gradient to the
            player's parameters.
        parts: scalars for the loss curves, by name; none of them is minimised.
        state: what the objective remembers from now on, with the keys of `initial_state()`.
    """

    value: Float[Tensor, ""]
    parts: Mapping[str, Tensor]
    state: State


LossFunction = Callable[..., Loss]
"""A loss of one player, with the arguments of `Adversarial.discriminator_loss` (`discriminate,
batch`) or of `Adversarial.generator_loss` (`generator, discriminate, batch`)."""


@dataclass(frozen=True)
class LazyRegulariser:
    """A further loss on every n-th move of a player, times n, in the same backward pass.

    One optimiser step per move for every model. (Karras et al. 2020 take a separate optimiser step
    for each lazy regulariser; that would make step counts incomparable.)

    Attributes:
        every: n, at least 1; the first of these moves is the player's first one.
        loss: takes the arguments of the player's loss. Its batch holds the same images, and the
            state that the loss before it returned.
    """

    every: int
    loss: LossFunction


@dataclass(frozen=True)
class Requirements:
    """What an objective needs from the loop and the networks, and what it is, as data.

    The loop acts on the first five attributes. `coequal.health` reads the others to judge a run and
    to propose changes.

    Attributes:
        generator: the kind of generator that its losses work with.
        output: the kind of output that its discriminator gives; None if it has no discriminator.
        weight_bound: the loop clamps the discriminator's parameters of two or more axes (weights,
            not biases or scales) to [-weight_bound, weight_bound] after each of its steps; None
            for no bound.
        discriminator_lazy: further losses of the discriminator, with their periods.
        generator_lazy: further losses of the generator, with their periods.
        real_targets: whether the discriminator's loss has a target for real images, which the
            objective's setting `one_sided_smoothing` moves.
        gradient_penalty: whether the discriminator's loss has a gradient penalty of its own, whose
            weight is the objective's setting `penalty_weight`.
        critic: whether the discriminator estimates a distance and should be ahead of the
            generator.
        saturates: whether the generator's gradient vanishes if the discriminator is confident.
    """

    generator: type[Generator] = Generator
    output: type[DiscriminatorOutput] | None = None
    weight_bound: float | None = None
    discriminator_lazy: tuple[LazyRegulariser, ...] = ()
    generator_lazy: tuple[LazyRegulariser, ...] = ()
    real_targets: bool = False
    gradient_penalty: bool = False
    critic: bool = False
    saturates: bool = False


class Objective(Settings, ABC):
    """The mathematics of one paper. Final subclasses are frozen dataclasses of its settings."""

    @abstractmethod
    def requirements(self) -> Requirements:
        """What this objective needs from the loop and the networks.

        It depends on the settings only, and is called before anything is built.
        """

    def initial_state(self) -> State:
        """What the objective remembers before the first move, by name.

        Returns:
            Tensors on the CPU, which the loop moves to the device of the training. Their keys are
            the keys of every later state. Empty by default: most objectives remember nothing.
        """
        return {}


class Adversarial(Objective, Generic[G, D]):
    """An objective of two players.

    Neither loss may take an optimiser step, call `backward`, draw from anything but `batch.rng`,
    remember anything outside the state, or write to a network.
    """

    @abstractmethod
    def discriminator_loss(self, discriminate: Discriminate[D], batch: Batch) -> Loss:
        """The loss that one optimiser step of the discriminator minimises.

        Args:
            discriminate: gives the discriminator's output for any samples, of the kind
                `requirements().output`: for `Logits` one unbounded float32 number per image, (n,).
                It is the discriminator in training mode, with the noise and the augmentation that
                the study may have switched on. One `Samples` object is judged once per move: a
                second call gives the same output. The objective may also pass samples that it made
                itself (the points of a penalty); their cost is counted in FLOPs.
            batch: real and generated images; `fake` has no gradient. Where a study smooths or
                flips labels, some rows of `real` and `fake` have already been swapped.

        Returns:
            The scalar to minimise, a mean over the images of the batch (not a sum), in the units of
            the paper; scalars for the loss curves; the next state.

        Raises:
            ValueError: the batch lacks what the objective needs, usually labels.

        The loop ends the trial if the value is not finite (`Diverged`), and refuses a state whose
        keys differ from those of `initial_state()` (`ValueError`).
        """

    @abstractmethod
    def generator_loss(self, generator: G, discriminate: Discriminate[D], batch: Batch) -> Loss:
        """The loss that one optimiser step of the generator minimises.

        Args:
            generator: the generator in training mode, of the kind `requirements().generator`. Most
                losses do not need it, because `batch.fake` holds its images.
            discriminate: as in `discriminator_loss`, with the discriminator's parameters frozen:
                the gradient flows through it to the images, and not into it.
            batch: a fresh batch, not that of the discriminator's move; `fake` has a gradient to the
                generator's parameters.

        Returns:
            As for `discriminator_loss`. Both losses share one state.

        Raises:
            ValueError: the batch lacks what the objective needs, usually labels.
        """


class Likelihood(Objective, Generic[G]):
    """An objective of one player (VAE, autoregressive and flow models).

    The loss may not take an optimiser step, call `backward`, draw from anything but `batch.rng`,
    remember anything outside the state, or write to the network.
    """

    @abstractmethod
    def generator_loss(self, generator: G, batch: RealBatch) -> Loss:
        """The loss that one optimiser step of the only player minimises.

        Args:
            generator: the network in training mode, of the kind `requirements().generator`. The
                loss is computed through its methods (`encode` and `decode`, `log_likelihood`).
            batch: real images, and no generated ones.

        Returns:
            The scalar to minimise, a mean over the images of the batch, in the units of the paper;
            scalars for the loss curves; the next state.

        Raises:
            ValueError: the batch lacks what the objective needs, usually labels.
        """
