"""Studies from Python: read, run, report, merge, verify."""

from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from coequal.api.runs import Run
from coequal.api.study import Study
from coequal.contract import Callback, Log
from coequal.datasets._loading import data_folder
from coequal.execution.choose import ExecutionOptions
from coequal.files import cache_folder
from coequal.lookup import searched
from coequal.results.folder import RunFolder
from coequal.results.merge import merge as merge_runs
from coequal.results.merged_file import Merged
from coequal.results.own_code import importable, refuse_code
from coequal.results.pack import opened
from coequal.results.packing import Packed
from coequal.results.packing import pack as write_pack
from coequal.runner.collect import CollectedRun as CollectedRun
from coequal.runner.collect import collect as collect
from coequal.runner.forecast import Forecast as Forecast
from coequal.runner.forecast import plan_of as plan_of
from coequal.runner.progress import Observer
from coequal.runner.start import RunOptions, start
from coequal.study.check import problems
from coequal.study.document import StudyError, yaml_text
from coequal.study.looks import to_the_last_look
from coequal.study.shard import Shard
from coequal.study.spec import Study as CheckedStudy
from coequal.trial.context import WorkerContext
from coequal.verification.verify import Verification as Verification
from coequal.verification.verify import verify as verify_run


def read_study(path: str | Path) -> Study:
    """Read a study from a file and check it.

    Args:
        path: a YAML file (docs/how_to/study.md), or the name of a study that comes with coequal,
            such as "demo".

    Returns:
        The study, with every default filled in.

    Raises:
        StudyError: lists every problem, with its line and a way to solve it.
    """
    return Study(path)


def run(
    study: CheckedStudy | Mapping[str, Any] | str | Path,
    out: str | Path | None = None,
    *,
    workers: int | None = None,
    data_dir: str | Path | None = None,
    device: str = "cpu",
    observer: Observer | None = None,
    source: str = "",
    shard: Shard | None = None,
    retries: int = 1,
    reuse: str | Path | Sequence[str | Path] = (),
    time_limit: float | None = None,
    memory: int | None = None,
    gpus: Sequence[str] = (),
    per_gpu: int = 1,
    cluster: str | None = None,
    frames: int = 0,
    callbacks: Sequence[str | Callback] = (),
    try_parts: bool = True,
    keep_going: bool = False,
    until_decided: bool = False,
    force_bfloat16: bool = False,
) -> Run:
    """Run the trials of a study that have no result yet, and write its tables.

    Args:
        study: a study, a mapping with the fields of its file, the path of its file, or the name of
            one that comes with coequal.
        out: the run's folder. The same call continues where the last one stopped. None:
            runs/NAME, by the study's name.
        workers: processes, one core each; None: one per core. 0 runs in this process. With more, a
            script needs `if __name__ == "__main__":`.
        data_dir: folder of the datasets, to which missing ones are downloaded; None: COEQUAL_DATA,
            then the user's cache.
        device: where torch computes: "cpu", "cuda", "cuda:1".
        observer: is told how far the run is.
        source: the text of the study's file, to keep with the results.
        shard: run this part of the trials while other calls run the rest; then `collect`.
        retries: how often to retry a trial whose process died.
        reuse: folders or packs of other runs. A result of theirs is reused if its trial is part of
            this study and was measured with the same encoder and protocol.
        time_limit: seconds of wall time after which a trial ends as `timeout`.
        memory: bytes of main memory that one trial may use; a trial that needs more fails.
        gpus: GPUs of this machine, by number; each worker sees one of them. Needs
            `device="cuda"`.
        per_gpu: trials at a time on each of `gpus`.
        cluster: address of a Dask scheduler whose workers run the trials instead
        (docs/how_to/cluster.md).
        frames: number of snapshots of generated images that each trial keeps in frames.npz, evenly
            spaced over its budget.
        callbacks: what watches the trials (docs/how_to/trackers.md): a tracker with its argument,
            "tensorboard:board", "mlflow:mlruns", "wandb:PROJECT"; the name of a class of your own
            that extends `coequal.contract.Callback`, "my_lab.log:Mine"; or an instance of one. No
            result depends on them.
        try_parts: whether each model takes one step on a few images before anything is trained.
        keep_going: continue a model whose first trials all fail immediately with the same
            exception, and record the failures. By default the model is stopped and nothing is
            recorded for it.
        until_decided: continue beyond the study's `settings`, look by look to its last one, until
            every pair of models is decided on every dataset.
        force_bfloat16: train a study with `precision: bfloat16` even where that is slow.

    Returns:
        The run: its results, verdict, figures and samples.

    Raises:
        StudyError: the study can't be run.
        LookupError, ValueError: a callback can't be found, used or started.
        PartsError: a part failed when it was tried; nothing has been trained.
        FileExistsError, BlockingIOError: the folder is another study's, or in use.
        KeyboardInterrupt: stopped by Ctrl-C or SIGTERM; the same call continues the run.

    Examples:
        >>> import coequal as cq
        >>> run = cq.run("smoke", workers=0)  # doctest: +SKIP
        >>> run.verdict                       # doctest: +SKIP
    """
    if not isinstance(study, CheckedStudy):
        study = Study(study)
    elif found := problems(study):
        raise StudyError(study.study, found)
    source = source or (study.yaml() if isinstance(study, Study) else "")
    if until_decided:
        study = to_the_last_look(study)
    options = RunOptions(
        workers=workers,
        time_limit=time_limit,
        memory=memory,
        gpus=tuple(gpus),
        per_gpu=per_gpu,
        cluster=cluster,
        device=device,
        data_dir=data_dir,
        shard=shard,
        retries=retries,
        reuse=(reuse,) if isinstance(reuse, str | Path) else tuple(reuse),
        try_parts=try_parts,
        keep_going=keep_going,
        frames=frames,
        callbacks=tuple(callbacks),
        force_bfloat16=force_bfloat16,
    )
    place = Path("runs") / study.study if out is None else Path(out)
    folder = RunFolder(place.expanduser().resolve())
    outcome = start(study, source or yaml_text(study.as_dict()), folder, options, observer)
    return Run(folder, outcome.results)


