"""Finds numbers for people that have more figures than their errors allow."""

import math
import re
from collections.abc import Iterator

from coequal.analysis.across_datasets import StudySummary
from coequal.analysis.data_summary import DataSummary
from coequal.reporting.evidence._evidence import Evidence
from coequal.reporting.evidence._order import ACROSS_DATASETS, ON_DATA
from coequal.reporting.table import Cell

NUMBER = r"−?\d[\d,]*(?:\.\d+)?(?:e[+-]\d+)?"
ALONE = re.compile(NUMBER)
WITH_ERROR = re.compile(rf"\(?({NUMBER}) ± ({NUMBER})\)?(?:e[+-]\d+)?")
BETWEEN = re.compile(rf"\(?({NUMBER})(?:–| to )({NUMBER})\)?(?:e[+-]\d+)?(?: %)?")
HYPHEN_FOR_MINUS = re.compile(r"(?<![\w.])-\d")
AS_DECLARED = {"hyperparameters"}
"""Tables of values that a study declares or draws: four figures."""


def too_precise(study: StudySummary) -> list[str]:
    """Every cell of every table of a study with more than two figures of its own error, or more
    than three where none is known; empty if there is none."""
    found = []
    for summary in study.datasets:
        known = [e for m in summary.models if (e := m.score_error()) is not None and e > 0]
        finest = max((_decimals_of(error) for error in known), default=0)
        for piece in ON_DATA:
            found += [f"{summary.data}, {text}" for text in _in(piece, summary, finest)]
    for across in ACROSS_DATASETS:
        found += list(_in(across, study, 0))
    return found


def _in(piece: Evidence, about: DataSummary | StudySummary, finest: int) -> Iterator[str]:
    table = piece.table(about) if piece.table else None
    for row in table.rows if table else ():
        for cell in row[1:]:
            if reason := problem(cell, finest, declared=piece.name in AS_DECLARED):
                yield f"{piece.name}: {cell.text!r}, {cell.small!r}: {reason}"


def problem(cell: Cell, finest: int = 0, *, declared: bool = False) -> str:
    """What is wrong with the numbers of a cell; empty if nothing is.

    Args:
        cell: of a table.
        finest: decimals that the errors of the study's scores allow.
        declared: whether its number is a declared or drawn value.
    """
    for text in (cell.text, cell.small):
        if "p = <" in text or "= <" in text:
            return "an equals sign before a bound"
        if HYPHEN_FOR_MINUS.search(text) and not declared:
            return "a hyphen for a minus sign"
        for value, error in WITH_ERROR.findall(text):
            if _figures(error) > 2 and _decimals(error):
                return "an error of more than two figures"
            if _decimals(value) != _decimals(error):
                return "other decimals than its error"
    ends = BETWEEN.fullmatch(cell.small)
    alone = ALONE.fullmatch(cell.text.removeprefix("+").removesuffix(" %"))
    if alone is None or declared:
        return ""
    decimals = _decimals(alone[0])
    if ends is not None:
        half = abs(_value(ends[2]) - _value(ends[1])) / 2
        if half and decimals > _decimals_of(0.9 * half):  # the ends are rounded themselves
            return "more than two figures of its interval"
        return ""
    error = re.match(rf"± ({NUMBER})", cell.small)
    if error is not None:
        return "other decimals than its error" if decimals != _decimals(error[1]) else ""
    if decimals > finest and _figures(alone[0]) > 3:
        return "more than three figures, and no error"
    return ""


def _value(text: str) -> float:
    return float(text.replace("−", "-").replace(",", ""))


def _decimals(text: str) -> int:
    return len(text.partition("e")[0].partition(".")[2])


def _decimals_of(error: float) -> int:
    """Decimals of a number that has two figures of an error."""
    return max(0, 1 - math.floor(math.log10(error)))


def _figures(text: str) -> int:
    """Significant figures; of a whole number none, as it stays whole."""
    digits = text.partition("e")[0].lstrip("−").replace(",", "")
    return len(digits.replace(".", "").lstrip("0")) if "." in digits else 0
