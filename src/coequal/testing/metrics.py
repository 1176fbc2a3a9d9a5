"""The contract of a metric."""

import math
from collections.abc import Collection, Mapping
from dataclasses import replace
from typing import Any, NamedTuple

import torch
from torch import Tensor

from coequal.contract import ImageSet, Metric, MetricValue
from coequal.rng import Rng
from coequal.testing._metric_inputs import check_odd_inputs, check_targets, lowered
from coequal.testing._requirements import check_settings, name_of, no_global_draws, require

IMAGES = 400
MANY = 2100  # images: more than a metric holds at once; `lowered` cuts what it draws to fewer
FEATURES = 6
CLASSES = 4  # whose scores are the first features, the last one twice
FAR = 3.0  # standard deviations between real images and those that are far from them
ORDER_TOLERANCE = {"fake": 1e-9, "real": 1e-4, "train": 1e-4}  # relative; references are float32


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

    Every number has a direction and, if it has bounds, bounds in that direction, which hold. Images
    drawn like the real ones score better than images far from them (by a number that is blind to
    some worthless images: than copies of three images), and lie at the target of a
    number that has one, at equal counts and at unequal ones. The number is the same for the same
    stream, and for the same real, training and generated images in another order, where a metric
    draws some of them, too (every setting that is a large whole number is brought down for that).
    Every number that can't be had has a reason; very few images, equal ones and copies of the real
    ones give numbers, reasons or one `ValueError`, and no warning of a library; so do settings of
    -1, 0 and 1. Nothing draws from a global generator or writes to what it is given, and
    `reference` gives tensors, so that it can be cached. Numbers of single images have one for each
    image, in their order. What is not finite or not there is left to
    `Metric.reference` and `Metric.values`, which no metric replaces.

    Of a `costly` metric, and with images of your own, only what these images can show is checked.

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
    for method in ("reference", "values", "per_image"):
        own = getattr(type(metric), method) is not getattr(Metric, method)
        require(not own, metric, f"replaces `{method}`; give `compute_{method}` instead")
    check_outputs(metric)
    given = sets or _default_sets(metric)
    with no_global_draws(metric, "the metric"):
        _check_values(metric, given, absent)
        if metric.costly or sets is not None:
            return
        _check_order(lowered(metric), _default_sets(metric, MANY))
        check_targets(metric, lambda count, seed: _image_set(Rng(seed).normal(count, FEATURES)))
        check_odd_inputs(metric, given.real, given.train, given.near)


def check_outputs(metric: Metric) -> None:
    """Require that what a metric says of its numbers can be so."""
    require(bool(metric.outputs), metric, "gives no number: `outputs` is empty")
    for name, info in metric.outputs.items():
        known = info.better in ("lower", "higher", "target")
        require(known, metric, f"{name} must be better lower, higher or at a target")
        if info.best is not None and info.worst is not None and info.better != "target":
            right = info.cost(info.best) < info.cost(info.worst)
            message = f"{name} is better {info.better}, and its best is {info.best:g} against"
            require(right, metric, f"{message} {info.worst:g} at worst")
    strangers = metric.required_for.keys() - metric.outputs.keys()
    require(not strangers, metric, f"speaks of {sorted(strangers)}, which are no outputs")


def _default_sets(metric: Metric, images: int = IMAGES) -> ImageSets:
    """Features of a normal distribution, and of one beside it."""
    kind = type(metric)
    if reason := kind.unsupported_reason(None):
        raise ValueError(f"{name_of(metric)} needs images of its own ({reason}): give sets=")
    if {"generator", "density"} & set(metric.required):
        raise ValueError(f"{name_of(metric)} needs a generator: give sets=")
    rng = Rng(0)
    real, near, far, train = (rng.normal(images, FEATURES) for _ in range(4))
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
    check_reference(metric, reference)
    before = {key: value.clone() for key, value in reference.items()}
    features = sets.near.features.clone()

    def values(fake: ImageSet) -> Mapping[str, MetricValue]:
        return metric.values(real=reference, fake=fake, rng=Rng(1))

    near, again, far = values(sets.near), values(sets.near), values(sets.far)
    collapsed = values(_rows(sets.near, torch.arange(len(sets.near)) % 3))
    check_numbers(metric, near, absent)
    unchanged = all(torch.equal(before[key], value) for key, value in reference.items())
    require(unchanged, metric, "values wrote to the reference")
    require(torch.equal(features, sets.near.features), metric, "wrote to the generated images")
    for name, value in near.items():
        same = value == again[name] or math.isnan(value.value)
        require(same, metric, f"{name} is another at a second call with the same stream")
        worse = collapsed if metric.outputs[name].blind_to else far
        _check_direction(metric, name, value, worse[name])
        for one in (value, far[name]):
            _check_bounds(metric, name, one)
    _check_order(metric, sets, only=("fake",))
    _check_per_image(metric, reference, sets.near)


