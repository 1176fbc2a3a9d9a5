"""Scores of generated images against real ones: every number with its protocol."""

import time
from collections.abc import Mapping
from datetime import UTC, datetime
from functools import partial
from typing import Any, NamedTuple

import torch

from coequal import __version__
from coequal.contract import ImageSet
from coequal.devices import precision_on
from coequal.evaluation.exhibits import Exhibits, Pictures, exhibits_of
from coequal.evaluation.floor import floor_of
from coequal.evaluation.image_ranking import told_of_images
from coequal.evaluation.measure import Measured
from coequal.evaluation.neighbour_sheet import found_neighbours, write_sheet
from coequal.evaluation.requested import GROUPS, RequestedMetrics
from coequal.evaluation.requirements import not_measurable, slow
from coequal.evaluation.score_record import (
    as_given,
    encoder_name,
    number_record,
    settings_of,
    undefined_of,
)
from coequal.evaluation.score_request import DEFAULT_METRICS, ScoreRequest
from coequal.evaluation.score_sides import only_statistics, read_sides
from coequal.evaluation.scorer import References, Scorer
from coequal.evaluation.statistics_in_use import StatisticsInUse, statistics_in_use
from coequal.evaluation.warnings import warnings_about
from coequal.inputs.input import Input, Scorable

SCHEMA = 1  # of the JSON


class Score(NamedTuple):
    """A score.

    Attributes:
        record: plain values, ready for JSON: what was compared, every number with its protocol, why
            others could not be measured, and warnings; `floor`, if it was asked for; and `page`,
            what a page shows beside it.
        pictures: the images that `page` speaks of; empty without a page.
    """

    record: dict[str, Any]
    pictures: Pictures


class _Prepared(NamedTuple):
    """What a score measures, and by what."""

    sources: dict[str, Input]
    measurable: RequestedMetrics
    missing: dict[str, str]
    statistics: StatisticsInUse
    scorer: Scorer


def score(
    request: ScoreRequest,
    *,
    real: Scorable,
    fake: Scorable,
    train: Scorable | None = None,
    references: References | None = None,
) -> Score:
    """Measure generated images against real ones.

    Args:
        request: what is to be measured, and how.
        real: the reference images or features; see `inputs.load.load_input` for what may be given.
        fake: the generated ones.
        train: what the generator was trained on, for metrics of memorisation and classifiers.
        references: what metrics know of the real images, kept by a caller who scores several sets
            against the same ones.

    Raises:
        ValueError, LookupError, FileNotFoundError: something can't be scored; one message.
    """
    began = time.monotonic()
    requested = request.requested()  # first: a typo is said before long work
    given = {"real": real, "fake": fake, "train": train}
    prepared = _prepared(request, requested, given, {} if references is None else references)
    sets = _image_sets(request, prepared)
    measured = prepared.scorer.measured(
        prepared.measurable,
        prepared.sources,
        sets,
        neighbours=request.sheet is not None or request.page,
        per_image=request.ranks_images(requested) or request.per_image.table is not None,
    )
    ranked = told_of_images(
        request.per_image_of(requested), measured.per_image, prepared.sources["fake"]
    )
    if request.sheet is not None:
        sources = prepared.sources
        near = "train" if "train" in sets else "real"
        neighbours = found_neighbours(sets, sources, near, request.seed)
        write_sheet(request.sheet, sources, neighbours, request.seed)
    shown = Exhibits({}, {})
    if request.page:
        shown = exhibits_of(
            prepared.measurable, prepared.sources, sets, ranked, request.seed, request.log
        )
    floor = _floor(request, prepared)
    return Score(
        {
            **_about(request, prepared, began),
            **_numbers(prepared, sets, measured),
            **({"images": ranked} if request.ranks_images(requested) else {}),
            **floor,
            **({"page": shown.record} if request.page else {}),
        },
        shown.pictures,
    )


def _prepared(
    request: ScoreRequest,
    requested: RequestedMetrics,
    given: Mapping[str, Scorable | None],
    references: References,
) -> _Prepared:
    """Read the sides, and refuse what can't be had of them."""
    sources, mismatch = read_sides(given, request.read, request.real_count)
    request.refuse(requested, sources)
    choice = request.choice(requested, sources)
    ready = choice.encoder
    if ready is not None:
        requested = requested.with_published_names(ready.published_names)
    statistics = statistics_in_use(sources, ready, requested.taking_statistics())
    missing = not_measurable(requested, sources, ready, mismatch, statistics.of)
    if request.metrics in GROUPS:
        missing |= slow(requested)
    elif tuple(request.metrics) != DEFAULT_METRICS or not requested.without(missing).parts:
        _refuse_missing(requested, missing)
    measurable = requested.without(missing)
    if given["train"] is None and "train" not in measurable.required_of("real"):
        sources.pop("train", None)
    scorer = Scorer(choice, request.seed, request.cache, request.log, references)
    return _Prepared(sources, measurable, missing, statistics, scorer)


def _image_sets(request: ScoreRequest, prepared: _Prepared) -> dict[str, ImageSet]:
    """The sides as the metrics see them."""
    of, measurable = prepared.statistics.of, prepared.measurable
    shown = request.sheet is not None or request.page
    return {
        role: prepared.scorer.image_set(
            source,
            measurable.required_of(role),
            of.get(role),
            features=shown or measurable.sees_features(role in of),
        )
        for role, source in prepared.sources.items()
    }


def _about(request: ScoreRequest, prepared: _Prepared, began: float) -> dict[str, Any]:
    """What was compared, by what, and when."""
    choice, notes = prepared.scorer.choice, prepared.statistics.notes
    return {
        "schema": SCHEMA,
        "coequal": __version__,
        "torch": torch.__version__,
        "date": datetime.now(UTC).isoformat(timespec="seconds"),
        "seconds": round(time.monotonic() - began, 3),
        **{role: as_given(one, notes.get(role)) for role, one in prepared.sources.items()},
        "encoder": {"id": encoder_name(choice.encoder, prepared.sources), "chosen": choice.why},
        "device": str(request.device),
        "precision": str(precision_on(request.device)),
        "seed": request.seed,
    }


def _numbers(
    prepared: _Prepared,
    sets: Mapping[str, ImageSet],
    measured: Measured,
) -> dict[str, Any]:
    """Every number with its protocol, what has none, and warnings."""
    measurable, choice = prepared.measurable, prepared.scorer.choice
    infos = measurable.infos()
    return {
        "settings": {name: settings_of(part) for name, part in measurable.parts.items()},
        "metrics": {
            name: {"metric": measurable.home(name), **number_record(infos[name], number)}
            for name, number in measured.numbers.items()
        },
        "not_measured": {**prepared.missing, **undefined_of(measurable, measured)},
        "warnings": [
            *choice.warnings,
            *prepared.statistics.warnings,
            *warnings_about(prepared.sources, sets, choice.encoder),
            *measured.warnings,
        ],
    }


def _floor(request: ScoreRequest, prepared: _Prepared) -> dict[str, Any]:
    """The floor, if it is asked for and can be had."""
    sources, scorer = prepared.sources, prepared.scorer
    if not request.floor or only_statistics(sources):
        return {}
    found = floor_of(
        sources["real"],
        sources["fake"],
        request.seed,
        partial(scorer.numbers_of, prepared.measurable),
        request.log,
        noise=request.page,
    )
    return {"floor": found}


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
