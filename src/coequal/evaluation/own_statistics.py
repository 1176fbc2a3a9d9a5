"""Mean and covariance of the features of one's own images, in a file that other programs read."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import torch

from coequal import __version__
from coequal.contract import ImageSet, Log, Statistics
from coequal.evaluation.encoder_choice import EncoderChoice, chosen_encoder
from coequal.evaluation.feature_cache import cached_features
from coequal.files import refuse_unwritable, write_npz
from coequal.inputs.input import Input
from coequal.inputs.statistics_arrays import FACTS, PAIRS
from coequal.metrics.fd import statistics_of

SUFFIX = ".npz"


def write_statistics(
    images: Input,
    out: Path,
    *,
    encoder: str | None,
    device: torch.device,
    cache: Path,
    log: Log,
) -> dict[str, Any]:
    """Write the statistics of images.

    The file holds `mu` and `sigma` (float64, divisor n - 1), which pytorch-fid, clean-fid and EDM
    read, and in `coequal` as JSON what is known of them.

    Args:
        images: images, or features.
        out: the file, which ends in .npz.
        encoder: a name of `coequal list encoders`; None: chosen by the data.
        device: what the encoder computes on.
        cache: the folder of all caches.
        log: is told about long work.

    Returns:
        What the file says of itself in `coequal`.

    Raises:
        ValueError, LookupError: the encoder can't be had, or there is nothing to encode.
        OSError: the file can't be written.
    """
    if out.suffix.lower() != SUFFIX:
        raise ValueError(f"statistics are written into a {SUFFIX}, not {out.name}")
    refuse_unwritable(out)
    if images.rows is None:
        raise ValueError(f"{images.what} holds statistics already")
    choice = chosen_encoder(encoder, {"real": images}, cache, log).on(device)
    found = _statistics(images, choice, cache, log)
    facts = _facts(images, choice, found)
    arrays = dict(zip(PAIRS[0], (found.mean.numpy(), found.covariance.numpy()), strict=True))
    write_npz(out, {**arrays, FACTS: np.array(json.dumps(facts))})
    return facts


def _statistics(images: Input, choice: EncoderChoice, cache: Path, log: Log) -> Statistics:
    rows = images.features
    if rows is None:
        assert images.images is not None
        assert choice.encoder is not None
        rows = cached_features(
            images.images, images.digest(), choice.encoder, cache, log, images.what
        )
    features = ImageSet(rows.whole, read=rows.read)
    if count := features.not_finite.get("features"):
        raise ValueError(f"{images.what}: features of {count} images hold NaN or infinity")
    return statistics_of(features)


def _facts(images: Input, choice: EncoderChoice, found: Statistics) -> dict[str, Any]:
    """All that is known of the statistics, as plain values."""
    encoder = choice.encoder
    return {
        "count": found.count,
        "features": found.dimension,
        "encoder": None if encoder is None else encoder.id,
        "encoder_name": choice.name,
        "preparation": None if encoder is None else encoder.note,
        "device": None if encoder is None else encoder.device.type,
        "images": images.as_dict(),
        "coequal": __version__,
        "torch": torch.__version__,
    }
