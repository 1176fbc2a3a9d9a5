"""The command line."""

import errno
import importlib
import os
import sys
from typing import Annotated, Any

import typer
from rich.table import Table

from coequal import lookup
from coequal.cli import diagnose, results, run, score, study, train
from coequal.cli.options import Json, console, errors, print_json

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode="rich",
    help="A neutral bench for GANs: the same rules, budget and instrument for every contender.",
    epilog="Example: coequal run studies/demo.yaml --out runs/demo",
)
ROOMS = ("models", "objectives", "architectures", "datasets", "encoders", "metrics")


def models() -> list[dict[str, Any]]:
    """Every contender that comes with coequal, with settings and ranges."""
    from coequal.study.model import shipped_models  # which takes longer than all that `status` does

    return [model.model_dump(mode="json", exclude_none=True) for model in shipped_models()]


def parts(room: str) -> list[dict[str, Any]]:
    """Every part of a room and the first line of its documentation."""
    rows = []
    for name in lookup.names(room):
        text = importlib.import_module(f"coequal.{room}.{name}").__doc__ or ""
        rows.append({"name": name, "summary": text.strip().splitlines()[0]})
    return rows


@app.command("list", epilog="Example: coequal list models --json")
def list_parts(
    room: Annotated[str, typer.Argument(help=f"One of {', '.join(ROOMS)}.")] = "models",
    as_json: Json = False,
) -> None:
    """What there is: models, objectives, architectures, data sets, encoders, metrics."""
    if room not in ROOMS:
        raise LookupError(lookup.unknown(room, ROOMS))
    rows = models() if room == "models" else parts(room)
    if as_json:
        print_json(rows)
        return
    table = Table(
        *(["name", "objective", "source"] if room == "models" else ["name", "what it is"])
    )
    for row in rows:
        cells = [row["objective"], row["source"]] if room == "models" else [row["summary"]]
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
app.command(epilog="Example: coequal merge runs/mine runs/theirs --out runs/both")(results.merge)
app.command(
    epilog="Example: coequal score --real fashion_mnist:test --fake samples/ --metrics all --json -"
)(score.score)
app.command(epilog="Example: coequal compare a.json b.json")(score.compare)
app.command(
    epilog="Example: coequal manifold --real triangles:test --fake runs/tri:ns_gan --out look"
)(score.manifold)


DISK = {
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


def disk_words(error: OSError) -> str:
    """What is wrong with a file or its disk, in words; empty where the message has its own."""
    if error.errno not in DISK:
        return ""
    what = DISK[error.errno]
    text = f"{error.filename}: {what}" if error.filename else what
    if error.errno in (errno.EACCES, errno.EPERM, errno.ENOENT):
        return text
    return f"{text}; what has ended is whole, and once that is mended the same command goes on"


def main() -> None:
    """The command `coequal`: the user's mistakes end in one message each, never in a traceback."""
    try:
        app(standalone_mode=True)
    except BrokenPipeError:
        sys.exit(141)
    except (LookupError, ValueError, OSError, MemoryError, ArithmeticError) as error:
        if os.environ.get("COEQUAL_DEBUG"):
            raise
        from coequal.study.document import StudyError

        message = error.args[0] if isinstance(error, KeyError) and error.args else str(error)
        if isinstance(error, OSError):
            message = disk_words(error) or message
        errors.print(message, markup=False, soft_wrap=True)
        sys.exit(2 if isinstance(error, StudyError) else 1)
