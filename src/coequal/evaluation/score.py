"""Scores of generated images against real ones: every number with its protocol."""

import hashlib
import math
import time
from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import UTC, datetime
from functools import partial
from importlib.metadata import version
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from coequal import lookup
from coequal.contract import Encoder, ImageSet, Log, Metric, MetricInfo, Statistics
from coequal.contract.data import in_memory
from coequal.devices import precision_on, protocol_of
from coequal.evaluation.encoder_choice import EncoderChoice, chosen_encoder, need_features
from coequal.evaluation.feature_cache import cached_features
from coequal.evaluation.floor import floor_of
from coequal.evaluation.image_ranking import (
    PerImageRequest,
    refuse_per_image,
    told_of_images,
)
from coequal.evaluation.measure import Measured, Number, image_set, measure
from coequal.evaluation.neighbour_sheet import announce_sheet, write_sheet
from coequal.evaluation.reference_cache import cached_reference
from coequal.evaluation.requested import GROUPS, RequestedMetrics, requested_metrics
from coequal.evaluation.requirements import not_measurable, slow
from coequal.evaluation.sheet_files import refuse_sheet
from coequal.evaluation.statistics_in_use import SIDES, statistics_in_use
from coequal.evaluation.warnings import warnings_about
from coequal.inputs.alike import made_alike
from coequal.inputs.classes import with_classes_of
from coequal.inputs.input import Input, Scorable
from coequal.inputs.load import from_split, load_input
from coequal.settings import setting_names
from coequal.value_range import UNIT, ValueRange

SCHEMA = 1  # of the JSON
CPU = torch.device("cpu")
References = dict[tuple[str, str], Mapping[str, Tensor]]  # by metric, and by what it saw
DEFAULT_METRICS = ("fd", "precision", "recall")


