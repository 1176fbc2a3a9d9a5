"""What a study will do, and what that will take."""

from dataclasses import dataclass, replace
from pathlib import Path

from coequal.contract import Log
from coequal.datasets._loading import data_folder
from coequal.devices import refuse_missing
from coequal.files import cache_folder
from coequal.lookup import searched
from coequal.records import Trial
from coequal.results.folder import RunFolder
from coequal.results.run_results import results_on_disk
from coequal.results.study_file import STUDY
from coequal.runner.estimate import Estimate, estimate
from coequal.runner.pending import known_trials
from coequal.runner.population import Population, measured_per_gpu
from coequal.runner.start import refuse_training_options
from coequal.selection import RunScore, search_runs
from coequal.study.decidable import (
    FEWEST_EARLIER_SETTINGS,
    Decidable,
    Earlier,
    decidable,
    scored,
)
from coequal.study.parts import rule_of
from coequal.study.spec import Study
from coequal.trial.context import WorkerContext


@dataclass(frozen=True)
class Forecast:
    """What a study will do.

    Attributes:
        trials: those that can be named by now, in the plan's order.
        done: how many of them have a result.
        estimate: of the time and disk that the rest will take; None if it was not asked for.
        decides: what the study can decide; None where it compares no models.
        per_gpu: how many of its trials at a time train most on one GPU; None where none is used or
            nothing was measured.
    """

    trials: list[Trial]
    done: int
    estimate: Estimate | None
    decides: Decidable | None
    per_gpu: Population | None = None


def plan_of(
    study: Study,
    out: str | Path,
    *,
    workers: int,
    calibrate: bool = True,
    data_dir: str | Path | None = None,
    device: str = "cpu",
    force_bfloat16: bool = False,
    earlier: str | Path | None = None,
    log: Log | None = None,
) -> Forecast:
    """List the trials of a study, and estimate what those without a result in `out` will take.

    Args:
        study: one that has been checked.
        out: the run's folder; it need not exist, and nothing is written into it.
        workers: processes that will share the work.
        calibrate: whether each kind of trial is trained for a second, for the estimate.
        data_dir: where datasets lie or are put; None: COEQUAL_DATA, then the user's cache.
        device: what torch computes on.
        force_bfloat16: accept a study of `precision: bfloat16` also where that is slow.
        earlier: the folder of a run from which the spread of scores is taken, to say what the study
            can decide; None: `out`, if it has results enough, else the spread is assumed.
        log: is told about long work.

    Raises:
        ValueError, OSError: the device, its precision, the data or the encoder can't be had.
    """
    refuse_missing(device)
    refuse_training_options(study, device, forced=force_bfloat16)
    folder = RunFolder(Path(out).resolve())
    planned, results = known_trials(study, results_on_disk(folder), folder)
    decides = what_it_decides(study, earlier=earlier, own=folder)
    if not calibrate:
        return Forecast(planned.trials, len(results), None, decides)
    data, cache = str(data_folder(data_dir)), str(cache_folder())
    context = WorkerContext(str(folder.path), data, cache, device)
    cost = estimate(planned, results, context, workers, log or (lambda line: None))
    per_gpu = None
    if device.startswith("cuda"):
        per_gpu = measured_per_gpu(planned.trials[0], replace(context, import_path=searched()))
    return Forecast(planned.trials, len(results), cost, decides, per_gpu)


def what_it_decides(
    study: Study, *, earlier: str | Path | None = None, own: RunFolder | None = None
) -> Decidable | None:
    """Say what a study can decide, by the spread of earlier runs or as it is assumed.

    Args:
        study: one that has been checked.
        earlier: the folder of a run of other settings, models or budgets that shall be used.
        own: the folder of its own run, which is used if it has results enough, and no other is
            given.

    Returns:
        None of a study that compares no models.

    Raises:
        FileNotFoundError: the folder holds no study.
        ValueError: no two models in it have settings enough.
    """
    info = rule_of(study).info
    if earlier is not None:
        runs = _searches(RunFolder(Path(earlier).resolve()), study)
        if runs is None:
            raise ValueError(
                f"{earlier} does not show the spread of {study.select.metric}: no two "
                f"models in it have {FEWEST_EARLIER_SETTINGS} random settings with a "
                "score on one dataset"
            )
        return decidable(study, info, runs)
    known = own is not None and (own.path / STUDY).exists()
    return decidable(study, info, _searches(own, study) if own is not None and known else None)


def _searches(folder: RunFolder, study: Study) -> Earlier | None:
    """The searches of a run on the dataset that has most of them; those of the study's models if
    there are two of them, else of all. None where no two have settings enough."""
    folder.study()  # refuses what holds none
    rule = rule_of(study)
    scores: dict[str, dict[str, list[RunScore]]] = {}
    for result in results_on_disk(folder).of(folder.planned()).values():
        of_data = scores.setdefault(result.trial.data, {})
        of_data.setdefault(result.trial.model, []).append(rule.score(result))
    names = {model.name for model in study.models}
    found: list[Earlier] = []
    for data, of_data in scores.items():
        runs = {name: search_runs(listed) for name, listed in of_data.items()}
        enough = {n: r for n, r in runs.items() if scored(r) >= FEWEST_EARLIER_SETTINGS}
        own = {name: search for name, search in enough.items() if name in names}
        used = own if len(own) > 1 else enough
        if len(used) > 1:
            settings = min(search.settings for search in used.values())
            found.append(
                Earlier(
                    used,
                    f"the spread of {len(used)} models in {folder.path.name} on {data}, "
                    f"{settings} settings each",
                )
            )
    return max(found, key=lambda one: len(one.searches), default=None)
