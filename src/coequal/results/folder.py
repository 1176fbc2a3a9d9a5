"""The folder of a run: plain files are the truth, one folder per trial, written whole or not at
all.

runs/demo/
  study.yaml          the study file, as it was read
  study.json          the same with every default filled in, its looks and comparisons
  versions.jsonl      of a study that has grown: its versions, whose files are in versions/
  reused.jsonl        which results came from other runs
  merged.json         which runs were joined, and how well they agree where they overlap
  code/, code.json    the source of parts of one's own, as it was when the run began
  stopped.json        models that were stopped because their code fails at once
  plan.json           every trial of the study that is known by now, in order
  metrics.json        what the metrics say of their numbers: direction, label, unit, bounds
  references.json     what the instrument was calibrated on: encoder, real images, cap
  references/DATA.npy real images, for the report
  encoders/           weights of the small encoders that measure the run
  instrument.json     the same images measured by other encoders and test images, if that was done
  trials/ab/abcd.../  trial.json, result.json, curves.npz, samples/, checkpoint/, log.txt
  states/             in which extendable trials ended, for a longer budget to go on from
  results.jsonl       the log: every result.json as a line; made again if it is lost
  ended.jsonl         whose each of these lines is, and where it begins
  results.csv         one row per trial and checkpoint; the same bytes for any number of workers
  timings.csv         seconds, which never are the same twice
  report/             index.html, figures, tables
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from coequal import lookup
from coequal.files import atomic_write, file_name, read_json, write_json
from coequal.published_names import published_names
from coequal.records import MetricInfo, Result, Trial, canonical
from coequal.results.lock import is_locked, lock, locked
from coequal.results.plan_file import PLAN, plan_text, read_plan, read_planned_models
from coequal.results.result_file import RESULT, StoredResult, read_file
from coequal.results.states import state_to_extend
from coequal.results.study_file import (
    STUDY,
    StudyFile,
    compared_pairs,
    planned_looks,
    read_study_file,
)
from coequal.results.versions import (
    Version,
    add_version,
    changes,
    complete_settings,
    looks_taken,
    moment,
    read_versions,
    study_hash,
)
from coequal.selection import SelectionRule


@dataclass(frozen=True)
class RunFolder:
    """One study's results on disk.

    Attributes:
        path: of the folder; a text will do.
        pack: the file that it was unpacked from for a while; None for a folder of its own.
    """

    path: Path
    pack: Path | None = None

    def __post_init__(self) -> None:
        object.__setattr__(self, "path", Path(self.path))  # text will do

    @property
    def place(self) -> Path:
        """Where the user has it: the folder, or the pack."""
        return self.path if self.pack is None else self.pack

    def begin(
        self,
        source: str,
        study: Mapping[str, Any],
        trials: Sequence[Trial],
        metrics: Mapping[str, MetricInfo],
        looks: Sequence[tuple[int, float]] | None = None,
        comparisons: int | None = None,
    ) -> None:
        """Write what the study is; a study that is there already changes nothing.

        A study that differs goes on in the folder as a further version of the one that is there, as
        long as a trial that has a result is part of it: looks that were taken keep the error that
        they spent, and the number of comparisons never falls.

        Args:
            source: the text of the study's file.
            study: with every default filled in.
            trials: that can be named by now.
            metrics: what the study's metrics say of their numbers, by number.
            looks: numbers of settings at which a new study is judged, and the error spent at each;
                None: those that it declares.
            comparisons: pairs of models that share this error; None: those of the study.

        Raises:
            FileExistsError: the folder holds something else, or a study that has nothing in common
                with this one.
        """
        known = self.path / STUDY
        if (
            not known.exists()
            and self.path.exists()
            and any(not entry.name.startswith((".lock", ".stop")) for entry in self.path.iterdir())
        ):
            raise FileExistsError(
                f"{self.path} is not empty and holds no study; give a new folder with --out"
            )
        self.path.mkdir(parents=True, exist_ok=True)
        infos = {name: asdict(info) for name, info in metrics.items()}
        with (self.path / ".lock-study").open("a+") as mine:
            lock(mine, wait=True)  # shards may begin at once
            file, same = StudyFile.of(study, looks, comparisons), False
            if known.exists():
                before = read_study_file(self.path)
                same = canonical(before.study) == canonical(study)
                if same:
                    file = StudyFile(study, before.looks, before.comparisons)
                else:
                    file = self._grow(before, source, study, trials)
            _write_changed(known, file.text())  # first: it is what makes the folder a study's
            _write_changed(self.path / "study.yaml", source)
            _write_changed(self.path / METRICS, json.dumps(infos, indent=1, allow_nan=False) + "\n")
            if not (same and (self.path / PLAN).exists()):
                self.write_plan(trials)  # an older plan of this study may name later phases, too

    def _grow(
        self, before: StudyFile, source: str, study: Mapping[str, Any], trials: Sequence[Trial]
    ) -> StudyFile:
        """Make another study the next version of the one that is there, and keep both files; what
        has no result yet is replaced."""
        ended = [trial for trial in self._planned_before() if self._has_result(trial)]
        kept = any(map(self._has_result, trials)) or any(
            state_to_extend(self.path, trial) is not None for trial in trials
        )
        different = changes(before.study, study)
        if ended and not kept:
            raise FileExistsError(
                f"{self.path} holds another study ('{before.study.get('study')}'), and "
                f"none of its {len(ended)} results would be part of this one "
                f"(different: {'; '.join(different)}); give another folder with --out"
            )
        if not kept:
            (self.path / "references.json").unlink(missing_ok=True)  # of the other study
            return StudyFile.of(study)
        known = self._versions_of(before)
        done = self._looks_done(before, ended)
        file = self._grown(before, study, done)
        if not known:
            written = self.path / "study.yaml"
            text = written.read_text() if written.exists() else before.text()  # JSON is YAML
            first = Version(1, moment((self.path / STUDY).stat().st_mtime))
            known = [add_version(self.path, (), first, text, before)]
        settings = complete_settings(ended)
        version = Version(0, moment(), tuple(different), len(ended), settings, done)
        add_version(self.path, known, version, source, file)
        return file

    def next_version(self, study: Mapping[str, Any]) -> StudyFile:
        """The study, its looks and comparisons as they would be if it began in this folder now.

        Args:
            study: with every default filled in.
        """
        if not (self.path / STUDY).exists():
            return StudyFile.of(study)
        before = read_study_file(self.path)
        if not changes(before.study, study):
            return StudyFile(study, before.looks, before.comparisons)
        ended = [trial for trial in self._planned_before() if self._has_result(trial)]
        return self._grown(before, study, self._looks_done(before, ended))

    def _versions_of(self, before: StudyFile) -> list[Version]:
        """The versions up to the study that is there."""
        known = self.versions()
        if known and known[-1].study != study_hash(before.study):
            known.pop()  # whoever began it was stopped before it was the study of the folder
        return known

    def _looks_done(
        self, before: StudyFile, ended: Sequence[Trial]
    ) -> tuple[tuple[int, float], ...]:
        taken = len(looks_taken(before.looks, ended))
        versions = (len(version.looks) for version in self._versions_of(before))
        return before.looks[: max([taken, *versions])]

    def _grown(
        self, before: StudyFile, study: Mapping[str, Any], done: Sequence[tuple[int, float]]
    ) -> StudyFile:
        """The file of a study that follows another one of which looks have been taken."""
        pairs = max(before.comparisons, compared_pairs(study))
        return StudyFile.of(study, planned_looks(study, done), pairs)

    def _planned_before(self) -> Iterator[Trial]:
        return self.iterate_plan() if (self.path / PLAN).exists() else iter(())

    def _has_result(self, trial: Trial) -> bool:
        return (self.trial_folder(trial.id) / RESULT).exists()

    def versions(self) -> list[Version]:
        """The versions of the study, oldest first: when each began, what it changed, and what there
        was by then; none if it has never changed."""
        return read_versions(self.path)

    def write_plan(self, trials: Sequence[Trial]) -> None:
        """Write every trial that is known by now; an equal plan that is there stays as it is."""
        _write_changed(self.path / PLAN, plan_text(trials))

    def refuse_other_version(self, study: Mapping[str, Any]) -> None:
        """Refuse to go on with a study that has been changed in the folder meanwhile.

        Raises:
            FileExistsError: it is another one; the message says what differs.
        """
        different = changes(self.study(), study)
        if different:
            raise FileExistsError(
                f"the study in {self.path} has been changed since this process began: "
                f"{'; '.join(different)}; start it again with the present file"
            )

    def study(self) -> dict[str, Any]:
        """The study with every default filled in.

        Raises:
            FileNotFoundError: this folder holds no study.
            ValueError: written by a newer version, or not readable.
        """
        return dict(read_study_file(self.path).study)

    def looks(self) -> tuple[tuple[int, float], ...]:
        """At how many settings the study is judged, and the error that is spent there over all
        comparisons; raises as `study`."""
        return read_study_file(self.path).looks

    def comparisons(self) -> int:
        """The number of pairs of models among which the error of a look is divided, which never
        falls; raises as `study`."""
        return read_study_file(self.path).comparisons

    def metrics(self) -> dict[str, MetricInfo]:
        """What the study's metrics say of their numbers, by number.

        Raises:
            LookupError: the folder is older than metrics.json, and one of its metrics can't be had.
        """
        path = self.path / METRICS
        if path.exists():
            stored = json.loads(path.read_text())
            return {name: MetricInfo.from_dict(values) for name, values in stored.items()}
        wanted = (self.study().get("evaluation") or {}).get("metrics") or ()
        outside = [name for name in wanted if ":" in name]
        infos: dict[str, MetricInfo] = {}
        for name in (*lookup.names("metrics"), *outside):
            infos |= lookup.load("metrics", name).outputs
        for name, published in published_names().items():
            infos[name] = replace(infos[published.number], label=published.label)
        return infos

    def rule(self) -> SelectionRule:
        """The rule by which the study chooses settings."""
        return SelectionRule.of(self.study()["select"], self.metrics())

    def plan(self) -> list[Trial]:
        """Every trial of the study, in order."""
        return list(self.iterate_plan())

    def iterate_plan(self) -> Iterator[Trial]:
        """Every trial of the study, in order, one after another."""
        return read_plan(self.path)

    def planned(self) -> dict[str, str]:
        """The model of every trial of the study by its id, in order, which is quick at any size;
        empty before there is a plan."""
        return read_planned_models(self.path)

    def trial_folder(self, trial_id: str) -> Path:
        """The folder of everything about a trial."""
        return self.path / "trials" / trial_id[:2] / trial_id

    def read_result(self, trial_id: str) -> StoredResult | None:
        """Read the result of a trial, with the text and the stamp of its file; None if it has none
        yet.

        Raises:
            ValueError: the file is there and can't be used; the message names it.
        """
        return read_file(self.trial_folder(trial_id) / RESULT, trial_id)

    def result(self, trial_id: str) -> Result | None:
        """The result of a trial, or None if it has none yet.

        Raises:
            ValueError: the file is there and can't be used; the message names it.
        """
        stored = self.read_result(trial_id)
        return None if stored is None else stored.result

    def results(self) -> dict[str, Result]:
        """Read the results of all trials that have one, by trial id, in the plan's order."""
        results = ((trial_id, self.result(trial_id)) for trial_id in self.planned())
        return {trial_id: result for trial_id, result in results if result is not None}

    def references(self) -> dict[str, Any]:
        """Read references.json: by dataset, encoder, counts, the cap of each metric, notes."""
        return read_json(self.path / "references.json")

    def add_reference(self, data: str, reference: Mapping[str, Any]) -> None:
        """Store what the instrument of a dataset was calibrated on; shards may do so at once.

        Args:
            data: the dataset.
            reference: plain values; see `coequal.runner.prepare`.
        """
        with (self.path / ".references.lock").open("a+") as mine:
            lock(mine, wait=True)
            write_json(self.path / "references.json", {**self.references(), data: reference})

    def real_samples(self, data: str) -> NDArray[np.uint8] | None:
        """Read a few real images, (n, channels, height, width); None if none were kept."""
        return _load(self.path / "references" / f"{file_name(data)}.npy")

    def samples(self, trial_id: str, step: int) -> NDArray[np.uint8] | None:
        """Read the generated images of a checkpoint, (n, channels, height, width), at latents that
        are the same for every trial; None if none were kept."""
        return _load(samples_path(self.trial_folder(trial_id), step))

    def details(self, trial_id: str) -> dict[str, Any]:
        """Read what numbers of a trial's last checkpoint summarise, by split and number; empty if
        nothing was kept."""
        return read_json(self.trial_folder(trial_id) / DETAILS)

    def frames(self, trial_id: str) -> tuple[list[int], NDArray[Any]] | None:
        """Read the frames of a trial: their steps, and generated images at each of them, (frames,
        n, channels, height, width), at fixed latents; None if it kept none."""
        path = self.trial_folder(trial_id) / FRAMES
        if not path.exists():
            return None
        with np.load(path, allow_pickle=False) as file:
            return file["steps"].tolist(), file["images"]

    def curves(self, trial_id: str) -> dict[str, NDArray[np.float32]]:
        """Read the losses of a trial over its steps, by name; empty if it has none."""
        path = self.trial_folder(trial_id) / CURVES
        if not path.exists():
            return {}
        with np.load(path, allow_pickle=False) as file:
            return dict(file)

    def neighbours(self, trial_id: str) -> NDArray[np.uint8] | None:
        """Read generated images beside their nearest training images, (n, 1 + k, channels, height,
        width); None if none were kept."""
        return _load(self.trial_folder(trial_id) / NEIGHBOURS)

    def busy(self) -> bool:
        """Whether a coordinator works in the folder at this moment."""
        return is_locked(self.path)

    def lock(self, shard: str = "") -> AbstractContextManager[None]:
        """Take the folder, in which one coordinator works at a time, or one for each shard.

        Args:
            shard: its name; without one, the whole folder is taken.

        Raises:
            BlockingIOError: another coordinator has it; the message names it.
        """
        return locked(self.path, shard)


