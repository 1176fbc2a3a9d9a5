"""Which encoder scores: the one asked for, or the first that suits the data."""

import inspect
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import torch

from coequal import lookup
from coequal.contract import Dataset, Encoder, Log
from coequal.evaluation.requested import RequestedMetrics
from coequal.evaluation.statistics_in_use import SIDES, encoder_of_statistics
from coequal.files import atomic_write
from coequal.inputs.dataset import as_dataset
from coequal.inputs.input import Input


class EncoderChoice(NamedTuple):
    """Which encoder scores.

    Attributes:
        encoder: None for features that were given.
        why: why it is this one.
        warnings: of which better ones it took the place, and why.
        name: by which a user asks for it; None for features that were given.
        device: on which it and the metrics compute.
    """

    encoder: Encoder | None
    why: str
    warnings: Sequence[str] = ()
    name: str | None = None
    device: torch.device = torch.device("cpu")

    def on(self, device: torch.device) -> "EncoderChoice":
        """The same, computing on a device."""
        if self.encoder is not None:
            self.encoder.to(device)
        return self._replace(device=device)


def need_features(requested: RequestedMetrics, encoder: str | None, shown: bool) -> bool:
    """Whether anything uses features; an encoder that was named always counts, and so do
    neighbours that are shown."""
    seen = any(part.sees_features for part in requested.parts.values())
    return seen or encoder is not None or shown


def chosen_encoder(
    name: str | None, sources: Mapping[str, Input], cache: Path, log: Log
) -> EncoderChoice:
    """Choose the encoder of a score, and load or train it.

    Args:
        name: of the encoder, if the user asked for one; None: the first that suits the data.
        sources: what is compared, by side.
        cache: the folder of all caches.
        log: is told about long work.

    Raises:
        ValueError, LookupError: it can't be had.
    """
    sides = [sources[side] for side in SIDES if side in sources]
    kinds = {source.kind for source in sides if source.images is None}
    encoded = [source for source in sides if source.images is not None]
    if kinds and ("features" in kinds or not encoded):
        kind = "features" if "features" in kinds else "statistics"
        if name is not None:
            raise ValueError(f"{kind} need no encoder; leave out --encoder {name}")
        return EncoderChoice(None, f"{kind} were given")
    dataset = encoded[0].dataset or as_dataset(encoded[0], sources.get("train"))
    why, warnings = "asked for", list[str]()
    if name is None:
        if of_statistics := encoder_of_statistics(sources):
            name, why = of_statistics
        else:
            name, why, warnings = default_encoder(dataset)
    return EncoderChoice(prepared_encoder(name, dataset, cache, log), why, warnings, name)


class RunEncoder(NamedTuple):
    """The encoder of a run on one dataset.

    Attributes:
        folder: where the run keeps the weights of its small encoders.
        id: of the encoder that the run began with; None before it has begun.
    """

    folder: Path
    id: str | None = None


def prepared_encoder(
    name: str, dataset: Dataset, cache: Path, log: Log, run: RunEncoder | None = None
) -> Encoder:
    """Load or train an encoder.

    Weights of a small one are taken from the run's folder, else from those that come with the
    package (or lie in `weights` beside the module of an encoder of one's own), else from the cache;
    only if they are nowhere is it trained.

    Args:
        name: a name of `coequal list encoders`, or "module:Class".
        dataset: the images that it is for.
        cache: the folder of all caches.
        log: is told about long work.
        run: of which this is the encoder, if it is of one: weights with the id that it began with
            are preferred.

    Raises:
        LookupError: there is no such encoder.
        ValueError: it can't be had here, or for this dataset; the message says what would do.
        OSError: a file of weights holds something else.
    """
    kind: type[Encoder] = lookup.load_class("encoders", name, Encoder)
    refusal = kind.available() or kind.unsupported_reason(dataset)
    if refusal:
        raise ValueError(refusal)
    file = kind.weights_name(dataset)
    if file is None:
        return kind.prepare(dataset, cache, log)
    for path in _places(kind, file, cache, run):
        encoder = kind.restored(dataset, path)
        if run is None or run.id in (None, encoder.id):
            return encoder
    return kind.prepare(dataset, cache, log)


def keep_weights(encoder: Encoder, dataset: Dataset, cache: Path, folder: Path) -> Path | None:
    """Put a copy of the weights of a small encoder into a run's folder of them.

    Args:
        encoder: as `prepared_encoder` gave it.
        dataset: the images that it is for.
        cache: the folder of all caches.
        folder: where the run keeps weights.

    Returns:
        The file in that folder, which stays as it is if it holds this encoder; None of an encoder
        that is large or has no weights.
    """
    kind = type(encoder)
    file = kind.weights_name(dataset)
    if file is None:
        return None
    for path in _places(kind, file, cache, RunEncoder(folder)):
        if kind.restored(dataset, path).id == encoder.id:
            if path.parent != folder:
                atomic_write(folder / file, path.read_bytes())
            return folder / file
    raise FileNotFoundError(
        f"{kind.__name__}.prepare left no weights of {encoder.id} at {cache / 'encoders' / file}"
    )


def _places(kind: type[Encoder], file: str, cache: Path, run: RunEncoder | None) -> Iterator[Path]:
    """The files that there are of this name, in the order in which they are preferred."""
    shipped = Path(inspect.getfile(kind)).parent / "weights"
    own = [] if run is None else [run.folder]
    for folder in (*own, shipped, cache / "encoders"):
        if (folder / file).exists():
            yield folder / file


def default_encoder(dataset: Dataset) -> tuple[str, str, list[str]]:
    """Choose the first encoder by its own rank that suits the data and can be had here.

    Args:
        dataset: the images that it is for.

    Returns:
        Its name; why it is this one; and warnings of those before it that another machine may have.

    Raises:
        ValueError: none can be had; the message says of each why, and what would do.
    """
    kinds: dict[str, type[Encoder]] = {
        name: lookup.load("encoders", name) for name in lookup.names("encoders")
    }
    ranked = sorted(
        (kind.default_rank, name) for name, kind in kinds.items() if kind.default_rank is not None
    )
    passed_over: dict[str, str] = {}
    absent: dict[str, str] = {}
    for _, name in ranked:
        kind = kinds[name]
        unsupported = kind.unsupported_reason(dataset)
        if not kind.suits_by_default(dataset):
            if unsupported is None:
                unsupported = f"it is not a default here; to use it, add --encoder {name}"
            passed_over[name] = unsupported
            continue
        if unsupported is None and (missing := kind.available()) is not None:
            absent[name] = missing
        elif unsupported is None:
            before = [other for other in passed_over if kinds[other].suits_by_default(dataset)]
            after = f"; {' and '.join(before)} could not be had" if before else ""
            warnings = [_warning(name, kinds[other], other, absent[other]) for other in absent]
            return name, f"default for {dataset.name}{after}", warnings
        passed_over[name] = absent.get(name) or str(unsupported)
    reasons = [f"- {name}: {reason}" for name, reason in passed_over.items()]
    raise ValueError("\n".join([f"no encoder can be had for {dataset.name}:", *reasons]))


def _warning(name: str, absent: type[Encoder], other: str, reason: str) -> str:
    labels = [f"{label}s" for label in absent.published_names.values()]
    published = f" or with published {' and '.join(labels)}" if labels else ""
    return (
        f"encoder {name} took the place of {other}: its numbers are not comparable with those of "
        f"{other}{published}. {reason[0].upper()}{reason[1:]}"
    )
