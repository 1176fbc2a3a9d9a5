"""Scores of several sets of generated images in words: a table with a column for each."""

from collections.abc import Mapping
from typing import Any

from coequal.cli.printing import Field, print_table, say
from coequal.cli.score_text import print_floor
from coequal.evaluation.compare import SHOWN
from coequal.reporting.score_rows import counted, several_rows


def print_several(found: Mapping[str, Any]) -> None:
    """Print what `coequal score` gives of several sets: their numbers side by side, for each
    which others it is shown to be better than, and what is said of all of them.

    Args:
        found: what `evaluation.several.score_several` gives.
    """
    scores, floor = found["scores"], found.get("floor")
    numbers = {name: index for index, name in enumerate(scores, 1)}
    headings, *rows = several_rows(found)
    print_table([Field(heading) for heading in headings], rows)
    for name, place in numbers.items():
        say(f"{place}: {name} ({counted(scores[name]['fake'], 'images')})")
    if floor is not None:
        generated = floor.get("generated", {})
        print_floor(floor, {str(numbers[name]): rows for name, rows in generated.items()})
    first = next(iter(scores.values()))
    encoder = first["encoder"]
    say(f"encoder {encoder['id']} ({encoder['chosen']}); {counted(first['real'], 'real images')}")
    say(
        f"> 2 means: shown to be better than set 2 (corrected p of at most {SHOWN:g}); "
        "without a mark, no difference is shown"
    )
    say(found["correction"])
    say(found["over"])
    for name, score in scores.items():
        for metric, reason in score["not_measured"].items():
            say(f"{numbers[name]}: not measured: {metric}: {reason}")
        for warning in score["warnings"]:
            say(f"warning: {numbers[name]}: {warning}", style="bold")
