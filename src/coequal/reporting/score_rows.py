"""Scores and comparisons as rows of a table: what a terminal and a notebook show of them."""

from collections.abc import Mapping
from typing import Any

from coequal.formatting import interval_with_error, number, p_value, with_error

Numbers = Mapping[str, Mapping[str, Any]]
"""By name, as in the JSON."""
Rows = list[list[str]]
"""The headings, then the rows."""


def score_rows(scores: Mapping[str, Any], *, units: bool = True) -> Rows:
    """The numbers of one set of generated images.

    Args:
        scores: what `coequal score` gives of one set.
        units: whether the last column says what they are measured in.
    """
    metrics, floor = scores["metrics"], floor_column(scores.get("floor"))
    some = any("interval" in row for row in metrics.values())
    rows = [
        [
            *("metric", "value ± standard error"),
            *(["95 % interval"] if some else []),
            *([] if floor is None else ["floor"]),
            *(["better", "unit"] if units else ["better"]),
        ]
    ]
    for name, row in metrics.items():
        cells = [name, with_error(row["value"], row["standard_error"])]
        if some:
            ends = row.get("interval")
            cells.append(interval_with_error(ends, row["standard_error"]) if ends else "")
        if floor is not None:
            cells.append(cell(floor.get(name)))
        cells.append(_direction(row))
        rows.append([*cells, row["unit"]] if units else cells)
    return rows


def several_rows(found: Mapping[str, Any]) -> Rows:
    """The numbers of several sets side by side, each with the sets that it is shown to beat.

    Args:
        found: what `coequal score` gives of several sets; they are numbered from 1.
    """
    scores, floor = found["scores"], floor_column(found.get("floor"))
    numbers = {name: str(index) for index, name in enumerate(scores, 1)}
    rows = [["metric", *numbers.values(), *([] if floor is None else ["floor"]), "better"]]
    for metric in dict.fromkeys(name for score in scores.values() for name in score["metrics"]):
        cells = [metric]
        for name, score in scores.items():
            value = cell(score["metrics"].get(metric))
            beaten = [numbers[other] for other in _beaten(found, name, metric)]
            cells.append(f"{value} > {', '.join(beaten)}" if beaten else value)
        if floor is not None:
            cells.append(cell(floor.get(metric)))
        info = next(s["metrics"][metric] for s in scores.values() if metric in s["metrics"])
        rows.append([*cells, _direction(info)])
    return rows


def comparison_rows(comparison: Mapping[str, Any]) -> Rows:
    """The differences of two scores.

    Args:
        comparison: what `coequal compare` gives of a pair.
    """
    rows = [["metric", "first", "second", "difference", "p", "shown better"]]
    for name, row in comparison["metrics"].items():
        p = row.get("p_corrected", row["p_value"])
        rows.append(
            [
                name,
                *(number(row[side], row["standard_error"]) for side in ("first", "second")),
                with_error(row["difference"], row["standard_error"]),
                "" if p is None else p_value(p),
                row["shown"] or ("equal" if row["better"] == "equal" else ""),
            ]
        )
    return rows


def cell(row: Mapping[str, Any] | None) -> str:
    """A number with its error; empty where there is none."""
    return "" if row is None else with_error(row["value"], row["standard_error"])


def counted(source: Mapping[str, Any], role: str) -> str:
    """How many images a side is of: "statistics of 50,000 real"."""
    count = "unknown many" if source["count"] is None else f"{source['count']:,}"
    return f"{'statistics of ' if source['kind'] == 'statistics' else ''}{count} {role}"


def floor_column(floor: Mapping[str, Any] | None) -> Numbers | None:
    """The numbers of real images if they can stand beside the scores: of the same counts."""
    return None if floor is None or "generated" in floor else floor["metrics"]


def _direction(row: Mapping[str, Any]) -> str:
    return str(row["better"]) if row["target"] is None else number(row["target"])


def _beaten(found: Mapping[str, Any], name: str, metric: str) -> list[str]:
    """The sets than which one is shown to be better in a metric."""
    beaten = []
    for pair in found["pairs"]:
        sides = {"first": pair["first"], "second": pair["second"]}
        shown = pair["metrics"].get(metric, {}).get("shown")
        if shown is not None and sides[shown] == name:
            beaten.append(sides["second" if shown == "first" else "first"])
    return beaten
