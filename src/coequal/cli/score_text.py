"""Scores and comparisons in words: tables that fit the terminal, notes and warnings below them."""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from coequal.cli.printing import Field, console, print_table, say
from coequal.reporting.score_rows import Numbers, cell, comparison_rows, counted, score_rows

WIDTH_WITH_UNITS = 110  # columns of a terminal from which units fit into the table


def print_scores(scores: Mapping[str, Any]) -> None:
    """Print what `coequal score` gives: the numbers, then what was done and not done, and
    last the warnings."""
    headings, *rows = score_rows(scores, units=console.width >= WIDTH_WITH_UNITS)
    print_table([Field(heading, wraps=heading == "unit") for heading in headings], rows)
    if floor := scores.get("floor"):
        print_floor(floor, {"generated": floor["generated"]} if "generated" in floor else {})
    chosen = f"{scores['encoder']['id']} ({scores['encoder']['chosen']})"
    counts = ", ".join(counted(scores[role], role) for role in ("real", "fake"))
    say(f"encoder {chosen}; {counts} images")
    if (device := scores.get("device", "cpu")) != "cpu":
        say(f"device {device}, precision {scores['precision']}")
    _print_uses(scores["metrics"])
    for name, row in scores["metrics"].items():
        details = row.get("details", {})
        for key in ("flag", "counts", "undefined"):
            if key in details:
                say(f"{name}: {details[key]}")
    for reason, names in _grouped(scores["not_measured"].items()).items():
        say(f"not measured: {', '.join(names)}: {reason}")
    for role in ("real", "fake", "train"):
        for note in scores.get(role, {}).get("notes", ()):
            say(f"note: {role}: {note}")
    for warning in scores["warnings"]:
        say(f"warning: {warning}", style="bold")


def _print_uses(metrics: Numbers) -> None:
    """What each number is good for, where its metric says so."""
    for name, row in metrics.items():
        if "use" in row:
            say(f"- {name}: {row['use']}")


def print_floor(floor: Mapping[str, Any], generated: Mapping[str, Numbers]) -> None:
    """Print what real images score in the place of generated ones.

    Args:
        floor: what `evaluation.floor.floor_of` gives.
        generated: by column, the numbers of as many generated images; empty where those of the
            scores themselves are.
    """
    say(f"floor: {floor['how']}")
    if not generated:
        return
    say(
        f"at these counts ({floor['fake_count']:,} images against "
        f"{floor['real_count']:,}), which biased numbers such as fd must be compared "
        "with:"
    )
    columns = {**generated, "floor": floor["metrics"]}
    rows = [
        [name, *(cell(numbers.get(name)) for numbers in columns.values())]
        for name in floor["metrics"]
    ]
    print_table([Field(name) for name in ("metric", *columns)], rows)


def print_comparison(comparison: Mapping[str, Any], first: Path, second: Path) -> None:
    """Print what `coequal compare --json` gives.

    Args:
        comparison: of two scores.
        first: the file of the one.
        second: and of the other.
    """
    headings, *rows = comparison_rows(comparison)
    print_table([Field(heading) for heading in headings], rows)
    say(f"first: {first}")
    say(f"second: {second}")
    say("shown better: p is at most 0.05; empty: no difference shown")
    say(comparison["over"])
    for note in comparison["notes"]:
        say(f"note: {note}")


def _grouped(reasons: Iterable[tuple[str, str]]) -> dict[str, list[str]]:
    """Names by the reason that they share."""
    found: dict[str, list[str]] = {}
    for name, reason in reasons:
        found.setdefault(reason, []).append(name)
    return found
