"""The commands that read a study file: what is wrong with it, and what it will take."""

import shutil
from datetime import datetime, timedelta
from pathlib import Path
from statistics import fmean
from typing import TYPE_CHECKING, Annotated

import typer

from coequal.cli.command import CommandResult
from coequal.cli.decides import decision_lines
from coequal.cli.options import DataDir, Device, ForceBfloat16, RunOut, StudyFile, TryParts
from coequal.cli.printing import Field, console, log_line, print_table, say
from coequal.formatting import duration, plain, size

if TYPE_CHECKING:
    from coequal.records import Trial
    from coequal.runner.estimate import Estimate
    from coequal.runner.forecast import Forecast
    from coequal.runner.population import Population
    from coequal.study.spec import Study


Earlier = Annotated[
    Path | None,
    typer.Option(
        "--from",
        help="Folder of an earlier run; its spread of scores tells what this study can decide.",
    ),
]


def check(
    file: StudyFile,
    earlier: Earlier = None,
    try_parts: TryParts = True,
    data_dir: DataDir = None,
    device: Device = "cpu",
    force_bfloat16: ForceBfloat16 = False,
) -> CommandResult:
    """Find everything that is wrong with a study file.

    Show what the study can decide, and the study with every default filled in.

    Each model takes one step on a few images, and metrics and an encoder of your own measure some.
    """
    from coequal.datasets._loading import data_folder
    from coequal.devices import refuse_missing
    from coequal.runner.forecast import what_it_decides
    from coequal.runner.start import refuse_training_options
    from coequal.study.check import checked
    from coequal.study.document import yaml_text

    study, text = checked(file)
    if try_parts:
        from coequal.trial.try_parts import refuse_failing_study

        refuse_missing(device)
        refuse_training_options(study, device, forced=force_bfloat16)
        refuse_failing_study(
            file, study, text, device=device, data_dir=data_folder(data_dir), log=log_line
        )
    decides = what_it_decides(study, earlier=earlier)
    values = {**study.as_dict(), "decides": decides and decides.as_dict()}

    def show() -> None:
        say(f"{file} is good: {describe_study(study)}.")
        for line in decision_lines(study, decides):
            say(f"- {line}")
        say("With all defaults filled in:\n")
        console.print(yaml_text(study.as_dict()), end="", markup=False, soft_wrap=True)

    return CommandResult(values, show)


def plan(
    file: StudyFile,
    out: RunOut = None,
    workers: Annotated[
        int | None, typer.Option(min=1, help="Processes, one core each. Default: one per core.")
    ] = None,
    calibrate: Annotated[
        bool, typer.Option(help="Time each kind of trial for a second to estimate the cost.")
    ] = True,
    data_dir: DataDir = None,
    device: Device = "cpu",
    force_bfloat16: ForceBfloat16 = False,
    earlier: Earlier = None,
    every: Annotated[
        bool, typer.Option("--all", help="List every trial, in the order in which they will run.")
    ] = False,
) -> CommandResult:
    """Show the trials of a study, their cost, and what they can decide."""
    from coequal.api import plan_of
    from coequal.parallel import cores
    from coequal.study.check import checked
    from coequal.study.plan import most_trials

    study, _ = checked(file)
    folder = out or Path("runs") / study.study
    count = workers or cores()
    planned = plan_of(
        study,
        folder,
        workers=count,
        calibrate=calibrate,
        data_dir=data_dir,
        device=device,
        force_bfloat16=force_bfloat16,
        earlier=earlier,
        log=lambda line: log_line(line, "dim"),
    )
    estimate = planned.estimate and {**vars(planned.estimate), "seconds": planned.estimate.seconds}
    values = {
        "trials": [{"id": t.id, **t.as_dict()} for t in planned.trials],
        "at_most": most_trials(study),
        "estimate": estimate,
        "decides": planned.decides and planned.decides.as_dict(),
        "per_gpu": planned.per_gpu and {**vars(planned.per_gpu), "best": planned.per_gpu.best},
    }
    return CommandResult(values, lambda: _print_plan(study, planned, folder, every))


def _print_plan(study: "Study", planned: "Forecast", folder: Path, every: bool) -> None:
    """The models, or every trial, what they will take, and what they can decide."""
    if every:
        _print_trials(planned.trials)
    else:
        _print_models(planned)
    say(describe_study(study))
    if planned.done:
        say(f"{planned.done} of the trials above have a result in {folder}")
    if planned.estimate:
        for line in _estimate_lines(planned.estimate, folder):
            say(line)
    if planned.per_gpu:
        say(population_line(planned.per_gpu))
    for line in decision_lines(study, planned.decides):
        say(line)


