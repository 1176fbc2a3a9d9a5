"""What an architecture builds, and what it says before anything is built."""

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import ClassVar, Literal

from torch import nn

from coequal.contract.nets import DiscriminatorOutput, Generator, ImageShape
from coequal.contract.objectives import Requirements
from coequal.settings import Settings


@dataclass(frozen=True)
class Players:
    """The networks of one trial.

    Attributes:
        generator: of the kind that the objective requires.
        discriminator: gives the output that the objective requires; None if it requires none.
    """

    generator: Generator
    discriminator: nn.Module | None


@dataclass(frozen=True)
class Capabilities:
    """Which kinds of networks an architecture can build, so that a combination that cannot work is
    refused before anything starts.

    Attributes:
        generators: the kinds of its generators; a kind also counts as those that it extends.
        outputs: the kinds of output of its discriminators, in the same way.
        shapes: the image shapes for which it builds networks, in words, for messages.
    """

    generators: tuple[type[Generator], ...]
    outputs: tuple[type[DiscriminatorOutput], ...]
    shapes: str

    def unmet(self, requirements: Requirements) -> list[str]:
        """What `requirements` asks for and this architecture can't build, in words; empty if it can
        build everything."""
        unmet = []
        if not any(issubclass(kind, requirements.generator) for kind in self.generators):
            unmet.append(f"a {requirements.generator.__name__}")
        if requirements.output and not any(
            issubclass(kind, requirements.output) for kind in self.outputs
        ):
            unmet.append(f"a discriminator that gives {requirements.output.__name__}")
        return unmet


class Architecture(Settings, ABC):
    """Builds networks for an image shape. Final subclasses are frozen dataclasses of settings."""

    capabilities: ClassVar[Capabilities]

    @property
    def uses_labels(self) -> frozenset[Literal["generator", "discriminator"]]:
        """Which of the networks are given the images' labels, with these settings."""
        return frozenset()

    def unmet(self, requirements: Requirements) -> list[str]:
        """What `requirements` asks for and these networks, with these settings, can't provide.

        In words; empty if they provide everything."""
        return self.capabilities.unmet(requirements)

    @abstractmethod
    def unsupported_reason(self, shape: ImageShape) -> str | None:
        """Why no networks can be built for images of this shape, in words; None if they can."""

    @abstractmethod
    def build(self, shape: ImageShape, classes: int | None, requirements: Requirements) -> Players:
        """Build networks with fresh parameters, drawn from torch's global generator.

        Args:
            shape: channels, height and width of the images.
            classes: how many classes the data has; None for data without classes.
            requirements: of the objective: the kinds of generator and of output to build.

        torch's initialisers know no other source. The only caller
        (`training.loop.build_players`) seeds that generator in a fork of its own.
        """
