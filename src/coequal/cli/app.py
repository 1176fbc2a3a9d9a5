"""The command line."""

import os
import sys
from collections.abc import Callable

import typer

from coequal.cli import (
    compare,
    diagnose,
    manifold,
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
from coequal.cli.options import errors

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode="rich",
    help="A neutral bench for GANs: the same rules, budget and instrument for every model.",
    epilog="Example: coequal run demo --out runs/demo",
)


def _add(example: str, command: Callable[..., CommandResult], name: str | None = None) -> None:
    """Make a function a command with `--json`.

    Args:
        example: for the end of its help.
        command: the function.
        name: of the command; None: the function's.
    """
    app.command(name, epilog=f"Example: coequal {example}")(with_json(command))


_add("list metrics --json", parts.list_parts, "list")
_add("check demo", study.check)
_add("plan demo --workers 2", study.plan)
_add("run demo --out runs/demo --workers 2", run.run)
_add("train ns_gan --data digits --steps 500 --set learning_rate=1e-3", train.train)
_add("status runs/demo --watch", results.status)
_add("report runs/demo", results.report)
_add("paper runs/demo", paper.paper)
app.command(epilog="Example: coequal serve runs --open")(serve.serve)  # its --json is one line
_add("diagnose runs/demo --model ns_gan", diagnose.diagnose)
_add("sample runs/demo --model ns_gan --count 1000 --out samples/", results.sample)
_add("collect runs/demo", results.collect)
_add("export runs/demo --out demo.parquet", results.export)
_add("clean runs/demo", results.clean)
_add("pack runs/demo --out demo.zip", results.pack)
_add("verify runs/demo --trials 2", verify.verify)
_add("merge runs/mine runs/theirs --out runs/both", results.merge)
app.command(
    epilog="Example: coequal score --real fashion_mnist:test --fake samples/ --metrics all --json -"
)(score.score)  # its --json takes the name of a file
_add("compare a.json b.json --page compared.html", compare.compare)
_add("stats fashion_mnist:train --out fashion_mnist.npz", stats.stats)
_add(
    "manifold --real triangles:test --fake runs/tri:ns_gan --out manifold",
    manifold.manifold,
)


def main() -> None:
    """Run the command `coequal`. A mistake of the user ends in one message, not in a traceback."""
    try:
        app(standalone_mode=True)
    except BrokenPipeError as error:
        sys.exit(exit_code(error))
    except (LookupError, ValueError, OSError, MemoryError, ArithmeticError) as error:
        if os.environ.get("COEQUAL_DEBUG"):
            raise
        errors.print(message(error), markup=False, soft_wrap=True)
        sys.exit(exit_code(error))
