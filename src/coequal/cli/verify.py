"""The command that checks whether a run comes out again."""

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Annotated

import typer

from coequal.cli.command import CommandResult
from coequal.cli.exit_codes import ExitCode
from coequal.cli.options import (
    DataDir,
    Device,
    RunCode,
    RunPath,
    Seed,
    Workers,
    allow_code,
    run_folder,
)
from coequal.cli.printing import console, log_line, say

if TYPE_CHECKING:
    from coequal.verification.report_again import FileDifference
    from coequal.verification.trials_again import TrialAgreement
    from coequal.verification.verify import Verification

MOST_NUMBERS = 5  # deviations that are named of one trial


def verify(
    folder: RunPath,
    trials: Annotated[
        int,
        typer.Option(
            min=0,
            help=("Number of trials to train again, chosen at random; 0: only compare the report."),
        ),
    ] = 1,
    seed: Seed = 0,
    workers: Workers = None,
    data_dir: DataDir = None,
    device: Device = "cpu",
    run_code: RunCode = False,
) -> CommandResult:
    """Repeat the report and some trials of a run, and compare.

    Nothing in the run's folder is changed. The exit code is 4 if something differs.
    """
    from coequal import api
    from coequal.cli.progress import observer
    from coequal.runner.interrupt import Interrupted

    run = run_folder(folder)
    if trials:
        allow_code(run, run_code)
    try:
        with observer(console) as watching:
            found = api.verify_folder(
                run,
                trials=trials,
                seed=seed,
                workers=workers,
                data_dir=data_dir,
                device=device,
                observer=watching,
                log=log_line,
            )
    except KeyboardInterrupt as stopped:
        log_line("Stopped. Nothing is kept of the trials that were trained again.")
        code = stopped.code if isinstance(stopped, Interrupted) else ExitCode.INTERRUPTED
        raise typer.Exit(code) from None

    def show() -> None:
        for line in lines(found):
            say(line)

    code = ExitCode.DIFFERENT if found.different else ExitCode.DONE
    return CommandResult(found.as_dict(), show, code)


def lines(found: "Verification") -> Iterator[str]:
    """What came out of a verification, in words."""
    from coequal.verification.verify import report_line

    yield report_line(found.report)
    for file in found.report.differences if found.report else ():
        yield f"  {_file_line(file)}"
    for trial in found.trials:
        yield from _trial_lines(trial)
    yield from _environment_lines(found.trials)


def _file_line(file: "FileDifference") -> str:
    if file.kind == "missing":
        return f"{file.path}: missing"
    if file.kind == "not written again":
        return f"{file.path}: not part of the report as written by this version"
    if file.kind == "bytes":
        return f"{file.path}: the bytes differ"
    there, again = file.example or ("", "")
    if file.kind == "text":
        return f"{file.path}: the text differs: {there!r} is now {again!r}"
    return (
        f"{file.path}: {file.numbers} numbers differ, by at most {file.largest:.2g} "
        f"relative: {there} is now {again}"
    )


def _trial_lines(found: "TrialAgreement") -> Iterator[str]:
    """A line with the verdict on a trial, and one for each thing that is to be said about it."""
    from coequal.records import label

    agreement, largest = found.agreement, list(found.agreement.largest.items())
    name = f"{label(found.trial)} ({found.trial.id})"
    if agreement.verdict == "equal":
        count = agreement.numbers
        yield f"{name}: equal" + (f", all {count} numbers to the bit" if count else "")
    else:
        yield f"{name}: {agreement.verdict}"
    for reason in agreement.reasons[:MOST_NUMBERS]:
        yield f"  {reason}"
    if (more := len(agreement.reasons) - MOST_NUMBERS) > 0:
        yield f"  and {more} more"
    if largest and agreement.verdict != "different":
        name, worst = largest[0]
        size = f"{worst.relative:.2g} relative"
        if worst.errors is not None:
            size = f"{worst.errors:.2g} standard errors, {size}"
        yield (
            f"  the largest difference is in {name} at step {worst.step}: "
            f"{worst.one!r} and {worst.other!r} ({size}; within the error: "
            f"{agreement.allowed:.2g} standard errors)"
        )
    for remark in agreement.remarks:
        yield f"  also: {remark}"
    if (images := found.images) is not None:
        alike = "are equal"
        if images.largest:
            alike = f"differ by {images.mean:.2g} on average and by at most {images.largest:.3g}"
        yield f"  sample images {alike}"


def _environment_lines(trials: "Sequence[TrialAgreement]") -> Iterator[str]:
    """In what the environments differ, said once for all trials of which the same is true."""
    from coequal.records import label
    from coequal.results.compare_results import NOT_RECORDED

    groups: dict[tuple[tuple[str, tuple[str, str]], ...], list[str]] = {}
    for found in trials:
        key = tuple(found.agreement.environment.items())
        groups.setdefault(key, []).append(label(found.trial))
    for fields, names in groups.items():
        whose = "" if len(groups) == 1 else f" of {', '.join(names)}"
        if not fields:
            yield f"the environment{whose} is the same in every field"
            continue
        yield f"the environment{whose}, there and here:"
        absent = [name for name, (there, _) in fields if there == NOT_RECORDED]
        for name, (there, here) in fields:
            if name not in absent:
                yield f"  {name}: {there} and {here}"
        if absent:
            yield f"  not recorded there: {', '.join(absent)}"
