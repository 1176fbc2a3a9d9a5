"""Scores and comparisons in words: tables that fit the terminal, notes and warnings below them."""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from rich import box
from rich.table import Column, Table
from rich.text import Text

from coequal.cli.options import console
from coequal.formatting import interval_with_error, number, p_value, with_error

WIDTH_WITH_UNITS = 110  # columns of a terminal from which units fit into the table
Numbers = Mapping[str, Mapping[str, Any]]  # by name, as in the JSON


def print_scores(scores: Mapping[str, Any]) -> None:
    """Print what `coequal score` gives: the numbers, then what was done and not done, and
    last the warnings."""
    console.print(_scores_table(scores["metrics"], floor_column(scores.get("floor"))))
    if floor := scores.get("floor"):
        print_floor(floor, {"generated": floor["generated"]} if "generated" in floor else {})
    chosen = f"{scores['encoder']['id']} ({scores['encoder']['chosen']})"
    counts = ", ".join(counted(scores[role], role) for role in ("real", "fake"))
    print_line(f"encoder {chosen}; {counts} images")
    if (device := scores.get("device", "cpu")) != "cpu":
        print_line(f"device {device}, precision {scores['precision']}")
    _print_uses(scores["metrics"])
    for name, row in scores["metrics"].items():
        details = row.get("details", {})
        for key in ("flag", "counts", "undefined"):
            if key in details:
                print_line(f"{name}: {details[key]}")
    for reason, names in _grouped(scores["not_measured"].items()).items():
        print_line(f"not measured: {', '.join(names)}: {reason}")
    for role in ("real", "fake", "train"):
        for note in scores.get(role, {}).get("notes", ()):
            print_line(f"note: {role}: {note}")
    for warning in scores["warnings"]:
        print_line(f"warning: {warning}", style="bold")


def _print_uses(metrics: Numbers) -> None:
    """What each number is good for, where its metric says so."""
    table = Table(Column(no_wrap=True), Column(overflow="fold"), box=None, show_header=False)
    for name, row in metrics.items():
        if "use" in row:
            table.add_row(Text(f"{name}:"), Text(row["use"]))
    if table.row_count:
        console.print(table)


def counted(source: Mapping[str, Any], role: str) -> str:
    """How many images a side is of: "statistics of 50,000 real"."""
    count = "unknown many" if source["count"] is None else f"{source['count']:,}"
    return f"{'statistics of ' if source['kind'] == 'statistics' else ''}{count} {role}"


def _scores_table(metrics: Numbers, floor: Numbers | None) -> Table:
    some = any("interval" in row for row in metrics.values())
    units = console.width >= WIDTH_WITH_UNITS
    table = Table(
        Column("metric", no_wrap=True),  # a name cut short can't be asked for
        Column("value ± standard error", no_wrap=True),
        *([Column("95 % interval", no_wrap=True)] if some else []),
        *([] if floor is None else [Column("floor", no_wrap=True)]),
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
        if floor is not None:
            cells.append(cell(floor.get(name)))
        cells.append(row["better"] if row["target"] is None else number(row["target"]))
        table.add_row(*map(Text, [*cells, row["unit"]] if units else cells))
    return table


def cell(row: Mapping[str, Any] | None) -> str:
    """A number with its error; empty where there is none."""
    return "" if row is None else with_error(row["value"], row["standard_error"])


def floor_column(floor: Mapping[str, Any] | None) -> Numbers | None:
    """The numbers of real images if they can stand beside the scores: of the same counts."""
    return None if floor is None or "generated" in floor else floor["metrics"]


def print_floor(floor: Mapping[str, Any], generated: Mapping[str, Numbers]) -> None:
    """Print what real images score in the place of generated ones.

    Args:
        floor: what `evaluation.floor.floor_of` gives.
        generated: by column, the numbers of as many generated images; empty where those of the
            scores themselves are.
    """
    print_line(f"floor: {floor['how']}")
    if not generated:
        return
    print_line(
        f"at these counts ({floor['fake_count']:,} images against {floor['real_count']:,}), to "
        "which biased numbers such as fd must be compared:"
    )
    columns = {**generated, "floor": floor["metrics"]}
    table = Table(
        *(Column(name, no_wrap=True) for name in ("metric", *columns)),
        box=box.SIMPLE_HEAD,
        pad_edge=False,
    )
    for name in floor["metrics"]:
        table.add_row(*map(Text, [name, *(cell(rows.get(name)) for rows in columns.values())]))
    console.print(table)


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
            *(number(row[side], row["standard_error"]) for side in ("first", "second")),
            with_error(row["difference"], row["standard_error"]),
            "" if (p := row.get("p_corrected", row["p_value"])) is None else p_value(p),
            row["shown"] or ("equal" if row["better"] == "equal" else ""),
        ]
        table.add_row(*map(Text, cells))
    console.print(table)
    print_line(f"first: {first}")
    print_line(f"second: {second}")
    print_line("shown better: with p at most 0.05; empty: not shown")
    print_line(comparison["over"])
    for note in comparison["notes"]:
        print_line(f"note: {note}")


def _grouped(reasons: Iterable[tuple[str, str]]) -> dict[str, list[str]]:
    """Names by the reason that they share."""
    found: dict[str, list[str]] = {}
    for name, reason in reasons:
        found.setdefault(reason, []).append(name)
    return found


def print_line(text: str, style: str | None = None) -> None:
    """Print a line as it is, for the terminal to fold."""
    console.print(text, markup=False, soft_wrap=True, style=style)
