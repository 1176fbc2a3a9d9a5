"""merged.json: which runs a folder was joined from, and how well they agree where they overlap."""

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter, ValidationError

from coequal.results.compare_results import Verdict

MERGED = "merged.json"

RULE = "of a trial that several runs have, the result of the run named first is kept"


@dataclass(frozen=True)
class JoinedRun:
    """A run that was joined.

    Attributes:
        name: of its folder or pack, with a number if another run has the same.
        study: what it calls its study.
        results: how many it has.
        kept: how many of them are in the joined folder.
    """

    name: str
    study: str
    results: int
    kept: int


@dataclass(frozen=True)
class SharedTrial:
    """A trial that two runs have trained: a check of how well it reproduces.

    Attributes:
        trial: its id.
        model: its model.
        data: its dataset.
        setting: its setting; 0 is the authors'.
        repeat: 0 is the search's own run, 1, 2, ... are fresh seeds.
        kept: the run whose result is kept.
        compared: the run whose result is compared with it.
        verdict: how well they agree.
        agreement: the same in full; see `coequal.results.compare_results.Agreement.as_dict`.
    """

    trial: str
    model: str
    data: str
    setting: int
    repeat: int
    kept: str
    compared: str
    verdict: Verdict
    agreement: Mapping[str, Any]

    @property
    def deviation(self) -> Mapping[str, Any] | None:
        """The largest deviation, with the name of its number; None if all numbers are equal."""
        for name, found in self.agreement["largest"].items():
            return {"name": name, **found}
        return None

    @property
    def differing(self) -> str:
        """The fields of the environment that differ, with both values."""
        fields = self.agreement["environment"].items()
        return "; ".join(f"{name}: {one} / {other}" for name, (one, other) in fields)


@dataclass(frozen=True)
class Merged:
    """What merged.json says.

    Attributes:
        rule: by which one of two results is kept.
        runs: that were joined, in the order in which they were named.
        shared: every trial that two of them have, each later run compared with the first that has
            it; also those of runs that were joined themselves.
        other_source: parts from outside of which the runs have different source.
    """

    rule: str
    runs: tuple[JoinedRun, ...]
    shared: tuple[SharedTrial, ...]
    other_source: tuple[str, ...] = ()


_MERGED = TypeAdapter(Merged)


def merged_text(merged: Merged) -> bytes:
    """The content of merged.json."""
    return _MERGED.dump_json(merged, indent=1) + b"\n"


def read_merged(run: Path) -> Merged | None:
    """Read the merged.json of a run's folder; None of a run that was not joined.

    Raises:
        ValueError: it can't be read.
    """
    path = run / MERGED
    try:
        return _MERGED.validate_json(path.read_bytes())
    except FileNotFoundError:
        return None
    except ValidationError as error:
        wrong = error.errors(include_url=False)[0]
        place = ".".join(map(str, wrong["loc"]))
        raise ValueError(f"{path} can't be read: {place}: {wrong['msg']}") from error


def agreement_lines(merged: Merged) -> Iterator[str]:
    """What a user is told of trials that several runs have."""
    if not merged.shared:
        yield (
            "no trial is in two of the runs, so it is not known how well one reproduces the other"
        )
    else:
        counts = Counter(trial.verdict for trial in merged.shared)
        found = ", ".join(f"{count} {verdict}" for verdict, count in counts.most_common())
        yield f"reproducibility: {len(merged.shared)} trials are in two of the runs: {found}"
        yield f"rule: {merged.rule}"
    for trial in merged.shared:
        if trial.verdict == "different":
            again = f" seed {trial.repeat}" if trial.repeat else ""
            where = f"; environment: {trial.differing}" if trial.differing else ""
            reasons = "; ".join(trial.agreement["reasons"])
            yield (
                f"  {trial.model} {trial.setting}{again} on {trial.data}, {trial.kept} (kept) and "
                f"{trial.compared}: {reasons}{where}"
            )
    if merged.other_source:
        yield (f"the runs have different source of {', '.join(merged.other_source)}: see code.json")
