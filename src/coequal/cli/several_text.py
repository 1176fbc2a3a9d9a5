"""Scores of several sets of generated images in words: a table with a column for each."""

from collections.abc import Mapping
from typing import Any

from coequal.cli.printing import Field, print_table, say
from coequal.cli.score_text import cell, counted, floor_column, print_floor
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
    _print_table(found, numbers)
    for name, place in numbers.items():
        say(f"{place}: {name} ({counted(scores[name]['fake'], 'images')})")
    if floor is not None:
        generated = floor.get("generated", {})
        print_floor(floor, {str(numbers[name]): rows for name, rows in generated.items()})
    first = next(iter(scores.values()))
    encoder = first["encoder"]
    say(f"encoder {encoder['id']} ({encoder['chosen']}); {counted(first['real'], 'real images')}")
    say(
        f"> 2: shown to be better than 2, with a corrected p of at most {SHOWN:g}; where there is "
        "nothing, nothing is shown"
    )
    say(found["correction"])
    say(found["over"])
    for name, score in scores.items():
        for metric, reason in score["not_measured"].items():
            say(f"{numbers[name]}: not measured: {metric}: {reason}")
        for warning in score["warnings"]:
            say(f"warning: {numbers[name]}: {warning}", style="bold")


def _print_table(found: Mapping[str, Any], numbers: Mapping[str, int]) -> None:
    scores, floor = found["scores"], floor_column(found.get("floor"))
    headings = ["metric", *map(str, numbers.values()), *([] if floor is None else ["floor"])]
    rows = []
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
        rows.append(cells)
    print_table([Field(heading) for heading in [*headings, "better"]], rows)


def _beaten(found: Mapping[str, Any], name: str, metric: str) -> list[str]:
    """The sets than which one is shown to be better in a metric."""
    beaten = []
    for pair in found["pairs"]:
        sides = {"first": pair["first"], "second": pair["second"]}
        shown = pair["metrics"].get(metric, {}).get("shown")
        if shown is not None and sides[shown] == name:
            beaten.append(sides["second" if shown == "first" else "first"])
    return beaten
