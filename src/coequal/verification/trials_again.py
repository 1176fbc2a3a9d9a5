"""Some trials of a run, trained again in a folder of their own and compared with their results."""

import os
import random
import shutil
from collections.abc import Sequence
from concurrent.futures import Executor, wait
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from coequal.datasets._loading import fingerprint, load_dataset
from coequal.execution.choose import ExecutionOptions, executor_for
from coequal.lookup import search_also
from coequal.records import Result, Trial
from coequal.results.compare_results import Agreement, compare
from coequal.results.encoder_files import copy_encoder_file
from coequal.results.folder import METRICS, RunFolder
from coequal.results.run_results import results_on_disk
from coequal.results.study_file import STUDY
from coequal.runner.interrupt import GracefulStop
from coequal.runner.progress import Observer, Silent
from coequal.runner.run import POLL_SECONDS, shutting_down, train_trials
from coequal.runner.session import Session, read_heartbeat
from coequal.seeds import seed_for
from coequal.trial.build import instrument_for
from coequal.trial.context import WorkerContext, computing
from coequal.trial.heartbeat import Heartbeat, Stopped

COPIED = (STUDY, "study.yaml", METRICS, "references.json")
"""What a trial reads of its run."""


PROGRESS = ".instrument"
"""In the folder in which trials are trained again: how far the check of their instrument is."""


@dataclass(frozen=True)
class ImageDifference:
    """How far two sheets of images of one trial are apart, made at the same latents.

    Attributes:
        mean: of the absolute differences, in grey levels of 255 (of data in floats: their unit).
        largest: of them.
    """

    mean: float
    largest: float


@dataclass(frozen=True)
class TrialAgreement:
    """A trial that was trained again.

    Attributes:
        trial: the trial.
        agreement: of the result in the run (the first) with the one from here (the second).
        images: of the last checkpoint; None where the run has kept none.
        seconds: of training, in the run and here.
    """

    trial: Trial
    agreement: Agreement
    images: ImageDifference | None
    seconds: tuple[float, float]

    def as_dict(self) -> dict[str, Any]:
        """Plain values, ready for JSON."""
        trial = self.trial
        return {
            "trial": trial.id,
            "model": trial.model,
            "data": trial.data,
            "setting": trial.setting,
            "repeat": trial.repeat,
            **self.agreement.as_dict(),
            "sample_images": None if self.images is None else asdict(self.images),
            "seconds": list(self.seconds),
        }


def repeatable(result: Result) -> bool:
    """Whether nothing but the trial decides a result: no clock ended its training."""
    return result.status != "timeout" and "seconds" not in result.trial.training.get("budget", {})


def chosen_trials(folder: RunFolder, count: int, seed: int) -> tuple[list[Result], int]:
    """Choose some trials of a run at random, each equally likely, among those with a repeatable
    result.

    Args:
        folder: of the run.
        count: how many; all of them if there are no more.
        seed: of the choice; more trials include those of fewer.

    Returns:
        Their results, and among how many they were chosen.

    Raises:
        ValueError: there is none to choose.
    """
    results = results_on_disk(folder).of(folder.planned())
    known = {key: result for key, result in results.items() if repeatable(result)}
    if not known:
        why = "the clock ended all of them" if results else "it has no result yet"
        raise ValueError(f"no trial of {folder.place} can be trained again: {why}; use --trials 0")
    order = sorted(known)
    random.Random(seed_for("verify", seed)).shuffle(order)
    return [known[key] for key in order[:count]], len(known)


def train_again(
    folder: RunFolder,
    chosen: Sequence[Result],
    scratch: Path,
    context: WorkerContext,
    options: ExecutionOptions,
    observer: Observer | None = None,
) -> list[TrialAgreement]:
    """Train trials of a run again, and compare each with its result there.

    Nothing in the run's folder is changed. A trial is trained with the study, the references and
    the encoder of its run.

    Args:
        folder: of the run.
        chosen: results of the trials.
        scratch: a folder that does not exist yet, to train in.
        context: of the workers; its `run`, `stop` and `coordinator` are set here.
        options: what the trials run on.
        observer: is told how far they are.

    Raises:
        ValueError, OSError: data or encoder of the run can't be had here, or are not the same.
        KeyboardInterrupt: stopped.
    """
    run = _scratch_run(folder, scratch, {result.trial.data for result in chosen})
    trials = [result.trial for result in chosen]
    with GracefulStop(run.path) as stop, shutting_down(executor_for(options)) as workers:
        context = replace(context, run=str(run.path), stop=str(stop.path), coordinator=os.getpid())
        session = Session(run, context, observer or Silent(), stop, retries=1, log=None)
        session.trials, session.total = trials, len(trials)
        session.keep_going = True  # a trial that failed at once shall do so again
        for data in dict.fromkeys(trial.data for trial in trials):
            _check_instrument(session, workers, next(t for t in trials if t.data == data))
        for kernels in dict.fromkeys(_kernels_of(result) for result in chosen):
            session.context = replace(context, kernels=kernels)
            like = [result.trial for result in chosen if _kernels_of(result) == kernels]
            train_trials(session, workers, like)
        if stop.requested:
            raise stop.interrupt()
    return [_compared(folder, run, result) for result in chosen]


