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

ROWS = 64  # images of a probe, of each kind
KNOWN = 1024  # real images that the run is compared with, of each split


@dataclass(frozen=True, eq=False)
class Sets:
    """Real images in a fixed random order, `KNOWN` at most."""

    images: Float[Tensor, "n c h w"]
    labels: Tensor | None

    def turn(self, number: int) -> Samples:
        """The images of the n-th probe, `ROWS` if there are so many; others at the next probe."""
        count = min(ROWS, len(self.images))
        rows = (torch.arange(count) + number * count) % len(self.images)
        rows = rows.to(self.images.device)
        return Samples(self.images[rows], None if self.labels is None else self.labels[rows])


class RealReference:
    """Real images of a data set as a monitor needs them; one may serve many runs.

    Args:
        dataset: what the run trains on; its validation split is what it does not.
        encoder: gives features, and class probabilities where it knows classes; None: neither is
            looked at.
        device: of the run.
    """

    def __init__(
        self, dataset: Dataset, encoder: Encoder | None, device: torch.device | str = "cpu"
    ) -> None:
        self.device = torch.device(device)
        self.train = _some(dataset.train, "train", self.device)
        self.held_out = _some(dataset.validation, "validation", self.device)
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
        """Of the held-out images."""
        return None if self.encoder is None else self.encoder.features(self.held_out.images)

    @cached_property
    def feature_mean(self) -> Tensor:
        """Their mean."""
        assert self.features is not None
        return self.features.mean(0)

    @cached_property
    def feature_spread(self) -> float:
        """Mean distance between two of them."""
        assert self.features is not None
        return mean_distance(_parts(self.features))

    @cached_property
    def shares(self) -> Tensor:
        """Share of the held-out images that the encoder takes for each class; empty if it knows
        none."""
        found = self.taken_for(self.features) if self.features is not None else None
        return torch.zeros(0) if found is None else found / found.sum()

    def taken_for(self, features: Tensor) -> Tensor | None:
        """How many images with these features the encoder takes for each class; None if it knows
        none."""
        if self.encoder is None or not self.encoder.knows_classes:
            return None
        probabilities = self.encoder.probabilities(features)
        assert probabilities is not None
        return torch.bincount(probabilities.argmax(1), minlength=probabilities.shape[1]).float()

    @property
    def numbers(self) -> dict[str, float]:
        """What the monitor's numbers are relative to."""
        found = {"spread": self.spread, "nearest": self.nearest, "saturated": self.saturated}
        return found | ({} if self.encoder is None else {"feature_spread": self.feature_spread})


def _some(split: Split, name: str, device: torch.device) -> Sets:
    rows = Rng(seed_for("health", name)).permutation(len(split))[:KNOWN]
    labels = None if split.labels is None else split.labels[rows].to(device)
    return Sets(as_float(split.images[rows]).to(device), labels)


def _parts(rows: Float[Tensor, "n d"]) -> tuple[Tensor, ...]:
    """Batches of the size of a probe's, whole ones if there is any: distances to the nearest depend
    on how many there are."""
    if len(rows) < ROWS:
        return (rows,)
    whole: tuple[Tensor, ...] = rows[: len(rows) // ROWS * ROWS].split(ROWS)
    return whole


def mean_distance(parts: tuple[Float[Tensor, "n d"], ...]) -> float:
    """Mean Euclidean distance between two different rows of a part."""
    means = [_distances(part).sum() / max(1, len(part) * (len(part) - 1)) for part in parts]
    return float(torch.stack(means).mean())


def _nearest(rows: Float[Tensor, "n d"]) -> Tensor:
    """Median over rows of the distance to the nearest other one."""
    return spread_and_nearest(rows)[1].median()


def spread_and_nearest(rows: Float[Tensor, "n d"]) -> tuple[Tensor, Float[Tensor, " n"]]:
    """Mean distance between two rows, and of each the distance to the nearest other one."""
    apart = _distances(rows)
    mean = apart.sum() / max(1, len(rows) * (len(rows) - 1))
    apart.fill_diagonal_(torch.inf)
    return mean, apart.min(1).values


def _distances(rows: Float[Tensor, "n d"]) -> Float[Tensor, "n n"]:
    """By differences, not by a product of matrices: two equal rows are at 0 exactly."""
    return torch.cdist(rows, rows, compute_mode="donot_use_mm_for_euclid_dist")
