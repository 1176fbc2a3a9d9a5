"""Scores of generated images against real ones: every number with its protocol."""

import time
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from functools import partial
from importlib.metadata import version
from pathlib import Path
from typing import Any

import torch

from coequal import lookup
from coequal.contract import Encoder, Log
from coequal.devices import precision_on
from coequal.evaluation.encoder_choice import EncoderChoice, chosen_encoder, need_features
from coequal.evaluation.floor import floor_of
from coequal.evaluation.image_ranking import (
    PerImageRequest,
    refuse_per_image,
    told_of_images,
)
from coequal.evaluation.requested import GROUPS, RequestedMetrics, requested_metrics
from coequal.evaluation.requirements import not_measurable, slow
from coequal.evaluation.score_record import (
    as_given,
    encoder_name,
    number_record,
    settings_of,
    undefined_of,
)
from coequal.evaluation.score_sides import CPU, only_statistics, read_sides
from coequal.evaluation.scorer import References, Scorer
from coequal.evaluation.sheet_files import refuse_sheet
from coequal.evaluation.statistics_in_use import statistics_in_use
from coequal.evaluation.warnings import warnings_about
from coequal.inputs.input import Scorable
from coequal.inputs.load import load_input
from coequal.value_range import UNIT, ValueRange

SCHEMA = 1  # of the JSON
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
    sources, mismatch = read_sides(given, read, real_count)
    refuse_sheet(sheet, sources["fake"], sources.get("train", sources["real"]))
    refuse_per_image(per_image, requested, sources["fake"])
    if floor and (role := only_statistics(sources)):
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
    scorer = Scorer(choice, seed, cache, log, {} if references is None else references)
    sets = {
        role: scorer.image_set(
            source,
            measurable.required_of(role),
            statistics.of.get(role),
            features=sheet is not None or measurable.sees_features(role in statistics.of),
        )
        for role, source in sources.items()
    }
    infos = measurable.infos()
    measured = scorer.measured(measurable, sources, sets, sheet=sheet, per_image=per_image.wanted)
    notes = scorer.sheet_notes(sources)
    ranked = told_of_images(per_image, measured.per_image, sources["fake"], notes)
    numbers_of = partial(scorer.numbers_of, measurable)
    below = floor_of(sources["real"], sources["fake"], seed, numbers_of, log) if floor else None
    return {
        "schema": SCHEMA,
        "coequal": version("coequal"),
        "torch": torch.__version__,
        "date": datetime.now(UTC).isoformat(timespec="seconds"),
        "seconds": round(time.monotonic() - began, 3),
        **{role: as_given(source, statistics.notes.get(role)) for role, source in sources.items()},
        "encoder": {"id": encoder_name(ready, sources), "chosen": choice.why},
        "device": str(device),
        "precision": str(precision_on(device)),
        "seed": seed,
        "settings": {name: settings_of(part) for name, part in measurable.parts.items()},
        "metrics": {
            name: {"metric": measurable.home(name), **number_record(infos[name], number)}
            for name, number in measured.numbers.items()
        },
        **({"images": ranked} if per_image.worst is not None else {}),
        "not_measured": {**missing, **undefined_of(measurable, measured)},
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
