"""coequal from Python: the same as the command line, in a few calls."""

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from coequal import lookup
from coequal.contract import Log
from coequal.datasets._loading import data_folder
from coequal.evaluation.instrument import drawing
from coequal.evaluation.manifold_curves import manifold_curves
from coequal.evaluation.score import DEFAULT_METRICS
from coequal.evaluation.score import score as measure_scores
from coequal.execution.choose import Where, executor_for, refuse_missing
from coequal.files import cache_folder
from coequal.inputs.load import Input, Scorable, from_array, from_generator, load_input
from coequal.inspection.diagnosis import diagnose as diagnose
from coequal.manifolds.polygons.projection import DELTA, Name
from coequal.records import Result, Trial
from coequal.report.manifold_page import write_manifold_page
from coequal.results.collect import collect as collect_results
from coequal.results.folder import RunFolder
from coequal.results.index import Index
from coequal.results.results_csv import write_tables
from coequal.runner.estimate import Estimate, estimate
from coequal.runner.pending import planned
from coequal.runner.progress import Observer
from coequal.runner.run import run as run_study
from coequal.study.check import checked, problems
from coequal.study.document import StudyError
from coequal.study.parts import setting_problems
from coequal.study.shard import Shard
from coequal.study.spec import Study
from coequal.trial.context import WorkerContext


def read_study(path: str | Path) -> Study:
    """The study in a file, checked.

    Raises:
        StudyError: with every slip, its line, and what would do.
    """
    return checked(Path(path))[0]


def run(
    study: Study | str | Path,
    out: str | Path,
    *,
    workers: int | None = None,
    data_dir: str | Path | None = None,
    device: str = "cpu",
    observer: Observer | None = None,
    source: str = "",
    shard: Shard | None = None,
    retries: int = 1,
    time_limit: float | None = None,
    memory: int | None = None,
    gpus: Sequence[str] = (),
    per_gpu: int = 1,
    cluster: str | None = None,
    frames: int = 0,
    tensorboard: str | Path | None = None,
) -> Mapping[str, Result]:
    """Run what is missing of a study, and write its tables; returns results by trial id, each read
    when it is asked for.

    Args:
        study: a study, or the path of its file.
        out: the run's folder; the same call again goes on where the last one stopped.
        workers: processes, one core each; default: as many as there are cores. 0 runs in this
            process. With more, a script needs `if __name__ == "__main__":`.
        data_dir: where data sets lie or are put; default: COEQUAL_DATA, then the user's cache.
        device: "cpu", "cuda", "cuda:1".
        observer: is told how far the run is.
        source: the text of the study's file, to be kept with the results.
        shard: run this share of the trials, beside others that run the rest; then `collect`.
        retries: how often a trial whose process died is tried again.
        time_limit: seconds on the clock after which a trial ends as `timeout`.
        memory: bytes of main memory that one trial may use; above it, its process has failed.
        gpus: GPUs of this machine, by number; each worker sees one of them. With `device="cuda"`.
        per_gpu: trials at a time on each of `gpus`.
        cluster: address of a Dask scheduler whose workers run the trials instead (docs/cluster.md).
        frames: pictures of its training that each trial keeps in frames.npz, evenly spaced over its
            budget; none by default.
        tensorboard: a folder for TensorBoard's event files, written live; for a study of one trial.

    Raises:
        StudyError: the study can't be run.
        FileExistsError, BlockingIOError: the folder is another study's, or in use.
        KeyboardInterrupt: stopped by Ctrl-C or SIGTERM; the same call goes on.
    """
    if not isinstance(study, Study):
        study, source = checked(Path(study))
    elif slips := problems(study):
        raise StudyError(study.study, slips)
    if cluster is None:
        refuse_missing(device)
    folder = RunFolder(Path(out).resolve())
    places = WorkerContext(
        str(folder.path),
        str(data_folder(data_dir)),
        str(cache_folder()),
        device,
        0 if cluster else os.getpid(),
        time_limit=time_limit,
        frames=frames,
        tensorboard="" if tensorboard is None else str(Path(tensorboard).resolve()),
    )
    where = Where(workers, time_limit, memory, tuple(gpus), per_gpu, cluster, device)
    executor = executor_for(where)
    try:
        results = run_study(
            study,
            folder,
            source=source or study_text(study),
            places=places,
            executor=executor,
            observer=observer,
            shard=shard,
            retries=retries,
        )
    except BaseException:
        executor.shutdown(wait=True, cancel_futures=True)
        raise
    executor.shutdown()
    return results


