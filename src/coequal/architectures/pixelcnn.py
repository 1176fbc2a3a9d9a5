"""PixelCNN++: Salimans et al. 2017, arXiv:1701.05517."""

from dataclasses import dataclass
from typing import ClassVar, Literal

import torch
from jaxtyping import Float
from pydantic import PositiveFloat
from torch import Tensor

from coequal.architectures import _logistics
from coequal.architectures._layers import unsupported
from coequal.architectures._pixel_net import STAGES, PixelNet
from coequal.architectures._pixel_sampling import sample
from coequal.contract import (
    Architecture,
    Capabilities,
    DensityGenerator,
    GeneratorInput,
    ImageShape,
    Players,
    Requirements,
    Samples,
)
from coequal.rng import Rng
from coequal.settings import Count

PART = "PixelCnn"

FILTERS = 160  # of every layer, at width 1
SIDE = 2 ** (STAGES - 1)  # what divides height and width


class PixelGenerator(DensityGenerator):
    """One pixel after the other, in reading order, each from a mixture of discretised logistics."""

    support = (0.0, 1.0)

    def __init__(
        self, shape: ImageShape, width: int, blocks: int, mixtures: int, classes: int | None
    ) -> None:
        super().__init__()
        self.shape, self.mixtures = shape, mixtures
        self.conditional = classes is not None
        numbers = _logistics.size(shape.channels, mixtures)
        self.net = PixelNet(shape.channels, width, blocks, numbers, classes)

    def latents(self, count: int, rng: Rng) -> tuple[Tensor, ...]:
        """(count, 1 + channels, height, width) numbers: one that chooses the logistic of a pixel,
        and one for each of its channels."""
        channels, height, width = self.shape
        return (rng.uniform(count, 1 + channels, height, width),)

    def forward(self, request: GeneratorInput) -> Samples:
        """Images of 256 levels, as level / 255, without a gradient: they are rounded."""
        asked = request.conditions
        uniforms = request.latents[0].to(self.net.last.bias.dtype)
        levels = sample(self.net, self._distribution, uniforms, self._known(asked.labels))
        return Samples(levels / (_logistics.LEVELS - 1), asked.labels, asked.sources)

    def distributions(self, real: Samples) -> _logistics.Mixture:
        """Of every pixel, given those before it."""
        return self._distribution(
            self.net(_logistics.on_line(_levels(real)), self._known(real.labels))
        )

    def log_likelihood(self, real: Samples) -> Float[Tensor, " n"]:
        """Nats; values between two levels count as the nearer one.

        Raises:
            ValueError: a conditional generator is given no labels.
        """
        found = _logistics.log_probability(self.distributions(real), _levels(real))
        return found.flatten(1).sum(1)

    def _distribution(self, numbers: Tensor) -> _logistics.Mixture:
        return _logistics.mixture(numbers, self.shape.channels, self.mixtures)

    def _known(self, labels: Tensor | None) -> Tensor | None:
        if self.conditional and labels is None:
            raise ValueError("this PixelCNN++ was built for classes, and is given no labels")
        return labels if self.conditional else None


@dataclass(frozen=True)
class PixelCnn(Architecture):
    """Three stages of gated residual blocks, in two streams, with short cuts; no discriminator.

    As in the paper, with convolutions normalised by weight. Departures: there is no dropout (the
    paper has 0.5 in every block), for a loss may draw only from its own stream, and torch's dropout
    knows no stream; nor is the first batch used to set the layers' scales. Classes enter as in the
    authors' code, a vector of the class added in every block. "How good is my GAN?" (Shmelkov et
    al. 2018, arXiv:1807.09499) measured such a conditional net.

    Attributes:
        width: multiplies the 160 filters of every layer.
        blocks: residual blocks of a stage on the way down; 5 in the paper.
        mixtures: logistics of a pixel; 10 in the paper.
        generator_labels: "embedding": a learnt vector of the class is added in every block; "none":
            the net knows no classes, as it must for images without labels.
    """

    width: PositiveFloat = 1.0
    blocks: Count = 5
    mixtures: Count = 10
    generator_labels: Literal["none", "embedding"] = "none"

    capabilities: ClassVar[Capabilities] = Capabilities(
        generators=(DensityGenerator,),
        outputs=(),
        shapes=f"1 or 3 channels, height and width divisible by {SIDE}",
    )

    @property
    def uses_labels(self) -> frozenset[Literal["generator", "discriminator"]]:
        """The generator's alone, if the setting says so."""
        return frozenset({"generator"} if self.generator_labels == "embedding" else ())

    def unsupported_reason(self, shape: ImageShape) -> str | None:
        """Why images of this shape can't be had, in words; None if they can."""
        if shape.channels in (1, 3) and shape.height % SIDE == 0 and shape.width % SIDE == 0:
            return None
        return unsupported(self, shape)

    def build(self, shape: ImageShape, classes: int | None, requirements: Requirements) -> Players:
        """A generator with a density, and no discriminator.

        Raises:
            ValueError: classes are to be known, and there are none.
        """
        known = classes if self.uses_labels else None
        if self.uses_labels and known is None:
            raise ValueError("nets that take labels were asked for, and the images have none")
        filters = max(1, round(FILTERS * self.width))
        generator = PixelGenerator(shape, filters, self.blocks, self.mixtures, known)
        return Players(generator, discriminator=None)


def _levels(real: Samples) -> Float[Tensor, "n c h w"]:
    """Images in [0, 1] as whole numbers 0 .. 255."""
    return torch.round(real.images * (_logistics.LEVELS - 1)).clamp(0, _logistics.LEVELS - 1)
