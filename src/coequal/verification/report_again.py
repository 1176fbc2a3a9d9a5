"""The report and the tables of a run, written again beside it and compared file by file."""

import re
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal

from coequal.analysis.summary import summarise
from coequal.reporting.page import write_summaries
from coequal.reporting.sample_browser import without_strips
from coequal.results.folder import RunFolder
from coequal.results.results_csv import RESULTS, TIMINGS, write_tables
from coequal.results.run_results import results_on_disk

REPORT = "report"

Kind = Literal["missing", "not written again", "numbers", "text", "bytes"]

_NUMBER = re.compile(r"(?<![\w.])[-+]?\d+(?:\.\d+)?(?:[eE][-+]?\d+)?(?![\w.])")
_LONGEST = 60  # letters of a line that are shown


@dataclass(frozen=True)
class FileDifference:
    """A file that is not the same to the byte when it is written again.

    Attributes:
        path: from the run's folder.
        kind: "missing" in the run; "not written again", as by an older version; else what differs:
            "numbers" alone, "text" too, or "bytes" of a file that is no text.
        numbers: how many numbers differ, where nothing else does.
        largest: the largest of their relative differences.
        example: where numbers or text differ: both versions of the first such place.
    """

    path: str
    kind: Kind
    numbers: int = 0
    largest: float = 0.0
    example: tuple[str, str] | None = None


@dataclass(frozen=True)
class ReportAgreement:
    """How far a report agrees with one that is written again from the same results.

    Attributes:
        files: how many files were compared, those of both sides.
        differences: of each file that is not the same to the byte.
    """

    files: int
    differences: tuple[FileDifference, ...]

    def as_dict(self) -> dict[str, Any]:
        """Plain values, ready for JSON."""
        return {"files": self.files, "differences": [asdict(each) for each in self.differences]}


def compare_report(
    folder: RunFolder, scratch: Path, log: Callable[[str], None] = lambda line: None
) -> ReportAgreement | None:
    """Write a run's report and tables again, from its results, and compare them with those there.

    Nothing in the run's folder is changed.

    Args:
        folder: of the run.
        scratch: an empty folder to write to.
        log: is told of results in a wrong place.

    Returns:
        None of a run without a report.

    Raises:
        ValueError: a result can't be used.
    """
    if not (folder.path / REPORT).is_dir():
        return None
    results = results_on_disk(folder, log)
    write_tables(folder, results.of(folder.planned()), into=scratch)
    write_summaries(folder, summarise(folder, log, results), scratch / REPORT)
    before, now = _files(folder.path), _files(scratch)
    names = sorted(before.keys() | now.keys())
    found = (_difference(name, before, now) for name in names)
    return ReportAgreement(len(names), tuple(each for each in found if each is not None))


def _files(place: Path) -> dict[str, Path]:
    """The tables and the files of a report, by their paths from the run's folder."""
    listed = [place / RESULTS, place / TIMINGS, *sorted((place / REPORT).rglob("*"))]
    return {path.relative_to(place).as_posix(): path for path in listed if path.is_file()}


def _difference(
    name: str, before: Mapping[str, Path], now: Mapping[str, Path]
) -> FileDifference | None:
    if name not in before:
        return FileDifference(name, "missing")
    if name not in now:
        return FileDifference(name, "not written again")
    one, other = before[name].read_bytes(), now[name].read_bytes()
    if one == other:
        return None
    try:
        if name.endswith(".html") and _same_page(one.decode(), other.decode()):
            return None
        return compare_texts(name, one.decode(), other.decode())
    except UnicodeDecodeError:
        return FileDifference(name, "bytes")


def _same_page(one: str, other: str) -> bool:
    """Whether pages differ in nothing but samples that the folder has no longer."""
    (rest, strips), (other_rest, other_strips) = map(without_strips, (one, other))
    return rest == other_rest and other_strips <= strips


def compare_texts(path: str, one: str, other: str) -> FileDifference:
    """What differs between two versions of a text: only numbers, or more.

    Args:
        path: of the file, for the answer.
        one: the text that is there.
        other: the text that is written again, which is another one.
    """
    if _NUMBER.sub("0", one) != _NUMBER.sub("0", other):
        lines = zip([*one.splitlines(), ""], [*other.splitlines(), ""], strict=False)
        first = next(((a, b) for a, b in lines if _NUMBER.sub("0", a) != _NUMBER.sub("0", b)), None)
        return FileDifference(path, "text", example=first and _around(*first))
    pairs = zip(_NUMBER.findall(one), _NUMBER.findall(other), strict=True)
    apart = [(_relative(a, b), a, b) for a, b in pairs if a != b]
    largest, a, b = max(apart)
    return FileDifference(path, "numbers", len(apart), largest, (a, b))


def _relative(one: str, other: str) -> float:
    a, b = float(one), float(other)
    return abs(a - b) / max(abs(a), abs(b)) if a != b else 0.0


def _around(one: str, other: str) -> tuple[str, str]:
    """Both lines from a little before the place where they part."""
    shorter = min(len(one), len(other))
    parts = next((k for k in range(shorter) if one[k] != other[k]), shorter)
    start = max(0, parts - _LONGEST // 2)
    return one[start : start + _LONGEST], other[start : start + _LONGEST]
