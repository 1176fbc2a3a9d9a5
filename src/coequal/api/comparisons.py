"""Compare saved scores from Python."""

import json
import shlex
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from coequal.evaluation.several import compare_saved
from coequal.reporting.shown_values import ScoreComparison


def compare(scores: Sequence[str | Path], *, page: str | Path | None = None) -> ScoreComparison:
    """Compare scores that were saved as JSON, pair by pair.

    Args:
        scores: at least two files that `coequal score --out FILE` wrote, each of one set of
            generated images.
        page: an .html file to write. It shows the numbers, their differences and, in words, what
            follows from them; of scores that can't be compared it says why.

    Returns:
        A JSON-ready dict, which a prompt and a notebook show as a table. Its `pairs` hold, for each
        pair of scores, their names (`first`, `second`) and what
        `coequal.evaluation.compare.compare` gives, with p-values corrected for the number of pairs.
        A pair that was measured differently has a `refusal` instead.

    Raises:
        ValueError: a file holds no score, fewer than two are named, or no two can be compared.
        OSError: a file can't be read or written.
    """
    paths = [Path(one) for one in scores]
    if len(paths) < 2:
        raise ValueError(f"at least two scores are compared; {len(paths)} is named")
    if page is not None:
        from coequal.reporting.score_page.page import refuse_page, write_comparison_page

        refuse_page(page)
    records = dict(zip(names_of(paths), map(_read, paths), strict=True))
    found = compare_saved(records)
    if page is not None:
        command = shlex.join(["coequal", "compare", *map(str, paths), f"--page={page}"])
        write_comparison_page(Path(page), records, found, command)
    refusals = [pair["refusal"] for pair in found["pairs"] if "refusal" in pair]
    if len(refusals) == len(found["pairs"]):
        raise ValueError("\n".join(refusals))
    return ScoreComparison(found)


def names_of(paths: Sequence[Path]) -> list[str]:
    """Short names of files: without their ending, and without their folder where that leaves them
    apart."""
    for names in ([path.stem for path in paths], [str(path) for path in paths]):
        if len({*names}) == len(names):
            return names
    return [f"{place}: {path}" for place, path in enumerate(paths, 1)]


def _read(path: Path) -> Mapping[str, Any]:
    try:
        scores = json.loads(path.read_text())
    except ValueError as error:  # of JSON, or of bytes that are no text
        raise ValueError(f"{path} is no JSON ({error})") from error
    if isinstance(scores, dict) and "pairs" in scores:
        raise ValueError(f"{path} is of several sets, and compares them already, under 'pairs'")
    if not isinstance(scores, dict) or not {"metrics", "encoder", "real", "fake"} <= scores.keys():
        raise ValueError(f"{path} holds no scores of `coequal score --out`")
    return scores
