"""Results of other runs, taken over into the folder of a run whose plan names their trials."""

import os
import shutil
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path

from pydantic import TypeAdapter
from pydantic_core import to_json

from coequal.files import atomic_write, file_name
from coequal.records import Trial
from coequal.results.encoder_files import copy_encoder_file
from coequal.results.folder import RunFolder
from coequal.results.lock import lock
from coequal.results.plan_file import PLAN
from coequal.results.references import other_instrument
from coequal.results.result_file import MEASURED, RESULT, StoredResult
from coequal.results.versions import PlannedTrials, moment

REUSED = "reused.jsonl"
PACKED = "trials.tar.xz"
_LEFT_OVER = ("checkpoint", MEASURED, "progress.json")  # of a trial that has not ended


@dataclass(frozen=True)
class Reused:
    """Where a result came from.

    Attributes:
        trial: its id.
        source: the folder of the run that trained it.
        study: what that run calls its study.
        date: when it was taken over, as ISO 8601 says it.
        size: of its result.json, in bytes.
        changed: when its result.json was written, in nanoseconds since 1970; with `size` it tells
            whether the trial has been trained again since.
    """

    trial: str
    source: str
    study: str
    date: str
    size: int
    changed: int


_REUSED = TypeAdapter(Reused)


def reused_results(folder: RunFolder) -> dict[str, Reused]:
    """The results of a run that came from other runs, by trial id; those that have been trained
    again since are not among them."""
    path = folder.path / REUSED
    if not path.exists():
        return {}
    text = path.read_bytes()
    lines = text[: text.rfind(b"\n") + 1].splitlines()  # a writer that was killed left half a line
    found = {entry.trial: entry for entry in map(_REUSED.validate_json, lines)}
    return {key: entry for key, entry in found.items() if _is_there(folder, entry)}


def _is_there(folder: RunFolder, entry: Reused) -> bool:
    try:
        found = os.stat(folder.trial_folder(entry.trial) / RESULT)
    except FileNotFoundError:
        return False
    return (found.st_size, found.st_mtime_ns) == (entry.size, entry.changed)


def check_source(source: RunFolder, into: RunFolder) -> None:
    """Refuse a folder of which no result can be taken.

    Args:
        source: of a run, or a published one.
        into: the folder that takes the results.

    Raises:
        FileNotFoundError: it is no run's folder, or its trials are packed or missing.
        ValueError: it is the folder itself, or can't be read.
    """
    if source.path.resolve() == into.path.resolve():
        raise ValueError(f"{source.path} is the run's own folder, whose results are used anyway")
    if not source.path.is_dir():
        raise FileNotFoundError(f"--reuse: there is no folder {source.path}")
    source.study()
    if not (source.path / "trials").is_dir():
        if (source.path / PACKED).exists():
            raise FileNotFoundError(
                f"the trials of {source.path} are packed; unpack them first: "
                f"tar -xJf {source.path / PACKED} -C {source.path}"
            )
        raise FileNotFoundError(f"{source.path} holds no trials (no folder {source.path}/trials)")


@dataclass
class Source:
    """A run from which results are taken.

    Attributes:
        folder: of the run; it is only read.
        taken: how many of its results have been taken.
        refused: trials that the plan names and that were not taken, by reason.
    """

    folder: RunFolder
    taken: int = 0
    refused: dict[str, str] = field(default_factory=dict)

    def trials(self) -> Iterator[Trial]:
        """The trials that its plan names."""
        return self.folder.iterate_plan() if (self.folder.path / PLAN).exists() else iter(())

    def has(self, trial: Trial) -> bool:
        """Whether it holds a result of a trial."""
        return (self.folder.trial_folder(trial.id) / RESULT).exists()


