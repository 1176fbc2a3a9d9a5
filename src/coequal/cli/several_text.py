"""Scores of several sets of generated images in words: a table with a column for each."""

from collections.abc import Mapping
from typing import Any

from rich import box
from rich.table import Column, Table
from rich.text import Text

from coequal.cli.options import console
from coequal.cli.score_text import cell, counted, floor_column, print_floor, print_line
from coequal.evaluation.compare import SHOWN
from coequal.formatting import number


def print_several(found: Mapping[str, Any]) -> None:
    """Print what `coequal score` gives of several sets: their numbers side by side, for each
    which others it is shown to be better than, and what is said of all of them.

    Args:
        found: what `evaluation.several.score_several` gives.
    """
    scores, floor = found["scores"], found.get("floor")
    numbers = {name: index for index, name in enumerate(scores, 1)}
    console.print(_table(found, numbers))
    for name, place in numbers.items():
        print_line(f"{place}: {name} ({counted(scores[name]['fake'], 'images')})")
    if floor is not None:
        generated = floor.get("generated", {})
        print_floor(floor, {str(numbers[name]): rows for name, rows in generated.items()})
    first = next(iter(scores.values()))
    encoder = first["encoder"]
    print_line(
        f"encoder {encoder['id']} ({encoder['chosen']}); {counted(first['real'], 'real images')}"
    )
    print_line(
        f"> 2: shown to be better than 2, with a corrected p of at most {SHOWN:g}; where there is "
        "nothing, nothing is shown"
    )
    print_line(found["correction"])
    print_line(found["over"])
    for name, score in scores.items():
        for metric, reason in score["not_measured"].items():
            print_line(f"{numbers[name]}: not measured: {metric}: {reason}")
        for warning in score["warnings"]:
            print_line(f"warning: {numbers[name]}: {warning}", style="bold")


def _table(found: Mapping[str, Any], numbers: Mapping[str, int]) -> Table:
    scores, floor = found["scores"], floor_column(found.get("floor"))
    table = Table(
        Column("metric", no_wrap=True),
        *(Column(str(number), no_wrap=True) for number in numbers.values()),
        *([] if floor is None else [Column("floor", no_wrap=True)]),
        Column("better", no_wrap=True),
        box=box.SIMPLE_HEAD,
        pad_edge=False,
    )
    names = dict.fromkeys(metric for score in scores.values() for metric in score["metrics"])
    for metric in names:
        cells = [metric]
        for name, score in scores.items():
            value = cell(score["metrics"].get(metric))
            beaten = [str(numbers[other]) for other in _beaten(found, name, metric)]
            cells.append(f"{value} > {', '.join(beaten)}" if beaten else value)
        if floor is not None:
            cells.append(cell(floor.get(metric)))
        info = next(s["metrics"][metric] for s in scores.values() if metric in s["metrics"])
        cells.append(info["better"] if info["target"] is None else number(info["target"]))
        table.add_row(*map(Text, cells))
    return table


def _beaten(found: Mapping[str, Any], name: str, metric: str) -> list[str]:
    """The sets than which one is shown to be better in a metric."""
    beaten = []
    for pair in found["pairs"]:
        sides = {"first": pair["first"], "second": pair["second"]}
        shown = pair["metrics"].get(metric, {}).get("shown")
        if shown is not None and sides[shown] == name:
            beaten.append(sides["second" if shown == "first" else "first"])
    return beaten
