"""The page of a score: one file, without the network; the same scores give the same bytes."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from markupsafe import Markup

from coequal.files import atomic_write, refuse_unwritable
from coequal.formatting import listed
from coequal.reporting.score_page.comparison import (
    PairTable,
    best_in_words,
    not_comparable,
    pair_table,
)
from coequal.reporting.score_page.curve import curve_figure
from coequal.reporting.score_page.gallery import Gallery, Pictures, gallery
from coequal.reporting.score_page.rows import MetricRow, metric_rows
from coequal.reporting.score_page.words import about_set, protocols, short_name, warnings_of
from coequal.reporting.style import COLOURS, ON_DARK, variable, variables
from coequal.reporting.templating import template

SUFFIX = ".html"
_OF_A_RUN = ("date", "seconds")  # of the record: another each time, and so not on the page
Record = Mapping[str, Any]


@dataclass(frozen=True)
class ScorePage:
    """Everything that the page shows.

    Attributes:
        title: what was scored.
        question: against what.
        verdict: one plain sentence.
        facts: value and what it is.
        warnings: what to know before any number is read.
        rows: the numbers.
        names: of the sets of generated images, with their colours; empty of a single one.
        galleries: images, by set.
        curve: precision and recall, drawn.
        pairs: comparisons of every two sets.
        said: sentences on what errors and p-values are over.
        protocols: how the numbers were measured: numbers, and how.
        not_measured: what has no number: names, and why.
        notes: what was done to the images.
        missing: what the page lacks, and why.
        record: as JSON.
        command: makes it again; None where no command line can.
    """

    title: str
    question: str
    verdict: str
    facts: Sequence[tuple[str, str]]
    warnings: Sequence[str]
    rows: Sequence[MetricRow]
    names: Mapping[str, str]
    galleries: Mapping[str, Gallery]
    curve: Markup | None
    pairs: Sequence[PairTable]
    said: Sequence[str]
    protocols: Sequence[tuple[str, str]]
    not_measured: Sequence[tuple[str, str]]
    notes: Sequence[str]
    missing: Sequence[str]
    record: str
    command: str | None


def refuse_page(page: str | Path | None) -> None:
    """Refuse a page that can't be written, before anything is measured.

    Raises:
        ValueError: it is no .html.
        OSError: it can't be written where it is asked for.
    """
    if page is None:
        return
    if Path(page).suffix.lower() != SUFFIX:
        raise ValueError(f"a page is a {SUFFIX}, not {Path(page).name}")
    refuse_unwritable(Path(page))


def write_score_page(
    path: Path, record: Record, pictures: Mapping[str, Pictures], command: str | None
) -> None:
    """Write the page of one set of generated images, or of several.

    Args:
        path: ends in .html.
        record: what `coequal.score` returns.
        pictures: the images that it speaks of, by set; one set has the name "".
        command: makes the score again.
    """
    sets = record.get("scores", {"": record})
    _write(path, _page_of(sets, record, pictures, command))


def write_comparison_page(
    path: Path, scores: Mapping[str, Record], compared: Record, command: str
) -> None:
    """Write the page of saved scores.

    Args:
        path: ends in .html.
        scores: what `coequal score --out` wrote, by name.
        compared: `over` and `correction`, sentences, and `pairs`: for every two scores `first` and
            `second`, and what `compare` gave, or why they can't be compared (`refusal`).
        command: makes the page again.
    """
    record = {"scores": scores, **compared}
    _write(path, _page_of(scores, record, {}, command))


def _page_of(
    sets: Mapping[str, Record],
    record: Record,
    pictures: Mapping[str, Pictures],
    command: str | None,
) -> ScorePage:
    floors = floors_of(record)
    rows = metric_rows(sets, floors)
    single = len(sets) == 1
    first = next(iter(sets.values()))
    shown = {name: gallery(one, pictures.get(name, {})) for name, one in sets.items()}
    pairs = pair_tables(record)
    return ScorePage(
        title="Score" if single else "Scores",
        question=_question(sets),
        verdict=verdict(rows, pairs),
        facts=about_set(first) if single else _facts_of_several(sets),
        warnings=warnings_of(sets),
        rows=rows,
        names={} if single else {name: variable(place) for place, name in enumerate(sets)},
        galleries={name: one for name, one in shown.items() if one is not None},
        curve=curve_figure(sets, next(iter(floors.values()), {}).get("metrics", {})),
        pairs=pairs,
        said=_said(record, pairs),
        protocols=protocols(sets),
        not_measured=_joined(sets, "not_measured"),
        notes=_notes(sets),
        missing=_missing(sets),
        record=json.dumps(_lasting(record), indent=1),
        command=command,
    )


def _write(path: Path, page: ScorePage) -> None:
    html = template("score.html.jinja").render(
        page=page, on_light=Markup(variables(COLOURS)), on_dark=Markup(variables(ON_DARK))
    )
    atomic_write(path, html.encode())


def floors_of(record: Record) -> dict[str, Record]:
    """What real data and noise score, by set: of one set, of several that share it, or of saved
    scores that have their own."""
    if "scores" not in record:
        return {"": record["floor"]} if "floor" in record else {}
    shared = record.get("floor")
    if shared is None:
        return {name: one["floor"] for name, one in record["scores"].items() if "floor" in one}
    of_set = shared.get("generated", {})
    plain = {key: value for key, value in shared.items() if key != "generated"}
    return {
        name: {**plain, **({"generated": of_set[name]} if name in of_set else {})}
        for name in record["scores"]
    }


def pair_tables(record: Record) -> list[PairTable]:
    """Every pair of sets, in words."""
    scores = record.get("scores", {})
    return [
        not_comparable(pair["first"], pair["second"], pair["refusal"])
        if "refusal" in pair
        else pair_table(pair["first"], pair["second"], pair, scores[pair["first"]]["metrics"])
        for pair in record.get("pairs", ())
    ]


def verdict(rows: Sequence[MetricRow], pairs: Sequence[PairTable]) -> str:
    """The first sentence of a page: of one set its first number, of two what separates them, of
    more how they stand by the first number."""
    if len(pairs) == 1:
        return pairs[0].summary
    if not rows:
        return "No number could be measured."
    return best_in_words(rows[0].label, pairs) if pairs else rows[0].dots[0].sentence


def _question(sets: Mapping[str, Record]) -> str:
    fakes = [short_name(name or one["fake"]["source"]) for name, one in sets.items()]
    reals = dict.fromkeys(short_name(one["real"]["source"]) for one in sets.values())
    return f"{listed(fakes)} against {listed(list(reals))}"


def _facts_of_several(sets: Mapping[str, Record]) -> list[tuple[str, str]]:
    """What all sets have in common."""
    facts = [about_set(one) for one in sets.values()]
    return [fact for fact in facts[0] if all(fact in other for other in facts)]


def _said(record: Record, pairs: Sequence[PairTable]) -> list[str]:
    keys = ("over", "correction") if len(pairs) > 1 else ("over",)
    return [record[key].removeprefix("p_corrected: ") for key in keys] if pairs else []


def _joined(sets: Mapping[str, Record], key: str) -> list[tuple[str, str]]:
    """Reasons, each once, with all names that it is given for."""
    found: dict[str, list[str]] = {}
    for name, one in sets.items():
        for what, reason in one[key].items():
            found.setdefault(reason, []).append(f"{name}: {what}" if len(sets) > 1 else what)
    return [(", ".join(names), reason) for reason, names in found.items()]


def _notes(sets: Mapping[str, Record]) -> list[str]:
    notes: dict[str, None] = {}
    for name, one in sets.items():
        for side in ("real", "fake", "train"):
            who = f"{name} ({side})" if name and side == "fake" else side
            notes |= dict.fromkeys(f"{who}: {note}" for note in one.get(side, {}).get("notes", ()))
    return list(notes)


def _missing(sets: Mapping[str, Record]) -> list[str]:
    """What can't be shown, each reason once."""
    reasons: dict[str, None] = {}
    for one in sets.values():
        reasons |= dict.fromkeys(one.get("page", {}).get("missing", {}).values())
    return list(reasons)


def _lasting(record: Record) -> Record:
    """The record without what is another each time."""
    kept = {key: value for key, value in record.items() if key not in _OF_A_RUN}
    if "scores" in kept:
        kept["scores"] = {name: _lasting(one) for name, one in kept["scores"].items()}
    return kept