class Reuse:
    """Takes results of other runs into a run's folder as soon as its plan names their trials.

    Args:
        folder: of the run.
        sources: of other runs; of a trial that several have, the first one's result is taken.

    Raises:
        FileNotFoundError, ValueError: a source can't be used; see `check_source`.
    """

    def __init__(self, folder: RunFolder, sources: Sequence[RunFolder]) -> None:
        for source in sources:
            check_source(source, folder)
        self.folder, self.sources = folder, [Source(source) for source in sources]
        self._said: list[str] = []

    def take(
        self, pending: Sequence[Trial], stopped: Callable[[], bool] = lambda: False
    ) -> list[str]:
        """Take the results of trials that have none yet.

        What is not there yet (an instrument of its own, of a dataset of which some trials are
        still to be trained) decides later whether results are measured alike: until then nothing of
        that dataset is taken.

        Args:
            pending: trials of the run's plan that have no result.
            stopped: is asked before each trial whether to stop.

        Returns:
            The ids of trials whose results were taken.
        """
        self._adopt_references(pending)
        self._adopt_encoders(pending)
        taken: list[str] = []
        references = self.folder.references()
        stored_references = [source.folder.references() for source in self.sources]
        for trial in pending:
            if stopped():
                break
            mine = references.get(trial.data)
            if mine is None:
                continue
            for source, theirs in zip(self.sources, stored_references, strict=True):
                if not source.has(trial):
                    continue
                if other := other_instrument(mine, theirs.get(trial.data, {})):
                    source.refused[trial.id] = f"another instrument on {trial.data}: {other}"
                    continue
                try:
                    stored = source.folder.read_result(trial.id)
                except ValueError as error:
                    source.refused[trial.id] = f"a broken file: {error}"
                    continue
                if stored is not None and self._copy(source, trial, stored):
                    source.taken += 1
                    taken.append(trial.id)
                    break
        return taken

    def _adopt_references(self, pending: Sequence[Trial]) -> None:
        """Take the references of a dataset on which nothing is left to train here."""
        known = self.folder.references()
        for data in dict.fromkeys(trial.data for trial in pending):
            trials = [trial for trial in pending if trial.data == data]
            for source in self.sources:
                reference = source.folder.references().get(data)
                if data in known or reference is None or not all(map(source.has, trials)):
                    continue
                images = f"references/{file_name(data)}.npy"
                if (source.folder.path / images).exists():
                    content = (source.folder.path / images).read_bytes()
                    atomic_write(self.folder.path / images, content)
                copy_encoder_file(source.folder, self.folder, data)
                self.folder.add_reference(data, reference)
                known = self.folder.references()

    def _adopt_encoders(self, pending: Sequence[Trial]) -> None:
        """Take the encoder with which the first run that has results of a dataset measured them,
        where none has measured here: or its results would be of another instrument."""
        known = self.folder.references()
        for data in dict.fromkeys(trial.data for trial in pending if trial.data not in known):
            trials = [trial for trial in pending if trial.data == data]
            having = [source for source in self.sources if any(map(source.has, trials))]
            any(copy_encoder_file(source.folder, self.folder, data) for source in having)

    def _copy(self, source: Source, trial: Trial, stored: StoredResult) -> bool:
        """Copy everything of a trial, its result last; not if somebody trains it at this moment."""
        origin, target = (f.trial_folder(trial.id) for f in (source.folder, self.folder))
        target.mkdir(parents=True, exist_ok=True)
        with _alone(target) as alone:
            if not alone or (target / RESULT).exists():
                return False
            _empty(target)
            for path in sorted(origin.rglob("*")):
                place = path.relative_to(origin)
                first = place.parts[0]
                if path.is_dir() or first in (*_LEFT_OVER, RESULT) or place.name.startswith("."):
                    continue
                (target / place).parent.mkdir(parents=True, exist_ok=True)
                shutil.copy2(path, target / place)
            _note(self.folder, source, stored, trial)
            draft = target / f".{RESULT}.reused"
            draft.write_bytes(stored.text)
            os.utime(draft, ns=(stored.stamp[1], stored.stamp[1]))  # by which it is known, and when
            os.replace(draft, target / RESULT)  # it ended; last, as it makes the rest a result's
        return True

    def report(self) -> list[str]:
        """What was taken from each run, and by reason what of it was not, in lines; nothing if that
        has been said."""
        plan = PlannedTrials(self.folder.iterate_plan())
        planned = self.folder.planned()
        lines = []
        for source in self.sources:
            reasons = Counter(source.refused.values())
            reasons.update(
                plan.why_not(trial)
                for trial in source.trials()
                if trial.id not in planned and source.has(trial)
            )
            lines.append(f"{source.taken:,} results taken over from {source.folder.place}")
            lines += [f"  not taken: {count:,} ({why})" for why, count in reasons.most_common()]
        said, self._said = self._said, lines
        return [] if said == lines else lines


def _note(folder: RunFolder, source: Source, stored: StoredResult, trial: Trial) -> None:
    """Note where a result comes from, before it is there."""
    study = str(source.folder.study().get("study", ""))
    entry = Reused(
        trial.id,
        str(source.folder.place),
        study,
        moment(),
        len(stored.text),
        stored.stamp[1],
    )
    with (folder.path / REUSED).open("ab") as file:
        file.write(to_json(asdict(entry)) + b"\n")


@contextmanager
def _alone(trial_folder: Path) -> Iterator[bool]:
    """Whether no worker is in a trial's folder; none can begin there meanwhile."""
    with (trial_folder / ".lock").open("a+") as file:
        try:
            lock(file)
            alone = True
        except BlockingIOError:
            alone = False
        yield alone


def _empty(trial_folder: Path) -> None:
    """Remove what an attempt that did not end has left."""
    for entry in trial_folder.iterdir():
        if entry.is_dir():
            shutil.rmtree(entry)
        elif entry.name != ".lock":
            entry.unlink()
