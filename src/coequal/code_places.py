"""Where in somebody's code something went wrong, as `my_lab/losses.py:34`.

A place names the file by its module and not by its folder, so that it is the same on every machine.
"""

import difflib
import inspect
import sysconfig
import traceback
from functools import cache
from pathlib import Path
from types import CodeType, FrameType, FunctionType
from typing import Any

PACKAGE = str(Path(__file__).parent)

OF_PARTS: set[str] = set()
"""Top-level modules that parts of this process were taken from, which may be installed libraries;
`lookup` adds to them."""


def place_of_error(error: BaseException) -> str:
    """The line at which an exception left the code of its author: `my_lab/losses.py:34`.

    Args:
        error: one that has been raised.

    Returns:
        The innermost line outside of coequal and of installed libraries; if there is none, the
        innermost one of coequal, and if there is none of that either, the innermost of all. Empty
        of an exception without a traceback.
    """
    if isinstance(error, SyntaxError) and error.filename and error.lineno:
        return f"{Path(error.filename).name}:{error.lineno}"
    frames = list(traceback.walk_tb(error.__traceback__))
    for belongs in (is_own, _is_ours, lambda frame: True):
        for frame, line in reversed(frames):
            if belongs(frame):
                return place_in(frame, line)
    return ""


def place_in(frame: FrameType, line: int) -> str:
    """A line of what a frame runs."""
    return _place(frame.f_code, str(frame.f_globals.get("__name__", "")), line)


def place_of(part: Any) -> str:
    """Where a function, a method or a class begins; empty of what is not written in Python, or is
    part of coequal.

    Args:
        part: a function, a class, or an object, whose class counts.
    """
    function = getattr(part, "__func__", part)
    if not isinstance(function, FunctionType | type):
        function = type(part)
    if function.__module__.partition(".")[0] == "coequal":
        return ""
    if isinstance(function, FunctionType):
        return _place(function.__code__, function.__module__, function.__code__.co_firstlineno)
    return _place_of_class(function)


def located(message: str, place: str) -> str:
    """A message with the place that it is about in parentheses, if there is one."""
    return f"{message} ({place})" if place else message


def described(error: BaseException) -> str:
    """An exception in a line: its kind, its message, the nearest attribute or name that there is,
    and its place."""
    message = " ".join(str(error).split())
    kind = type(error).__name__
    return located(f"{kind}: {message}{_hint(error)}" if message else kind, place_of_error(error))


def is_own(frame: FrameType) -> bool:
    """Whether a frame runs code that belongs neither to coequal nor to an installed library, or is
    of a package from which a part was taken."""
    path, name = frame.f_code.co_filename, str(frame.f_globals.get("__name__", ""))
    if path.startswith((PACKAGE, "<")):
        return False  # also where a study names a part of coequal by its module
    return name.partition(".")[0] in OF_PARTS or not path.startswith(library_folders())


def _is_ours(frame: FrameType) -> bool:
    return frame.f_code.co_filename.startswith(PACKAGE)


@cache
def library_folders() -> tuple[str, ...]:
    """Folders of the standard library and of installed packages."""
    paths = sysconfig.get_paths()
    return tuple({paths[name] for name in ("stdlib", "platstdlib", "purelib", "platlib")})


def _place(code: CodeType, module: str, line: int) -> str:
    """The file of a code object, with as many folders as its module has packages, and a line."""
    return _file_and_line(Path(code.co_filename), module, line)


def _file_and_line(path: Path, module: str, line: int) -> str:
    depth = module.count(".") + 1 + (path.name == "__init__.py")
    return f"{'/'.join(path.parts[-depth:])}:{line}"


def _place_of_class(kind: type) -> str:
    try:
        line = inspect.getsourcelines(kind)[1]
        file = Path(inspect.getsourcefile(kind) or "")
    except (OSError, TypeError):  # typed into a console, or written in C
        return ""
    return _file_and_line(file, kind.__module__, line)


def _hint(error: BaseException) -> str:
    """The nearest name for an attribute that an object does not have."""
    if not isinstance(error, AttributeError) or error.name is None:
        return ""
    close = difflib.get_close_matches(error.name, dir(error.obj), n=1, cutoff=0.6)
    return f"; did you mean '{close[0]}'?" if close else ""