def population_line(population: "Population") -> str:
    """`--per-gpu 4 trains fastest on this GPU: 310 steps/s by 1 trial at a time, 560 by 2, ...`."""
    speeds = ", ".join(
        f"{speed:,.3g} steps/s by 1 trial at a time" if size == 1 else f"{speed:,.3g} by {size}"
        for size, speed in population.speeds.items()
    )
    failure = f" ({population.failure})" if population.failure else ""
    return f"--per-gpu {population.best} trains fastest on this GPU: {speeds}{failure}"


def describe_study(study: "Study") -> str:
    """`168 trials (8 models x (the authors' setting + 20 drawn) x 1 dataset), then ...`."""
    from coequal.study.plan import most_trials

    drawn, most = study.search.settings, most_trials(study)
    settings = f"(the authors' setting + {drawn} drawn)" if drawn else "the authors' setting"
    counts = {"model": len(study.models), "dataset": len(study.data)}
    models, sets = (f"{n} {name}{'' if n == 1 else 's'}" for name, n in counts.items())
    text = f"{most['search']} trials ({models} x {settings} x {sets})"
    if most["retrained"]:
        text += f", then {_at_most(study)}{most['retrained']} of them again with a fresh seed"
    if most["reruns"]:
        again = study.reruns
        text += f", then at most {most['reruns']} re-runs ({again.seeds} seeds of each model's best"
        text += f"{'' if again.best == 1 else f' {again.best}'}"
        bases = {n for m in study.models if (n := study.rerun_seeds(m.name)) != again.seeds}
        text += f", {max(bases)} of models that others are compared with)" if bases else ")"
    if most["transfer"]:
        text += f", and at most {most['transfer']} transfers to another dataset"
    budgets = {data: study.training.budgets.get(data, study.training.budget) for data in study.data}
    amounts = {data: _budget(budget.as_dict()) for data, budget in budgets.items()}
    if len(set(amounts.values())) == 1:
        return f"{text}; {next(iter(amounts.values()))} each"
    return f"{text}; " + ", ".join(f"{amount} on {data}" for data, amount in amounts.items())


def _at_most(study: "Study") -> str:
    """One look trains as many again as it says; the best of several looks may be the same."""
    return "at most " if len(study.search.looks) > 1 else ""


def _budget(amounts: dict[str, float]) -> str:
    ((unit, amount),) = amounts.items()
    names = {"flops": "FLOPs", "discriminator_steps": "discriminator steps"}
    return f"{amount:,.15g} {names.get(unit, unit)}"


def _estimate_lines(estimate: "Estimate", folder: Path) -> list[str]:
    if not estimate.trials:
        return ["nothing left to do"]
    end = datetime.now().astimezone() + timedelta(seconds=estimate.seconds)
    there = folder.resolve()
    while not there.exists():
        there = there.parent
    free = shutil.disk_usage(there).free
    needed = estimate.disk + estimate.working
    lines = [
        f"to do: {estimate.trials} trials, about {duration(estimate.core_seconds)} of "
        "one core, by a calibration here and nowless if trials fail early",
        f"with {estimate.workers} workers: about {duration(estimate.seconds)}, until "
        f"{end:%Y-%m-%d %H:%M}",
        f"disk: about {size(estimate.disk)} in the end and {size(estimate.working)} "
        f"more while it runs; {size(free)} are free",
    ]
    return [*lines, "There is not enough space on the disk."] if needed > free else lines


def _print_models(planned: "Forecast") -> None:
    """A line for each model on each dataset."""
    several = len({trial.data for trial in planned.trials}) > 1
    groups: dict[tuple[str, str], list[Trial]] = {}
    for trial in planned.trials:
        groups.setdefault((trial.model, trial.data), []).append(trial)
    fields = [Field("model"), *([Field("dataset")] if several else []), Field("trials", right=True)]
    times = planned.estimate.per_trial if planned.estimate else {}
    fields += [Field("time of one", right=True)] if times else []
    rows = [
        [
            model,
            *([data] if several else []),
            f"{len(trials):,}",
            *([duration(fmean(times[trial.id] for trial in trials))] if times else []),
        ]
        for (model, data), trials in groups.items()
    ]
    print_table(fields, rows, keys=2 if several else 1)


def _print_trials(trials: "list[Trial]") -> None:
    """A line for each trial that can be named by now."""
    several = len({trial.data for trial in trials}) > 1
    fields = [Field("trial"), Field("model"), *([Field("dataset")] if several else [])]
    fields += [Field("setting"), Field("seed"), Field("hyperparameters", wraps=True)]
    rows = [
        [
            trial.id,
            trial.model,
            *([trial.data] if several else []),
            "0 (authors')" if trial.setting == 0 else str(trial.setting),
            str(trial.repeat) if trial.repeat else "search",
            _settings(trial),
        ]
        for trial in trials
    ]
    print_table(fields, rows)


def _settings(trial: "Trial") -> str:
    return ", ".join(f"{name} {plain(value)}" for name, value in trial.settings.items())
