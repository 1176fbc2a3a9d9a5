"""The versions of a study that has grown in its folder.

versions/1.yaml, 2.yaml, ...   the study's file as each version had it
versions/1.json, 2.json, ...   the study.json of each version
versions.jsonl                 a line for each version: when it began, what it changed, and what
                               there was by then
"""

import hashlib
import json
import time
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter, ValidationError

from coequal.files import atomic_write
from coequal.records import Trial, canonical
from coequal.results.study_file import StudyFile

VERSIONS = "versions.jsonl"


@dataclass(frozen=True)
class Version:
    """One version of a study's file.

    Attributes:
        number: from 1.
        date: on which it began, as ISO 8601 says it.
        changes: against the version before, in words; empty for the first.
        results: that lay in the folder when it began.
        settings: drawn settings of which every model had a result by then.
        looks: that had been taken by then: number of settings, and the error spent.
        left_out: results that are no part of it, by reason; None until its trials were named.
        study: SHA-256 of the study, by which a version is known.
    """

    number: int
    date: str
    changes: tuple[str, ...] = ()
    results: int = 0
    settings: int = 0
    looks: tuple[tuple[int, float], ...] = ()
    left_out: dict[str, int] | None = None
    study: str = ""


_VERSION = TypeAdapter(Version)


def read_versions(run: Path) -> list[Version]:
    """Read the versions of a study, oldest first; none if it has not begun to be counted.

    Raises:
        ValueError: the file can't be read; the message names it.
    """
    path = run / VERSIONS
    if not path.exists():
        return []
    try:
        return [_VERSION.validate_json(line) for line in path.read_bytes().splitlines()]
    except ValidationError as error:
        raise ValueError(f"{path} can't be read ({error.errors()[0]['msg']})") from error


def add_version(
    run: Path, known: Sequence[Version], version: Version, source: str, file: StudyFile
) -> Version:
    """Keep a version of a study: its file first, the line that names it last.

    Args:
        run: the run's folder.
        known: the versions before it.
        version: its number and its study are filled in here.
        source: the text of its file.
        file: its study.json.

    Returns:
        The version as it is written.
    """
    version = replace(version, number=len(known) + 1, study=study_hash(file.study))
    place = run / "versions"
    atomic_write(place / f"{version.number}.yaml", source.encode())
    atomic_write(place / f"{version.number}.json", file.text().encode())
    _write(run, [*known, version])
    return version


def note_left_out(run: Path, counts: Mapping[str, int]) -> None:
    """Note which results are no part of the last version, now that its trials are named."""
    known = read_versions(run)
    if known and known[-1].left_out is None:
        _write(run, [*known[:-1], replace(known[-1], left_out=dict(counts))])


def _write(run: Path, versions: Sequence[Version]) -> None:
    lines = [json.dumps(asdict(version), ensure_ascii=False) + "\n" for version in versions]
    atomic_write(run / VERSIONS, "".join(lines).encode())


def moment(seconds: float | None = None) -> str:
    """A time as a version says it.

    Args:
        seconds: since 1970; None: now.
    """
    at = time.time() if seconds is None else seconds
    return datetime.fromtimestamp(at).astimezone().isoformat(timespec="seconds")


def study_hash(study: Mapping[str, Any]) -> str:
    """By which a study is known, whatever the order of its keys."""
    return hashlib.sha256(canonical(study).encode()).hexdigest()


# --------------------------------------------------------------------------------- what has changed


def changes(before: Mapping[str, Any], after: Mapping[str, Any]) -> list[str]:
    """What differs between two versions of a study, in words.

    Args:
        before: the earlier one, with every default filled in.
        after: the later one.
    """
    return [
        *_named(before, after, "models", "model", lambda entry: str(entry["name"])),
        *_named(before, after, "data", "dataset", str),
        *_fields(_rest(before), _rest(after)),
    ]


def _named(
    before: Mapping[str, Any], after: Mapping[str, Any], key: str, what: str, name: Any
) -> Iterator[str]:
    """Entries of a list that came, went or changed, by their names."""
    old, new = ({name(entry): entry for entry in study.get(key) or ()} for study in (before, after))
    yield from (f"{what} {each} added" for each in new if each not in old)
    yield from (f"{what} {each} removed" for each in old if each not in new)
    for each in new:
        if each in old and isinstance(new[each], Mapping):
            yield from _fields(old[each], new[each], f"{what} {each}: ")
    both = [each for each in old if each in new]
    if both != [each for each in new if each in old]:
        yield f"{key} in another order"


