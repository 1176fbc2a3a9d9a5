"""Odd images and settings that a metric is tried on: very few, equal, repeated, unequal counts."""

import math
import warnings
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager

import torch

from coequal.contract import ImageSet, Metric, MetricValue
from coequal.rng import Rng
from coequal.settings import setting_names
from coequal.testing._requirements import require

LARGE = 20  # whole numbers above are brought down to this, so that what they cut is cut
COUNTS = ((1000, 1000), (1000, 200), (200, 1000))  # real and generated images
ERRORS = 4.5  # standard errors by which images like the real ones may miss a target
FEW = (1, 2, 3, 6)  # images
SOME = 60  # images, where few are not the point


def lowered(metric: Metric) -> Metric:
    """The metric with smaller whole numbers, where it takes them: of images, subsets, pairs."""
    for name, value in _numeric(metric).items():
        if isinstance(value, int) and value > LARGE:
            try:
                metric = with_setting(metric, name, LARGE)
            except ValueError:
                continue
    return metric


def check_targets(metric: Metric, drawn: Callable[[int, int], ImageSet]) -> None:
    """Images drawn as the real ones lie at the target of a number that has one, at any counts.

    Args:
        metric: any.
        drawn: takes a count and a seed; gives images, always of one distribution.
    """
    if not any(info.better == "target" for info in metric.outputs.values()):
        return
    for reals, fakes in COUNTS:
        reference = metric.reference(drawn(reals, 10), drawn(reals, 11))
        found = metric.values(real=reference, fake=drawn(fakes, 12), rng=Rng(1))
        for name, value in found.items():
            info = metric.outputs[name]
            goal = info.target if value.target is None else value.target
            if info.better != "target" or goal is None or value.standard_error is None:
                continue
            # Other real images move the value as much as other generated ones, and by the counts.
            error = value.standard_error * math.sqrt(1 + fakes / reals)
            near = abs(value.value - goal) <= ERRORS * error + 1 / min(reals, fakes)
            message = f"{name} of {fakes} images drawn like {reals} real ones is {value.value:g}"
            require(near, metric, f"{message} +- {error:.2g}, and its target {goal:g}")


def check_odd_inputs(metric: Metric, real: ImageSet, train: ImageSet, fake: ImageSet) -> None:
    """Very few images, equal ones, copies of the real ones and settings at -1, 0 and 1 give
    numbers, reasons or one `ValueError`, and no warning of a library."""
    for count in FEW:
        few = slice(0, count)
        with _plainly(metric, f"{count} real and generated images"):
            _numbers(metric, part(real, few), train, part(fake, few))
        with _plainly(metric, f"{count} generated images"):
            _numbers(metric, real, train, part(fake, few))
    real, fake = (part(images, slice(0, SOME)) for images in (real, fake))
    same = part(fake, torch.zeros(len(fake), dtype=torch.long))
    cases = {
        "equal generated images": (real, same),
        "equal real images": (part(real, torch.zeros(len(real), dtype=torch.long)), fake),
        "real images that are all the generated one": (same, same),
        "copies of the real images": (real, real),
        "two copies of every real image": (
            real,
            part(real, torch.arange(len(real)).repeat_interleave(2)),
        ),
    }
    for what, (one, other) in cases.items():
        with _plainly(metric, what):
            _numbers(metric, one, train, other)
    for name, value in _numeric(metric).items():
        for odd in (-1, 0, 1):
            with _plainly(metric, f"the setting {name}={odd}"):
                changed = with_setting(metric, name, type(value)(odd))
                _numbers(changed, real, train, fake)


def part(images: ImageSet, rows: slice | torch.Tensor) -> ImageSet:
    """Some of the images, as a set of their own."""
    parts = {
        name: getattr(images, name)[rows]
        for name in ("features", "probabilities", "labels", "images")
        if getattr(images, name) is not None
    }
    return ImageSet(**parts)


def _numbers(
    metric: Metric, real: ImageSet, train: ImageSet, fake: ImageSet
) -> Mapping[str, MetricValue]:
    reference = metric.reference(real, train)
    found = metric.values(real=reference, fake=fake, rng=Rng(1))
    for name, value in found.items():
        told = (value.details or {}).get("undefined")
        require(
            math.isfinite(value.value) or bool(told), metric, f"{name} is {value.value} unexplained"
        )
        error = value.standard_error
        require(error is None or error >= 0, metric, f"{name} has the standard error {error}")
    return found


@contextmanager
def _plainly(metric: Metric, what: str) -> Iterator[None]:
    """Require that nothing but a `ValueError` comes of it, and no warning."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            yield
    except ValueError as refusal:
        one = bool(str(refusal)) and "\n" not in str(refusal)
        require(one, metric, f"{what} should be refused in one line, not {str(refusal)!r}")
    except FloatingPointError:
        return  # how a metric says that it is undefined for these images
    except AssertionError as error:
        raise AssertionError(f"{error} ({what})") from error
    except Exception as error:
        raise AssertionError(
            f"{type(metric).__name__}: {what} end in {type(error).__name__}: {error}"
        ) from error


def with_setting(metric: Metric, name: str, value: float) -> Metric:
    """The metric with another value of one setting."""
    values = {key: getattr(metric, key) for key in setting_names(type(metric))}
    return type(metric)(**{**values, name: value})


def _numeric(metric: Metric) -> dict[str, int | float]:
    """The settings that are numbers, by name."""
    fields = {name: getattr(metric, name) for name in setting_names(type(metric))}
    return {
        name: value
        for name, value in fields.items()
        if isinstance(value, int | float) and not isinstance(value, bool)
    }