def _kernels_of(result: Result) -> str:
    """What layers of few channels were computed by (`WorkerContext.kernels`). Results that don't
    say it are from before there was a choice."""
    return result.environment.get("kernels", "torch")


def _scratch_run(folder: RunFolder, scratch: Path, data_sets: set[str]) -> RunFolder:
    """A folder in which trials of a run can be trained again."""
    run = RunFolder(scratch)
    scratch.mkdir(parents=True)
    for name in COPIED:
        if (folder.path / name).exists():
            shutil.copyfile(folder.path / name, scratch / name)
    for data in data_sets:
        copy_encoder_file(folder, run, data)
    return run


def _check_instrument(session: Session, workers: Executor, trial: Trial) -> None:
    """Wait for `refuse_other_instrument`, and show what it does."""
    future = workers.submit(refuse_other_instrument, trial, session.context)
    while not wait([future], timeout=POLL_SECONDS).done:
        beat = read_heartbeat(Path(session.context.run) / PROGRESS)
        session.show(beat.get("text") or f"reading {trial.data}")
    try:
        future.result()
    except Stopped:
        raise session.stop.interrupt() from None


def refuse_other_instrument(trial: Trial, context: WorkerContext) -> None:
    """Refuse to train a trial again by other images or another encoder than its run had.

    Args:
        trial: one of a run.
        context: of the worker; `references.json` of its run says what the run had.

    Raises:
        ValueError: so it is; one message.
    """
    search_also(*context.import_path)
    known = RunFolder(Path(context.run)).references().get(trial.data, {})
    log = Heartbeat(Path(context.run) / PROGRESS, context).report_stage
    again = "its trials can't be trained again here"
    with computing(context):
        try:
            data = load_dataset(trial.data, Path(context.data), trial.image_size, log)
        except (LookupError, ValueError, OSError) as error:
            text = error.args[0] if isinstance(error, LookupError) and error.args else error
            raise ValueError(f"{trial.data} can't be loaded, so {again}: {text}") from error
        here, there = fingerprint(data), known.get("fingerprint")
        if there not in (None, here):
            raise ValueError(
                f"{trial.data} has the fingerprint {here[:12]} here, and {there[:12]} "
                f"in the run: the images differ, so {again}"
            )
        encoder = instrument_for(trial, context, log).encoder.id
        if known.get("encoder") not in (None, encoder):
            raise ValueError(
                f"the run was measured by {known['encoder']}, whose weights are "
                "neither in its folder nor in the package nor in the cache; here it "
                f"would be {encoder}, so {again}. Copy its folder `encoders`, or the "
                "COEQUAL_CACHE of its machine"
            )


# The limits of one trial are not meant for what is made once for all of them.
refuse_other_instrument.unlimited = True  # type: ignore[attr-defined]


def _compared(folder: RunFolder, run: RunFolder, before: Result) -> TrialAgreement:
    now = run.result(before.trial.id)
    assert now is not None  # a run ends with a result of each trial, or with an error
    step = before.checkpoints.steps[-1] if before.checkpoints else 0
    sheets = [each.samples(before.trial.id, step) for each in (folder, run)]
    images = None
    if sheets[0] is not None and sheets[1] is not None and sheets[0].shape == sheets[1].shape:
        apart = np.abs(sheets[0].astype(float) - sheets[1].astype(float))
        images = ImageDifference(float(apart.mean()), float(apart.max()))
    seconds = (before.spent.seconds, now.spent.seconds)
    return TrialAgreement(before.trial, compare(before, now), images, seconds)
