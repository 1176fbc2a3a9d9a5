"""A closer look at generated images whose manifold is known: curves over delta, and pictures."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from coequal.contract import Generator, GeneratorInput, Log
from coequal.images import as_float, to_uint8
from coequal.inputs.load import Input
from coequal.manifolds.inversion.invert import Effort, Inversion, folded, invert
from coequal.manifolds.inversion.latents import joined, split, support_of
from coequal.manifolds.polygons.family import PolygonFamily
from coequal.manifolds.polygons.projection import DELTA, Name
from coequal.metrics._proportions import f1_value, share_of
from coequal.metrics.manifold import Manifold, distance
from coequal.rng import Rng
from coequal.seeds import seed_for

DELTAS = tuple(float(f"{value:.3g}") for value in np.geomspace(0.01, 10, 31))
SHOWN = 24  # images of each side on the sheet
Images = NDArray[np.uint8]


@dataclass(frozen=True)
class Pair:
    """An image, what is nearest to it, and their squared distance."""

    image: Images  # (channels, height, width)
    nearest: Images
    squared: float
    certain: bool


@dataclass(frozen=True)
class Look:
    """What was found.

    Attributes:
        record: plain values, ready for JSON: numbers at delta, with intervals, and the protocol.
        curves: a row per delta, with precision, recall on test and on training images, F1, and
            their intervals.
        samples: generated images with their closest polygon.
        reached: real images with the generator's closest image; none without a generator.
    """

    record: dict[str, Any]
    curves: tuple[dict[str, float], ...]
    samples: tuple[Pair, ...]
    reached: tuple[Pair, ...]


def look(
    *,
    real: Input,
    fake: Input,
    train: Input | None,
    count: int,
    delta: float,
    manifold: Name,
    seed: int,
    log: Log,
) -> Look:
    """Precision and recall at every delta, and the images behind them.

    Searches are not stopped at delta: the distances are as small as they get, so that the curves
    hold everywhere. Recall on training images beside test images shows memorisation at small delta.

    Args:
        real: a split of a data set of polygons.
        fake: images, or a model of a run.
        train: what the generator was trained on, if recall on it is wanted.
        count: images of each side.
        delta: squared distance, above 0.
        manifold: "convex" or "family".
        seed: of samples and starts.
        log: is told about long work.

    Raises:
        ValueError: a data set without polygons, or images of another shape.
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
    images = as_float(fake.images[:count])
    near = distance(images, family, manifold, delta)
    closest = family.images(near.vertices.nan_to_num(0))
    sides = {"precision": near.squared}
    reached: tuple[Pair, ...] = ()
    effort = Effort(delta=delta, stop=False)
    spent: dict[str, Any] = {}
    if fake.generator is not None:
        for side, source in (("recall", real), ("train_recall", train)):
            if source is not None and source.images is not None:
                log(f"searching {min(count, len(source))} images of {source.what}")
                targets = as_float(source.images[:count])
                found = _inverted(fake.generator, targets, effort, seed)
                sides[side] = found.squared
                spent[side] = _effort_of(found)
                if side == "recall":
                    reached = _reached(fake.generator, targets, found, delta)
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
    return Look(record, every, _pairs(images, closest, near.squared, near.certain), reached)


def _inverted(generator: Generator, targets: Tensor, effort: Effort, seed: int) -> Inversion:
    device = next((p.device for p in generator.parameters()), torch.device("cpu"))
    return invert(generator, targets, Rng(seed_for("manifold", seed), device), effort)


def _effort_of(found: Inversion) -> dict[str, float]:
    return {
        "mean_evaluations": float(found.evaluations.float().mean()),
        "undecided": float(found.undecided.float().mean()),
    }


def _protocol(generator: Generator | None, effort: Effort, seed: int) -> dict[str, Any]:
    if generator is None:
        return {}
    size = joined(generator.latents(1, Rng(seed))).shape[1]
    return {"latents": support_of(generator, size).description, "effort": str(effort)}


def _row(sides: Mapping[str, Tensor], delta: float) -> dict[str, float]:
    """Every share at one delta with its Wilson interval."""
    row = {"delta": delta}
    hits = {side: squared <= delta for side, squared in sides.items()}
    values = {side: share_of(found) for side, found in hits.items()}
    if "recall" in hits:
        values["f1"] = f1_value(hits["precision"], hits["recall"])
    for side, value in values.items():
        low, high = value.interval or (math.nan, math.nan)
        row |= {side: value.value, f"{side}_low": low, f"{side}_high": high}
    return row


@torch.no_grad()
def _reached(
    generator: Generator, targets: Tensor, found: Inversion, delta: float
) -> tuple[Pair, ...]:
    few = found.latents[:SHOWN]
    like = tuple(part[:1] for part in generator.latents(1, Rng(0, few.device)))
    images = folded(generator)(GeneratorInput(split(few, like))).images.cpu()
    certain = (found.squared <= delta) | ~found.undecided
    return _pairs(targets, images, found.squared, certain)


def _pairs(images: Tensor, nearest: Tensor, squared: Tensor, certain: Tensor) -> tuple[Pair, ...]:
    return tuple(
        Pair(to_uint8(image).numpy(), to_uint8(close).numpy(), float(value), bool(sure))
        for image, close, value, sure in zip(
            images[:SHOWN], nearest[:SHOWN], squared[:SHOWN], certain[:SHOWN], strict=True
        )
    )
