"""The contract of a metric."""

from collections.abc import Collection, Mapping
from dataclasses import replace
from typing import NamedTuple

import torch
from torch import Tensor

from coequal.contract import ImageSet, Metric, MetricValue
from coequal.rng import Rng
from coequal.testing._requirements import check_settings, name_of, no_global_draws, require

IMAGES = 400
FEATURES = 6
CLASSES = 4  # whose scores are the first features, the last one twice
FAR = 3.0  # standard deviations between real images and those that are far from them
ORDER_TOLERANCE = 1e-9  # relative


class ImageSets(NamedTuple):
    """Images that a metric is tried on.

    Attributes:
        real: what generated images are compared with.
        train: what the generator was trained on, drawn as `real` was.
        near: generated images, drawn as the real ones were.
        far: generated images that are nothing like the real ones.
    """

    real: ImageSet
    train: ImageSet
    near: ImageSet
    far: ImageSet


def check_metric(
    metric: Metric, *, sets: ImageSets | None = None, absent: Collection[str] = ()
) -> None:
    """Check that a metric keeps the contract.

    Every number has a direction and, if it has bounds, bounds in that direction. Images drawn like
    the real ones score better than images far from them. The number is the same for the same
    stream, and for the same images in another order. Nothing draws from a global generator or
    writes to what it is given, and `reference` gives tensors, so that it can be cached. What is not
    finite or not there is left to `Metric.reference` and `Metric.values`, which no metric replaces.

    Args:
        metric: with the settings that are to be checked.
        sets: images to try it on, for a metric that needs more than features, class probabilities,
            labels and images (32x32, grey): a generator, or real images of a known manifold.
        absent: names of outputs that the metric can't give of these images (of 4 classes).

    Raises:
        AssertionError: the contract is broken; the message says how.
        TypeError: this is no instance of a class that extends `Metric`.
        ValueError: the metric needs images of its own, and none were given.
    """
    if not isinstance(metric, Metric):
        raise TypeError(f"{name_of(metric)} is no instance of Metric")
    check_settings(metric)
    for method in ("reference", "values"):
        own = getattr(type(metric), method) is not getattr(Metric, method)
        require(not own, metric, f"replaces `{method}`; give `compute_{method}` instead")
    _check_outputs(metric)
    given = sets or _default_sets(metric)
    with no_global_draws(metric, "the metric"):
        _check_values(metric, given, absent)


def _check_outputs(metric: Metric) -> None:
    require(bool(metric.outputs), metric, "gives no number: `outputs` is empty")
    for name, info in metric.outputs.items():
        known = info.better in ("lower", "higher", "target")
        require(known, metric, f"{name} must be better lower, higher or at a target")
        if info.best is not None and info.worst is not None and info.better != "target":
            right = info.cost(info.best) < info.cost(info.worst)
            message = f"{name} is better {info.better}, and its best is {info.best:g} against"
            require(right, metric, f"{message} {info.worst:g} at worst")
    strangers = {*metric.required_for, *metric.fid_names} - metric.outputs.keys()
    require(not strangers, metric, f"speaks of {sorted(strangers)}, which are no outputs")


def _default_sets(metric: Metric) -> ImageSets:
    """Features of a normal distribution, and of one beside it."""
    kind = type(metric)
    if reason := kind.unsupported_reason(None):
        raise ValueError(f"{name_of(metric)} needs images of its own ({reason}): give sets=")
    if {"generator", "density"} & set(metric.required):
        raise ValueError(f"{name_of(metric)} needs a generator: give sets=")
    rng = Rng(0)
    real, near, far, train = (rng.normal(IMAGES, FEATURES) for _ in range(4))
    return ImageSets(*(_image_set(features) for features in (real, train, near, far + FAR)))


def _image_set(features: Tensor) -> ImageSet:
    """Features with all that a metric may want beside them, each following from the others."""
    weights = torch.tensor([*[1.0] * (CLASSES - 1), 2.0])
    scores = (features[:, :CLASSES] * weights).softmax(1)
    pixels = (features[:, :4].sigmoid() * 255).to(torch.uint8).view(-1, 1, 2, 2)
    images = pixels.repeat_interleave(16, 2).repeat_interleave(16, 3)
    return ImageSet(features, scores, scores.argmax(1), images)


def _check_values(metric: Metric, sets: ImageSets, absent: Collection[str]) -> None:
    reference = metric.reference(sets.real, sets.train)
    tensors = all(isinstance(value, Tensor) for value in reference.values())
    require(tensors, metric, "reference must be a mapping of tensors: it is cached")
    before = {key: value.clone() for key, value in reference.items()}

    def values(fake: ImageSet) -> Mapping[str, MetricValue]:
        return metric.values(real=reference, fake=fake, rng=Rng(1))

    near, again, far = values(sets.near), values(sets.near), values(sets.far)
    reverse = torch.arange(len(sets.near) - 1, -1, -1)
    turned = values(_rows(sets.near, reverse))
    _check_names(metric, near, absent)
    unchanged = all(torch.equal(before[key], value) for key, value in reference.items())
    require(unchanged, metric, "values wrote to the reference")
    for name, value in near.items():
        same = value == again[name]
        require(same, metric, f"{name} is another at a second call with the same stream")
        one, other = value.value, turned[name].value
        close = abs(one - other) <= ORDER_TOLERANCE * max(abs(one), abs(other))
        message = f"{name} depends on the order of the images: {one!r}, and {other!r} reversed"
        require(close, metric, message)
        _check_direction(metric, name, one, far[name].value)


def _check_names(
    metric: Metric, values: Mapping[str, MetricValue], absent: Collection[str]
) -> None:
    strangers = values.keys() - metric.outputs.keys()
    require(not strangers, metric, f"gave {sorted(strangers)}, which `outputs` does not name")
    missing = metric.outputs.keys() - metric.fid_names.keys() - values.keys() - set(absent)
    require(not missing, metric, f"did not give {sorted(missing)}")


def _check_direction(metric: Metric, name: str, near: float, far: float) -> None:
    info = metric.outputs[name]
    if info.better == "target" and info.target is None:
        return
    if info.target is not None:
        right = abs(near - info.target) < abs(far - info.target)
    else:
        right = info.cost(near) < info.cost(far)
    message = f"{name} should be better {info.better}; images like the real ones have {near:g}, "
    require(right, metric, f"{message}and images far from them {far:g}")


def _rows(images: ImageSet, rows: Tensor) -> ImageSet:
    """The same images in another order."""
    parts = {
        name: getattr(images, name)[rows]
        for name in ("features", "probabilities", "labels", "images")
        if getattr(images, name) is not None
    }
    return replace(images, **parts, read=None)
