"""For polygons: a small net, trained here to count corners; its last hidden layer is the feature.

Polygons of one kind have no classes for a classifier to learn. Telling 3 to 8 corners apart takes
features of edges and corners, which is what a generator of polygons gets wrong first. As with
`classifier`, the numbers are comparable only between runs with the same weights.
"""

import hashlib
from pathlib import Path

import torch

from coequal.contract import Dataset, Log, Split
from coequal.encoders import _small_net
from coequal.encoders._small_net import RECIPE, SmallNetEncoder, weights_hash
from coequal.manifolds.polygons.family import VERTICES, PolygonFamily
from coequal.rng import Rng
from coequal.seeds import seed_for

PART = "Corners"
OF_EACH = {"train": 10_000, "test": 1_000}  # images of each number of corners
KINDS = range(VERTICES[0], VERTICES[1] + 1)


class Corners(SmallNetEncoder):
    """128 features, after the ReLU of the last hidden layer."""

    default_rank = 20  # nets for photographs are slow on made polygons, and know less of them

    @classmethod
    def suits_by_default(cls, dataset: Dataset) -> bool:
        """Made polygons alone."""
        return cls.unsupported_reason(dataset) is None

    @classmethod
    def unsupported_reason(cls, dataset: Dataset) -> str | None:
        """All but polygons whose family is known."""
        if isinstance(dataset.manifold, PolygonFamily):
            return None
        return (
            "encoder corners is for polygons of a known family (triangles, squares, polygons:5), "
            f"and {dataset.name} is none; what would do: encoder: classifier or pixels"
        )

    @classmethod
    def prepare(cls, dataset: Dataset, cache: Path, log: Log) -> "Corners":
        """Weights for images of this size and mode, from the cache or trained now (half a
        minute)."""
        return cls._trained(dataset, cache, log)

    @classmethod
    def retrained(cls, dataset: Dataset, cache: Path, log: Log, repeat: int) -> "Corners":
        """Other first weights, and the training images in another order."""
        return cls._trained(dataset, cache, log, repeat)

    @classmethod
    def _trained(cls, dataset: Dataset, cache: Path, log: Log, repeat: int = 0) -> "Corners":
        families = _families(dataset)
        key = _key(families)
        path = cache / "encoders" / _file_name(f"{key}-{repeat}" if repeat else key)
        _small_net.train_into(
            path,
            dataset.shape,
            len(families),
            lambda: (_split(families, "train"), _split(families, "test")),
            int(key, 16),
            log,
            "polygons of 3 to 8 corners",
            repeat,
        )
        return cls.restored(dataset, path)

    @classmethod
    def weights_name(cls, dataset: Dataset) -> str:
        """By the recipes of the net and of the polygons: one for all polygons of a size and
        mode."""
        return _file_name(_key(_families(dataset)))

    @classmethod
    def restored(cls, dataset: Dataset, path: Path) -> "Corners":
        """The net as the file has it."""
        net, accuracy = _small_net.read(path, dataset.shape, len(KINDS))
        note = f"net that counts the corners of polygons, {accuracy} right of 3 to 8"
        return cls(net, f"corners:{weights_hash(net)}", note)


def _families(dataset: Dataset) -> list[PolygonFamily]:
    """The polygons that are told apart, of the size and mode of the data."""
    family = dataset.manifold
    assert isinstance(family, PolygonFamily)
    return [PolygonFamily(k, family.size, family.mode) for k in KINDS]


def _key(families: list[PolygonFamily]) -> str:
    recipes = " ".join(kind.recipe for kind in families)
    return hashlib.sha256(f"{RECIPE} {OF_EACH} {recipes}".encode()).hexdigest()[:16]


def _file_name(key: str) -> str:
    return f"corners-{key}.safetensors"


def _split(families: list[PolygonFamily], part: str) -> Split:
    """Images of all families, with their place in the list as label."""
    count = OF_EACH[part]
    images = [
        family.images(family.draw(count, Rng(seed_for("corners", family.recipe, part))))
        for family in families
    ]
    return Split(torch.cat(images), torch.arange(len(families)).repeat_interleave(count))
