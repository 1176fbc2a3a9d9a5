"""Two trials of a run side by side: what differs in their settings, scores, images and training."""

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from coequal.checkpoints import Checkpoint, Measurement
from coequal.formatting import plain, with_error
from coequal.records import MetricInfo, Trial
from coequal.reporting.image_grids import IMAGES_IN_A_ROW, Row, are_points
from coequal.reporting.table import EMPTY, Cell, Heading, Table
from coequal.results.folder import RunFolder
from coequal.selection import SelectionRule
from coequal.serve.side import Side, read_side

NAMES = ("A", "B")
CLEAR = 2.0
"""A score is marked as the better one if the difference is more than so many of its standard
errors."""


@dataclass(frozen=True)
class Comparison:
    """Everything that the page of two trials shows.

    Attributes:
        sides: the two trials.
        different: the settings that differ, in a table; None if none does.
        same: names and values of the settings that don't.
        sentence: how they score on the test split by the study's metric; empty if one has no score.
        scores: every score of both, in a table; None if there is none.
        rows: images of both, below real ones.
    """

    sides: tuple[Side, Side]
    different: Table | None
    same: Sequence[tuple[str, str]]
    sentence: str
    scores: Table | None
    rows: Sequence[Row]


def compare(folder: RunFolder, first: Trial, second: Trial) -> Comparison:
    """Put two trials of a run side by side.

    Args:
        folder: of the run.
        first: trial A.
        second: trial B.

    Raises:
        ValueError: a file of theirs can't be read.
    """
    study, rule, infos = folder.study(), folder.rule(), folder.metrics()
    a, b = (
        read_side(name, folder, trial, study, rule)
        for name, trial in zip(NAMES, (first, second), strict=True)
    )
    different, same = _settings(first, second)
    scores = _scores(a, b, infos, rule.metric)
    return Comparison((a, b), different, same, _sentence(a, b, rule), scores, _rows(a, b))


# ---------------------------------------------------------------------------------- the settings


def _settings(first: Trial, second: Trial) -> tuple[Table | None, list[tuple[str, str]]]:
    """The settings of two trials that differ, and those that don't."""
    a, b = dict(_flat(first.as_dict())), dict(_flat(second.as_dict()))
    names = dict.fromkeys([*a, *b])
    rows = [(name, a.get(name), b.get(name)) for name in names]
    different = [row for row in rows if row[1] != row[2]]
    same = [(_setting_name(name), _value(value)) for name, value, other in rows if value == other]
    if not different:
        return None, same
    cells = [
        [Cell(_setting_name(name)), *(EMPTY if v is None else Cell(_value(v)) for v in values)]
        for name, *values in different
    ]
    return Table([Heading("Setting"), *(Heading(name) for name in NAMES)], cells), same


def _flat(values: Mapping[str, Any], above: str = "") -> Iterator[tuple[str, Any]]:
    """Names and values of all that is nested, "training.budget.discriminator_steps"."""
    for name, value in values.items():
        if isinstance(value, Mapping):
            yield from _flat(value, f"{above}{name}.")
        else:
            yield f"{above}{name}", value


def _setting_name(name: str) -> str:
    """The name of a hyperparameter alone, as in a study file."""
    return name.removeprefix("settings.").replace("_", " ")


def _value(value: Any) -> str:
    if isinstance(value, list):
        return ", ".join(map(_value, value)) or "none"
    return "none" if value is None else plain(value)


# ------------------------------------------------------------------------------------ the scores


def _sentence(a: Side, b: Side, rule: SelectionRule) -> str:
    """How two trials that are judged score on the test split by the study's metric."""
    of = [_measured(side.judged).get((rule.metric, "test")) for side in (a, b)]
    first, second = of
    if first is None or second is None or first.protocol != second.protocol:
        return ""
    better = _better(first, second, rule.info)
    texts = [with_error(m.value, m.standard_error) for m in (first, second)]
    label = rule.info.label or rule.metric.replace("_", " ")
    values = f"{label} on test images: {texts[0]} for A, {texts[1]} for B"
    if better is None:
        return f"{values}: the two cannot be told apart."
    report = "Whether its model is better is for the report to say."
    return f"{values}: {NAMES[better]} scores better. {report}"


