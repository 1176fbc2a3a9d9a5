"""No command imports a module that Windows lacks, and what is done there instead."""

import ast
import os
import subprocess
import sys
from pathlib import Path

import portalocker
import pytest

from coequal import files
from coequal.results.lock import lock
from coequal.trial.heartbeat import _alive

SOURCE = Path(__file__).parent.parent / "src" / "coequal"

POSIX = {"crypt", "curses", "fcntl", "grp", "nis", "ossaudiodev", "posix", "pty", "pwd", "readline"}
POSIX |= {"resource", "spwd", "syslog", "termios", "tty"}

# Python imports this file at the start of every process. On Linux portalocker, multiprocessing and
# torch import such modules themselves, and on Windows something else: only our own are refused.
BLOCKER = """
import builtins, os
before = builtins.__import__

def refuse(name, globals=None, *more, **named):
    if name in {modules} and str((globals or {{}}).get("__name__", "")).startswith("coequal"):
        raise ModuleNotFoundError(f"No module named {{name!r}}", name=name)
    return before(name, globals, *more, **named)

builtins.__import__ = refuse
with open(os.environ["BLOCKED"], "a") as log:
    log.write("one more process\\n")
"""

STUDY = """\
study: tiny
data: [digits]
models: [ns_gan]
architecture: {name: infogan, width: 0.03125}
search: {settings: 0}
training: {budget: {discriminator_steps: 4}, batch_size: 16, checkpoints: 1}
evaluation: {encoder: pixels, samples: 20}
"""

COMMANDS = """
import sys
from coequal.cli.app import main
for command in ("check tiny.yaml", "run tiny.yaml --out run --workers 1",
                "score --real digits:validation --fake digits:test --metrics fd --encoder pixels"):
    sys.argv = ["coequal", *command.split()]
    try:
        main()
    except SystemExit as end:
        assert not end.code, (command, end.code)
"""


@pytest.mark.slow
def test_commands_run_without_what_windows_lacks(tmp_path):
    (tmp_path / "sitecustomize.py").write_text(BLOCKER.format(modules=sorted(POSIX)))
    (tmp_path / "tiny.yaml").write_text(STUDY)
    log = tmp_path / "blocked.txt"
    found = os.pathsep.join([str(tmp_path), str(SOURCE.parent), os.environ.get("PYTHONPATH", "")])
    done = subprocess.run(
        [sys.executable, "-c", COMMANDS],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": found, "BLOCKED": str(log)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert "1 of 1 trials done" in done.stdout
    assert "fd" in done.stdout
    assert len(log.read_text().splitlines()) > 1  # the worker's server is another process


def test_posix_modules_are_imported_nowhere_but_for_a_limit_that_windows_refuses():
    found = {
        (path.relative_to(SOURCE).as_posix(), name)
        for path in SOURCE.rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text()))
        for name in _imported(node) & POSIX
    }
    assert found == {("execution/_isolated_call.py", "resource")}


def _imported(node: ast.AST) -> set[str]:
    if isinstance(node, ast.Import):
        return {alias.name for alias in node.names}
    return {node.module or ""} if isinstance(node, ast.ImportFrom) and not node.level else set()


def test_where_folders_cannot_be_opened_they_are_not_synced(tmp_path, monkeypatch):
    opened: list[Path] = []
    monkeypatch.setattr(os, "open", lambda path, flags: opened.append(path))
    monkeypatch.setattr(sys, "platform", "win32")
    files._sync(tmp_path)
    assert opened == []


def test_where_os_kill_is_ctrl_c_nobody_is_asked_whether_they_live(monkeypatch):
    def kill(process: int, number: int) -> None:
        raise ProcessLookupError(process)

    monkeypatch.setattr(os, "kill", kill)
    assert not _alive(1)
    monkeypatch.setattr(sys, "platform", "win32")
    assert _alive(1)


def test_a_lock_that_is_waited_for_is_waited_for_where_the_system_gives_up(tmp_path, monkeypatch):
    held = [portalocker.AlreadyLocked("for ten seconds")] * 2

    def give_up(file: object, flags: object) -> None:
        if held:
            raise held.pop()

    monkeypatch.setattr(portalocker, "lock", give_up)
    with (tmp_path / ".lock").open("a+") as file:
        lock(file, wait=True)
        assert held == []


def test_a_file_system_that_cannot_lock_is_not_somebody_else(tmp_path, monkeypatch):
    def fail(file: object, flags: object) -> None:
        raise portalocker.LockException("No locks available")

    monkeypatch.setattr(portalocker, "lock", fail)
    with (
        (tmp_path / ".lock").open("a+") as file,
        pytest.raises(OSError, match=r"\.lock can't be locked: No locks available") as error,
    ):
        lock(file)
    assert not isinstance(error.value, BlockingIOError)
