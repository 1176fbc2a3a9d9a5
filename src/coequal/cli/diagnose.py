"""`coequal diagnose`: what went wrong in a training, and what to try."""

from pathlib import Path
from typing import Annotated, Any

import typer
from rich.text import Text

from coequal.cli import completion
from coequal.cli.command import CommandResult
from coequal.cli.options import (
    IMAGES,
    AnyDevice,
    Batch,
    Classes,
    DataDir,
    Latent,
    ModelOfRun,
    Seed,
    TrialOfRun,
    Values,
    fake_and_values,
)
from coequal.cli.printing import Field, log_line, print_table, say
from coequal.devices import AUTO
from coequal.value_range import UNIT, ValueRange


def diagnose(
    run: Annotated[
        Path | None,
        typer.Argument(
            help="Folder of a run, or of one of its trials.",
            show_default=False,
            autocompletion=completion.runs,
        ),
    ] = None,
    model: ModelOfRun = None,
    trial: TrialOfRun = None,
    fake: Annotated[
        str | None,
        typer.Option(
            help=f"Generated images, instead of a run: {IMAGES}; or a model of a run, or a "
            "generator."
        ),
    ] = None,
    real: Annotated[
        str | None,
        typer.Option(help=f"Real images to compare --fake with: {IMAGES}."),
    ] = None,
    samples: Annotated[
        int, typer.Option(min=2, help="Number of images to draw from a generator.")
    ] = 2_000,
    seed: Seed = 0,
    latent: Latent = None,
    value_range: Values = None,
    classes: Classes = None,
    batch: Batch = None,
    device: AnyDevice = AUTO,
    data_dir: DataDir = None,
) -> CommandResult:
    """Find what went wrong in a training, and what to try next.

    A run that is finished or under way is judged anew from the signals of its training, or from its
    stored samples if there are none; several trials give a table. Images alone show duplicates, a
    lack of difference, and missing classes.

    The exit code is 0 whatever the verdict is, and 1 if nothing could be diagnosed.
    """
    from coequal.api import diagnose as diagnosed
    from coequal.inspection.diagnosis import misuse

    if problem := misuse(run, model, trial, fake, real, device):
        raise typer.BadParameter(problem)
    generated, floats = None, ValueRange.of(value_range or UNIT)
    if fake is not None:
        generated, floats = fake_and_values(fake, latent, value_range, classes, batch)
    values = diagnosed(
        run,
        model=model,
        trial=trial,
        fake=generated,
        real=real,
        samples=samples,
        value_range=floats,
        device=device,
        seed=seed,
        data_dir=data_dir,
        log=log_line,
    )
    several = "trials" in values
    return CommandResult(
        values, lambda: _print_table(values["trials"]) if several else _print_one(values)
    )


def _print_table(trials: list[dict[str, Any]]) -> None:
    """Print a row for each trial, and how many failed."""
    from coequal.health import FAILURES

    several, sources = (len({row[key] for row in trials}) > 1 for key in ("data", "from"))
    fields = [Field("trial"), Field("model"), *([Field("dataset")] if several else [])]
    fields += [Field("setting", right=True), Field("seed", right=True), Field("status")]
    fields += [Field("verdict"), Field("since step", right=True)]
    fields += [Field("judged by")] if sources else []
    print_table(fields, [_row(trial, several)[: len(fields)] for trial in trials])
    verdicts = [row["verdict"] for row in trials if row["verdict"] is not None]
    counts = {name: verdicts.count(name) for name in FAILURES if name in verdicts}
    by_kind = ", ".join(f"{name} {count}" for name, count in counts.items())
    failed = sum(counts.values())
    say(f"{failed} of {len(verdicts)} judged trials failed" + (f": {by_kind}" if by_kind else ""))
    for row in trials:
        if row["verdict"] is None:
            say(f"{row['trial'][:8]}: {row['evidence']}")
    say("For details and remedies of one trial, give --model NAME or --trial ID.")


def _row(trial: dict[str, Any], several: bool) -> list[str | Text]:
    """The cells of a trial; with its dataset if there are several."""
    return [
        trial["trial"][:8],
        trial["model"],
        *([trial["data"]] if several else []),
        str(trial["setting"]),
        str(trial["repeat"]) if trial["repeat"] else "search",
        trial["status"] or "no result yet",
        _styled(trial["verdict"]),
        "" if trial["step"] is None else f"{trial['step']:,}",
        trial["from"] or "",
    ]


def _print_one(values: dict[str, Any]) -> None:
    """Print all that is known of one trial, or of images."""
    from coequal.health.remedies import in_options
    from coequal.health.verdict import MEANING

    if values["trial"] is not None:
        status = values["status"] or "no result yet"
        which = f"setting {values['setting']}, repeat {values['repeat']}"
        say(f"{values['model']}, {which} (trial {values['trial']}): {status}")
    else:
        numbers = values["numbers"]
        beside = "no real images" if values["real"] is None else f"compared with {values['real']}"
        say(
            f"{values['fake']}: {numbers['images']} images, {numbers['distinct']} of "
            f"them distinct; {beside}"
        )
    since = "" if values["step"] is None else f" since step {values['step']}"
    verdict = _styled(values["verdict"])
    verdict.stylize("bold")
    say(Text.assemble(verdict, f"{since}: {MEANING[values['verdict']]}"))
    say(values["evidence"])
    if values.get("recorded") not in (None, values["verdict"]):
        say(f"verdict recorded when it ended, by the rules of that version: {values['recorded']}")
    for name, counts in values.get("classes", {}).items():
        say(f"classified as {name}: {counts['fake']} generated images, {counts['real']} real ones")
    _list("rules that fired", [_fired(finding) for finding in values["findings"]])
    *before, last = values["alarms"] or [None]
    if last is not None and last["verdict"] != values["verdict"]:
        before.append(last)
    passed = [f"{a['verdict']} from step {a['since']} to {a['until']}" for a in before]
    _list("failures that passed", passed)
    _list("not checked", values["unseen"])
    _list("how the images were read", values.get("notes", []))
    _list("warnings", values.get("warnings", []))
    for number, remedy in enumerate(values["remedies"], 1):
        if number == 1:
            say(Text.assemble("\n", ("what to try", "bold"), ", the most promising first"))
        say(f"{number}. {remedy['what']}")
        if options := in_options(remedy["settings"]):
            say(f"   {options}")
        say(f"   {remedy['source']}")


def _fired(finding: dict[str, Any]) -> str:
    """A rule with its numbers."""
    low, high = finding["healthy"]
    value = "not finite" if finding["value"] is None else f"{finding['value']:.3g}"
    since = f" since step {finding['since']}" if finding["since"] else ""
    return (
        f"{finding['verdict']} ({finding['rule']}){since}: {finding['sentence']}; {value}, "
        f"threshold {finding['threshold']:.3g}, healthy runs {low:.3g} to {high:.3g}"
    )


def _styled(verdict: str | None) -> Text:
    from coequal.health import FAILURES, HEALTHY

    colour = "red" if verdict in FAILURES else "green" if verdict == HEALTHY else "yellow"
    return Text(verdict or "", colour)


def _list(title: str, lines: list[str]) -> None:
    if lines:
        say(f"\n{title}", style="bold")
    for text in lines:
        say(f"- {text}")
