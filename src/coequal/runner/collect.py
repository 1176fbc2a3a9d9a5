"""Join what shards have done in the folder of a run."""

from dataclasses import dataclass
from pathlib import Path

from coequal.contract import Log
from coequal.records import Trial
from coequal.results.collect import usable_results
from coequal.results.folder import RunFolder
from coequal.results.results_csv import write_tables
from coequal.results.run_results import RunResults
from coequal.runner.pending import known_trials
from coequal.study.spec import Study


@dataclass(frozen=True)
class CollectedRun:
    """How far the run in a folder is.

    Attributes:
        trials: those that can be named by now, in the plan's order.
        pending: those of them that have no result.
        results: that can be used, by trial id.
        unusable: a message for each result.json that can't be used.
    """

    trials: list[Trial]
    pending: list[Trial]
    results: RunResults
    unusable: tuple[str, ...]


def collect(out: str | Path, log: Log | None = None) -> CollectedRun:
    """Join what shards have done in a run's folder: log, plan and tables are made anew.

    Args:
        out: the run's folder.
        log: is told what is wrong with which file, and about long work.

    Raises:
        FileNotFoundError: the folder holds no study.
        BlockingIOError: a run works in it.
    """
    folder = RunFolder(Path(out).resolve())
    study = Study.model_validate(folder.study())
    with folder.lock():
        usable, unusable = usable_results(folder, log or (lambda line: None))
        planned, results = known_trials(study, usable, folder)
        trials = planned.trials
        folder.write_plan(trials)
        write_tables(folder, usable.of(results))
    pending = [trial for trial in trials if trial.id not in results]
    return CollectedRun(trials, pending, usable, tuple(unusable.values()))
