"""The commands that train: a whole study, or one model."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from coequal.cli_options import (
    DataDir,
    Device,
    StudyFile,
    Workers,
    console,
    errors,
    shown,
    write_report,
)

if TYPE_CHECKING:
    from coequal.records import Trial
    from coequal.results.folder import RunFolder
    from coequal.study.spec import Study


SHEET = 64  # images of a trained model; of one that takes classes, as many of each as fit


def run(
    file: StudyFile,
    out: Annotated[Path | None, typer.Option(help="The run's folder. Default: runs/NAME.")] = None,
    workers: Workers = None,
    data_dir: DataDir = None,
    device: Device = "cpu",
    gpus: Annotated[
        str | None,
        typer.Option(
            help="GPUs by number, as in 0,1: each worker sees one. Implies --device cuda."
        ),
    ] = None,
    per_gpu: Annotated[int, typer.Option(min=1, help="Trials at a time on each of --gpus.")] = 1,
    time_limit: Annotated[
        float | None, typer.Option(help="Seconds after which a trial ends as `timeout`.")
    ] = None,
    memory: Annotated[
        float | None, typer.Option(help="GB that one trial may use of main memory.")
    ] = None,
    retries: Annotated[
        int, typer.Option(min=0, help="How often a trial whose process died is tried again.")
    ] = 1,
    cluster: Annotated[
        str | None,
        typer.Option(help="A Dask scheduler, as in tcp://host:8786, instead of this machine."),
    ] = None,
    shard: Annotated[
        str | None,
        typer.Option(help="Run a share of the trials, as in 3/16; then `coequal collect`."),
    ] = None,
) -> None:
    """Run what is missing of a study, then write its report. Stopped, the same command goes on.

    Ctrl-C lets running trials write a checkpoint; a second one does not wait for them.
    """
    from coequal.study.check import checked
    from coequal.study.shard import Shard

    study, source = checked(file)
    options = {
        "workers": workers,
        "data_dir": data_dir,
        "device": "cuda" if gpus and device == "cpu" else device,
        "gpus": tuple(gpu.strip() for gpu in gpus.split(",")) if gpus else (),
        "per_gpu": per_gpu,
        "time_limit": time_limit,
        "memory": None if memory is None else round(memory * 1e9),
        "retries": retries,
        "cluster": cluster,
        "shard": Shard.parse(shard) if shard else None,
    }
    _run(study, source, out or Path("runs") / study.study, options)


def train(
    model: Annotated[str, typer.Argument(help="A model; see `coequal list`.", show_default=False)],
    data: Annotated[str, typer.Option(help="A data set, or folder:PATH.")] = "fashion_mnist",
    steps: Annotated[int, typer.Option(min=1, help="Discriminator steps.")] = 1500,
    width: Annotated[float, typer.Option(help="Of the nets; 1 is the study's.")] = 0.125,
    settings: Annotated[
        list[str] | None,
        typer.Option(
            "--set",
            "--trick",
            help="NAME=VALUE of a hyper-parameter or a trick (docs/tricks.md); may be repeated.",
        ),
    ] = None,
    generator_lr: Annotated[
        float | None, typer.Option(help="Learning rate of the generator alone.")
    ] = None,
    discriminator_lr: Annotated[
        float | None, typer.Option(help="Learning rate of the discriminator alone.")
    ] = None,
    ema: Annotated[
        float | None, typer.Option(help="Measure a moving average of the generator, as in 0.999.")
    ] = None,
    encoder: Annotated[
        str | None, typer.Option(help="Default: classifier, or pixels without labels.")
    ] = None,
    samples: Annotated[int, typer.Option(min=2, help="Generated images per measurement.")] = 2500,
    seed: Annotated[int, typer.Option(min=0)] = 0,
    out: Annotated[Path | None, typer.Option(help="The run's folder. Default: runs/MODEL.")] = None,
    data_dir: DataDir = None,
    device: Device = "cpu",
) -> None:
    """Train one model with its authors' settings, or yours, and write a report and a sheet of
    samples.

    As in `coequal train ns_gan --data fashion_mnist --steps 2000 --trick instance_noise=0.1`.
    """
    from coequal.api import study_text
    from coequal.samples import Wanted, write_samples

    given = {
        "generator_learning_rate": generator_lr,
        "discriminator_learning_rate": discriminator_lr,
    }
    rates = {name: rate for name, rate in given.items() if rate is not None}
    chosen = encoder or _encoder_for(data, data_dir)
    values = {
        "study": f"train {model}",
        "data": [data],
        "models": [{"base": model, "settings": _assignments(settings or []) | rates}],
        "architecture": {"name": "infogan", "width": width},
        "search": {"settings": 1},
        "training": {
            "budget": {"discriminator_steps": steps},
            "checkpoints": 10,
            **({} if ema is None else {"ema": ema}),
        },
        "evaluation": {
            "encoder": chosen,
            "samples": samples,
            **({"neighbours": True} if chosen == "classifier" else {}),
        },
        "seed": seed,
    }
    study = _checked(values)
    options = {"workers": 1, "data_dir": data_dir, "device": device}
    folder = _run(study, study_text(study), out or Path("runs") / model, options)
    _say_result(folder, study.select.metric)
    sheet = folder.path / "samples.png"
    sheet.unlink(missing_ok=True)  # of an earlier call of this very command
    write_samples(folder, folder.plan()[0], Wanted(SHEET), 0, sheet)
    console.print(f"samples: {shown(sheet)}")


def _checked(values: dict[str, Any]) -> "Study":
    """The study that the options of a command mean."""
    from coequal.study.check import problems
    from coequal.study.document import Document, StudyError
    from coequal.study.spec import from_document

    study = from_document(Document(values, {}, ()), "command line", "train")
    if slips := problems(study):
        raise StudyError("command line", slips)
    return study


def _say_result(folder: "RunFolder", metric: str) -> None:
    """Print the last values of the one trial of a run."""
    (result,) = folder.results().values()
    if not result.finished:
        raise ValueError(f"training {result.status}: {result.reason}")
    last = result.checkpoints[-1]
    for found in last.measurements:
        if found.metric == metric:
            console.print(f"{found.metric} on {found.split}, step {last.step}: {found.value:.4g}")


def _run(study: "Study", source: str, out: Path, options: dict[str, Any]) -> "RunFolder":
    from coequal import api
    from coequal.progress import duration, observer
    from coequal.results.folder import RunFolder
    from coequal.results.index import Index
    from coequal.study.stop import Interrupted

    folder = RunFolder(out.resolve())
    shard = options.get("shard")
    left = _left(study, folder, shard is not None)
    if left == []:
        folder.begin_again(study.as_dict())
        console.print(f"nothing to do: every trial of '{study.study}' has a result in {shown(out)}")
    else:
        try:
            with observer(console) as watching:
                api.run(study, folder.path, observer=watching, source=source, **options)
        except KeyboardInterrupt as stopped:
            errors.print("stopped; no trial that has ended is lost, and the same command goes on")
            code = stopped.code if isinstance(stopped, Interrupted) else 130
            raise typer.Exit(code) from None
        if shard:
            console.print(f"this share is done; after the others: coequal collect {shown(out)}")
            return folder
        with Index(folder) as index:
            seconds = sum(state.seconds for state in index.states())
        console.print(f"all trials have a result; {duration(seconds)} of training in all")
    write_report(folder, verdict=len(study.models) > 1)
    return folder


def _left(study: "Study", folder: "RunFolder", shard: bool) -> "list[Trial] | None":
    """The trials that have no result yet; None where nothing was begun."""
    from coequal.results.collect import view
    from coequal.study.left import unfinished

    if not (folder.path / "study.json").exists():
        return None
    if shard:  # others work in the folder, and `coequal collect` makes the index
        return unfinished(study, folder)
    with view(folder) as index:
        return unfinished(study, folder, index)


def _encoder_for(data: str, data_dir: Path | None) -> str:
    from coequal import lookup
    from coequal.data import data_folder, load_dataset

    kind = lookup.load("encoders", "classifier")
    return "pixels" if kind.refuses(load_dataset(data, data_folder(data_dir))) else "classifier"


def _assignments(settings: Sequence[str]) -> dict[str, Any]:
    from ruamel.yaml import YAML
    from ruamel.yaml.error import YAMLError

    found = {}
    for setting in settings:
        name, sign, value = setting.partition("=")
        if not sign:
            raise ValueError(f"--set takes NAME=VALUE, got '{setting}'")
        try:
            found[name.strip()] = YAML(typ="safe", pure=True).load(value)
        except YAMLError as error:
            raise ValueError(f"--set {setting}: '{value}' is no value") from error
    return found
