"""The command line."""

import os
import sys
from collections.abc import Callable
from typing import Annotated

import typer

from coequal.cli import (
    compare,
    diagnose,
    manifold,
    new,
    paper,
    parts,
    results,
    run,
    score,
    serve,
    stats,
    study,
    train,
    verify,
)
from coequal.cli.command import CommandResult, with_json
from coequal.cli.error_messages import exit_code, message
from coequal.cli.printing import log_line

app = typer.Typer(
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode="rich",
    context_settings={"help_option_names": ["-h", "--help"]},
    epilog="Example: coequal run demo --out runs/demo",
)


def _print_version(asked: bool) -> None:
    if asked:
        from importlib.metadata import version  # slow: no other command needs it

        print(f"coequal {version('coequal')}")
        raise typer.Exit


@app.callback()
def coequal(
    show_version: Annotated[
        bool,
        typer.Option(
            "--version",
            "-V",
            help="Show the version and exit.",
            callback=_print_version,
            is_eager=True,
        ),
    ] = False,
) -> None:
    """A neutral bench for GANs: the same rules, budget and instrument for every model."""


def _add(
    group: str, example: str, command: Callable[..., CommandResult], name: str | None = None
) -> None:
    """Make a function a command with `--json`.

    Args:
        group: the heading under which `coequal --help` lists it.
        example: for the end of its help.
        command: the function.
        name: of the command; None: the function's.
    """
    epilog = f"Example: coequal {example}"
    app.command(name, epilog=epilog, rich_help_panel=group)(with_json(command))


STUDY, MODEL, SCORES, UPKEEP = "Study", "One model", "Scores", "Upkeep"

_add(STUDY, "new my_study.yaml", new.new)
_add(STUDY, "check demo", study.check)
_add(STUDY, "plan demo --workers 2", study.plan)
_add(STUDY, "run demo --out runs/demo --workers 2", run.run)
_add(STUDY, "status runs/demo --watch", results.status)
_add(STUDY, "report runs/demo", results.report)
_add(STUDY, "paper runs/demo", paper.paper)
app.command(epilog="Example: coequal serve runs --open", rich_help_panel=STUDY)(serve.serve)
_add(STUDY, "verify runs/demo --trials 2", verify.verify)
_add(
    MODEL,
    "train ns_gan --data digits --steps 500 --set learning_rate=1e-3",
    train.train,
)
_add(MODEL, "diagnose runs/demo --model ns_gan", diagnose.diagnose)
_add(MODEL, "sample runs/demo --model ns_gan --count 1000 --out samples/", results.sample)
_add(
    SCORES,
    "score --real fashion_mnist:test --fake samples/ --metrics all --out scores.json",
    score.score,
)
_add(SCORES, "compare a.json b.json --page compared.html", compare.compare)
_add(SCORES, "stats fashion_mnist:train --out fashion_mnist.npz", stats.stats)
_add(
    SCORES,
    "manifold --real triangles:test --fake runs/tri:ns_gan --out manifold",
    manifold.manifold,
)
_add(UPKEEP, "list metrics", parts.list_parts, "list")
_add(UPKEEP, "collect runs/demo", results.collect)
_add(UPKEEP, "merge runs/mine runs/theirs --out runs/both", results.merge)
_add(UPKEEP, "export runs/demo --out demo.parquet", results.export)
_add(UPKEEP, "pack runs/demo --out demo.zip", results.pack)
_add(UPKEEP, "clean runs/demo", results.clean)


def main() -> None:
    """Run the command `coequal`. A mistake of the user ends in one message, not in a traceback."""
    try:
        app(prog_name="coequal")
    except BrokenPipeError as error:
        sys.exit(exit_code(error))
    except (LookupError, ValueError, OSError, MemoryError, ArithmeticError) as error:
        if os.environ.get("COEQUAL_DEBUG"):
            raise
        log_line(message(error))
        sys.exit(exit_code(error))