def report(out: str | Path, into: str | Path | None = None) -> Path:
    """Write the report of a run, finished or not.

    Args:
        out: the run's folder, or its pack.
        into: a folder for the report; None: `report` in the run's folder, or `NAME_report` beside
            a pack.

    Returns:
        The path of its page, index.html.

    Raises:
        FileNotFoundError: the folder holds no study.
        FileExistsError: `into` holds something other than a report.
        ValueError: a result can't be used, or the pack is damaged or unsafe.
    """
    from coequal.reporting.page import report_place, write_report

    with opened(Path(out).resolve()) as folder:
        place = report_place(folder, None if into is None else Path(into).resolve())
        return write_report(folder, into=place)


def paper(run: str | Path, into: str | Path | None = None) -> Path:
    """Write the material for a paper from a run, finished or not: its main table, figures at the
    width of a column, a paragraph on methods, references, and a document that includes them all.

    Args:
        run: the run's folder, or its pack.
        into: a folder; None: `report/paper` in the run's folder, or `NAME_paper` beside a pack.

    Returns:
        The folder that was written; `main.tex` in it is the document.

    Raises:
        FileNotFoundError: the folder holds no study.
        FileExistsError: `into` holds something else.
        ValueError: a result can't be used, or the pack is damaged or unsafe.
    """
    from coequal.reporting.paper.write import paper_place, write_paper

    with opened(Path(run).resolve()) as folder:
        place = paper_place(folder, None if into is None else Path(into).resolve())
        return write_paper(folder, into=place)


