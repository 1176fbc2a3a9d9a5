"""How a command gives its result: in words on the screen, or with `--json` as plain values."""

import functools
import inspect
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import typer

from coequal.cli.exit_codes import ExitCode
from coequal.cli.options import Json
from coequal.cli.printing import console, print_json


def _show_nothing() -> None:
    """What has been said while the command worked was all."""


@dataclass(frozen=True)
class CommandResult:
    """What a command found or did.

    Attributes:
        values: plain values, ready for JSON: what `--json` prints. Paths are texts.
        show: prints the same in words, to `options.console`.
        code: the exit code of the command.
    """

    values: Any
    show: Callable[[], None] = _show_nothing
    code: ExitCode = ExitCode.DONE


def with_json(command: Callable[..., CommandResult]) -> Callable[..., None]:
    """A command with the option `--json`.

    With it the result is printed as JSON, the last on standard output, and everything else goes to
    standard error; without it the result is shown in words. Either way the exit code is the
    result's.

    Args:
        command: a function that typer can make a command of, without such an option of its own.
    """

    @functools.wraps(command)
    def run(*, as_json: bool, **options: Any) -> None:
        console.stderr = as_json
        try:
            result = command(**options)
        finally:
            console.stderr = False
        if as_json:
            print_json(result.values)
        else:
            result.show()
        if result.code is not ExitCode.DONE:
            raise typer.Exit(result.code)

    signature = inspect.signature(command)
    option = inspect.Parameter(
        "as_json", inspect.Parameter.KEYWORD_ONLY, default=False, annotation=Json
    )
    parameters = [*signature.parameters.values(), option]
    run.__signature__ = signature.replace(parameters=parameters)  # type: ignore[attr-defined]
    run.__annotations__ = {**command.__annotations__, "as_json": Json}
    return run
