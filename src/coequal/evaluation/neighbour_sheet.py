"""Generated images beside the images nearest to them, which no score shows: Shmelkov et al. 2018,
arXiv:1807.09499, figure 3."""

from collections.abc import Mapping, Sequence
from html import escape
from pathlib import Path

import numpy as np
import torch
from jaxtyping import UInt8
from torch import Tensor

from coequal.contract import Dataset, Encoder, ImageSet, Log
from coequal.contract.data import ImageRows
from coequal.datasets._loading import fingerprint
from coequal.evaluation.feature_cache import cached_features
from coequal.files import atomic_write, refuse_unwritable
from coequal.images import Pixels, data_uri, png_bytes, tile, to_uint8
from coequal.inputs.load import Input
from coequal.metrics._distances import nearest, nearest_of

SHEETS = (".png", ".html")
MAX_ROWS, NEIGHBOURS = 24, 5  # generated images that are shown, and how many beside each
GAP_PIXELS = 2  # between two images
ENLARGED_PIXELS = 64  # small images are enlarged to about this side


def announce_sheet(fake: ImageSet, near: ImageSet) -> None:
    """Have a pass over both sets, if a metric makes one, find the neighbours that a sheet shows."""
    fake.neighbours.announce(near.features, min(NEIGHBOURS, len(near)))


def refuse_sheet(sheet: Path | None, fake: Input) -> None:
    """Before anything is measured.

    Raises:
        ValueError: a sheet is asked for that can't be had.
        OSError: it can't be written where it is asked for.
    """
    if sheet is not None and sheet.suffix.lower() not in SHEETS:
        raise ValueError(f"a sheet is a {' or '.join(SHEETS)}, not {sheet.name}")
    if sheet is not None and fake.images is None:
        raise ValueError("a sheet needs images; features were given")
    if sheet is not None and fake.shape is not None and fake.shape.channels not in (1, 3):
        size = "x".join(map(str, fake.shape))
        raise ValueError(f"a sheet shows grey or coloured images; these are {size}")
    if sheet is not None:
        refuse_unwritable(sheet)


def write_sheet(
    path: Path,
    *,
    sets: Mapping[str, ImageSet],
    sources: Mapping[str, Input],
    near: str,
    notes: Sequence[str],
) -> None:
    """The first fakes, one a row, with their nearest images in the encoder's features.

    Args:
        path: ends in .png or .html; the page also shows every distance, and the notes.
        sets: the features of "fake" and of `near`.
        sources: their images, of which only those that are shown are read.
        near: "real" or "train".
        notes: on the encoder.
    """
    fakes, nears, name = sources["fake"].images, sources[near].images, sources[near].what
    assert fakes is not None
    assert nears is not None
    others = sets[near].features
    indices, distances = nearest_of(
        sets["fake"], others, min(NEIGHBOURS, len(others)), min(MAX_ROWS, len(sets["fake"]))
    )
    strips = [
        _strip(torch.cat([fakes[row : row + 1], nears[neighbours]]))
        for row, neighbours in enumerate(indices)
    ]
    if path.suffix.lower() == ".png":
        rows = np.stack(strips).transpose(0, 3, 1, 2)
        atomic_write(path, png_bytes(tile(rows, columns=1, gap=GAP_PIXELS)))
    else:
        atomic_write(path, _page(strips, distances, name, notes).encode())


def _strip(images: Tensor) -> Pixels:
    """Images in one row, white gaps between them, a wider one after the first: (h, w, 3)."""
    factor = max(1, ENLARGED_PIXELS // int(images.shape[2]))
    pixels = to_uint8(images).expand(-1, 3, -1, -1).numpy()
    large = pixels.repeat(factor, axis=2).repeat(factor, axis=3)
    first, others = tile(large[:1], 1), tile(large[1:], len(large), gap=GAP_PIXELS)
    gap = np.full((len(first), 3 * GAP_PIXELS, 3), 255, dtype=np.uint8)
    return np.concatenate([first, gap, others], axis=1)


def _page(strips: list[Pixels], distances: Tensor, name: str, notes: Sequence[str]) -> str:
    rows = []
    for strip, row in zip(strips, distances, strict=True):
        label = ", ".join(f"{float(distance):.3g}" for distance in row)
        rows.append(f'<p><img src="{data_uri(png_bytes(strip))}" alt=""> {label}</p>')
    return (
        '<!doctype html><meta charset="utf-8"><title>Nearest neighbours</title>'
        "<style>body{font:15px system-ui;margin:2rem}img{vertical-align:middle}</style>"
        f"<h1>Generated images beside their nearest neighbours in {escape(name)}</h1>"
        "<p>Left the generated image, then its neighbours by distance in the encoder's features; "
        "the numbers are those distances. 0 is a copy.</p>"
        + "".join(f"<p>{escape(note)}</p>" for note in notes)
        + "".join(rows)
        + "\n"
    )


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
    known = train_features(dataset, encoder, cache, lambda line: None).whole
    count = min(NEIGHBOURS, len(known))
    indices = nearest(encoder.features(images), known, count).indices
    near = dataset.train.images[indices.flatten()].unflatten(0, (len(images), count))
    return torch.cat([to_uint8(images)[:, None], to_uint8(near)], 1)
