"""The sides of a score: what is compared, read and brought to one form."""

import hashlib
from collections.abc import Callable, Mapping, Sequence

import torch

from coequal.contract import Encoder
from coequal.devices import protocol_of
from coequal.evaluation.statistics_in_use import SIDES
from coequal.inputs.alike import made_alike
from coequal.inputs.classes import with_classes_of
from coequal.inputs.input import Input, Scorable
from coequal.inputs.load import from_split

CPU = torch.device("cpu")


def read_sides(
    given: Mapping[str, Scorable | None], read: Callable[..., Input], real_count: int | None
) -> tuple[dict[str, Input], dict[str, str | None]]:
    """What is compared, labels by the real classes; and by side, why these can't be had of it."""
    sources: dict[str, Input] = {}
    for role in [role for role, one in given.items() if one is not None]:
        count = real_count if role == "real" else None
        sources[role] = read(given[role], role=role, count=count, like=sources.get("real"))
    if "train" in sources and sources["train"].rows is None:
        raise ValueError("train: metrics of memorisation need images; statistics were given")
    real = sources["real"]
    if "train" not in sources and real.dataset is not None and real.split != "train":
        sources["train"] = from_split(real.what.rpartition(":")[0], real.dataset, "train")
    sources = made_alike(sources, "give --image-size N to have all cropped and resized")
    real = sources["real"]
    mismatch: dict[str, str | None] = {}
    for role in [role for role in sources if role != "real"]:
        sources[role], mismatch[role] = with_classes_of(real, sources[role], role)
    return sources, mismatch


def only_statistics(sources: Mapping[str, Input]) -> str | None:
    """The first side of which there is nothing but statistics."""
    return next((side for side in SIDES if sources[side].rows is None), None)


def key_of(sources: Sequence[Input], encoder: Encoder | None, device: torch.device = CPU) -> str:
    """For `cached_reference`: of images, statistics, labels, the encoder that sees them, if one
    does, and what they are computed on."""
    seen_by = repr(None if encoder is None else encoder.id)
    key = hashlib.sha256(f"{seen_by}{protocol_of(device)}".encode())
    for source in sources:
        for digest in (source.digest(), *(one.digest() for one in source.statistics)):
            key.update(digest.encode())
        if source.labels is not None:
            key.update(source.labels.contiguous().numpy().data)
    return key.hexdigest()[:24]
