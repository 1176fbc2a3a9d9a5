"""What became of a model, from its images alone."""

import math
from collections.abc import Mapping
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import torch

from coequal import lookup
from coequal.contract import Log
from coequal.evaluation.encoder_choice import chosen_encoder
from coequal.evaluation.warnings import about_images
from coequal.files import cache_folder
from coequal.health.judge_images import ImageObservation, judge_samples
from coequal.inputs.alike import made_alike
from coequal.inputs.input import Input, Scorable
from coequal.inputs.load import load_input
from coequal.monitoring.images import chosen_rows, class_signals, image_signals
from coequal.value_range import UNIT, ValueRange

MAX_IMAGES = 10_000  # of each side
FROM_SAMPLES = "from samples alone, "
"""How the evidence begins where no signals of a training were at hand."""


def of_images(
    fake: Scorable,
    real: Scorable | None,
    data_dir: Path,
    log: Log,
    device: torch.device,
    value_range: ValueRange = UNIT,
) -> dict[str, Any]:
    """The health of a model as its images show it.

    Args:
        fake: generated images, as for `score`.
        real: real images to compare them with; None for the few checks that need none.
        data_dir: where datasets lie or are put.
        log: is given a line about long work.
        device: what is computed on.
        value_range: black and white of images that are floats.

    Returns:
        What `diagnose` returns, with `numbers` (the measured values), `classes` (images of each
        side in each class), `notes` and `warnings` (what was done to the images, and why they may
        not be what they were meant to be).

    Raises:
        ValueError: a side holds features, or the sides are of different size.
    """
    cache = cache_folder()
    given = {"fake": fake} if real is None else {"real": real, "fake": fake}
    sources: dict[str, Input] = {}
    for role, one in given.items():
        sources[role] = load_input(
            one,
            role=role,
            data_dir=data_dir,
            value_range=value_range,
            cache=cache,
            log=log,
            like=sources.get("real"),
        )
    _refuse_features(sources)
    sources = made_alike(sources)
    generated, known = sources["fake"], sources.get("real")
    fakes = _rows(generated, device)
    reals = None if known is None else _rows(known, device)
    values, unseen = image_signals(fakes, reals), []
    counts: tuple[list[int], list[int]] = ([], [])
    if known is None or reals is None:
        unseen.append(
            "collapsed (images that hardly differ), mode_dropping: no real images to compare "
            "with (--real)"
        )
    elif (why := _no_classifier(known)) is not None:
        unseen.append(f"mode_dropping: {why}")
    else:
        encoder = chosen_encoder("classifier", {"real": known}, cache, log).encoder
        assert encoder is not None
        of_features, *counted = class_signals(fakes, reals, encoder.to(device))
        values |= of_features
        counts = counted[0], counted[1]
    classes = () if known is None else known.classes or ()
    observation = ImageObservation(0, values, *counts, classes=classes, unseen=tuple(unseen))
    health = judge_samples([observation])
    health = replace(health, evidence=f"{FROM_SAMPLES}{health.evidence}")
    names = {"fake": generated.what, "real": None if known is None else known.what}
    notes = [f"{role}: {note}" for role, source in sources.items() for note in source.notes]
    distinct = len({bytes(row) for row in generated.digests})
    numbers = {"images": len(generated), "distinct": distinct, **values}
    return {
        **{"trial": None, "model": None, **names},
        **asdict(health),
        "from": "samples",
        "notes": notes,
        "warnings": about_images(sources),
        "numbers": {
            name: value if math.isfinite(value) else None for name, value in numbers.items()
        },
        "classes": {
            name: {"fake": a, "real": b} for name, a, b in zip(classes, *counts, strict=False)
        },
    }


def _rows(source: Input, device: torch.device) -> torch.Tensor:
    """Images in a fixed random order on a device, `MAX_IMAGES` at most."""
    assert source.images is not None
    return source.images[chosen_rows(len(source), MAX_IMAGES)].to(device)


def _no_classifier(real: Input) -> str | None:
    """Why no classifier can count classes; None if one can."""
    if real.dataset is None:
        return "a classifier exists only for a dataset given by name (--real fashion_mnist:test)"
    reason: str | None = lookup.load("encoders", "classifier").unsupported_reason(real.dataset)
    return reason


def _refuse_features(sources: Mapping[str, Input]) -> None:
    for role, source in sources.items():
        if source.images is None:
            raise ValueError(f"{role}: {source.what} holds features; only images can be diagnosed")
