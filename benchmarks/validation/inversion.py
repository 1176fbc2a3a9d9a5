"""Recall by inverting a generator

Numbers are fractions of images. Planted: images that the generator itself made, from latents other
than those from which the searches start, are reached to a squared distance of 0.1. Closed form: for
a linear generator with normal latents the distance is |(I - A A+) (x - b)|^2, and for one with
latents in a box it is that of bounded least squares (SciPy); both agree to 0.2 %. Ten times the
work: the fraction of test images for which the best of four searches that never give up falls on
the same side of 0.75. A perfect generator of triangles can make every test image. Memorised: the
recall at 0.75 of a generator that only repeats the 60,000 training triangles, by the nearest of all
of them. It shows why recall at 0.75 cannot reveal memorisation, while its curve at small delta can.
The generator in question is an NS GAN of an eighth of the study's width after 2,000 steps on
triangles.
"""

import math
import tempfile
from collections.abc import Iterable, Iterator
from pathlib import Path

import torch
from inversion import patient, trained
from scipy.optimize import lsq_linear
from torch import Tensor

from coequal.contract import Dataset, Generator, GeneratorInput, Samples
from coequal.datasets._loading import load_dataset
from coequal.manifolds.inversion.invert import Effort, invert
from coequal.manifolds.polygons.family import PolygonFamily
from coequal.manifolds.polygons.projection import DELTA
from coequal.rng import Rng
from validation.common import Row

CLAIMS = {
    "Inverting a generator finds the images that it can make": (
        "linear generators, an NS GAN on triangles, perfect and memorising generators"
    )
}

NEVER = Effort(stop=False, samples=512, hopeless=math.inf, near=math.inf)


def rows(quick: bool) -> Iterable[Row]:
    """All rows."""
    torch.set_num_threads(1)
    count, steps = (32, 50) if quick else (1024, 2000)
    with tempfile.TemporaryDirectory() as place:
        data = load_dataset("triangles", Path(place))
        yield from _linear(count if quick else 256)
        yield from _of_a_gan(data, count, steps)
        yield from _perfect(data, count if quick else 256)
        yield from _memorised(data, count)


def _row(name: str, setting: str, within: Tensor, low: float, high: float = 1.0, remark: str = ""):
    return Row(
        name, setting, float(within.double().mean()), low, high, len(within), "promise", remark
    )


def _of_a_gan(data: Dataset, count: int, steps: int) -> Iterator[Row]:
    generator, _ = trained(data, 0.125, steps)
    with torch.no_grad():
        images = generator(GeneratorInput(generator.latents(count, Rng(77)))).images
    effort = Effort(delta=0.1, hopeless=math.inf, near=math.inf)
    found = invert(generator, images, Rng(4), effort)
    evaluations = f"{float(found.evaluations.float().mean()):.0f} evaluations an image"
    yield _row("planted, to 0.1", "NS GAN", found.squared <= 0.1, 0.99, remark=evaluations)
    targets = data.test.images[: min(count, 256)]
    one = invert(generator, targets, Rng(4))
    best, _, work = patient(generator, targets)
    same = (one.squared <= DELTA) == (best <= DELTA)
    recalls = [float((squared <= DELTA).float().mean()) for squared in (one.squared, best)]
    own = float(one.evaluations.float().mean())
    remark = f"recall {recalls[0]:.3f}, {recalls[1]:.3f}; {own:.0f}, {work:.0f} evaluations"
    yield _row("ten times the work", "NS GAN", same, 0.97, remark=remark)
    undecided = float(one.undecided.float().mean())
    yield _row("decided", "NS GAN", ~one.undecided, 0.97, remark=f"{undecided:.1%} undecided")


class Affine(Generator):
    """x = A z + b, images of 1 x 8 x 8 that are not clipped."""

    def __init__(self, latents: int, support: tuple[float, float] | None) -> None:
        super().__init__()
        self.matrix = torch.nn.Parameter(0.05 * Rng(3).normal(64, latents))
        self.support = support

    def latents(self, count: int, rng: Rng) -> tuple[Tensor, ...]:
        """Normal, or uniform in the support."""
        size = self.matrix.shape[1]
        if self.support is None:
            return (rng.normal(count, size),)
        return (rng.uniform(count, size, low=self.support[0], high=self.support[1]),)

    def forward(self, request: GeneratorInput) -> Samples:
        """The images."""
        return Samples((request.latents[0] @ self.matrix.T + 0.5).view(-1, 1, 8, 8))


def _linear(count: int) -> Iterator[Row]:
    images = 0.5 + 0.2 * (Rng(1).uniform(count, 1, 8, 8) - 0.5)
    rest = images.flatten(1).double() - 0.5
    for support in (None, (-1.0, 1.0)):
        generator = Affine(12, support)
        found = invert(generator, images, Rng(2), NEVER).squared.double()
        matrix = generator.matrix.detach().double()
        if support is None:
            best = rest @ torch.linalg.pinv(matrix).T
            exact = (rest - best @ matrix.T).square().sum(1)
        else:
            costs = [
                lsq_linear(matrix.numpy(), row.numpy(), support, tol=1e-12).cost for row in rest
            ]
            exact = 2 * torch.tensor(costs)
        setting = "no bounds" if support is None else "box"
        worst = float((found / exact - 1).abs().max())
        within = (found - exact).abs() <= 2e-3 * exact
        yield _row("closed form", setting, within, 0.99, remark=f"at most {worst:.1e} apart")


class Perfect(Generator):
    """Makes every triangle of the clean family, and nothing else."""

    support = (-1.0, 1.0)
    family = PolygonFamily()

    def latents(self, count: int, rng: Rng) -> tuple[Tensor, ...]:
        """A turn and three offsets."""
        return (rng.uniform(count, 4, low=-1.0, high=1.0),)

    def forward(self, request: GeneratorInput) -> Samples:
        """The images."""
        unit = (request.latents[0] + 1) / 2
        low, high = self.family.offsets
        own = low + (high - low) * unit[:, 1:]
        angles = math.tau * unit[:, :1] + own + self.family.segment * torch.arange(3)
        return Samples(self.family.images(self.family.at(angles)))


def _perfect(data: Dataset, count: int) -> Iterator[Row]:
    found = invert(Perfect(), data.test.images[:count], Rng(5))
    yield _row("a perfect generator", "triangles", found.squared <= DELTA, 0.99)


def _memorised(data: Dataset, count: int) -> Iterator[Row]:
    known = data.train.images.whole.flatten(1)
    norms = known.square().sum(1)
    for name, split in (("test", data.test), ("training", data.train)):
        wanted = split.images[:count].flatten(1)
        near = (norms - 2 * wanted @ known.T).argmin(1)
        squared = (known[near] - wanted).square().sum(1)
        for delta in (DELTA, 0.1):
            within = squared <= delta
            low, high = (
                (1.0, 1.0) if name == "training" else (0.92, 0.97) if delta == DELTA else (0, 0.5)
            )
            yield _row("memorised", f"{name} images, at {delta}", within, low, high)
