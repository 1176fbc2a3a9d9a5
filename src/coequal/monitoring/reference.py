"""What the monitor compares a run with: real images, and how far they are from each other."""

from dataclasses import dataclass
from functools import cached_property

import torch
from jaxtyping import Float
from torch import Tensor

from coequal.contract import Dataset, Encoder, Samples, Split
from coequal.images import as_float
from coequal.rng import Rng
from coequal.seeds import seed_for

IMAGES_PER_PROBE = 64  # of each kind
IMAGES_PER_SPLIT = 1024  # real images of each split that a run is compared with


@dataclass(frozen=True, eq=False)
class RealImages:
    """Real images of one split in a fixed random order.

    Attributes:
        images: float32 in [0, 1], `IMAGES_PER_SPLIT` at most.
        labels: (n,) their classes; None without classes.
    """

    images: Float[Tensor, "n c h w"]
    labels: Tensor | None

    def batch(self, number: int) -> Samples:
        """The images of a probe: `IMAGES_PER_PROBE` if there are so many, and the next ones at the
        next probe.

        Args:
            number: of the probe, from 0.
        """
        count = min(IMAGES_PER_PROBE, len(self.images))
        rows = (torch.arange(count) + number * count) % len(self.images)
        rows = rows.to(self.images.device)
        return Samples(self.images[rows], None if self.labels is None else self.labels[rows])


class RealReference:
    """Real images of a dataset as a monitor needs them; one may serve many runs.

    Args:
        dataset: what the run trains on; its validation split is held out.
        encoder: gives features, and class probabilities if it knows classes; None for neither.
        device: of the run.

    Attributes:
        train: images that the run trains on.
        held_out: images that it does not train on.
        mean: (d,) mean of the held-out images.
        spread: mean distance between two held-out images.
        nearest: median distance of a held-out image to the nearest other one of a probe.
        saturated: fraction of their pixels within 0.01 of black or white.
    """

    def __init__(
        self, dataset: Dataset, encoder: Encoder | None, device: torch.device | str = "cpu"
    ) -> None:
        self.device = torch.device(device)
        self.train = _real_images(dataset.train, "train", self.device)
        self.held_out = _real_images(dataset.validation, "validation", self.device)
        self.encoder = encoder
        self.classes = dataset.classes or ()
        pixels = self.held_out.images.flatten(1)
        self.mean = pixels.mean(0)
        parts = _parts(pixels)
        self.spread = mean_distance(parts)
        self.nearest = float(torch.stack([_nearest(part) for part in parts]).mean())
        self.saturated = float(((pixels < 0.01) | (pixels > 0.99)).float().mean())

    @cached_property
    def features(self) -> Tensor | None:
        """(n, d) the features of the held-out images; None without an encoder."""
        return None if self.encoder is None else self.encoder.features(self.held_out.images)

    @cached_property
    def feature_mean(self) -> Tensor:
        """(d,) the mean feature of the held-out images."""
        assert self.features is not None
        return self.features.mean(0)

    @cached_property
    def feature_spread(self) -> float:
        """Mean distance between the features of two held-out images."""
        assert self.features is not None
        return mean_distance(_parts(self.features))

    @cached_property
    def class_fractions(self) -> Tensor:
        """(classes,) the fraction of the held-out images that the encoder assigns to each class;
        empty if it knows none."""
        counts = self.class_counts(self.features) if self.features is not None else None
        return torch.zeros(0) if counts is None else counts / counts.sum()

    def class_counts(self, features: Tensor) -> Tensor | None:
        """Count the images that the encoder assigns to each class.

        Args:
            features: (n, d) of the images.

        Returns:
            (classes,) the counts; None if the encoder knows no classes.
        """
        if self.encoder is None or not self.encoder.knows_classes:
            return None
        probabilities = self.encoder.probabilities(features)
        assert probabilities is not None
        return torch.bincount(probabilities.argmax(1), minlength=probabilities.shape[1]).float()

    @property
    def numbers(self) -> dict[str, float]:
        """What the monitor's numbers are relative to, by name."""
        numbers = {"spread": self.spread, "nearest": self.nearest, "saturated": self.saturated}
        return numbers | ({} if self.encoder is None else {"feature_spread": self.feature_spread})


def _real_images(split: Split, name: str, device: torch.device) -> RealImages:
    rows = Rng(seed_for("health", name)).permutation(len(split))[:IMAGES_PER_SPLIT]
    labels = None if split.labels is None else split.labels[rows].to(device)
    return RealImages(as_float(split.images[rows]).to(device), labels)


def _parts(rows: Float[Tensor, "n d"]) -> tuple[Tensor, ...]:
    """Batches of the size of a probe's, whole ones if there is any: distances to the nearest depend
    on how many there are."""
    size = IMAGES_PER_PROBE
    if len(rows) < size:
        return (rows,)
    whole: tuple[Tensor, ...] = rows[: len(rows) // size * size].split(size)
    return whole


def mean_distance(parts: tuple[Float[Tensor, "n d"], ...]) -> float:
    """Mean Euclidean distance between two different rows of a part, mean over parts.

    Args:
        parts: batches of rows of one width.
    """
    means = [_distances(part).sum() / max(1, len(part) * (len(part) - 1)) for part in parts]
    return float(torch.stack(means).mean())


def _nearest(rows: Float[Tensor, "n d"]) -> Tensor:
    """Median over rows of the distance to the nearest other one."""
    return spread_and_nearest(rows)[1].median()


def spread_and_nearest(rows: Float[Tensor, "n d"]) -> tuple[Tensor, Float[Tensor, " n"]]:
    """Euclidean distances between rows.

    Returns:
        The mean over all pairs of two rows, and for each row the distance to the nearest other one.
    """
    distances = _distances(rows)
    mean = distances.sum() / max(1, len(rows) * (len(rows) - 1))
    distances.fill_diagonal_(torch.inf)
    return mean, distances.min(1).values


def _distances(rows: Float[Tensor, "n d"]) -> Float[Tensor, "n n"]:
    """Euclidean distances by differences, not by a product of matrices, so that the distance of two
    equal rows is 0 exactly."""
    return torch.cdist(rows, rows, compute_mode="donot_use_mm_for_euclid_dist")
