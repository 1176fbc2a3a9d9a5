"""Generated images whose manifold is known: precision and recall at every delta, and pictures."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from coequal.contract import Generator, GeneratorInput, Log
from coequal.devices import exact_on
from coequal.evaluation.instrument import device_of
from coequal.images import as_float, to_uint8
from coequal.inputs.input import Input
from coequal.manifolds.inversion.invert import Effort, Inversion, folded, invert
from coequal.manifolds.inversion.latents import joined, split, support_of
from coequal.manifolds.polygons.family import PolygonFamily
from coequal.manifolds.polygons.projection import DELTA, Name
from coequal.metrics._proportions import f1_value, proportion_of
from coequal.metrics.manifold import Manifold, distance
from coequal.rng import Rng
from coequal.seeds import seed_for

DELTAS = tuple(float(f"{value:.3g}") for value in np.geomspace(0.01, 10, 31))
MAX_SHOWN_IMAGES = 24  # of each side
Images = NDArray[np.uint8]


@dataclass(frozen=True)
class ImagePair:
    """An image, and what is nearest to it on the other side.

    Attributes:
        image: uint8 (channels, height, width).
        nearest: of the same shape.
        squared: their squared distance, in squares of the range from black to white.
        certain: whether nothing nearer can have been missed.
    """

    image: Images
    nearest: Images
    squared: float
    certain: bool


@dataclass(frozen=True)
class ManifoldCurves:
    """Precision and recall at every delta, and the images behind them.

    Attributes:
        record: plain values, ready for JSON: numbers at delta, with intervals, and the protocol.
        curves: a row per delta, with precision, recall on test and on training images, F1, and
            their intervals.
        samples: generated images with their closest polygon.
        reached: real images with the generator's closest image; none without a generator.
    """

    record: dict[str, Any]
    curves: tuple[dict[str, float], ...]
    samples: tuple[ImagePair, ...]
    reached: tuple[ImagePair, ...]


def manifold_curves(
    *,
    real: Input,
    fake: Input,
    train: Input | None,
    count: int,
    delta: float,
    manifold: Name,
    seed: int,
    device: torch.device,
    log: Log,
) -> ManifoldCurves:
    """Measure precision and recall at every delta.

    Searches are not stopped at delta: the distances are as small as they get, so that the curves
    hold everywhere. Recall on training images beside test images shows memorisation at small delta.

    Args:
        real: a split of a dataset of polygons.
        fake: images, or a model of a run.
        train: what the generator was trained on, if recall on it is wanted.
        count: images of each side.
        delta: squared distance, above 0.
        manifold: "convex" or "family".
        seed: of samples and starts.
        device: where polygons are searched; a generator is searched where it lies.
        log: is told about long work.

    Raises:
        ValueError: a dataset without polygons, or images of another shape.
        FloatingPointError: the generator's images are not finite.
    """
    family = None if real.dataset is None else real.dataset.manifold
    if refusal := Manifold.unsupported_reason(family):
        raise ValueError(f"{real.what}: {refusal}")
    assert isinstance(family, PolygonFamily)
    if fake.images is None or real.images is None:
        raise ValueError("the manifold is of images; features were given")
    metric = Manifold(delta, count, manifold)
    log(f"distance of {min(count, len(fake))} generated images to the manifold")
    images = as_float(fake.images[:count].to(exact_on(device)))
    near = distance(images, family, manifold, delta)
    closest = family.images(near.vertices.nan_to_num(0))
    effort = Effort(delta=delta, stop=False)
    inversions: dict[str, Inversion] = {}
    reached: tuple[ImagePair, ...] = ()
    if fake.generator is not None:
        targets = {"recall": real, "train_recall": train}
        inversions = _inversions(fake.generator, targets, count, effort, seed, log)
        reached = _reached(
            fake.generator, as_float(real.images[:count]), inversions["recall"], delta
        )
    sides = {"precision": near.squared}
    sides |= {side: inversion.squared for side, inversion in inversions.items()}
    spent = {side: _effort_of(inversion) for side, inversion in inversions.items()}
    record = {
        "real": real.what,
        "fake": fake.what,
        "manifold": f"{manifold}: {family.description}",
        "images": count,
        "seed": seed,
        "searches": {**_protocol(fake.generator, effort, seed), **spent},
        "at_delta": _row(sides, delta),
        "mean_squared_distance": float(near.squared.mean()),
        "certain": float(near.certain.float().mean()),
        "metric": str(metric),
    }
    every = tuple(_row(sides, value) for value in sorted({*DELTAS, DELTA, delta}))
    return ManifoldCurves(
        record, every, _pairs(images, closest, near.squared, near.certain), reached
    )


def _inversions(
    generator: Generator,
    sources: Mapping[str, Input | None],
    count: int,
    effort: Effort,
    seed: int,
    log: Log,
) -> dict[str, Inversion]:
    """The searches for the first images of each source that there is."""
    inversions = {}
    for side, source in sources.items():
        if source is not None and source.images is not None:
            log(f"searching {min(count, len(source))} images of {source.what}")
            targets = as_float(source.images[:count])
            inversions[side] = _inverted(generator, targets, effort, seed)
    return inversions


def _inverted(generator: Generator, targets: Tensor, effort: Effort, seed: int) -> Inversion:
    return invert(generator, targets, Rng(seed_for("manifold", seed), device_of(generator)), effort)


def _effort_of(inversion: Inversion) -> dict[str, float]:
    return {
        "mean_evaluations": float(inversion.evaluations.float().mean()),
        "undecided": float(inversion.undecided.float().mean()),
    }


def _protocol(generator: Generator | None, effort: Effort, seed: int) -> dict[str, Any]:
    if generator is None:
        return {}
    size = joined(generator.latents(1, Rng(seed))).shape[1]
    return {"latents": support_of(generator, size).description, "effort": str(effort)}


def _row(sides: Mapping[str, Tensor], delta: float) -> dict[str, float]:
    """Every fraction at one delta with its Wilson interval."""
    row = {"delta": delta}
    near = {side: squared <= delta for side, squared in sides.items()}
    values = {side: proportion_of(inside) for side, inside in near.items()}
    if "recall" in near:
        values["f1"] = f1_value(near["precision"], near["recall"])
    for side, value in values.items():
        low, high = value.interval or (math.nan, math.nan)
        row |= {side: value.value, f"{side}_low": low, f"{side}_high": high}
    return row


@torch.no_grad()
def _reached(
    generator: Generator, targets: Tensor, inversion: Inversion, delta: float
) -> tuple[ImagePair, ...]:
    few = inversion.latents[:MAX_SHOWN_IMAGES]
    like = tuple(part[:1] for part in generator.latents(1, Rng(0, few.device)))
    images = folded(generator)(GeneratorInput(split(few, like))).images.cpu()
    certain = (inversion.squared <= delta) | ~inversion.undecided
    return _pairs(targets, images, inversion.squared, certain)


def _pairs(
    images: Tensor, nearest: Tensor, squared: Tensor, certain: Tensor
) -> tuple[ImagePair, ...]:
    return tuple(
        ImagePair(_array(image), _array(close), float(value), bool(sure))
        for image, close, value, sure in zip(
            images[:MAX_SHOWN_IMAGES],
            nearest[:MAX_SHOWN_IMAGES],
            squared[:MAX_SHOWN_IMAGES],
            certain[:MAX_SHOWN_IMAGES],
            strict=True,
        )
    )


def _array(image: Tensor) -> Images:
    """An image as an array of 8 bits."""
    pixels: Images = to_uint8(image).cpu().numpy()
    return pixels
