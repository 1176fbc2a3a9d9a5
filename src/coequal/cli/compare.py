"""`coequal compare`: saved scores beside each other."""

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

import typer

from coequal.cli.command import CommandResult
from coequal.cli.printing import say
from coequal.cli.score_text import print_comparison

_OF_A_PAIR = ("first", "second", "p_corrected")


def compare(
    scores: Annotated[
        list[Path],
        typer.Argument(help="JSON files of `coequal score`, two or more.", show_default=False),
    ],
    page: Annotated[
        Path | None, typer.Option(help="File for a page (.html) with all values and differences.")
    ] = None,
) -> CommandResult:
    """Compare saved scores.

    Shows differences, standard errors and p-values. Scores that were measured differently are
    refused.
    """
    from coequal.api.comparisons import compare as measure
    from coequal.api.comparisons import names_of

    found = measure(scores, page=page)
    files = dict(zip(names_of(scores), scores, strict=True))

    def show() -> None:
        for pair in found["pairs"]:
            if "refusal" in pair:
                say(pair["refusal"])
                continue
            print_comparison(pair, files[pair["first"]], files[pair["second"]])
        if page is not None:
            say(f"page: {page}")

    return CommandResult(_alone(found) if len(scores) == 2 else found, show)


def _alone(found: Mapping[str, Any]) -> dict[str, Any]:
    """The comparison of the only pair: no correction is made for one."""
    (pair,) = found["pairs"]
    rows = {
        name: {key: value for key, value in row.items() if key not in _OF_A_PAIR[2:]}
        for name, row in pair["metrics"].items()
    }
    return {**{key: pair[key] for key in pair if key not in _OF_A_PAIR}, "metrics": rows}