def score(
    *,
    real: Scorable,
    fake: Scorable,
    train: Scorable | None = None,
    metrics: Sequence[str] | str = DEFAULT_METRICS,
    settings: Mapping[str, Mapping[str, Any]] | None = None,
    encoder: str | None = None,
    image_size: int | None = None,
    value_range: ValueRange = UNIT,
    real_count: int | None = None,
    max_images: int | None = None,
    seed: int = 0,
    data_dir: Path,
    cache: Path,
    sheet: Path | None = None,
    floor: bool = False,
    references: References | None = None,
    per_image: PerImageRequest = PerImageRequest(),  # noqa: B008  (a constant)
    device: torch.device = CPU,
    log: Log,
) -> dict[str, Any]:
    """Measure generated images against real ones.

    Args:
        real: the reference images or features; see `inputs.load.load_input` for what may be given.
        fake: the generated ones.
        train: what the generator was trained on, for metrics of memorisation and classifiers.
        metrics: names of metrics or of their numbers, "recommended", or "all" that apply and take
            no training.
        settings: by metric, those that are not to be its defaults; checked.
        encoder: a name of `coequal list encoders`; default: by the data, and reported in the
            output.
        image_size: images are cropped to their centre square and resized to it.
        value_range: black and white of images that are floats.
        real_count: of how many images the statistics are that `real` names.
        max_images: streams are read no further than the first so many; None: to their end.
        seed: of subsets and shuffles.
        data_dir: where data sets lie.
        cache: the folder of all caches.
        sheet: a .png or .html to write, with fakes beside their nearest images.
        floor: whether real images are scored against real ones, too.
        references: what metrics know of the real images, kept by a caller who scores several sets
            against the same ones.
        per_image: what to tell of single generated images.
        device: what the encoder and the metrics compute on, as `devices.computing_on` gives it.
        log: is told about long work.

    Returns:
        Plain values, ready for JSON: what was compared, every number with its protocol, why others
        could not be measured, and warnings; and `floor`, if that was asked for.

    Raises:
        ValueError, LookupError, FileNotFoundError: something can't be scored; one message.
    """
    began = time.monotonic()
    requested = requested_metrics(metrics, settings)  # first: a typo is said before long work
    if idle := [name for name in settings or {} if name not in requested.parts]:
        raise ValueError(f"settings of {', '.join(idle)}, which is not among the metrics asked for")
    if encoder is not None:
        lookup.load_class("encoders", encoder, Encoder)
    given = {"real": real, "fake": fake, "train": train}
    read = partial(
        load_input,
        data_dir=data_dir,
        image_size=image_size,
        value_range=value_range,
        max_images=max_images,
        cache=cache,
        log=log,
    )
    sources, mismatch = _sources(given, read, real_count)
    refuse_sheet(sheet, sources["fake"], sources.get("train", sources["real"]))
    refuse_per_image(per_image, requested, sources["fake"])
    if floor and (role := _only_statistics(sources)):
        raise ValueError(f"a floor needs {role} images or features; statistics were given")
    choice = EncoderChoice(None, "no metric uses features")
    if need_features(requested, encoder, sheet):
        choice = chosen_encoder(encoder, sources, cache, log)
    choice = choice.on(device)
    ready = choice.encoder
    if ready is not None:
        requested = requested.with_published_names(ready.published_names)
    statistics = statistics_in_use(sources, ready, requested.taking_statistics())
    missing = not_measurable(requested, sources, ready, mismatch, statistics.of)
    if metrics in GROUPS:
        missing |= slow(requested)
    elif tuple(metrics) != DEFAULT_METRICS or not requested.without(missing).parts:
        _refuse_missing(requested, missing)
    measurable = requested.without(missing)
    if train is None and "train" not in measurable.required_of("real"):
        sources.pop("train", None)
    sets = {
        role: _image_set(
            source,
            choice,
            measurable.required_of(role),
            cache,
            log,
            statistics.of.get(role),
            features=sheet is not None or measurable.sees_features(role in statistics.of),
        )
        for role, source in sources.items()
    }
    infos = measurable.infos()
    kept = {} if references is None else references
    measured = _measured(
        measurable, sources, sets, choice, seed, sheet, per_image.wanted, kept, cache, log
    )
    notes = _sheet_notes(choice, sources)
    ranked = told_of_images(per_image, measured.per_image, sources["fake"], notes)
    numbers_of = partial(_numbers_of, measurable, choice, seed, cache, log)
    below = floor_of(sources["real"], sources["fake"], seed, numbers_of, log) if floor else None
    return {
        "schema": SCHEMA,
        "coequal": version("coequal"),
        "torch": torch.__version__,
        "date": datetime.now(UTC).isoformat(timespec="seconds"),
        "seconds": round(time.monotonic() - began, 3),
        **{role: _as_given(source, statistics.notes.get(role)) for role, source in sources.items()},
        "encoder": {"id": _name(ready, sources), "chosen": choice.why},
        "device": str(device),
        "precision": str(precision_on(device)),
        "seed": seed,
        "settings": {name: _settings(part) for name, part in measurable.parts.items()},
        "metrics": {
            name: {"metric": measurable.home(name), **_as_dict(infos[name], number)}
            for name, number in measured.numbers.items()
        },
        **({"images": ranked} if per_image.worst is not None else {}),
        "not_measured": {**missing, **_undefined(measurable, measured)},
        "warnings": [
            *choice.warnings,
            *statistics.warnings,
            *warnings_about(sources, sets, ready),
            *measured.warnings,
        ],
        **({} if below is None else {"floor": below}),
    }


def _refuse_missing(requested: RequestedMetrics, missing: Mapping[str, str]) -> None:
    """Refuse metrics that were asked for by name and can't be had.

    A number that lacks something that the others of its metric don't need is only left out.

    Raises:
        ValueError: a metric, all that was asked of one, or a published name (`fid`) is missing.
    """
    left = requested.without(missing).parts
    asked = {
        name: reason
        for name, reason in missing.items()
        if name in requested.published or _metric_of(name, requested) not in left
    }
    if asked:
        raise ValueError("\n".join(f"{name}: {reason}" for name, reason in asked.items()))


