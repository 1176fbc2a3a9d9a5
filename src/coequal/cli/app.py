"""The command line."""

import importlib
import os
import sys
from collections.abc import Callable
from typing import Annotated, Any

import typer
from rich.table import Table

from coequal import lookup
from coequal.cli import diagnose, results, run, score, study, train
from coequal.cli.command import CommandResult, with_json
from coequal.cli.error_messages import exit_code, message
from coequal.cli.options import console, errors

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode="rich",
    help="A neutral bench for GANs: the same rules, budget and instrument for every model.",
    epilog="Example: coequal run studies/demo.yaml --out runs/demo",
)
KINDS = ("models", "objectives", "architectures", "datasets", "encoders", "metrics")


def models() -> list[dict[str, Any]]:
    """Every model that comes with coequal, with settings and ranges."""
    from coequal.study.model import shipped_models  # a slow import, which `status` can do without

    return [model.model_dump(mode="json", exclude_none=True) for model in shipped_models()]


def parts(kind: str) -> list[dict[str, Any]]:
    """Every part of a kind, with the first line of its documentation.

    Args:
        kind: one of `KINDS`, but "models".
    """
    rows = []
    for name in lookup.names(kind):
        text = importlib.import_module(f"coequal.{kind}.{name}").__doc__ or ""
        rows.append({"name": name, "summary": text.strip().splitlines()[0]})
    return rows


def list_parts(
    kind: Annotated[str, typer.Argument(help=f"The kind of part: {', '.join(KINDS)}.")] = "models",
) -> CommandResult:
    """List the parts: models, objectives, architectures, data sets, encoders, metrics."""
    if kind not in KINDS:
        raise LookupError(lookup.unknown(kind, KINDS))
    rows = models() if kind == "models" else parts(kind)
    return CommandResult(rows, lambda: _print_parts(kind, rows))


def _print_parts(kind: str, rows: list[dict[str, Any]]) -> None:
    """A row for each part.

    Args:
        kind: one of `KINDS`.
        rows: what `--json` prints.
    """
    table = Table(
        *(["name", "objective", "source"] if kind == "models" else ["name", "what it is"])
    )
    for row in rows:
        cells = [row["objective"], row["source"]] if kind == "models" else [row["summary"]]
        table.add_row(row["name"], *cells)
    console.print(table)


def _add(example: str, command: Callable[..., CommandResult], name: str | None = None) -> None:
    """Make a function a command with `--json`.

    Args:
        example: for the end of its help.
        command: the function.
        name: of the command; None: the function's.
    """
    app.command(name, epilog=f"Example: coequal {example}")(with_json(command))


_add("list models --json", list_parts, "list")
_add("check studies/demo.yaml", study.check)
_add("plan studies/demo.yaml --workers 2", study.plan)
_add("run studies/demo.yaml --out runs/demo --workers 2", run.run)
_add("train ns_gan --data digits --steps 500 --set learning_rate=1e-3", train.train)
_add("status runs/demo --watch", results.status)
_add("report runs/demo", results.report)
_add("diagnose runs/demo --model ns_gan", diagnose.diagnose)
_add("sample runs/demo --model ns_gan --count 1000 --out samples/", results.sample)
_add("collect runs/demo", results.collect)
_add("export runs/demo --out demo.parquet", results.export)
_add("clean runs/demo", results.clean)
_add("pack runs/demo --out demo.zip", results.pack)
_add("merge runs/mine runs/theirs --out runs/both", results.merge)
app.command(
    epilog="Example: coequal score --real fashion_mnist:test --fake samples/ --metrics all --json -"
)(score.score)  # its --json takes the name of a file
_add("compare a.json b.json", score.compare)
_add(
    "manifold --real triangles:test --fake runs/tri:ns_gan --out manifold",
    score.manifold,
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
