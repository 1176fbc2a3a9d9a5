"""Accuracies of classifiers, with their errors over new images and new seeds of the classifier."""

import math
from collections.abc import Sequence
from typing import Any

import scipy
from jaxtyping import Bool, Int
from torch import Tensor

from coequal.contract import MetricValue
from coequal.statistics.rates import Z, wilson

ONE_SEED = (
    "trained with one seed, whose spread is not known: no error and no interval; give 2 or more"
)
MAX_CONFUSION_CLASSES = 50  # classes: with more, a confusion matrix is too long a detail


def is_correct(
    predicted: Int[Tensor, "seeds n top"], labels: Int[Tensor, " n"]
) -> Bool[Tensor, "seeds n"]:
    """Whether the right class is among the predicted ones."""
    return (predicted == labels[None, :, None]).any(2)


def accuracy(correct: Bool[Tensor, "seeds n"]) -> MetricValue:
    """The mean accuracy over seeds, for new images to judge and new classifier seeds.

    Two parts are joined. The images: Wilson's interval of the mean (all seeds judge the same
    images, so that more seeds don't make it narrower). The seeds: Student's t of their spread.
    Their distances from the mean add up in squares, which counts what seeds and images share twice:
    on the wide side. A single seed has neither error nor interval, since its spread is not known.
    """
    seeds, count = correct.shape
    right = round(float(correct.sum()) / seeds)
    proportion = float(correct.double().mean())
    if seeds < 2:
        return MetricValue(proportion, warnings=(ONE_SEED,))
    ends = wilson(right, count)
    error, half = spread([float(one.double().mean()) for one in correct])
    low = max(0.0, proportion - math.hypot(right / count - ends.low, half))
    high = min(1.0, proportion + math.hypot(ends.high - right / count, half))
    return MetricValue(
        proportion, math.hypot(math.sqrt(proportion * (1 - proportion) / count), error), (low, high)
    )


def spread(by_seed: Sequence[float]) -> tuple[float, float]:
    """The standard error of a mean over two or more seeds, and half its 95 % interval."""
    count = len(by_seed)
    mean = math.fsum(by_seed) / count
    variance = math.fsum((value - mean) ** 2 for value in by_seed) / (count - 1)
    error = math.sqrt(variance / count)
    return error, float(scipy.special.stdtrit(count - 1, 0.975)) * error


def paired(first: Bool[Tensor, "seeds n"], second: Bool[Tensor, "seeds n"]) -> MetricValue:
    """The accuracy of `first` less that of `second` on the same images, seed by seed.

    Its error and interval are over new images to judge (the deviation of the images' differences)
    and new classifier seeds (their spread).
    """
    by_image = first.double().mean(0) - second.double().mean(0)
    by_seed = (first.double().mean(1) - second.double().mean(1)).tolist()
    images = float(by_image.std()) / math.sqrt(len(by_image)) if len(by_image) > 1 else 0.0
    mean = float(by_image.mean())
    if len(by_seed) < 2:
        return MetricValue(mean, warnings=(ONE_SEED,))
    error, half = spread(by_seed)
    wide = math.hypot(Z * images, half)
    return MetricValue(
        mean, math.hypot(images, error), (max(-1.0, mean - wide), min(1.0, mean + wide))
    )


def unpaired(first: Bool[Tensor, "seeds n"], second: Bool[Tensor, "seeds m"]) -> MetricValue:
    """The accuracy of `first` less that of `second` of the same classifiers on other images.

    Both sides' binomial errors and the spread of the seeds' differences; ends by Wilson's intervals
    and Student's t, their distances added up in squares (Zou and Donner 2008).
    """
    by_seed = (first.double().mean(1) - second.double().mean(1)).tolist()
    mean = math.fsum(by_seed) / len(by_seed)
    if len(by_seed) < 2:
        return MetricValue(mean, warnings=(ONE_SEED,))
    error, half = spread(by_seed)
    down, up, squares = half**2, half**2, error**2
    for sign, side in ((1, first), (-1, second)):
        count, proportion = side.shape[1], float(side.double().mean())
        right = round(proportion * count)
        ends = wilson(right, count)
        below, above = right / count - ends.low, ends.high - right / count
        down += (below if sign > 0 else above) ** 2
        up += (above if sign > 0 else below) ** 2
        squares += proportion * (1 - proportion) / count
    limits = (max(-1.0, mean - math.sqrt(down)), min(1.0, mean + math.sqrt(up)))
    return MetricValue(mean, math.sqrt(squares), limits)


def in_detail(
    predicted: Int[Tensor, "seeds n top"], labels: Int[Tensor, " n"], classes: int
) -> dict[str, Any]:
    """Accuracies by seed and by class, and the confusion matrix if it isn't too large: rows are the
    right classes, columns the predicted ones, counts of all seeds together."""
    correct = is_correct(predicted[:, :, :1], labels)
    by_class = [float(correct[:, labels == label].double().mean()) for label in range(classes)]
    details: dict[str, Any] = {
        "images": len(labels),
        "accuracy_by_seed": [float(one.double().mean()) for one in correct],
        "accuracy_by_class": [None if math.isnan(value) else value for value in by_class],
    }
    if classes <= MAX_CONFUSION_CLASSES:
        pairs = (labels[None] * classes + predicted[:, :, 0]).flatten()
        matrix = pairs.bincount(minlength=classes**2).view(classes, classes)
        details["confusion"] = matrix.tolist()
    return details


def summary(value: MetricValue) -> dict[str, Any]:
    """A value as a detail of another."""
    return {
        "value": value.value,
        "standard_error": value.standard_error,
        "interval": None if value.interval is None else list(value.interval),
    }
