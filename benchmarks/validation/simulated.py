"""Verdicts of simulated studies, and rows about them."""

from collections.abc import Iterator, Sequence

import numpy as np
from independent_verdict import CAP, SHARE, Model, Runs, draw

from coequal.statistics.looks import Look, Spending, spend
from coequal.statistics.rules import Rules, SearchRuns
from coequal.statistics.verdict import Verdict, verdict
from validation.common import BAND, Row

LEVEL = 0.05


def search_runs(runs: Runs) -> SearchRuns:
    """A simulated search as the verdict wants it; which fresh seeds count is the verdict's."""
    return SearchRuns(*runs, np.ones(len(runs.test), dtype=bool))


def rules(
    budget: int,
    looks: Sequence[int] | Sequence[Look],
    *,
    margin: float | None = None,
    spending: Spending = "obrien_fleming",
    comparisons: int = 0,
) -> Rules:
    """The rules of a study with these looks, of which only the numbers may be given."""
    planned = tuple(look for look in looks if isinstance(look, Look))
    if not planned:
        planned = spend([int(str(look)) for look in looks], spending=spending)
    return Rules(
        budget=budget,
        looks=planned,
        share=SHARE,
        margin=margin,
        cap=CAP,
        comparisons=comparisons,
    )


def verdicts(
    models: Sequence[Model],
    declared: Rules,
    studies: int,
    rng: np.random.Generator,
    correlation: float = 0.0,
) -> Iterator[Verdict]:
    """The verdicts of studies of these models, named "0", "1" and so on."""
    settings = declared.looks[-1].settings
    for _ in range(studies):
        drawn = draw(list(models), (settings,), rng, correlation=correlation)
        yield verdict({str(i): search_runs(runs) for i, runs in enumerate(drawn)}, declared)


def error_row(
    name: str, about: str, errors: Sequence[bool], *, claim: str, remark: str = ""
) -> Row:
    """A row about an error of at most 5 %, two standard errors of the simulation allowed for."""
    slack = 2 * (LEVEL * (1 - LEVEL) / len(errors)) ** 0.5
    return Row(
        name,
        about,
        float(np.mean(errors)),
        0.0,
        LEVEL + slack,
        len(errors),
        "kept",
        remark,
        claim=claim,
    )


def coverage_row(
    name: str,
    about: str,
    covered: Sequence[bool],
    *,
    claim: str,
    remark: str = "",
    least: float = BAND[0],
) -> Row:
    """A row about an interval that is to cover in at least 93 % of studies, two standard errors of
    the simulation allowed for; above 97 % it is conservative. `least` is another limit, of an
    approximate interval: what was measured when the method was chosen."""
    fraction = float(np.mean(covered))
    low = least - 2 * (least * (1 - least) / len(covered)) ** 0.5
    declared = "conservative" if fraction > BAND[1] else ""
    declared = "approximate" if least < BAND[0] else declared
    return Row(name, about, fraction, low, 1.0, len(covered), declared, remark, claim=claim)