def _metric_of(name: str, requested: RequestedMetrics) -> str:
    return name if name in requested.parts else requested.home(name)


def _measured(
    requested: RequestedMetrics,
    sources: Mapping[str, Input],
    sets: Mapping[str, ImageSet],
    choice: EncoderChoice,
    seed: int,
    sheet: Path | None,
    per_image: bool,
    kept: References,
    cache: Path,
    log: Log,
) -> Measured:
    """The numbers; and the sheet, which shows neighbours that a metric may have found."""
    near = "train" if "train" in sets else "real"
    encoder, real = choice.encoder, sources["real"]
    if sheet is not None:
        announce_sheet(sets["fake"], sets[near])
    measured = measure(
        requested,
        encoder=_encoder_in_protocol(encoder, sources),
        real=_real_in_protocol(real),
        real_statistics=sets["real"].statistics,
        references=partial(_reference, requested, sources, sets, choice, kept, cache, log),
        fake=sets["fake"],
        note=sources["fake"].drawn,
        seed=seed,
        per_image=per_image,
        device=choice.device,
        log=log,
    )
    if sheet is not None:
        notes = _sheet_notes(choice, sources)
        write_sheet(sheet, sets=sets, sources=sources, near=near, seed=seed, notes=notes)
    return measured


def _only_statistics(sources: Mapping[str, Input]) -> str | None:
    """The first side of which there is nothing but statistics."""
    return next((side for side in SIDES if sources[side].rows is None), None)


def _sheet_notes(choice: EncoderChoice, sources: Mapping[str, Input]) -> list[str]:
    """What a sheet says of the encoder."""
    return [f"Encoder {_name(choice.encoder, sources)} ({choice.why}).", *choice.warnings]


