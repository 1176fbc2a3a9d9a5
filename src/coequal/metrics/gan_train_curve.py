"""How many real images are these generated images worth? After Shmelkov et al. 2018,
arXiv:1807.09499, figure 4: GAN-train against the number of images, beside that for real images.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any, ClassVar

import torch
from jaxtyping import Bool, Float, Int
from pydantic import Field
from torch import Tensor

from coequal.contract import MetricInfo, MetricValue
from coequal.metrics._accuracies import ONE_SEED, accuracy, is_correct, summary
from coequal.metrics._classifiers import ClassifierMetric, Labelled, predictions, trained
from coequal.rng import Rng
from coequal.settings import Count

PART = "GanTrainCurve"
INTERVAL_DRAWS = 1_000


@dataclass(frozen=True)
class GanTrainCurve(ClassifierMetric):
    """Accuracy on the real images of classifiers trained on more and more images.

    - `worth_of_real`: the number of real training images that teach as much as all generated
      images do, by interpolation of the real curve in the logarithm of the number (a curve that
      falls by noise is levelled). It can't be told outside the real sizes: the value is then the
      smallest or the largest of them, and the detail `bound` is "at most" or "at least". An end
      of the interval at one of these sizes is open likewise.

    All classifiers of both sides take the same number of gradient steps, that of the recipe for all
    training images. Subsets are drawn evenly from all classes; each lies in the next larger one.

    The interval is over new real images to judge (they are drawn anew from themselves, the same for
    both sides) and new classifier seeds (Student's t of the spread of each size), not over newly
    generated or other training images. There is no standard error: the distribution is skewed, with
    open ends.

    Attributes:
        sizes: how many, from `smallest` to all of a side's images, evenly in the logarithm.
        smallest: images per class of the smallest size.
    """

    error_over: ClassVar[str] = "new real images to judge and new classifier seeds"
    outputs: ClassVar[Mapping[str, MetricInfo]] = {
        "worth_of_real": MetricInfo(
            "higher",
            "real images",
            use="how many real images the generated ones are worth in training a classifier",
        )
    }
    sizes: Annotated[int, Field(ge=2)] = 5
    smallest: Count = 10

    def judge_real(self, judged: Labelled, taught: Labelled, classes: int) -> Mapping[str, Tensor]:
        """Keep the real images and labels, and what the classifiers of each size predict for
        them."""
        steps = self.recipe.steps_for(len(taught.labels))
        sizes = self._sizes(len(taught.labels), classes)
        return {
            "images": judged.images,
            "labels": judged.labels,
            "said": self._curve(taught, classes, steps, sizes, judged.images),
            "sizes": torch.tensor(sizes),
            "counts": torch.tensor([classes, steps]),
        }

    def judge_generated(
        self, real: Mapping[str, Tensor], generated: Labelled, classes: int, rng: Rng
    ) -> Mapping[str, MetricValue]:
        """Train on more and more generated images, and compare with the curve of real ones."""
        steps, sizes = int(real["counts"][1]), self._sizes(len(generated.labels), classes)
        predicted = self._curve(generated, classes, steps, sizes, real["images"])
        right = torch.stack([is_correct(one, real["labels"]) for one in predicted])
        of_real = torch.stack([is_correct(one, real["labels"]) for one in real["said"]])
        value = worth(right[-1], of_real, real["sizes"], rng)
        details = {
            "steps": steps,
            **(value.details or {}),
            "generated": _points(sizes, right),
            "real": _points(real["sizes"].tolist(), of_real),
        }
        return {"worth_of_real": value._replace(details=details)}

    def _sizes(self, count: int, classes: int) -> list[int]:
        first = min(self.smallest * classes, count)
        ratio = (count / first) ** (1 / (self.sizes - 1))
        return sorted({count, *(round(first * ratio**k) for k in range(self.sizes - 1))})

    def _curve(
        self,
        taught: Labelled,
        classes: int,
        steps: int,
        sizes: list[int],
        judged: Tensor,
    ) -> Int[Tensor, "sizes seeds n 1"]:
        """What the classifiers of each size predict for the images to judge."""
        curve = []
        for size in sizes:
            # Of all images these are the classifiers of other metrics, too.
            own = size == len(taught.labels) and self.recipe.steps_for(size) == steps
            recipe = self.recipe if own else self.recipe.of_steps(steps)
            made = trained(taught.some(size, 0), classes, recipe, self.seeds)
            curve.append(predictions(made, judged))
        return torch.stack(curve)


def worth(
    generated: Bool[Tensor, "seeds n"],
    real: Bool[Tensor, "sizes seeds n"],
    sizes: Int[Tensor, " sizes"],
    rng: Rng,
) -> MetricValue:
    """The size at which real images reach the accuracy of the generated ones, with its interval.

    Args:
        generated: which images the classifiers of generated images judge right.
        real: accuracies of classifiers trained on as many real images.
        sizes: growing.
        rng: of the interval's draws.
    """
    both = torch.cat([real, generated[None]]).double()
    means = both.mean((1, 2))[None]
    worth = float(_crossing(means[:, :-1], means[:, -1], sizes)[0])
    details: dict[str, Any] = {}
    if worth in (float(sizes[0]), float(sizes[-1])):
        details["bound"] = "at most" if worth == float(sizes[0]) else "at least"
    if len(generated) < 2:
        return MetricValue(worth, details=details, warnings=(ONE_SEED,))
    draws = _over_images(both.mean(1), rng) + _over_seeds(both.mean(2), rng)
    ends = _crossing(draws[:, :-1], draws[:, -1], sizes).quantile(
        torch.tensor([0.025, 0.975], dtype=torch.float64)
    )
    return MetricValue(worth, None, (float(ends[0]), float(ends[1])), details)


def _crossing(
    curves: Float[Tensor, "draws sizes"], levels: Float[Tensor, " draws"], sizes: Tensor
) -> Float[Tensor, " draws"]:
    """Where each curve, made monotone, reaches its level; the first or last size if it doesn't."""
    rising = curves.cummax(1).values
    logs = sizes.double().log()
    after = (rising < levels[:, None]).sum(1).clamp(max=len(sizes) - 1)
    before = (after - 1).clamp(min=0)
    rows = torch.arange(len(levels))
    low, high = rising[rows, before], rising[rows, after]
    proportion = ((levels - low) / (high - low).clamp(min=1e-300)).clamp(0, 1)
    proportion = torch.where(after == 0, 1.0, proportion)  # reached by the smallest size already
    between = (logs[before] + proportion * (logs[after] - logs[before])).exp()
    worth = torch.where(proportion >= 1, sizes.double()[after], between)
    return torch.where(levels <= rising[:, 0], sizes.double()[0], worth)


def _over_images(by_image: Float[Tensor, "sets n"], rng: Rng) -> Float[Tensor, "draws sets"]:
    """Mean accuracies on images drawn from these with replacement."""
    count = by_image.shape[1]
    weights = (rng.integers(count, count).bincount(minlength=count) for _ in range(INTERVAL_DRAWS))
    return torch.stack([(by_image * weight).mean(1) for weight in weights])


def _over_seeds(by_seed: Float[Tensor, "sets seeds"], rng: Rng) -> Float[Tensor, "draws sets"]:
    """Student's t times the standard error of the mean over two or more seeds."""
    sets, seeds = by_seed.shape
    normal = rng.normal(INTERVAL_DRAWS, sets).double()
    squares = rng.normal(INTERVAL_DRAWS, sets, seeds - 1).double().square().mean(2)
    return normal / squares.sqrt() * by_seed.std(1) / math.sqrt(seeds)


def _points(sizes: list[int], right: Bool[Tensor, "sizes seeds n"]) -> list[dict[str, Any]]:
    """A curve as plain values."""
    return [
        {
            "images": size,
            **summary(accuracy(one)),
            "accuracy_by_seed": one.double().mean(1).tolist(),
        }
        for size, one in zip(sizes, right, strict=True)
    ]
