"""How close a generator can come to given images: a search of its latents, with the generator
fixed."""

from copy import deepcopy
from dataclasses import dataclass
from typing import NamedTuple

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor, nn
from torch.nn.utils.fusion import fuse_conv_bn_eval, fuse_linear_bn_eval

from coequal.contract import Generator, GeneratorInput
from coequal.manifolds.inversion import lbfgs
from coequal.manifolds.inversion.latents import joined, split, support_of
from coequal.manifolds.polygons.projection import DELTA
from coequal.rng import Rng

IMAGES_PER_EVALUATION = 128
SAMPLES_PER_BATCH = 512
HOPELESS_AFTER = 100
"""Number of evaluations after which searches beyond `Effort.hopeless` are given up."""
ENDED_PER_BATCH = 1 / 8
"""Fraction of ended searches from which they leave the batch."""


@dataclass(frozen=True)
class Effort:
    """How long to search, and when to stop.

    Attributes:
        delta: squared distance at which an image counts as reached.
        stop: whether a search ends there. Distances are then right about `delta` and nothing else;
            a curve over delta needs a run that is not stopped.
        samples: number of the generator's own images, the nearest of which is the start.
        ticks: number of evaluations of every image, except for those still beyond `hopeless` after
            100.
        more: total number of evaluations of images that are within `near` by then.
        hopeless: squared distance, in units of delta, beyond which a search is given up.
        near: squared distance, in units of delta, within which a search goes on.
    """

    delta: float = DELTA
    stop: bool = True
    samples: int = 8192
    ticks: int = 300
    more: int = 1000
    hopeless: float = 20.0
    near: float = 4.0


class Inversion(NamedTuple):
    """Result of a search, with one row per image.

    Attributes:
        squared: squared distance to the nearest image that the search reached.
        latents: latents of that image.
        evaluations: number of evaluations.
        undecided: whether the search ran out of evaluations between delta and twice delta.
    """

    squared: Float[Tensor, " n"]
    latents: Float[Tensor, "n d"]
    evaluations: Int[Tensor, " n"]
    undecided: Bool[Tensor, " n"]


def invert(
    generator: Generator, images: Float[Tensor, "n c h w"], rng: Rng, effort: Effort | None = None
) -> Inversion:
    """Find the generator's images nearest to given ones, with the latents in the support of their
    prior.

    The search is z = argmin |x - G(z)|^2 by batched L-BFGS, from the nearest of the generator's own
    samples and with BatchNorm's moving averages. The generator is not changed.

    Args:
        generator: a generator without labels, with any latents.
        images: (n, c, h, w) float32 images in [0, 1].
        rng: generator of random numbers on the generator's device, for the samples that searches
            start from.
        effort: when to stop; None means the defaults.

    Raises:
        FloatingPointError: the generator's own images are not finite, so that recall is undefined.

    Source of the idea: Lucic et al. 2018, arXiv:1711.10337, section 5; the optimiser is this
    project's.
    """
    return _Search(generator, images.to(rng.device), rng, effort or Effort()).run()


