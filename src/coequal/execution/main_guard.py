"""Refuse to start processes from a script that each of them would run again."""

import ast
import sys
from pathlib import Path
from types import FrameType


def refuse_unguarded_main() -> None:
    """Refuse a call from the top level of a script outside `if __name__ == "__main__":`.

    Every new process imports the script that was started, and would come to the same call again.

    Raises:
        RuntimeError: with the script, the line of the call, and what would do.
    """
    script = getattr(sys.modules.get("__main__"), "__file__", None)
    if script is None:  # a notebook, or `python -c`, which no process imports
        return
    frame: FrameType | None = sys._getframe()
    while frame is not None:
        code = frame.f_code
        if code.co_name == "<module>" and frame.f_globals.get("__name__") == "__main__":
            if Path(code.co_filename).resolve() == Path(script).resolve():
                _refuse_line(Path(script), frame.f_lineno)
            return
        frame = frame.f_back


def _refuse_line(script: Path, line: int) -> None:
    try:
        tree = ast.parse(script.read_bytes())
    except (OSError, SyntaxError):  # no source: an archive, or compiled
        return
    blocks = [node for node in tree.body if isinstance(node, ast.If)]
    around = [node for node in blocks if node.lineno <= line <= (node.end_lineno or line)]
    if any("__name__" in ast.unparse(node.test) for node in around):
        return
    raise RuntimeError(
        f"{script}:{line}: every worker process would run this script again; put the call under "
        '`if __name__ == "__main__":`, or run in this process with workers=0'
    )