def _sources(
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


def _image_set(
    source: Input,
    choice: EncoderChoice,
    required: Collection[str],
    cache: Path,
    log: Log,
    statistics: Statistics | None = None,
    features: bool = True,
) -> ImageSet:
    """Features, mapped from a file if they are in one, and what else is needed.

    Args:
        source: images, features, or only statistics.
        choice: the encoder of images, and the device.
        required: what the metrics need beyond features.
        cache: the folder of all caches.
        log: is told about long work.
        statistics: those that stand for features where a metric takes them.
        features: whether any metric looks at the features.
    """
    encoder, device = choice.encoder, choice.device
    if source.features is not None:
        return image_set(
            source.features,
            None,
            required,
            labels=source.labels,
            statistics=statistics,
            device=device,
        )
    rows = in_memory(torch.empty(len(source), 0))  # where nothing uses features
    if source.images is None:
        return image_set(rows, None, (), statistics=statistics, device=device)
    if encoder is not None and features:
        rows = cached_features(source.images, source.digest(), encoder, cache, log, source.what)
    return image_set(
        rows,
        encoder,
        required,
        images=source.images,
        labels=source.labels,
        manifold=None if source.dataset is None else source.dataset.manifold,
        generator=source.generator,
        statistics=statistics,
        device=device,
    )


def _name(encoder: Encoder | None, sources: Mapping[str, Input]) -> str:
    """The encoder's id, or why there is none."""
    if encoder is not None:
        return encoder.id
    known = {one.encoder for source in sources.values() for one in source.statistics}
    if sources["real"].images is None and sources["fake"].images is None and known - {None}:
        return str(max(filter(None, known)))
    kinds = {sources[side].kind for side in SIDES} & {"features", "statistics"}
    return f"{min(kinds)} as given" if kinds else "none"


def _encoder_in_protocol(encoder: Encoder | None, sources: Mapping[str, Input]) -> str:
    name = _name(encoder, sources)
    return "given" if name.endswith(" as given") else name


def _as_given(source: Input, note: str | None) -> dict[str, Any]:
    """A source as plain values, with what was found out of it since it was read."""
    given = source.as_dict()
    return given if note is None else {**given, "notes": [*given["notes"], note]}


def _real_in_protocol(real: Input) -> str:
    """ "test:355" for a split of a data set, "355" for any other images."""
    return f"{len(real)}" if real.split is None else f"{real.split}:{len(real)}"


def _reference(
    requested: RequestedMetrics,
    sources: Mapping[str, Input],
    sets: Mapping[str, ImageSet],
    choice: EncoderChoice,
    kept: References,
    cache: Path,
    log: Log,
    name: str,
) -> Mapping[str, Tensor]:
    """What a metric knows of the real images, made once; from the cache if it is costly and
    known."""
    metric, both = requested.parts[name], (sets["real"], sets.get("train"))
    known = [sources[role] for role in ("real", "train") if role in sources]
    key = key_of(known, choice.encoder if metric.sees_features else None, choice.device)
    if (name, key) not in kept:
        kept[name, key] = (
            cached_reference(name, metric, key, cache, lambda: both, log)
            if metric.costly
            else metric.reference(*both)
        )
    return kept[name, key]


def _numbers_of(
    requested: RequestedMetrics,
    choice: EncoderChoice,
    seed: int,
    cache: Path,
    log: Log,
    sides: Mapping[str, Input],
) -> dict[str, dict[str, Any]]:
    """The numbers of two sides alone, by metrics that see no training images and train nothing."""
    trained = [n for n, p in requested.parts.items() if p.costly or "train" in p.required]
    wanted = requested.without(trained)
    none: dict[str, str | None] = {"fake": None, "train": None}
    wanted = wanted.without(not_measurable(wanted, sides, choice.encoder, none))
    sets = {
        role: _image_set(side, choice, wanted.required_of(role), cache, log)
        for role, side in sides.items()
    }
    measured = _measured(wanted, sides, sets, choice, seed, None, False, {}, cache, log)
    return {
        name: {
            "value": _number(number.value.value),
            "standard_error": _number(number.value.standard_error),
            "protocol": number.protocol,
        }
        for name, number in measured.numbers.items()
    }


def _undefined(requested: RequestedMetrics, measured: Measured) -> dict[str, str]:
    """Why metrics, or single numbers of others, have no value for these images."""
    undefined, infos = dict(measured.undefined), requested.infos()
    undefined |= {k: v.found.undefined for k, v in measured.per_image.items() if v.found.undefined}
    for name in requested.parts:
        if name in undefined:
            continue
        reasons: dict[str, str] = {}
        for key in requested.outputs[name]:
            if key not in measured.numbers:
                reasons[key] = f"these images have none ({infos[key].unit})"
            elif reason := (measured.numbers[key].value.details or {}).get("undefined"):
                reasons[key] = reason
        alike = len(reasons) == len(requested.outputs[name]) and len({*reasons.values()}) == 1
        undefined |= {name: next(iter(reasons.values()))} if alike else reasons
    return undefined


def _settings(metric: Metric) -> dict[str, Any]:
    """The settings with which a metric was measured, by name."""
    return {name: getattr(metric, name) for name in setting_names(type(metric))}


def _as_dict(info: MetricInfo, number: Number) -> dict[str, Any]:
    """A number as plain values."""
    value, metric = number.value, number.metric
    return {
        "value": _number(value.value),
        "standard_error": _number(value.standard_error),
        **({} if value.interval is None else {"interval": list(value.interval)}),
        **({} if metric.error_over == Metric.error_over else {"over": metric.error_over}),
        **({} if value.details is None else {"details": dict(value.details)}),
        "protocol": number.protocol,
        "better": info.better,
        "target": info.target if value.target is None else value.target,
        "unit": info.unit,
        **({} if info.use is None else {"use": info.use}),
    }


def _number(value: float | None) -> float | None:
    """JSON has no NaN: a number that could not be had is null."""
    return None if value is None or not math.isfinite(value) else value


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
