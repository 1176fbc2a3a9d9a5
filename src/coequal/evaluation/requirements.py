"""What metrics need beyond features, and why what there is does not suffice: judged here alone."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from coequal.contract import (
    DensityGenerator,
    Encoder,
    Generator,
    KnownManifold,
    Metric,
    RequiredInput,
    Statistics,
)
from coequal.evaluation.requested import RequestedMetrics
from coequal.inputs.classes import empty_classes
from coequal.inputs.input import Input
from coequal.inputs.overlap import not_held_out
from coequal.metrics._classifiers import ClassifierMetric
from coequal.published_names import PublishedName, name_of

SLOW = "trains classifiers, which takes minutes; request it by name"


@dataclass(frozen=True)
class Available:
    """What a measurement can draw on.

    What a caller cannot know yet keeps its default and counts as there.

    Attributes:
        class_probabilities: whether the encoder gives class probabilities.
        published_names: `Encoder.published_names`; None: not known.
        features: whether both sides have images or features, not only statistics.
        images: whether both sides have images, not only features.
        train: whether the training images are there.
        not_held_out: why the real images can't stand for held-out ones, if they cannot.
        real_labels: whether the real images have labels.
        fake_labels: whether the generated images are of known classes.
        unlabelled: why labels that were given can't be used, if they cannot.
        class_mismatch: why the classes of both sides cannot be paired, if they cannot.
        generator: the class of the generator; None if there are only its images.
        conditional: whether the generator is asked for classes.
        manifold: of the real images, where it is known.
        counts: whether it is known how many images each side has.
    """

    class_probabilities: bool = True
    published_names: Mapping[str, str] | None = None
    features: bool = True
    images: bool = True
    train: bool = True
    not_held_out: str | None = None
    real_labels: bool = True
    fake_labels: bool = True
    unlabelled: str | None = None
    class_mismatch: str | None = None
    generator: type[Generator] | None = DensityGenerator
    conditional: bool = False
    manifold: KnownManifold | None = None
    counts: bool = True


def unmet(metric: Metric, available: Available, output: str | None = None) -> str | None:
    """Judge whether a metric, or a single one of its numbers, can be had.

    Args:
        metric: the metric.
        available: what there is to measure from.
        output: the number to judge by what it needs beyond the metric; None: the metric itself.

    Returns:
        The reasons against it, as in "needs images; features were given"; None if there are none.
    """
    reasons: list[str | None] = []
    needed: tuple[RequiredInput, ...] = metric.required
    if output is None:
        if not (available.features or metric.takes_statistics):
            return "needs images or their features; statistics (mu, sigma) were given"
        reasons.append(metric.unsupported_reason(available.manifold))
    else:
        needed = (metric.required_for[output],) if output in metric.required_for else ()
    reasons += [_lacking(need, available) for need in needed]
    return "; ".join(reason for reason in reasons if reason is not None) or None


def _lacking(need: RequiredInput, available: Available) -> str | None:
    """Why one required input is not there, in words; None if it is."""
    generator = available.generator
    there, reason = {
        "probabilities": (
            available.class_probabilities,
            "needs an encoder with class probabilities (classifier, inception)",
        ),
        "labels": (
            available.real_labels and available.fake_labels,
            "needs labels on both sides (class sub-folders, or a conditional model, such as cgan)",
        ),
        "images": (available.images, "needs images; features were given"),
        "train": (available.train, "needs what the generator was trained on (--train)"),
        "generator": (
            generator is not None,
            "needs the generator itself, not only images (--fake runs/my_run:ns_gan)",
        ),
        # Without any generator, "generator" is the reason, and it is given once.
        "density": (
            generator is None or issubclass(generator, DensityGenerator),
            "needs a generator that gives the probability of an image, such as pixelcnn_pp's",
        ),
        "counts": (
            available.counts,
            "needs the number of images that the statistics are of (--real-count)",
        ),
    }[need]
    if not there:
        given = available.unlabelled if need == "labels" else None
        return reason if given is None else f"{reason}; {given}"
    if need == "train":
        return available.not_held_out
    if need == "labels":
        return available.class_mismatch
    if need == "density" and available.conditional and not available.real_labels:
        return "the generator knows classes, and the real images have no labels"
    return None


def unmet_requests(requested: RequestedMetrics, available: Available) -> dict[str, str]:
    """Metrics, and single numbers of other metrics, that cannot be had, with the reasons."""
    missing: dict[str, str] = {}
    for name, metric in requested.parts.items():
        if reason := unmet(metric, available):
            missing[name] = reason
            continue
        for output in requested.outputs[name]:
            reason = _named_otherwise(requested.published.get(output), available) or unmet(
                metric, available, requested.as_computed(output)
            )
            if reason:
                missing[output] = reason
    return missing


def _named_otherwise(asked: PublishedName | None, available: Available) -> str | None:
    """Why a number can't be given under a published name, in words; None if it can."""
    if asked is None or available.published_names is None:
        return None
    label = available.published_names.get(asked.number)
    if label == asked.label:
        return None
    here = asked.number if label is None else name_of(label)
    return (
        f"needs the features of encoder {' or '.join(asked.encoders)} with the published weights; "
        f"with the features given it is called {here}"
    )