METRICS = "metrics.json"

DETAILS = "details.json"
"""In a trial's folder: what numbers of its last checkpoint summarise."""

CURVES = "curves.npz"
"""In a trial's folder: its losses over the steps."""

HEALTH = "health.json"
"""In a trial's folder: the verdict on its training, with evidence and remedies."""

SIGNALS = "signals.npz"
"""In a trial's folder: the monitor's signals at each probe."""

FRAMES = "frames.npz"
"""In a trial's folder: images at fixed latents while it trained; `steps`, (frames,), and
`images`, (frames, n, channels, height, width)."""

NEIGHBOURS = "neighbours.npy"
"""In a trial's folder: generated images of its last checkpoint beside their nearest training
images, (n, 1 + k, channels, height, width)."""


def samples_path(trial_folder: Path, step: int) -> Path:
    """The file of a trial's images of one step."""
    return trial_folder / "samples" / f"step-{step:07d}.npy"


def _write_changed(path: Path, text: str) -> None:
    """Write a file unless it says so already: what is made of it is then still up to date."""
    if not path.exists() or path.read_bytes() != text.encode():
        atomic_write(path, text.encode())


def _load(path: Path) -> NDArray[np.uint8] | None:
    return np.load(path, allow_pickle=False) if path.exists() else None