def _rest(study: Mapping[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in study.items() if key not in ("models", "data")}


def _fields(before: Mapping[str, Any], after: Mapping[str, Any], place: str = "") -> Iterator[str]:
    for key in dict.fromkeys((*before, *after)):
        old, new = before.get(key), after.get(key)
        if isinstance(old, Mapping) and isinstance(new, Mapping):
            yield from _fields(old, new, f"{place}{key}.")
        elif canonical(old) != canonical(new):
            yield f"{place}{key}: {_shown(new)} (before: {_shown(old)})"


def _shown(value: Any) -> str:
    return "nothing" if value in (None, "", (), []) else str(value)


# --------------------------------------------------------------------------- what there was by then


def complete_settings(trials: Iterable[Trial]) -> int:
    """The number of drawn settings of which every model on every dataset has a result.

    Args:
        trials: that have a result.
    """
    return min((_complete(settings) for settings in _drawn(trials).values()), default=0)


def looks_taken(
    looks: Sequence[tuple[int, float]], trials: Iterable[Trial]
) -> tuple[tuple[int, float], ...]:
    """The looks for which all results are there, as far as the trials tell.

    A model that had been beaten trains no further settings: a look has been taken when every model
    that went on after the look before has all settings of it, on some dataset. Where the runs that
    are trained once more are still missing, the look counts as taken too: to count one too many
    spends error for nothing, to count one too few would spend it twice.

    Args:
        looks: number of settings and error, of the whole study.
        trials: that have a result.
    """
    groups = _drawn(trials)
    taken = [
        _looks_of([groups[key] for key in groups if key[1] == data], looks)
        for data in {data for _, data in groups}
    ]
    return tuple(looks[: max(taken, default=0)])


def _looks_of(settings: Sequence[set[int]], looks: Sequence[tuple[int, float]]) -> int:
    before = 0
    for place, (count, _) in enumerate(looks):
        training = [each for each in settings if any(before < number <= count for number in each)]
        if not training or min(map(_complete, training)) < count:
            return place
        before = count
    return len(looks)


def _drawn(trials: Iterable[Trial]) -> dict[tuple[str, str], set[int]]:
    """By model and dataset, the drawn settings of the search."""
    groups: dict[tuple[str, str], set[int]] = {}
    for trial in trials:
        settings = groups.setdefault((trial.model, trial.data), set())
        if trial.repeat == 0 and trial.setting > 0:
            settings.add(trial.setting)
    return groups


def _complete(settings: set[int]) -> int:
    count = 0
    while count + 1 in settings:
        count += 1
    return count


# --------------------------------------------------------------------- what is no longer part of it


def reasons(unplanned: Iterable[Trial], planned: Iterable[Trial]) -> Counter[str]:
    """Why trials are no part of a plan, with how many trials each reason is true of.

    Args:
        unplanned: trials that the plan does not name.
        planned: the trials of the plan.
    """
    plan = PlannedTrials(planned)
    return Counter(plan.why_not(trial) for trial in unplanned)


class PlannedTrials:
    """The trials of a plan, to be asked why another trial is none of them."""

    def __init__(self, planned: Iterable[Trial]) -> None:
        self._by_place = {
            (trial.model, trial.data, trial.setting, trial.repeat): trial for trial in planned
        }
        self._models = {trial.model for trial in self._by_place.values()}
        self._data = {trial.data for trial in self._by_place.values()}

    def why_not(self, trial: Trial) -> str:
        """Why a trial is not part of the plan, in a few words."""
        if trial.model not in self._models:
            return f"model {trial.model} is not part of the study"
        if trial.data not in self._data:
            return f"dataset {trial.data} is not part of the study"
        place = (trial.model, trial.data, trial.setting)
        twin = self._by_place.get((*place, trial.repeat)) or self._by_place.get((*place, 0))
        if twin is None:
            return "a setting that the study does not train, or not yet"
        if different := _different(trial, twin):
            return f"another {different}"
        return "a seed that the study does not train, or not yet"


def _different(trial: Trial, other: Trial) -> str:
    """What two trials of the same place differ in, in words; empty if in nothing but the seed of a
    re-run."""
    one, two = trial.as_dict(), other.as_dict()
    names: list[str] = []
    for key in one:
        if key == "repeat" or canonical(one[key]) == canonical(two[key]):
            continue
        if key in ("training", "evaluation"):
            inner = dict.fromkeys((*one[key], *two[key]))
            names += [n for n in inner if canonical(one[key].get(n)) != canonical(two[key].get(n))]
        else:
            names.append("settings of the model" if key == "settings" else key)
    return ", ".join(name.replace("_", " ") for name in names)
