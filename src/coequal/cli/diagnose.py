"""`coequal diagnose`: what went wrong in a training, and what would do."""

from pathlib import Path
from typing import Annotated, Any

import typer
from rich.markup import escape
from rich.table import Table

from coequal.cli.options import DataDir, Json, console, note, print_json
from coequal.health import FAILURES, HEALTHY
from coequal.health.remedies import in_options
from coequal.health.verdict import MEANING


def diagnose(
    run: Annotated[
        Path | None,
        typer.Argument(help="The folder of a run, or of one of its trials.", show_default=False),
    ] = None,
    model: Annotated[
        str | None, typer.Option(help="Of a run: its only trial, or its best setting's.")
    ] = None,
    trial: Annotated[
        str | None, typer.Option(help="Of a run: the id of a trial, or its beginning.")
    ] = None,
    fake: Annotated[
        str | None,
        typer.Option(help="Images instead of a run: a folder, .zip, .npy or .npz."),
    ] = None,
    real: Annotated[
        str | None,
        typer.Option(help="Real images beside --fake, likewise, or a data set with its split."),
    ] = None,
    as_json: Json = False,
    data_dir: DataDir = None,
) -> None:
    """What went wrong in a training, since when, by which numbers, and what would do.

    A run that is finished or under way is judged anew, from the signals of its training, or, where
    there are none, from its stored samples; of several trials it gives a table. Images alone show
    duplicates, a lack of difference, and missing classes.

    The exit code is 0 whatever the verdict is, and 1 where nothing could be diagnosed.
    """
    from coequal.api import diagnose as look

    found = look(run, model=model, trial=trial, fake=fake, real=real, data_dir=data_dir, log=note)
    if as_json:
        print_json(found)
    elif "trials" in found:
        _print_table(found["trials"])
    else:
        _print_whole(found)


def _print_table(trials: list[dict[str, Any]]) -> None:
    """A row for each trial, and how many failed."""
    names = ("trial", "model", "data", "setting", "repeat", "status", "verdict", "since", "from")
    data = {row["data"] for row in trials}
    table = Table(*(name for name in names if name != "data" or len(data) > 1))
    for row in trials:
        status = row["status"] or "no result yet"
        cells = [row["trial"][:8], escape(row["model"])]
        cells += [escape(row["data"])] if len(data) > 1 else []
        cells += [str(row["setting"]), str(row["repeat"]), status, _styled(row["verdict"])]
        table.add_row(*cells, "" if row["step"] is None else str(row["step"]), row["from"] or "")
    console.print(table)
    verdicts = [row["verdict"] for row in trials if row["verdict"] is not None]
    counts = {name: verdicts.count(name) for name in FAILURES if name in verdicts}
    said = ", ".join(f"{name} {count}" for name, count in counts.items())
    failed = sum(counts.values())
    console.print(
        f"{failed} of {len(verdicts)} judged trials failed" + (f": {said}" if said else "")
    )
    for row in trials:
        if row["verdict"] is None:
            console.print(f"{row['trial'][:8]}: {row['evidence']}", markup=False, soft_wrap=True)
    console.print("one in full, with remedies: --model NAME or --trial ID")


def _print_whole(found: dict[str, Any]) -> None:
    """All that is known of one."""
    if found["trial"] is not None:
        status = found["status"] or "no result yet"
        which = f"setting {found['setting']}, repeat {found['repeat']}"
        _line(f"{found['model']}, {which} (trial {found['trial']}): {status}")
    else:
        numbers = found["numbers"]
        beside = "no real ones" if found["real"] is None else found["real"]
        _line(
            f"{found['fake']}: {numbers['images']} images, {numbers['distinct']} of them distinct; "
            f"beside {beside}"
        )
    since = "" if found["step"] is None else f" since step {found['step']}"
    said = f"[bold]{_styled(found['verdict'])}[/bold]{since}: {MEANING[found['verdict']]}"
    console.print(said, soft_wrap=True)
    _line(found["evidence"])
    if found.get("recorded") not in (None, found["verdict"]):
        _line(f"recorded when it ended, by the rules of that time: {found['recorded']}")
    for name, counts in found.get("classes", {}).items():
        _line(f"taken for {name}: {counts['fake']} generated images, {counts['real']} real ones")
    _list("rules that fire", [_fired(finding) for finding in found["findings"]])
    *before, last = found["alarms"] or [None]
    if last is not None and last["verdict"] != found["verdict"]:
        before.append(last)
    passed = [f"{a['verdict']} from step {a['since']} to {a['until']}" for a in before]
    _list("held at some time, and passed", passed)
    _list("not looked for", found["unseen"])
    for number, remedy in enumerate(found["remedies"], 1):
        if number == 1:
            console.print("\n[bold]what would do[/bold], the first to try first")
        _line(f"{number}. {remedy['what']}")
        if options := in_options(remedy["settings"]):
            _line(f"   {options}")
        _line(f"   {remedy['source']}")


def _fired(finding: dict[str, Any]) -> str:
    """A rule with its numbers."""
    low, high = finding["healthy"]
    value = "not finite" if finding["value"] is None else f"{finding['value']:.3g}"
    since = f" since step {finding['since']}" if finding["since"] else ""
    return (
        f"{finding['verdict']} ({finding['rule']}){since}: {finding['sentence']}; {value}, "
        f"threshold {finding['threshold']:.3g}, healthy runs {low:.3g} to {high:.3g}"
    )


def _styled(verdict: str | None) -> str:
    if verdict is None:
        return ""
    colour = "red" if verdict in FAILURES else "green" if verdict == HEALTHY else "yellow"
    return f"[{colour}]{verdict}[/{colour}]"


def _list(title: str, lines: list[str]) -> None:
    if lines:
        console.print(f"\n[bold]{title}[/bold]")
    for text in lines:
        _line(f"- {text}")


def _line(text: str) -> None:
    console.print(text, markup=False, soft_wrap=True)