class _Search:
    """One generator, the images to come close to, and the samples that searches start from."""

    def __init__(self, generator: Generator, images: Tensor, rng: Rng, effort: Effort) -> None:
        self.net = folded(generator)
        self.images, self.effort = images.flatten(1), effort
        drawn = self.net.latents(effort.samples, rng)
        self.like = tuple(part[:1] for part in drawn)  # shapes, to cut rows of numbers into latents
        self.samples = joined(drawn)
        self.support = support_of(generator, self.samples.shape[1])

    def run(self) -> Inversion:
        """Search in rounds; each leaves out the searches that have ended or are too far away."""
        effort, finished = self.effort, []
        rows = torch.arange(len(self.images), device=self.images.device)
        pool = lbfgs.begin(rows, self.support.free(self.samples[self._nearest()]), self._evaluate)
        rounds = (
            (min(HOPELESS_AFTER, effort.ticks), effort.hopeless),
            (effort.ticks, effort.near),
            (effort.more, 0.0),
        )
        for until, hope in rounds:
            parts = rows[: len(pool)].split(IMAGES_PER_EVALUATION)
            pool = lbfgs.concatenate([self._until(pool.of(part), until) for part in parts])
            over = self._over(pool) | (pool.values > hope * effort.delta)
            finished.append(pool.of(over))
            pool = pool.of(~over)
        return self._answer(lbfgs.concatenate([*finished, pool]))

    def _until(self, part: lbfgs.Problems, ticks: int) -> lbfgs.Problems:
        """Search a part up to a number of evaluations; ended searches are removed in between."""
        aside = []
        while len(part) and int(part.ticks.max()) < ticks:
            lbfgs.tick(part, self._evaluate)
            over = self._over(part)
            if int(over.sum()) >= ENDED_PER_BATCH * len(part):
                aside.append(part.of(over))
                part = part.of(~over)
        return lbfgs.concatenate([*aside, part])

    def _over(self, part: lbfgs.Problems) -> Tensor:
        return part.ended | (part.values <= self.effort.delta) if self.effort.stop else part.ended

    def _evaluate(self, points: Tensor, rows: Tensor) -> tuple[Tensor, Tensor]:
        """Squared distances and their gradients, computed in batches."""
        evaluated = []
        for free, part in zip(
            points.split(IMAGES_PER_EVALUATION), rows.split(IMAGES_PER_EVALUATION), strict=True
        ):
            free = free.detach().requires_grad_()
            with torch.enable_grad():
                request = GeneratorInput(split(self.support.inside(free), self.like))
                images = self.net(request).images.flatten(1)
                squared = (images - self.images[part]).square().sum(1)
                (gradient,) = torch.autograd.grad(squared.sum(), free)
            evaluated.append((squared.detach(), gradient))
        return torch.cat([squared for squared, _ in evaluated]), torch.cat(
            [g for _, g in evaluated]
        )

    @torch.no_grad()
    def _nearest(self) -> Tensor:
        """(n,) index of the sample nearest to each image."""
        least = self.images.new_full((len(self.images),), torch.inf)
        nearest = torch.zeros(len(self.images), dtype=torch.int64, device=self.images.device)
        for start in range(0, len(self.samples), SAMPLES_PER_BATCH):
            latents = self.samples[start : start + SAMPLES_PER_BATCH]
            images = self.net(GeneratorInput(split(latents, self.like))).images.flatten(1)
            bad = int((~torch.isfinite(images)).any(1).sum())
            if bad:
                raise FloatingPointError(
                    f"recall is undefined: {bad} of {len(images)} images of the generator contain "
                    "NaN or infinity"
                )
            squares = (
                images.square().sum(1) - 2 * self.images @ images.T
            )  # + |x|^2, the same for all
            closest = squares.min(1)
            nearest = torch.where(closest.values < least, start + closest.indices, nearest)
            least = torch.minimum(least, closest.values)
        return nearest

    def _answer(self, pool: lbfgs.Problems) -> Inversion:
        """The result in the order of the images."""
        pool = pool.of(pool.rows.argsort())
        delta = self.effort.delta
        undecided = (pool.values > delta) & (pool.values <= 2 * delta) & ~pool.ended
        latents = self.support.inside(pool.points)
        return Inversion(pool.values, latents, pool.ticks, undecided)


def folded(generator: Generator) -> Generator:
    """Return a copy of a generator that is faster to evaluate and makes the same images up to
    rounding.

    Its weights are fixed, BatchNorm uses its moving averages and, where a layer stands before it,
    is folded into that layer.

    Args:
        generator: the generator; it is not changed.
    """
    net = deepcopy(generator).eval().requires_grad_(False)
    for module in net.modules():
        if isinstance(module, nn.Sequential):
            _fold(module)
    return net


def _fold(layers: nn.Sequential) -> None:
    for at in range(len(layers) - 1):
        layer, norm = layers[at], layers[at + 1]
        if isinstance(layer, nn.Linear) and isinstance(norm, nn.BatchNorm1d):
            layers[at] = fuse_linear_bn_eval(layer, norm)
        elif isinstance(layer, nn.ConvTranspose2d) and isinstance(norm, nn.BatchNorm2d):
            layers[at] = fuse_conv_bn_eval(layer, norm, transpose=True)
        elif isinstance(layer, nn.Conv2d) and isinstance(norm, nn.BatchNorm2d):
            layers[at] = fuse_conv_bn_eval(layer, norm)
        else:
            continue
        layers[at + 1] = nn.Identity()
