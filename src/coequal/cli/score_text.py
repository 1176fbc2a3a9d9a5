"""Scores and comparisons in words: tables that fit the terminal, notes and warnings below them."""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from rich import box
from rich.table import Column, Table
from rich.text import Text

from coequal.cli.options import console
from coequal.formatting import interval_with_error, with_error

WIDTH_WITH_UNITS = 110  # columns of a terminal from which units fit into the table
SURELY = 1e-16  # p-values below are of no other meaning


def print_scores(scores: Mapping[str, Any]) -> None:
    """Print what `coequal score --json` gives: the numbers, then what was done and not done, and
    last the warnings."""
    console.print(_scores_table(scores["metrics"]))
    chosen = f"{scores['encoder']['id']} ({scores['encoder']['chosen']})"
    counts = f"{scores['real']['count']:,} real, {scores['fake']['count']:,} fake images"
    _line(f"encoder {chosen}; {counts}")
    for name, row in scores["metrics"].items():
        details = row.get("details", {})
        for key in ("flag", "counts", "undefined"):
            if key in details:
                _line(f"{name}: {details[key]}")
    for reason, names in _grouped(scores["not_measured"].items()).items():
        _line(f"not measured: {', '.join(names)}: {reason}")
    for role in ("real", "fake", "train"):
        for note in scores.get(role, {}).get("notes", ()):
            _line(f"note: {role}: {note}")
    for warning in scores["warnings"]:
        _line(f"warning: {warning}", style="bold")


def _scores_table(metrics: Mapping[str, Mapping[str, Any]]) -> Table:
    some = any("interval" in row for row in metrics.values())
    units = console.width >= WIDTH_WITH_UNITS
    table = Table(
        Column("metric", no_wrap=True),  # a name cut short can't be asked for
        Column("value ± standard error", no_wrap=True),
        *([Column("95 % interval", no_wrap=True)] if some else []),
        Column("better", no_wrap=True),
        *([Column("unit", overflow="fold")] if units else []),
        box=box.SIMPLE_HEAD,
        pad_edge=False,
    )
    for name, row in metrics.items():
        cells = [name, with_error(row["value"], row["standard_error"])]
        if some:
            ends = row.get("interval")
            cells.append(interval_with_error(ends, row["standard_error"]) if ends else "")
        cells.append(row["better"] if row["target"] is None else f"{row['target']:.4g}")
        table.add_row(*map(Text, [*cells, row["unit"]] if units else cells))
    return table


def print_comparison(comparison: Mapping[str, Any], first: Path, second: Path) -> None:
    """Print what `coequal compare --json` gives.

    Args:
        comparison: of two scores.
        first: the file of the one.
        second: and of the other.
    """
    table = Table(
        Column("metric", no_wrap=True),
        *(Column(name, no_wrap=True) for name in ("first", "second", "difference", "p")),
        Column("shown better", no_wrap=True),
        box=box.SIMPLE_HEAD,
        pad_edge=False,
    )
    for name, row in comparison["metrics"].items():
        cells = [
            name,
            with_error(row["first"], None),
            with_error(row["second"], None),
            with_error(row["difference"], row["standard_error"]),
            _p_value(row["p_value"]),
            row["shown"] or ("equal" if row["better"] == "equal" else ""),
        ]
        table.add_row(*map(Text, cells))
    console.print(table)
    _line(f"first: {first}")
    _line(f"second: {second}")
    _line("shown better: with p at most 0.05; empty: not shown")
    _line(comparison["over"])


def _p_value(value: float | None) -> str:
    if value is None:
        return ""
    return f"{value:.2g}" if value >= SURELY else "< 1e-16"


def _grouped(reasons: Iterable[tuple[str, str]]) -> dict[str, list[str]]:
    """Names by the reason that they share."""
    found: dict[str, list[str]] = {}
    for name, reason in reasons:
        found.setdefault(reason, []).append(name)
    return found


def _line(text: str, style: str | None = None) -> None:
    console.print(text, markup=False, soft_wrap=True, style=style)
