"""Which of the numbers asked for can't be had of these images, and why."""

from collections.abc import Mapping

from coequal.contract import DensityGenerator, Encoder
from coequal.evaluation.requested import RequestedMetrics
from coequal.inputs.classes import empty_classes
from coequal.inputs.load import Input
from coequal.metrics._classifiers import ClassifierMetric

SLOW = "trains classifiers, which takes minutes: ask for it by name"


def slow(asked: RequestedMetrics) -> dict[str, str]:
    """Metrics that are measured only if they are named."""
    return {name: SLOW for name, part in asked.parts.items() if part.costly}


def not_measurable(
    asked: RequestedMetrics,
    sources: Mapping[str, Input],
    encoder: Encoder | None,
    misnamed: Mapping[str, str | None],
) -> dict[str, str]:
    """Metrics, and single numbers of metrics, that can't be had, with the reason."""
    real, fake = sources["real"], sources["fake"]
    knows_classes = encoder is not None and encoder.knows_classes
    reasons = {
        "probabilities": None
        if knows_classes
        else "needs an encoder with class probabilities (classifier, inception)",
        "labels": misnamed["fake"]
        if real.labels is not None and fake.labels is not None
        else "needs labels on both sides (class sub-folders)",
        "images": None if fake.images is not None else "needs images; features were given",
        "train": None
        if "train" in sources
        else "needs what the generator was trained on (--train)",
        "generator": None
        if fake.generator is not None
        else "needs the generator itself, not only images (--fake runs/my_run:ns_gan)",
        "density": _no_density(real, fake),
    }
    manifold = None if real.dataset is None else real.dataset.manifold
    found = {}
    for name, metric in asked.parts.items():
        said = [metric.unsupported_reason(manifold), *(reasons[want] for want in metric.required)]
        if not any(said) and isinstance(metric, ClassifierMetric):
            said = [_untrainable(metric, sources, misnamed["train"])]
        if any(said):
            found[name] = "; ".join(reason for reason in said if reason is not None)
            continue
        for output in asked.outputs[name]:
            want = metric.required_for.get(output)
            if want is not None and (reason := reasons[want]) is not None:
                found[output] = reason
    return found


def _no_density(real: Input, fake: Input) -> str | None:
    """Why a generator that is given has no likelihood of the real images; None if it has."""
    generator = fake.generator
    if generator is None:
        return None  # it is said that one is needed
    if not isinstance(generator, DensityGenerator):
        return "needs a generator that gives the probability of an image, such as pixelcnn_pp's"
    if generator.conditional and real.labels is None:
        return "the generator knows classes, and the real images have no labels"
    return None


def _untrainable(
    metric: ClassifierMetric, sources: Mapping[str, Input], misnamed: str | None
) -> str | None:
    """Why no classifier can be trained, before one is; the other wants are met."""
    if sources["train"].labels is None:
        return "needs labels of the training images, too (class sub-folders)"
    return misnamed or empty_classes(sources) or metric.too_few(len(sources["fake"]))
