"""What a study will do, and what that will take."""

from dataclasses import dataclass
from pathlib import Path

from coequal.contract import Log
from coequal.datasets._loading import data_folder
from coequal.execution.choose import refuse_missing
from coequal.files import cache_folder
from coequal.records import Trial
from coequal.results.folder import RunFolder
from coequal.results.run_results import results_on_disk
from coequal.runner.estimate import Estimate, estimate
from coequal.runner.pending import known_trials
from coequal.study.spec import Study
from coequal.trial.context import WorkerContext


@dataclass(frozen=True)
class Forecast:
    """What a study will do.

    Attributes:
        trials: those that can be named by now, in the plan's order.
        done: how many of them have a result.
        estimate: of the time and disk that the rest will take; None if it was not asked for.
    """

    trials: list[Trial]
    done: int
    estimate: Estimate | None


def plan_of(
    study: Study,
    out: str | Path,
    *,
    workers: int,
    calibrate: bool = True,
    data_dir: str | Path | None = None,
    device: str = "cpu",
    log: Log | None = None,
) -> Forecast:
    """List the trials of a study, and estimate what those without a result in `out` will take.

    Args:
        study: one that has been checked.
        out: the run's folder; it need not exist, and nothing is written into it.
        workers: processes that will share the work.
        calibrate: whether each kind of trial is trained for a second, for the estimate.
        data_dir: where data sets lie or are put; None: COEQUAL_DATA, then the user's cache.
        device: what torch computes on.
        log: is told about long work.

    Raises:
        ValueError, OSError: the device, the data or the encoder can't be had.
    """
    refuse_missing(device)
    folder = RunFolder(Path(out).resolve())
    planned, results = known_trials(study, results_on_disk(folder), folder)
    if not calibrate:
        return Forecast(planned.trials, len(results), None)
    data, cache = str(data_folder(data_dir)), str(cache_folder())
    context = WorkerContext(str(folder.path), data, cache, device)
    cost = estimate(planned, results, context, workers, log or (lambda line: None))
    return Forecast(planned.trials, len(results), cost)
