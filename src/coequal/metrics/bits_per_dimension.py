"""Likelihood of real images, for generators that have one: van den Oord et al. 2016,
arXiv:1601.06759.

It measures how well a density model predicts images that it was not trained on; a generator without
a density (a GAN, a VAE) has no such number.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, ClassVar

import torch
from pydantic import Field
from torch import Tensor

from coequal.contract import (
    DensityGenerator,
    ImageSet,
    Metric,
    MetricInfo,
    MetricValue,
    RequiredInput,
    Samples,
)
from coequal.images import as_float
from coequal.rng import Rng

PART = "BitsPerDimension"
IMAGES_PER_BATCH = 100


@dataclass(frozen=True)
class BitsPerDimension(Metric):
    """-log2 p(x) / (pixels x channels) of real images x, whose values are 256 levels.

    For a conditional generator it is log2 p(x | label), with the images' own labels; numbers with
    and without labels are not of one kind. The standard error is over the images. NaN if a
    probability is not finite.

    Attributes:
        images: so many, the first of the split.
    """

    images: Annotated[int, Field(ge=2)] = 1024

    error_over: ClassVar[str] = "new real images"
    outputs: ClassVar[Mapping[str, MetricInfo]] = {
        "bits_per_dimension": MetricInfo(
            "lower",
            "bits per pixel and channel; 8 is a uniform distribution",
            use="how well a model with a density foretells real pixels; not how its images look",
        )
    }
    required: ClassVar[tuple[RequiredInput, ...]] = ("images", "generator", "density")

    def compute_reference(self, real: ImageSet, train: ImageSet | None) -> Mapping[str, Tensor]:
        """Keep the real images, and their labels if they have any."""
        assert real.images is not None
        reference = {"images": real.images[: self.images].clone()}
        if real.labels is not None:
            reference["labels"] = real.labels[: self.images].clone()
        return reference

    def compute_values(
        self, *, real: Mapping[str, Tensor], fake: ImageSet, rng: Rng
    ) -> Mapping[str, MetricValue]:
        """Compute the likelihood of the real images; nothing without a generator, for one that
        gives no probability, and for one that needs labels of images that have none."""
        generator, labels = fake.generator, real.get("labels")
        if not isinstance(generator, DensityGenerator):
            return {}
        if generator.conditional and labels is None:
            return {}
        bits = _bits(generator, real["images"], labels if generator.conditional else None)
        error = float(bits.std()) / math.sqrt(len(bits)) if len(bits) > 1 else None
        return {"bits_per_dimension": MetricValue(float(bits.mean()), error)}


@torch.no_grad()
def _bits(generator: DensityGenerator, images: Tensor, labels: Tensor | None) -> Tensor:
    """Bits per dimension of each image, float64, on the CPU; the generator's mode stays."""
    device = next((p.device for p in generator.parameters()), torch.device("cpu"))
    training = generator.training
    generator.eval()
    log_likelihoods = []
    try:
        for start in range(0, len(images), IMAGES_PER_BATCH):
            part = slice(start, start + IMAGES_PER_BATCH)
            own = None if labels is None else labels[part].to(device)
            samples = Samples(as_float(images[part]).to(device), own)
            log_likelihoods.append(generator.log_likelihood(samples).double().cpu())
    finally:
        generator.train(training)
    return -torch.cat(log_likelihoods) / (math.log(2) * images[0].numel())