def _scores(
    a: Side, b: Side, infos: Mapping[str, MetricInfo], metric_of_study: str
) -> Table | None:
    """Every number of either trial where it is judged, with the difference; the study's own metric
    first, and the test split before validation."""
    found = [_measured(side.shown) for side in (a, b)]
    metrics = dict.fromkeys(metric for metric, _ in [*found[0], *found[1]])
    keys = sorted(
        dict.fromkeys([*found[0], *found[1]]),
        key=lambda key: (key[0] != metric_of_study, list(metrics).index(key[0]), key[1]),
    )
    if not keys:
        return None
    rows, otherwise = [], []
    for metric, split in keys:
        of = [one.get((metric, split)) for one in found]
        info = infos.get(metric)
        label = (info.label if info else None) or metric.replace("_", " ")
        protocols = list(dict.fromkeys(m.protocol for m in of if m is not None))
        cells = _score_cells(of, info, comparable=len(protocols) == 1)
        if len(protocols) > 1:
            otherwise.append(f"{label} on {split}: {' and '.join(protocols)}")
        rows.append([Cell(label, split), *cells])
    headings = [Heading("Score"), *(Heading(s.name, _at(s)) for s in (a, b))]
    notes = [
        "± is the standard error over new generated images, for this one training run of each; "
        f"another seed changes a score by more. Bold: better by more than {CLEAR:g} standard "
        "errors of the difference."
    ]
    notes += [f"Not compared, because measured in two ways: {text}." for text in otherwise]
    return Table([*headings, Heading("A − B")], rows, notes=notes)


def _measured(point: Checkpoint | None) -> dict[tuple[str, str], Measurement]:
    measurements = point.measurements if point else ()
    return {(m.metric, m.split): m for m in measurements}


def _at(side: Side) -> str:
    """At which step the scores were measured, and whether that is where the trial is judged."""
    if side.shown is None:
        return "not measured yet"
    text = f"at step {side.shown.step:,}"
    return text if side.judged is not None else f"{text}, no final score"


def _score_cells(
    of: Sequence[Measurement | None], info: MetricInfo | None, *, comparable: bool
) -> list[Cell]:
    """Both values and their difference."""
    texts = [with_error(m.value, m.standard_error) if m else "" for m in of]
    cells = [Cell(text) if text else EMPTY for text in texts]
    a, b = of
    if a is None or b is None or not (comparable and all(texts)):
        return [*cells, EMPTY]
    difference, error = a.value - b.value, _error_of_difference(a, b)
    better = None if info is None else _better(a, b, info)
    if better is not None:
        cells[better] = Cell(texts[better], strong=True)
    sign = "+" if difference > 0 else ""
    return [*cells, Cell(f"{sign}{with_error(difference, error)}")]


def _error_of_difference(a: Measurement, b: Measurement) -> float | None:
    if a.standard_error is None or b.standard_error is None:
        return None
    return math.hypot(a.standard_error, b.standard_error)


def _better(a: Measurement, b: Measurement, info: MetricInfo) -> int | None:
    """Which of two values is clearly the better one, 0 or 1; None if neither is, or it is not known
    how far they may be off."""
    error = _error_of_difference(a, b)
    if not error or info.better == "target" or not abs(a.value - b.value) > CLEAR * error:
        return None
    return 0 if info.cost(a.value) < info.cost(b.value) else 1


# ------------------------------------------------------------------------------------ the images


def _rows(a: Side, b: Side) -> list[Row]:
    """Real images of each dataset, then those of both trials, at latents that are the same."""
    rows = []
    for data in dict.fromkeys(side.trial.data for side in (a, b)):
        real = a.folder.real_samples(data)
        if real is not None:
            rows.append(Row("Real images", data, real if are_points(real) else _in_a_row(real)))
    for side in (a, b):
        step = side.sheet
        images = None if step is None else side.folder.samples(side.trial.id, step)
        if images is not None:
            real = side.folder.real_samples(side.trial.data)
            shown = images if are_points(images) else _in_a_row(images)
            rows.append(Row(f"{side.name}: {side.label}", f"at step {step:,}", shown, real))
    return rows


def _in_a_row(images: Any) -> Any:
    return images[:IMAGES_IN_A_ROW]
