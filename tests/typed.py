"""The command line as a stranger uses it, in this process."""

import io
import sys
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path
from typing import NamedTuple

import pytest

from coequal.cli.app import main
from coequal.cli.printing import console, errors


class Done(NamedTuple):
    returncode: int
    stdout: str
    stderr: str


def coequal(
    *arguments: object, cwd: Path | None = None, columns: int = 100, terminal: bool = False
) -> Done:
    """The same entry point as of the command, without seconds of imports each time."""
    out, err = io.StringIO(), io.StringIO()
    with pytest.MonkeyPatch.context() as patch, redirect_stdout(out), redirect_stderr(err):
        patch.setattr(sys, "argv", ["coequal", *map(str, arguments)])
        patch.setenv("COLUMNS", str(columns))
        for one in (console, errors):  # which keep the width that was set when they were made
            patch.setattr(one, "_width", columns)
            patch.setattr(one, "_force_terminal", terminal)
        if cwd:
            patch.chdir(cwd)
        try:
            main()
            code = 0
        except SystemExit as end:
            code = int(end.code or 0)
    return Done(code, out.getvalue(), err.getvalue())
