"""How much of a number is the instrument's own: its encoder's training, and its test images.

The same generated images are measured by encoders of one recipe that were trained from other seeds,
and against random halves of the test images.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import torch
from torch import Tensor

from coequal.contract import Dataset, Encoder, ImageSet, Log
from coequal.contract.data import in_memory
from coequal.evaluation.feature_cache import features_in_parts
from coequal.evaluation.measure import image_set, measure
from coequal.evaluation.requested import RequestedMetrics
from coequal.pace import Pace
from coequal.rng import Rng

_NOT_OF_IMAGES_ALONE = {"train", "generator", "density"}


@dataclass(frozen=True)
class GeneratedImages:
    """Images of one trained network.

    Attributes:
        trial: id of the trial that trained it.
        model: its name.
        images: (n, c, h, w), in the form of the dataset's own.
        labels: (n,) the classes that they are of, if they are of any.
    """

    trial: str
    model: str
    images: Tensor
    labels: Tensor | None = None


@dataclass(frozen=True)
class RepeatedNumbers:
    """One number of several networks, measured again and again.

    Attributes:
        by_encoder: (networks, encoders), against all test images; the first encoder is the study's.
        by_half: (networks, partitions, 2), by the study's encoder, against the two halves of random
            partitions of the test images.
    """

    by_encoder: list[list[float]]
    by_half: list[list[list[float]]]


@dataclass(frozen=True)
class RepeatedMeasurements:
    """What `measure_repeatedly` gave, as plain values.

    Attributes:
        trials: ids of the networks' trials.
        models: the model of each.
        encoders: ids.
        images: generated images of each network.
        test_images: real ones.
        numbers: by name.
    """

    trials: list[str]
    models: list[str]
    encoders: list[str]
    images: int
    test_images: int
    numbers: dict[str, RepeatedNumbers]

    def as_dict(self) -> dict[str, Any]:
        """Plain values, fit for JSON."""
        return asdict(self)


def of_images_alone(requested: RequestedMetrics) -> RequestedMetrics:
    """Leave out metrics that use no features, are costly, or need more than real and generated
    images: the training images or the generator."""
    other = [
        name
        for name, part in requested.parts.items()
        if not part.sees_features or part.costly or _NOT_OF_IMAGES_ALONE & requested.required(name)
    ]
    return requested.without(other)


def measure_repeatedly(
    networks: Sequence[GeneratedImages],
    dataset: Dataset,
    encoders: Sequence[Encoder],
    requested: RequestedMetrics,
    *,
    partitions: int,
    rng: Rng,
    log: Log,
) -> RepeatedMeasurements:
    """Measure the same generated images by several encoders, and against halves of the test images.

    Args:
        networks: at least one.
        dataset: of the study.
        encoders: that of the study first, then others of its recipe.
        requested: metrics of images alone, see `of_images_alone`.
        partitions: of the test images into two halves.
        rng: draws the partitions.
        log: is told how far it is.
    """
    by_encoder: list[list[Mapping[str, float]]] = [[] for _ in networks]
    by_half: list[list[list[Mapping[str, float]]]] = []
    work = f"measuring {len(networks)} networks by {len(encoders)} encoders"
    pace = Pace(work, len(networks) * len(encoders), log, unit="measurements")
    for number, encoder in enumerate(encoders):
        real = features_in_parts(dataset.test.images, encoder)
        everything = _reference(requested, dataset, encoder, real)
        halves = _halves(requested, dataset, encoder, real, partitions, rng) if number == 0 else []
        for place, network in enumerate(networks):
            fake = image_set(
                in_memory(encoder.features(network.images)),
                encoder,
                requested.required_of("fake"),
                images=in_memory(network.images),
                labels=network.labels,
            )
            by_encoder[place].append(_values(requested, encoder, everything, fake))
            pace.add(1)
            if number == 0:
                by_half.append(
                    [[_values(requested, encoder, half, fake) for half in pair] for pair in halves]
                )
    return RepeatedMeasurements(
        trials=[network.trial for network in networks],
        models=[network.model for network in networks],
        encoders=[encoder.id for encoder in encoders],
        images=len(networks[0].images),
        test_images=len(dataset.test),
        numbers={
            name: RepeatedNumbers(
                [[values[name] for values in row] for row in by_encoder],
                [[[values[name] for values in pair] for pair in row] for row in by_half],
            )
            for name in by_encoder[0][0]
        },
    )


_Reference = Callable[[str], Mapping[str, Tensor]]


def _reference(
    requested: RequestedMetrics,
    dataset: Dataset,
    encoder: Encoder,
    features: Tensor,
    rows: Tensor | None = None,
) -> _Reference:
    """What every metric knows of the test images, or of some of them."""
    test = dataset.test if rows is None else dataset.test.select(rows)
    real: ImageSet = image_set(
        in_memory(features if rows is None else features[rows]),
        encoder,
        requested.required_of("test"),
        images=test.images,
        labels=test.labels,
        manifold=dataset.manifold,
    )
    known = {name: part.reference(real) for name, part in requested.parts.items()}
    return known.__getitem__


def _halves(
    requested: RequestedMetrics,
    dataset: Dataset,
    encoder: Encoder,
    features: Tensor,
    partitions: int,
    rng: Rng,
) -> list[list[_Reference]]:
    """For each partition, what every metric knows of its two halves."""
    found = []
    for _ in range(partitions):
        order = rng.permutation(len(dataset.test))
        sides = torch.chunk(order[: len(order) // 2 * 2], 2)
        found.append([_reference(requested, dataset, encoder, features, rows) for rows in sides])
    return found


def _values(
    requested: RequestedMetrics, encoder: Encoder, reference: _Reference, fake: ImageSet
) -> dict[str, float]:
    """Every number that is defined.

    Raises:
        FloatingPointError: a metric is undefined for these images.
    """
    measured = measure(requested, encoder=encoder.id, real="", references=reference, fake=fake)
    for reason in measured.undefined.values():
        raise FloatingPointError(reason)
    return {name: number.value.value for name, number in measured.numbers.items()}
