"""Plain values that a prompt shows as a table, and a notebook too: scores, comparisons, health."""

import json
import textwrap
from pathlib import Path
from typing import Any

from coequal.files import atomic_write, finite_values
from coequal.formatting import half_width, interval, number
from coequal.health.verdict import MEANING
from coequal.reporting.score_rows import (
    Rows,
    comparison_rows,
    counted,
    score_rows,
    several_rows,
)
from coequal.reporting.templating import template

__all__ = ["Diagnosis", "ManifoldScores", "ScoreComparison", "Scores"]

COLUMNS = 100
"""Columns that sentences take at a prompt."""
GAP = 2
"""Columns between two cells."""


class ShownValues(dict[str, Any]):
    """A mapping of plain values, ready for JSON, that says what it holds."""

    def _parts(self) -> list[Rows | str]:
        """What is shown, in its order: tables with their headings, and sentences."""
        raise NotImplementedError

    def to_json(self, path: str | Path | None = None) -> str:
        """The values as JSON; a number that is not finite becomes null.

        Args:
            path: a file to write it to, as `coequal compare` reads it; None: none.

        Returns:
            The text.
        """
        text = json.dumps(finite_values(self), indent=1, allow_nan=False) + "\n"
        if path is not None:
            atomic_write(Path(path), text.encode())
        return text

    def __repr__(self) -> str:
        blocks = [
            textwrap.fill(part, COLUMNS, break_long_words=False, break_on_hyphens=False)
            if isinstance(part, str)
            else f"{aligned(part)}\n"
            for part in self._parts()
        ]
        return "\n".join(blocks).rstrip()

    def _repr_html_(self) -> str:
        return template("values_fragment.html.jinja").render(
            parts=[(isinstance(part, str), part) for part in self._parts()]
        )


class Scores(ShownValues):
    """What `coequal.score` gives: numbers, protocols and what was measured.

    Of one set of generated images the keys are `metrics`, `encoder`, `real`, `fake`, `warnings` and
    others; of several, `scores` by name and `pairs`. It is a dict, ready for JSON.
    """

    def _parts(self) -> list[Rows | str]:
        return self._of_several() if "scores" in self else self._of_one()

    def _of_one(self) -> list[Rows | str]:
        counts = ", ".join(counted(self[role], role) for role in ("real", "fake"))
        encoder = self["encoder"]
        return [
            score_rows(self, units=False),
            f"encoder {encoder['id']} ({encoder['chosen']}); {counts} images",
            *(f"not measured: {name}: {why}" for name, why in self["not_measured"].items()),
            *(f"warning: {text}" for text in self["warnings"]),
        ]

    def _of_several(self) -> list[Rows | str]:
        scores = self["scores"]
        names = {name: place for place, name in enumerate(scores, 1)}
        first = next(iter(scores.values()))
        return [
            several_rows(self),
            *(
                f"{n}: {name} ({counted(scores[name]['fake'], 'images')})"
                for name, n in names.items()
            ),
            f"encoder {first['encoder']['id']}; {counted(first['real'], 'real images')}",
            "> 2: shown to be better than 2, with a corrected p of at most 0.05",
            self["over"],
            *(
                f"warning: {names[n]}: {w}"
                for n, score in scores.items()
                for w in score["warnings"]
            ),
        ]


class ScoreComparison(ShownValues):
    """What `coequal.compare` gives: for every two scores the differences, or why they can't be
    compared. It is a dict, ready for JSON."""

    def _parts(self) -> list[Rows | str]:
        parts: list[Rows | str] = []
        for pair in self["pairs"]:
            parts.append(f"first: {pair['first']}, second: {pair['second']}")
            if "refusal" in pair:
                parts.append(pair["refusal"])
                continue
            parts += [comparison_rows(pair), *(f"note: {note}" for note in pair["notes"])]
        return [*parts, "shown better: with p at most 0.05; empty: not shown"]


class Diagnosis(ShownValues):
    """What `coequal.diagnose` gives: verdict, evidence and remedies of one training or of images;
    of several trainings a list of them under "trials". It is a dict, ready for JSON."""

    def _parts(self) -> list[Rows | str]:
        if "trials" in self:
            rows = [["trial", "model", "dataset", "setting", "verdict", "since step"]]
            for one in self["trials"]:
                step = "" if one["step"] is None else f"{one['step']:,}"
                known = [one["trial"][:8], one["model"], one["data"], str(one["setting"])]
                rows.append([*known, one["verdict"] or "not judged", step])
            return [rows]
        since = "" if self["step"] is None else f" since step {self['step']:,}"
        remedies = (f"try: {one['what']} ({one['source']})" for one in self["remedies"])
        verdict = self["verdict"]
        return [f"{verdict}{since}: {MEANING[verdict]}", self["evidence"], *remedies]


class ManifoldScores(ShownValues):
    """What `coequal.manifold` gives: precision, recall and F1 at delta, with intervals, and the
    protocol. It is a dict, ready for JSON."""

    def _parts(self) -> list[Rows | str]:
        at = self["at_delta"]
        rows = [["metric", "value", "95 % interval"]]
        for name in ("precision", "recall", "train_recall", "f1"):
            if name in at:
                ends = at[f"{name}_low"], at[f"{name}_high"]
                rows.append([name, number(at[name], half_width(ends)), interval(ends)])
        distance = number(self["mean_squared_distance"])
        return [rows, f"at delta {at['delta']:g}; mean squared distance {distance}"]


def aligned(rows: Rows) -> str:
    """A table as text: the first column to the left, the others to the right.

    Args:
        rows: the headings, then the rows, with as many cells each.
    """
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = []
    for row in rows:
        first, *others = (
            text.rjust(width) if place else text.ljust(width)
            for place, (text, width) in enumerate(zip(row, widths, strict=True))
        )
        lines.append((" " * GAP).join([first, *others]).rstrip())
    return "\n".join(lines)
