"""One of two trials that are put side by side."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from coequal.checkpoints import Checkpoint
from coequal.formatting import capital, duration
from coequal.health.signals import Signals, load
from coequal.records import Result, Trial
from coequal.reporting.setting_text import setting_text
from coequal.results.folder import SIGNALS, RunFolder
from coequal.results.result_file import measured_so_far
from coequal.selection import SelectionRule


@dataclass(frozen=True, eq=False)
class Side:
    """One of the two trials.

    Attributes:
        name: "A" or "B".
        folder: of the run.
        trial: as planned.
        title: of its model.
        result: None while it trains, or before.
        judged: the checkpoint at which it is judged; None if it failed, or still trains.
        signals: measured while it trained; None if there are none.
    """

    name: str
    folder: RunFolder
    trial: Trial
    title: str
    result: Result | None
    judged: Checkpoint | None
    signals: Signals | None

    @property
    def label(self) -> str:
        """ "NS GAN, setting 3, seed 1"."""
        again = f", seed {self.trial.repeat}" if self.trial.repeat else ""
        return f"{self.title}, {setting_text(self.trial.setting)}{again}"

    @cached_property
    def points(self) -> Sequence[Checkpoint]:
        """The checkpoints at which it was measured so far."""
        if self.result is not None:
            return self.result.checkpoints
        return measured_so_far(self.folder.trial_folder(self.trial.id))

    @property
    def shown(self) -> Checkpoint | None:
        """The checkpoint whose scores are shown: where it is judged, or else the last one."""
        return self.judged or (self.points[-1] if self.points else None)

    @property
    def log(self) -> str:
        """The address of its log below that of the run; empty if it has none."""
        path = self.folder.trial_folder(self.trial.id) / "log.txt"
        return path.relative_to(self.folder.path).as_posix() if path.is_file() else ""

    @property
    def facts(self) -> list[tuple[str, str]]:
        """What became of it, by what that is."""
        result = self.result
        health = result.health if result else None
        facts = [("Data", self.trial.data)]
        if result is None:
            begun = self.folder.trial_folder(self.trial.id).exists()
            facts.append(("Outcome", "has no result yet" if begun else "has not begun"))
        else:
            reason = f": {result.reason}" if result.reason else ""
            facts.append(("Outcome", f"{result.status}{reason}"))
            steps = f"{result.spent.discriminator_steps:,} discriminator steps"
            facts.append(("Trained", f"{steps}, {duration(result.spent.seconds)}"))
        if health is not None:
            verdict = capital(health.verdict.replace("_", " "))
            facts.append(("Health", f"{verdict}: {health.evidence}"))
        return [*facts, ("Trial", self.trial.id)]

    @property
    def sheet(self) -> int | None:
        """The step of the images where it is judged, or else of the last ones that were kept."""
        place = self.folder.trial_folder(self.trial.id) / "samples"
        steps = sorted(int(path.stem.removeprefix("step-")) for path in place.glob("step-*.npy"))
        if self.judged is not None and self.judged.step in steps:
            return self.judged.step
        return steps[-1] if steps else None


def find_trials(folder: RunFolder, starts: Sequence[str]) -> list[Trial]:
    """The trials whose ids begin so, in this order.

    Args:
        folder: of the run.
        starts: the beginning of each id, or all of it.

    Raises:
        LookupError: no id of the plan begins so, or several do.
    """
    known, ids = list(folder.planned()), []
    for start in starts:
        wanted = start.strip().lower()
        matches = [key for key in known if key.startswith(wanted)] if wanted else []
        if len(matches) != 1:
            how_many = f"{len(matches):,} trials have" if matches else "no trial of this run has"
            raise LookupError(f"{how_many} an id that begins with “{start}”")
        ids += matches
    trials: dict[str, Trial] = {}
    for trial in folder.iterate_plan():
        if trial.id in ids:
            trials[trial.id] = trial
        if len(trials) == len(set(ids)):
            break
    return [trials[key] for key in ids]


def read_side(
    name: str, folder: RunFolder, trial: Trial, study: Mapping[str, Any], rule: SelectionRule
) -> Side:
    """Read what there is of a trial.

    Args:
        name: "A" or "B".
        folder: of the run.
        trial: of its plan.
        study: with every default filled in.
        rule: by which the study chooses.

    Raises:
        ValueError: a file of it can't be read.
    """
    result = folder.result(trial.id)
    models = {model["name"]: model for model in study.get("models", ())}
    title = str(models.get(trial.model, {}).get("title") or trial.model)
    path = folder.trial_folder(trial.id) / SIGNALS
    signals = load(path) if path.exists() else None
    if signals is None and result is None and folder.pack is None:
        # It needs torch, which takes seconds to import.
        from coequal.inspection.diagnosis import watched_so_far

        signals = watched_so_far(folder, trial)[1]
    judged = rule.chosen_checkpoint(result) if result else None
    return Side(name, folder, trial, title, result, judged, signals)
