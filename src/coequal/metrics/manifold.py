"""Precision and recall against a manifold that is known: Lucic et al. 2018, arXiv:1711.10337, s. 5.

They see what no distance of features does: whether single images are right, and whether the
generator can make those that it was not shown.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar, get_args

import torch
from jaxtyping import Float
from pydantic import PositiveFloat
from torch import Tensor

from coequal.contract import (
    DensityGenerator,
    ImageSet,
    KnownManifold,
    Metric,
    MetricInfo,
    MetricValue,
    RequiredInput,
)
from coequal.images import as_float
from coequal.manifolds.inversion.invert import Effort, Inversion, invert
from coequal.manifolds.polygons.family import Mode, PolygonFamily
from coequal.manifolds.polygons.projection import DELTA, Name, Projection, project
from coequal.metrics._canonical_order import some
from coequal.metrics._proportions import f1_value, proportion_of
from coequal.rng import Rng
from coequal.settings import Count

PART = "Manifold"
MODES: tuple[Mode, ...] = get_args(Mode)
ROUNDING = 1e-5  # by which a value may miss [0, 1]


@dataclass(frozen=True)
class Manifold(Metric):
    """Fractions of images within a squared distance of 0.75 of each other's side.

    - `manifold_precision`: of generated images, near the closest polygon (see `distance`).
    - `manifold_recall`: of real images, near the closest image that the generator can make, which
      is found by inverting it (see `manifolds.inversion.invert`). Needs the generator; not for one
      with a density, which can make every image, and whose images may have no gradient.
    - `manifold_f1`: their harmonic mean; 0 if both are 0.
    - `manifold_distance`: mean squared distance of generated images, which still tells generators
      apart where none is precise.
    - `manifold_undecided`: fraction of real images whose search ran out of effort between 0.75 and
      1.5: what recall may lack.

    Standard errors are those of a binomial fraction over new samples (of real images, for recall),
    to first order for F1; intervals are Wilson's, for F1 combined from both (Zou and Donner 2008).
    Precision is of `images` generated images drawn at random, or of all if there are fewer; recall
    of the first `images` of the split.

    Attributes:
        delta: squared distance, in squares of the range from black to white.
        images: how many of each side are used, at most.
        manifold: "convex" polygons of the image, as published, or the data's own "family".
    """

    delta: PositiveFloat = DELTA
    images: Count = 1024
    manifold: Name = "convex"

    outputs: ClassVar[Mapping[str, MetricInfo]] = {
        "manifold_precision": MetricInfo(
            "higher",
            "fraction of generated images",
            worst=0.0,
            best=1.0,
            use="quality where the truth is known: how many images are what they should be",
        ),
        "manifold_recall": MetricInfo(
            "higher",
            "fraction of real images",
            worst=0.0,
            best=1.0,
            use="variety where the truth is known: how many held-out images the generator can make",
        ),
        "manifold_f1": MetricInfo(
            "higher",
            "0 to 1",
            worst=0.0,
            best=1.0,
            label="manifold F1",
            use="both where the truth is known, in one number",
        ),
        "manifold_distance": MetricInfo(
            "lower",
            "squared distance",
            best=0.0,
            use="how far images are off what they should be",
        ),
        "manifold_undecided": MetricInfo(
            "lower",
            "fraction of real images",
            worst=1.0,
            best=0.0,
            use="how much of manifold_recall the search left open",
        ),
    }
    on_cpu: ClassVar[bool] = True
    required: ClassVar[tuple[RequiredInput, ...]] = ("images",)
    required_for: ClassVar[Mapping[str, RequiredInput]] = {
        "manifold_recall": "generator",
        "manifold_f1": "generator",
        "manifold_undecided": "generator",
    }

    @classmethod
    def unsupported_reason(cls, manifold: KnownManifold | None) -> str | None:
        """Refuse all but polygons."""
        if isinstance(manifold, PolygonFamily):
            return None
        return "needs polygons, whose manifold is known: triangles, squares, polygons:5"

    def compute_reference(self, real: ImageSet, train: ImageSet | None) -> Mapping[str, Tensor]:
        """Keep the real images that the generator has to reach, and the family."""
        family = real.manifold
        assert isinstance(family, PolygonFamily)
        assert real.images is not None
        return {
            "images": as_float(real.images[: self.images]).clone(),
            "family": torch.tensor([family.vertices, family.size, MODES.index(family.mode)]),
        }

    def compute_values(
        self, *, real: Mapping[str, Tensor], fake: ImageSet, rng: Rng
    ) -> Mapping[str, MetricValue]:
        """Compute the numbers, without a generator only those that need none.

        Raises:
            FloatingPointError: the generator's images are not finite: recall is undefined.
            ValueError: images of another shape than the manifold's.
        """
        assert fake.images is not None
        family = family_of(real["family"])
        images = some(as_float(fake.images), self.images, rng)
        near = distance(images, family, self.manifold, self.delta)
        precise = near.squared <= self.delta
        numbers = {
            "manifold_precision": proportion_of(precise),
            "manifold_distance": _mean(near.squared),
        }
        if fake.generator is None or isinstance(fake.generator, DensityGenerator):
            return numbers
        reached = self.inverted(real, fake, rng)
        recalled = reached.squared <= self.delta
        return numbers | {
            "manifold_recall": proportion_of(recalled),
            "manifold_f1": f1_value(precise, recalled),
            "manifold_undecided": proportion_of(reached.undecided),
        }

    def inverted(self, real: Mapping[str, Tensor], fake: ImageSet, rng: Rng) -> Inversion:
        """The search for the real images, on the generator's device."""
        assert fake.generator is not None
        device = next((p.device for p in fake.generator.parameters()), torch.device("cpu"))
        own = Rng(int(rng.integers(2**31, 1)), device)
        return invert(fake.generator, real["images"][: self.images], own, Effort(delta=self.delta))


