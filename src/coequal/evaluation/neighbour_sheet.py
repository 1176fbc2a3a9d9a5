"""Generated images beside the images nearest to them, which no score shows: Shmelkov et al. 2018,
arXiv:1807.09499, figure 3."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch
from jaxtyping import Int, UInt8
from torch import Tensor

from coequal.contract import Dataset, Encoder, ImageSet, Log
from coequal.contract.data import ImageRows
from coequal.datasets._loading import fingerprint
from coequal.evaluation.feature_cache import cached_features
from coequal.evaluation.sheet_files import ENLARGED_PIXELS, GAP_PIXELS, with_caption
from coequal.files import atomic_write
from coequal.images import Pixels, png_bytes, tile, to_uint8
from coequal.inputs.input import Input
from coequal.metrics._distances import nearest, nearest_of
from coequal.rng import Rng
from coequal.seeds import seed_for

MAX_ROWS, NEIGHBOURS = 24, 5  # generated images that are shown, and how many beside each


def announce_sheet(fake: ImageSet, near: ImageSet) -> None:
    """Have a pass over both sets, if a metric makes one, find the neighbours that a sheet shows."""
    fake.neighbours.announce(near.features, min(NEIGHBOURS, len(near)))


def found_neighbours(
    sets: Mapping[str, ImageSet], sources: Mapping[str, Input], near: str, seed: int
) -> dict[str, Any]:
    """Some fakes with their nearest images in the encoder's features, as plain values.

    Args:
        sets: the features of "fake" and of `near`.
        sources: their images.
        near: "real" or "train".
        seed: of the draw of fakes.

    Returns:
        `of`, the side that the neighbours are of; `source`, its name; and `rows`, for each image
        its `row`, from 0, its `label` and its `nearest`, with `row` and `distance` each.
    """
    fake, other = sources["fake"], sources[near]
    rows = shown_rows(len(fake), fake.labels, seed)
    others = sets[near].features
    count, here = min(NEIGHBOURS, len(others)), rows.to(others.device)
    found = nearest_of(sets["fake"], others, count, here)
    return {
        "of": near,
        "source": other.what,
        "rows": [
            {
                "row": row,
                "label": row_label(fake, row),
                "nearest": [
                    {"row": index, "distance": distance}
                    for index, distance in zip(indices, distances, strict=True)
                ],
            }
            for row, indices, distances in zip(
                rows.tolist(), found.indices.tolist(), found.distances.tolist(), strict=True
            )
        ],
    }


def write_sheet(
    path: Path, sources: Mapping[str, Input], neighbours: Mapping[str, Any], seed: int
) -> None:
    """Some fakes, one a row, with their nearest images.

    Args:
        path: ends in .png.
        sources: the images, of which only those that are shown are read.
        neighbours: what `found_neighbours` gave.
        seed: of the draw of fakes.
    """
    fake, other = sources["fake"], sources[neighbours["of"]]
    assert fake.images is not None
    assert other.images is not None
    strips = []
    for row in neighbours["rows"]:
        near = torch.tensor([one["row"] for one in row["nearest"]])
        strips.append(
            _strip(torch.cat([fake.images[row["row"] : row["row"] + 1], other.images[near]]))
        )
    classes = "" if fake.labels is None else ", spread over the classes"
    caption = (
        f"Left {len(strips)} of {len(fake):,} images of {fake.what}, drawn with seed "
        f"{seed}{classes}. Beside each: the nearest images in {other.what}, by distance in the "
        "encoder's features."
    )
    picture = tile(np.stack(strips).transpose(0, 3, 1, 2), columns=1, gap=GAP_PIXELS)
    atomic_write(path, png_bytes(with_caption(picture, caption)))


def shown_rows(count: int, labels: Int[Tensor, " n"] | None, seed: int) -> Int[Tensor, " rows"]:
    """Which generated images a sheet shows: drawn by seed, as many of each class as fit.

    Args:
        count: of all of them.
        labels: their classes, if they have any.
        seed: of the draw.

    Returns:
        At most `MAX_ROWS` numbers of images, in order of class and number.
    """
    order = Rng(seed_for("sheet", seed)).permutation(count)
    if labels is None:
        return order[:MAX_ROWS].sort().values
    # The first of each class in the drawn order, then the second of each, and so on.
    turns: dict[int, int] = {}
    ranked = []
    for place, row in enumerate(order.tolist()):
        label = int(labels[row])
        turns[label] = turns.get(label, -1) + 1
        ranked.append((turns[label], place, label, row))
    chosen = sorted((label, row) for _, _, label, row in sorted(ranked)[:MAX_ROWS])
    return torch.tensor([row for _, row in chosen])


def row_label(source: Input, row: int) -> str:
    """The number of an image, from 1, or its file, and its class."""
    named = source.names[row] if source.names else f"image {row + 1:,}"
    if source.labels is None:
        return named
    label = int(source.labels[row])
    name = source.classes[label] if source.classes and 0 <= label < len(source.classes) else label
    return f"{named}, class {name}"


def _strip(images: Tensor) -> Pixels:
    """Images in one row, white gaps between them, a wider one after the first: (h, w, 3)."""
    factor = max(1, ENLARGED_PIXELS // int(images.shape[2]))
    pixels = to_uint8(images).expand(-1, 3, -1, -1).numpy()
    large = pixels.repeat(factor, axis=2).repeat(factor, axis=3)
    first, others = tile(large[:1], 1), tile(large[1:], len(large), gap=GAP_PIXELS)
    gap = np.full((len(first), 3 * GAP_PIXELS, 3), 255, dtype=np.uint8)
    return np.concatenate([first, gap, others], axis=1)


def train_features(dataset: Dataset, encoder: Encoder, cache: Path, log: Log) -> ImageRows:
    """Features of all training images, from the cache or made now."""
    images = dataset.train.images
    digest = f"{fingerprint(dataset)}:train"
    return cached_features(images, digest, encoder, cache, log, f"{dataset.name}:train")


def beside_nearest(
    images: Tensor, dataset: Dataset, encoder: Encoder, cache: Path
) -> UInt8[Tensor, "n six c h w"]:
    """Each image, then its five nearest training images by distance in the encoder's features,
    nearest first."""
    known = train_features(dataset, encoder, cache, lambda line: None).whole.to(encoder.device)
    count = min(NEIGHBOURS, len(known))
    indices = nearest(encoder.features(images), known, count).indices.cpu()
    near = dataset.train.images[indices.flatten()].unflatten(0, (len(images), count))
    return torch.cat([to_uint8(images)[:, None], to_uint8(near)], 1)