def not_measurable(
    requested: RequestedMetrics,
    sources: Mapping[str, Input],
    encoder: Encoder | None,
    mismatch: Mapping[str, str | None],
    statistics: Mapping[str, Statistics] = MappingProxyType({}),
) -> dict[str, str]:
    """Metrics, and single numbers of metrics, that cannot be had of these images.

    Args:
        requested: the metrics and their numbers.
        sources: real, fake, and train if it is known.
        encoder: what gives the features; None if they were given, or none are needed.
        mismatch: by side but "real", why its classes are not those of the real images.
        statistics: by side, what stands for its features where a metric takes statistics.

    Returns:
        The reasons, by metric or number.
    """
    real, fake = sources["real"], sources["fake"]
    available = Available(
        class_probabilities=encoder is not None and encoder.knows_classes,
        published_names={} if encoder is None else encoder.published_names,
        features=real.rows is not None and fake.rows is not None,
        images=real.images is not None and fake.images is not None,
        train="train" in sources,
        real_labels=real.labels is not None,
        fake_labels=fake.labels is not None,
        not_held_out=not_held_out(real, sources["train"]) if "train" in sources else None,
        unlabelled=_unlabelled(sources),
        class_mismatch=mismatch["fake"],
        generator=None if fake.generator is None else type(fake.generator),
        conditional=fake.generator is not None and fake.generator.conditional,
        manifold=None if real.dataset is None else real.dataset.manifold,
        counts=all(one.count is not None for one in statistics.values()),
    )
    missing = unmet_requests(requested, available)
    for name, metric in requested.parts.items():
        known = statistics.get("real") if metric.takes_statistics else None
        if reason := metric.too_few_images(len(real) if known is None else known.count, "real"):
            missing.setdefault(name, reason)
        if name in missing or not isinstance(metric, ClassifierMetric):
            continue
        if reason := _untrainable(metric, sources, mismatch["train"]):
            missing[name] = reason
    return missing


def _unlabelled(sources: Mapping[str, Input]) -> str | None:
    """Why labels that were given can't be used, by side; None if none were given in vain."""
    reasons = [f"{role}: {one.unlabelled}" for role, one in sources.items() if one.unlabelled]
    return "; ".join(reasons) or None


def _untrainable(
    metric: ClassifierMetric, sources: Mapping[str, Input], mismatch: str | None
) -> str | None:
    """Why no classifier can be trained, before one is; all other needs are met."""
    if sources["train"].labels is None:
        given = _unlabelled(sources)
        reason = "needs labels of the training images, too (class sub-folders)"
        return reason if given is None else f"{reason}; {given}"
    return mismatch or empty_classes(sources) or metric.too_few(len(sources["fake"]))


def slow(requested: RequestedMetrics) -> dict[str, str]:
    """Metrics that are measured only if they are named."""
    return {name: SLOW for name, part in requested.parts.items() if part.costly}