def distance(
    images: Float[Tensor, "n 1 size size"] | Tensor,
    family: PolygonFamily | None = None,
    manifold: Name = "convex",
    delta: float = DELTA,
) -> Projection:
    """Squared distance to the manifold, the closest polygon, and whether that is certain.

    Args:
        images: grey, uint8 or float32 in [0, 1], black polygons on white.
        family: of the polygons; default: triangles of the images' size.
        manifold: "convex": any convex polygon in the image of at least the family's least area;
            "family": the inscribed polygons that the data are.
        delta: squared distance at which an image counts as on the manifold; more effort is spent
            near it.

    Raises:
        ValueError: images of another shape, number of channels or range.
    """
    if images.dim() != 4 or images.shape[1] != 1 or images.shape[2] != images.shape[3]:
        raise ValueError(
            f"the manifold is of square grey images (n, 1, size, size); got {tuple(images.shape)}"
        )
    family = family or PolygonFamily(size=images.shape[2])
    if images.shape[2] != family.size:
        size = images.shape[2]
        raise ValueError(f"images are {size}x{size}, the manifold's {family.size}x{family.size}")
    values = as_float(images)
    low, high = float(values.nan_to_num(0.5).min()), float(values.nan_to_num(0.5).max())
    if low < -ROUNDING or high > 1 + ROUNDING:
        raise ValueError(f"images must lie in [0, 1], found {low:g} to {high:g}")
    return project(values.clamp(0, 1), family, manifold, delta)


def family_of(numbers: Tensor) -> PolygonFamily:
    """The family that a reference keeps as numbers."""
    vertices, size, mode = numbers.tolist()
    return PolygonFamily(vertices, size, MODES[mode])


def _mean(squared: Tensor) -> MetricValue:
    count = len(squared)
    error = float(squared.std()) / math.sqrt(count) if count > 1 else None
    return MetricValue(float(squared.mean()), error)