@dataclass(frozen=True)
class Planned:
    """What a study will do."""

    trials: list[Trial]  # that can be named by now
    done: int  # of them
    estimate: Estimate | None  # of what is left


def plan_of(
    study: Study,
    out: str | Path,
    *,
    workers: int,
    calibrate: bool = True,
    data_dir: str | Path | None = None,
    device: str = "cpu",
    log: Log | None = None,
) -> Planned:
    """The trials of a study, and what those without a result in `out` will take.

    Args:
        study: a checked one.
        out: the run's folder; it need not exist, and nothing is written into it.
        workers: processes that will share the work.
        calibrate: train each kind of trial for a second, for the estimate.
        data_dir, device: as for `run`.
        log: is told about long work.
    """
    refuse_missing(device)
    folder = RunFolder(Path(out).resolve())
    trials, results = planned(study, folder)
    places = WorkerContext(
        str(folder.path), str(data_folder(data_dir)), str(cache_folder()), device
    )
    note = log or (lambda line: None)
    found = estimate(study, trials, results, places, workers, note) if calibrate else None
    return Planned(trials, len(results), found)


@dataclass(frozen=True)
class Joined:
    """What `collect` found in a run's folder."""

    trials: list[Trial]  # that can be named by now
    left: list[Trial]  # of them, those without a result
    unusable: tuple[str, ...]  # a message for each result.json that can't be used


def collect(out: str | Path, log: Log | None = None) -> Joined:
    """Join what shards have done in a run's folder: index, plan and tables anew.

    Raises:
        FileNotFoundError: the folder holds no study.
        BlockingIOError: a run works in it.
    """
    folder = RunFolder(Path(out).resolve())
    study = Study.model_validate(folder.study())
    with folder.lock():
        found = collect_results(folder, log or (lambda line: None))
        with Index(folder, write=True) as index:
            trials, results = planned(study, folder, index)
            folder.write_plan(trials)
            index.plan(trials)
            write_tables(folder, index)
    return Joined(trials, [t for t in trials if t.id not in results], found.unusable)


def report(out: str | Path) -> Path:
    """Write the report of a run's folder, finished or not; returns its page."""
    from coequal.report.page import write_report

    return write_report(RunFolder(Path(out).resolve()))


def score(
    *,
    real: Scorable,
    fake: Scorable,
    train: Scorable | None = None,
    metrics: Sequence[str] | str = DEFAULT_METRICS,
    settings: Mapping[str, Mapping[str, Any]] | None = None,
    encoder: str | None = None,
    image_size: int | None = None,
    seed: int = 0,
    samples: int = 10_000,
    data_dir: str | Path | None = None,
    sheet: Path | None = None,
    log: Log | None = None,
) -> dict[str, Any]:
    """Scores of generated images against real ones; plain values, ready for JSON.

    Args:
        real, fake, train: a folder, .zip, .npy, .npz, "fashion_mnist:test", a tensor or array of
            images or features, a torch or Hugging Face Dataset. `fake` may also be a trained model
            of a run, "runs/demo:ns_gan", or a call that takes a number and returns so many images.
        metrics: names, or "all" that apply and take no training.
        settings: of metrics, those that are not to be their defaults: {"gan_train": {"seeds": 5}}.
        encoder: see `coequal list encoders`; default: by the data, and said in the output.
        image_size: folders are cropped and resized to it.
        seed: of subsets and shuffles, and of the images of a trained model.
        samples: how many images a trained model or a call is asked for.
        data_dir: where data sets lie or are put.
        sheet: a .png or .html to write, with fakes beside their nearest real images.
        log: is told about long work.

    Raises:
        ValueError, LookupError, FileNotFoundError: something can't be scored; one message.
    """
    _refuse_settings(settings or {})
    return measure_scores(
        real=real,
        fake=_generated(fake, samples, seed),
        train=train,
        metrics=metrics,
        settings=settings,
        encoder=encoder,
        image_size=image_size,
        seed=seed,
        data_dir=data_folder(data_dir),
        cache=cache_folder(),
        sheet=sheet,
        log=log or (lambda line: None),
    )


