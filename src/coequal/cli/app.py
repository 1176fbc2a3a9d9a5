"""The command line."""

import errno
import importlib
import os
import sys
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.table import Table

from coequal import lookup
from coequal.cli import diagnose, results, run, score, study, train
from coequal.cli.exit_codes import ExitCode
from coequal.cli.options import Json, console, errors, print_json

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


@app.command("list", epilog="Example: coequal list models --json")
def list_parts(
    kind: Annotated[str, typer.Argument(help=f"The kind of part: {', '.join(KINDS)}.")] = "models",
    as_json: Json = False,
) -> None:
    """List the parts: models, objectives, architectures, data sets, encoders, metrics."""
    if kind not in KINDS:
        raise LookupError(lookup.unknown(kind, KINDS))
    rows = models() if kind == "models" else parts(kind)
    if as_json:
        print_json(rows)
        return
    table = Table(
        *(["name", "objective", "source"] if kind == "models" else ["name", "what it is"])
    )
    for row in rows:
        cells = [row["objective"], row["source"]] if kind == "models" else [row["summary"]]
        table.add_row(row["name"], *cells)
    console.print(table)


app.command(epilog="Example: coequal check studies/demo.yaml")(study.check)
app.command(epilog="Example: coequal plan studies/demo.yaml --workers 2")(study.plan)
app.command(epilog="Example: coequal run studies/demo.yaml --out runs/demo --workers 2")(run.run)
app.command(
    epilog="Example: coequal train ns_gan --data digits --steps 500 --set learning_rate=1e-3"
)(train.train)
app.command(epilog="Example: coequal status runs/demo --watch")(results.status)
app.command(epilog="Example: coequal report runs/demo")(results.report)
app.command(epilog="Example: coequal diagnose runs/demo --model ns_gan")(diagnose.diagnose)
app.command(epilog="Example: coequal sample runs/demo --model ns_gan --count 1000 --out samples/")(
    results.sample
)
app.command(epilog="Example: coequal collect runs/demo")(results.collect)
app.command(epilog="Example: coequal export runs/demo --out demo.parquet")(results.export)
app.command(epilog="Example: coequal clean runs/demo")(results.clean)
app.command(epilog="Example: coequal pack runs/demo --out demo.zip")(results.pack)
app.command(epilog="Example: coequal merge runs/mine runs/theirs --out runs/both")(results.merge)
app.command(
    epilog="Example: coequal score --real fashion_mnist:test --fake samples/ --metrics all --json -"
)(score.score)
app.command(epilog="Example: coequal compare a.json b.json")(score.compare)
app.command(
    epilog="Example: coequal manifold --real triangles:test --fake runs/tri:ns_gan --out manifold"
)(score.manifold)


DISK_ERRORS = {
    errno.ENOSPC: "the disk is full",
    errno.EDQUOT: "the disk's quota is used up",
    errno.EROFS: "it may only be read",
    errno.EACCES: "this user may not use it so",
    errno.EPERM: "this user may not use it so",
    errno.ENOENT: "it is not there, or no longer",
    errno.ENOTCONN: "its disk is gone",
    errno.ESTALE: "its network disk is gone",
    errno.EIO: "its disk fails",
}


def describe_disk_error(error: OSError) -> str:
    """A sentence about a file or its disk; empty for an error that is not in `DISK_ERRORS`.

    Args:
        error: with the file's name, if it has one.
    """
    if error.errno not in DISK_ERRORS:
        return ""
    what = DISK_ERRORS[error.errno]
    text = f"{error.filename}: {what}" if error.filename else what
    if error.errno in (errno.EACCES, errno.EPERM, errno.ENOENT):
        return text
    return f"{text}; finished trials are complete, and after a repair the same command continues"


def exit_code(error: Exception) -> ExitCode:
    """The exit code of a command that an error ended.

    Args:
        error: that no command has handled.
    """
    from coequal.study.document import StudyError

    if isinstance(error, BrokenPipeError):
        return ExitCode.READER_LEFT
    if isinstance(error, StudyError) or type(error) is LookupError:  # a name that nothing has
        return ExitCode.MISTAKE
    if isinstance(error, FileNotFoundError) and _on_the_command_line(error):
        return ExitCode.MISTAKE
    return ExitCode.FAILED


def _on_the_command_line(error: FileNotFoundError) -> bool:
    """Whether what is missing was named by the user.

    An error with a sentence of ours has no `errno`: it says what is wrong with a name that was
    given. One of the system names the file it looked for.
    """
    if error.errno is None:
        return True
    return any(Path(str(error.filename)).resolve() == Path(word).resolve() for word in sys.argv[1:])


def main() -> None:
    """Run the command `coequal`. A mistake of the user ends in one message, not in a traceback."""
    try:
        app(standalone_mode=True)
    except BrokenPipeError as error:
        sys.exit(exit_code(error))
    except (LookupError, ValueError, OSError, MemoryError, ArithmeticError) as error:
        if os.environ.get("COEQUAL_DEBUG"):
            raise
        message = error.args[0] if isinstance(error, KeyError) and error.args else str(error)
        if isinstance(error, OSError):
            message = describe_disk_error(error) or message
        errors.print(message, markup=False, soft_wrap=True)
        sys.exit(exit_code(error))
