"""Which encoder scores: the one asked for, or the first that suits the data."""

from collections.abc import Mapping
from pathlib import Path

from coequal import lookup
from coequal.contract import Dataset, Encoder, Log
from coequal.evaluation.requested import RequestedMetrics
from coequal.inputs.dataset import as_dataset
from coequal.inputs.load import Input


def need_features(requested: RequestedMetrics, encoder: str | None, sheet: Path | None) -> bool:
    """Whether anything uses features; an encoder that was named always counts."""
    seen = any(part.sees_features for part in requested.parts.values())
    return seen or encoder is not None or sheet is not None


def chosen_encoder(
    name: str | None, sources: Mapping[str, Input], cache: Path, log: Log
) -> tuple[Encoder | None, str]:
    """Choose the encoder of a score, and load or train it.

    Args:
        name: of the encoder, if the user asked for one; None: the first that suits the data.
        sources: what is compared, by side.
        cache: the folder of all caches.
        log: is told about long work.

    Returns:
        The encoder, None for features that were given; and why it is this one.

    Raises:
        ValueError, LookupError: it can't be had.
    """
    real = sources["real"]
    if real.features is not None:
        if name is not None:
            raise ValueError(f"features need no encoder; leave out --encoder {name}")
        return None, "features were given"
    dataset = real.dataset or as_dataset(sources.get("train", real))
    why = "asked for"
    if name is None:
        name, why = _default_encoder(dataset)
    return prepared_encoder(name, dataset, cache, log), why


def prepared_encoder(name: str, dataset: Dataset, cache: Path, log: Log) -> Encoder:
    """Load or train an encoder.

    Args:
        name: a name of `coequal list encoders`, or "module:Class".
        dataset: the images that it is for.
        cache: the folder of all caches.
        log: is told about long work.

    Raises:
        LookupError: there is no such encoder.
        ValueError: it can't be had here, or for this data set; the message says what would do.
    """
    kind: type[Encoder] = lookup.load_class("encoders", name, Encoder)
    refusal = kind.available() or kind.unsupported_reason(dataset)
    if refusal:
        raise ValueError(refusal)
    encoder: Encoder = kind.prepare(dataset, cache, log)
    return encoder


def _default_encoder(dataset: Dataset) -> tuple[str, str]:
    """The first encoder by its own rank that suits the data and can be had here, and why."""
    kinds: dict[str, type[Encoder]] = {
        name: lookup.load("encoders", name) for name in lookup.names("encoders")
    }
    ranked = sorted(
        (kind.default_rank, name) for name, kind in kinds.items() if kind.default_rank is not None
    )
    passed_over: list[str] = []
    for _, name in ranked:
        kind = kinds[name]
        if not kind.suits_by_default(dataset):
            continue
        if (kind.available() or kind.unsupported_reason(dataset)) is None:
            after = f"; {' and '.join(passed_over)} could not be had" if passed_over else ""
            return name, f"default for {dataset.name}{after}"
        passed_over.append(name)
    raise ValueError(f"no encoder can be had for {dataset.name}; name one with --encoder")
