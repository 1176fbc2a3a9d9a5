"""Why the scores of these images might mislead: what goes into the warnings of the output."""

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from coequal.contract import Encoder, ImageSet
from coequal.inputs.load import Input


def warnings_about(
    sources: Mapping[str, Input], sets: Mapping[str, ImageSet], encoder: Encoder | None
) -> list[str]:
    """One sentence for each reason not to trust the scores."""
    real, fake = sources["real"], sources["fake"]
    warnings = []
    dimension = sets["real"].features.shape[1]
    for role in ("real", "fake"):
        if len(sources[role]) <= dimension:
            warnings.append(
                f"{role}: {len(sources[role])} samples for {dimension} features; "
                "distances of distributions are dominated by noise and bias"
            )
        repeats = len(sources[role]) - len(np.unique(_keys(sources[role])))
        if repeats:
            warnings.append(
                f"{role}: {repeats} of {len(sources[role])} are exact repeats of another"
            )
    if len(real) != len(fake):
        warnings.append(f"different counts: {len(real)} real and {len(fake)} fake")
    if (real.lossy > 0) != (fake.lossy > 0):
        side = "real" if real.lossy else "fake"
        warnings.append(f"only the {side} images were stored in a lossy format (JPEG, WebP)")
    copies = _copies(sources.get("train", real), fake)
    if copies:
        where = "train" if "train" in sources else "real"
        warnings.append(f"{copies} of {len(fake)} fake images are exact copies of {where} images")
    return [
        *warnings,
        *_about_resizing(sources["real"], encoder),
        *_about_training(sources, encoder),
    ]


def _about_resizing(real: Input, encoder: Encoder | None) -> list[str]:
    if encoder is None or not encoder.resizes or real.shape is None:
        return []
    warnings = []
    name = encoder.id.partition(":")[0]
    if real.shape.channels == 1:
        warnings.append(f"grey images went through {name}, a net for photographs in colour")
    if real.shape.height != real.shape.width:
        warnings.append(f"images of {describe_size(real)} were squashed to a square by {name}")
    return warnings


def _about_training(sources: Mapping[str, Input], encoder: Encoder | None) -> list[str]:
    own = sources["real"].dataset is not None or "train" in sources
    if own or encoder is None or not encoder.id.startswith("classifier:"):
        return []
    return ["the classifier was trained on the very images it judges; give --train"]


def _copies(of: Input, fake: Input) -> int:
    return int(np.isin(_keys(fake), _keys(of)).sum())


def _keys(source: Input) -> NDArray[np.void]:
    """(n,) the SHA-256 of each image, as one value."""
    return np.ascontiguousarray(source.digests).view("V32")[:, 0]


def describe_size(source: Input) -> str:
    """`28x28 with 1 channel`."""
    assert source.shape is not None
    channels, height, width = source.shape
    return f"{height}x{width} with {channels} channel{'s' if channels > 1 else ''}"