def manifold(
    *,
    real: str,
    fake: Scorable,
    out: str | Path,
    train: bool = True,
    count: int = 1024,
    delta: float = DELTA,
    manifold: Name = "convex",
    image_size: int | None = None,
    seed: int = 0,
    data_dir: str | Path | None = None,
    log: Log | None = None,
) -> dict[str, Any]:
    """Precision and recall against a known manifold at every delta, as a page with pictures.

    Args:
        real: a split of a data set of polygons, "triangles:test".
        fake: images, as for `score`, or a model of a run, which also gives recall.
        out: a folder for index.html, manifold.json, curves.csv and the figure.
        train: whether recall on as many training images is measured too (memorisation).
        count: images of each side.
        delta: squared distance at which an image counts.
        manifold: "convex": any convex polygon of the image; "family": those that the data are.
        image_size: of the data set, where it is not its own.
        seed: of the generated images and of the searches' starts.
        data_dir: where data sets lie or are put.
        log: is told about long work.

    Returns:
        What manifold.json holds.

    Raises:
        ValueError, LookupError, FileNotFoundError: something can't be measured; one message.
    """
    note, data = log or (lambda line: None), data_folder(data_dir)

    def source(given: Scorable, role: str) -> Input:
        cache = cache_folder()
        return load_input(given, role=role, data_dir=data, image_size=image_size, cache=cache)

    reference = source(real, "real")
    generated = source(_generated(fake, count, seed), "fake")
    trained = None
    if train and generated.generator is not None:
        trained = source(f"{real.rpartition(':')[0]}:train", "train")
    found = manifold_curves(
        real=reference,
        fake=generated,
        train=trained,
        count=count,
        delta=delta,
        manifold=manifold,
        seed=seed,
        log=note,
    )
    target = Path(out).expanduser()
    write_manifold_page(target, found.record, found.curves, found.samples, found.reached)
    return found.record


def _refuse_settings(settings: Mapping[str, Mapping[str, Any]]) -> None:
    """Of metrics that don't exist, or that have no such setting or value.

    Raises:
        LookupError, ValueError: so it is; all slips of a metric at once.
    """
    for name, given in settings.items():
        if slips := setting_problems(lookup.load("metrics", name), given):
            raise ValueError("\n".join(f"{name}: {text}" for _, text in slips))


def _generated(fake: Scorable, count: int, seed: int) -> Scorable:
    """Images of a trained model ("runs/demo:ns_gan") or of a call; anything else as it is."""
    if callable(fake):
        return from_array(fake(count), "a call")
    if not isinstance(fake, str | Path) or not str(fake).rpartition(":")[0]:
        return fake
    place, _, model = str(fake).rpartition(":")
    folder = RunFolder(Path(place).expanduser())
    if not (folder.path / "study.json").exists():
        return fake
    from coequal.inspection.samples import chosen_trial, sample

    trial = chosen_trial(folder, model, None)
    found = sample(folder, trial, count, seed)
    what = f"{fake} (trial {trial.id}, seed {seed})"
    drawn = drawing(trial.training.get("ema"))
    return from_generator(found.images, found.generator, what, found.labels, found.classes, drawn)


def study_text(study: Study) -> str:
    """A study as a file, every default filled in."""
    import io

    from ruamel.yaml import YAML

    text = io.StringIO()
    yaml = YAML(typ="safe", pure=True)
    yaml.default_flow_style = None
    yaml.dump(study.as_dict(), text)
    return text.getvalue()
