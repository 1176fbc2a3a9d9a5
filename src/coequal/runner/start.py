"""Start or continue the run of a study that has been checked, with the options of one call."""

import os
from concurrent.futures import Executor
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from coequal.bfloat16 import refuse_slow
from coequal.contract import Callback
from coequal.datasets._loading import data_folder
from coequal.execution.choose import ExecutionOptions, executor_for, refuse_clashes
from coequal.files import cache_folder
from coequal.lookup import searched
from coequal.results.folder import RunFolder
from coequal.results.pack import opened
from coequal.runner.progress import Observer
from coequal.runner.run import RunOutcome, run
from coequal.study.plan import training_of
from coequal.study.shard import Shard
from coequal.study.spec import Study
from coequal.trackers._tracker import prepared
from coequal.training.settings import Training
from coequal.trial.context import WorkerContext


@dataclass(frozen=True)
class RunOptions(ExecutionOptions):
    """Everything that a run may be asked for besides its study; no result depends on it.

    Attributes:
        data_dir: where datasets lie or are put; None: COEQUAL_DATA, then the user's cache.
        shard: run this part of the trials only, beside others that run the rest.
        retries: how often a trial whose process died is tried again.
        reuse: folders or packs of runs whose results are taken over where they fit.
        keep_going: train a model on whose first trials all fail at once, and record the failures.
        try_parts: whether each model takes one step on a few images before anything is trained.
        frames: pictures of its training that each trial keeps.
        callbacks: what watches the trials: a tracker with its argument, "tensorboard:board", a
            class of one's own, "my_lab.log:Mine", or an object: see `coequal.contract.Callback`.
        force_bfloat16: train a study of `precision: bfloat16` also where that is slow. On a cluster
            nobody asks: its workers' processors are not known here.
    """

    data_dir: str | Path | None = None
    shard: Shard | None = None
    retries: int = 1
    reuse: tuple[str | Path, ...] = ()
    keep_going: bool = False
    try_parts: bool = True
    frames: int = 0
    callbacks: tuple[str | Callback, ...] = ()
    force_bfloat16: bool = False


def refuse_training_options(study: Study, device: str, *, forced: bool) -> None:
    """Refuse to train a study as its device can't, or slowly in bfloat16.

    Args:
        study: with its precision and what makes training faster.
        device: what torch computes on.
        forced: whether the user wants bfloat16 all the same.

    Raises:
        ValueError: it is so; the message says what would do.
    """
    if study.training.precision == "bfloat16" and not forced:
        refuse_slow(device)
    Training.of(training_of(study, study.data[0])).refuse_elsewhere(device)


def start(
    study: Study,
    source: str,
    folder: RunFolder,
    options: RunOptions,
    observer: Observer | None = None,
) -> RunOutcome:
    """Run what is missing of a study; the same call continues where the last one stopped.

    Args:
        study: one that has been checked.
        source: the text of its file, which is kept with the results.
        folder: of the run.
        options: where and how it runs.
        observer: is told how far the run is.

    Raises:
        ValueError, LookupError: options that exclude each other, a device that is not here, or a
            precision in which it is slow; a callback that is not there, or can't be used.
        FileExistsError, BlockingIOError: the folder is another study's, or in use.
        KeyboardInterrupt: stopped; the same call continues.
    """
    refuse_clashes(options)
    here = options.workers == 0 and not (options.gpus or options.cluster)
    callbacks = tuple(prepared(given, in_this_process=here) for given in options.callbacks)
    context = WorkerContext(
        str(folder.path),
        str(data_folder(options.data_dir)),
        str(cache_folder()),
        options.device,
        0 if options.cluster else os.getpid(),
        time_limit=options.time_limit,
        frames=options.frames,
        callbacks=callbacks,
        import_path=searched(),
        try_parts=options.try_parts,
    )

    def executor() -> Executor:
        if options.cluster is None:
            refuse_training_options(study, options.device, forced=options.force_bfloat16)
        return executor_for(options)

    with ExitStack() as stack:
        places = [Path(path).resolve() for path in options.reuse]
        reuse = [
            stack.enter_context(opened(place)) if place.is_file() else RunFolder(place)
            for place in places
        ]
        return run(
            study,
            folder,
            source=source,
            context=context,
            executor=executor,
            observer=observer,
            retries=options.retries,
            shard=options.shard,
            reuse=reuse,
            keep_going=options.keep_going,
        )