def pack(
    run: str | Path,
    out: str | Path,
    *,
    weights: bool = True,
    keep_names: bool = False,
    log: Log | None = None,
) -> Packed:
    """Write a run into one zip file, the same bytes for the same run.

    It holds everything that a reviewer needs, and nothing that names a machine or a person.
    `report`, `merge` and `verify` accept it in place of a folder.

    Args:
        run: the run's folder.
        out: the file; an existing pack is replaced.
        weights: whether to include the generators of the chosen trials.
        keep_names: pack even if a text that can't be changed names a folder or a user.
        log: called with a line of text about each file that has a problem.

    Returns:
        The file's path and size, the hash of its content, and what was left out.

    Raises:
        FileNotFoundError: the folder holds no study.
        FileExistsError: `out` exists and is not a pack.
        BlockingIOError: the run is still going on.
        ValueError: a result can't be used, or a text names a place of this machine.
    """
    with opened(Path(run).resolve()) as folder:
        return write_pack(
            folder,
            Path(out).resolve(),
            weights=weights,
            keep_names=keep_names,
            log=log or (lambda line: None),
        )


def merge(runs: Sequence[str | Path], out: str | Path) -> Merged:
    """Merge runs of one protocol into a new folder, which can be reported and continued.

    If several runs have the same trial, the result of the run named first is kept.

    Args:
        runs: folders of runs, or their packs; at least two.
        out: a folder that is empty or does not exist.

    Returns:
        What came from which run, and how well runs agree that trained the same trials.

    Raises:
        FileNotFoundError: a folder holds no study.
        FileExistsError: `out` is not empty, or lies in a run.
        BlockingIOError: a run is still going on.
        ValueError: the protocols differ; the message has each field with both values.
    """
    with ExitStack() as stack:
        sources = [stack.enter_context(opened(Path(run).resolve())) for run in runs]
        return merge_runs(sources, RunFolder(Path(out).resolve()))


def verify(
    run: str | Path,
    *,
    trials: int = 1,
    seed: int = 0,
    workers: int | None = None,
    data_dir: str | Path | None = None,
    device: str = "cpu",
    run_code: bool = False,
    observer: Observer | None = None,
    log: Log | None = None,
) -> Verification:
    """Write a run's report again and compare; train some of its trials again and compare.

    Nothing in the run's folder is changed.

    Args:
        run: the run's folder, or its pack.
        trials: how many to train again; 0: none.
        seed: random seed of the choice among all trials that have a result.
        workers: as for `run`.
        data_dir: as for `run`.
        device: as for `run`.
        run_code: whether source code of outside parts that came in a pack may be run.
        observer: is told how far the trials are.
        log: called with a line of text about each stage.

    Returns:
        What is the same, what is within the evaluation's error, and what differs.

    Raises:
        FileNotFoundError: the folder holds no study.
        ValueError, OSError: a result can't be used, the run's data or encoder is not available
            here, or the pack is damaged or unsafe.
        KeyboardInterrupt: stopped by Ctrl-C or SIGTERM.
    """
    with ExitStack() as stack:
        folder = stack.enter_context(opened(Path(run).resolve()))
        if trials and run_code:
            stack.enter_context(importable(folder))
        elif trials:
            refuse_code(folder)
        return verify_folder(
            folder,
            trials=trials,
            seed=seed,
            workers=workers,
            data_dir=data_dir,
            device=device,
            observer=observer,
            log=log,
        )


def verify_folder(
    folder: RunFolder,
    *,
    trials: int,
    seed: int,
    workers: int | None,
    data_dir: str | Path | None,
    device: str,
    observer: Observer | None,
    log: Log | None,
) -> Verification:
    """Like `verify`, for a run that is already open and whose code may be run."""
    context = WorkerContext(
        "", str(data_folder(data_dir)), str(cache_folder()), device, import_path=searched()
    )
    return verify_run(
        folder,
        trials=trials,
        seed=seed,
        context=context,
        options=ExecutionOptions(workers=workers, device=device),
        observer=observer,
        log=log or (lambda line: None),
    )