def _check_order(
    metric: Metric, sets: ImageSets, only: Collection[str] = ("fake", "real", "train")
) -> None:
    """The same images in another order have the same numbers."""

    def values(real: ImageSet, train: ImageSet, fake: ImageSet) -> Mapping[str, MetricValue]:
        return metric.values(real=metric.reference(real, train), fake=fake, rng=Rng(1))

    given = {"real": sets.real, "train": sets.train, "fake": sets.near}
    first = values(**given)
    for side in only:
        reverse = torch.arange(len(given[side]) - 1, -1, -1)
        turned = values(**{**given, side: _rows(given[side], reverse)})
        for name, value in first.items():
            one, other = value.value, turned[name].value
            close = math.isclose(one, other, rel_tol=ORDER_TOLERANCE[side], abs_tol=1e-15)
            message = f"{name} depends on the order of the {side} images: {one!r}, and {other!r}"
            require(close or math.isnan(one), metric, f"{message} reversed")


def _check_per_image(metric: Metric, reference: Mapping[str, Tensor], fake: ImageSet) -> None:
    """Every number of single images that the metric names is there for each, whatever their
    order."""
    reverse = torch.arange(len(fake) - 1, -1, -1)
    given = metric.per_image(real=reference, fake=fake)
    turned = metric.per_image(real=reference, fake=_rows(fake, reverse))
    same = given.keys() == metric.per_image_outputs.keys()
    require(same, metric, f"gave {sorted(given)} of each image, and names others")
    for name, found in given.items():
        values, other = found.values, turned[name].values.flip(0)
        shape = tuple(values.shape)
        require(shape == (len(fake),), metric, f"{name} has the shape {shape}, not one per image")
        close = torch.allclose(values, other, rtol=1e-6, atol=1e-12, equal_nan=True)
        require(close, metric, f"{name} of an image depends on the order of the images")
        told = not bool(values.isnan().all()) or found.undefined is not None
        require(told, metric, f"{name} is NaN for every image without a reason")


def _check_bounds(metric: Metric, name: str, value: MetricValue) -> None:
    """A number that can't be had has a reason, and none lies beyond its bounds."""
    info = metric.outputs[name]
    if math.isnan(value.value):
        told = bool((value.details or {}).get("undefined"))
        require(told, metric, f"{name} is NaN without a reason; give `MetricValue.undefined`")
        return
    room = 1e-9 * max(1.0, abs(value.value))
    for bound, side in ((info.worst, "worst"), (info.best, "best")):
        if bound is None or info.better == "target":
            continue
        beyond = info.cost(value.value) - info.cost(bound)
        inside = beyond <= room if side == "worst" else beyond >= -room
        require(inside, metric, f"{name} is {value.value:g}, beyond its {side} value {bound:g}")


def check_reference(metric: Metric, reference: Any) -> None:
    """Require that what a metric knows of the real images can be cached."""
    right = isinstance(reference, Mapping) and all(
        isinstance(value, Tensor) for value in reference.values()
    )
    require(right, metric, "reference must be a mapping of tensors: it is cached")


def check_numbers(metric: Metric, values: Any, absent: Collection[str] = ()) -> None:
    """Require that a metric gave the numbers that it names, each a `MetricValue`.

    Args:
        metric: that was asked.
        values: what it gave.
        absent: names of outputs that the metric can't give of these images.
    """
    right = isinstance(values, Mapping)
    require(right, metric, f"must give a mapping of its numbers, not a {name_of(values)}")
    strangers = values.keys() - metric.outputs.keys()
    require(not strangers, metric, f"gave {sorted(strangers)}, which `outputs` does not name")
    missing = metric.outputs.keys() - values.keys() - set(absent)
    require(not missing, metric, f"did not give {sorted(missing)}")
    for name, value in values.items():
        right = isinstance(value, MetricValue) and isinstance(value.value, int | float)
        message = f"must give MetricValue(number) for {name}, not {value!r}"
        require(right, metric, message)


def _check_direction(metric: Metric, name: str, near: MetricValue, far: MetricValue) -> None:
    info = metric.outputs[name]
    if info.better == "target":
        targets = [info.target if one.target is None else one.target for one in (near, far)]
        if None in targets:
            return
        pairs = zip((near, far), targets, strict=True)
        gaps = [abs(one.value - goal) for one, goal in pairs if goal is not None]
        right = gaps[0] < gaps[1]
    else:
        right = info.cost(near.value) < info.cost(far.value)
    message = f"{name} should be better {info.better}; images like the real ones have "
    others = "copies of three of them" if info.blind_to else "images far from them"
    numbers = f"{near.value:g}, and {others} {far.value:g}"
    require(right, metric, f"{message}{numbers}")


def _rows(images: ImageSet, rows: Tensor) -> ImageSet:
    """The same images in another order."""
    parts = {
        name: getattr(images, name)[rows]
        for name in ("features", "probabilities", "labels", "images")
        if getattr(images, name) is not None
    }
    return replace(images, **parts, read=None)
