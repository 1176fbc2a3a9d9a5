"""The lock of a run's folder: one coordinator works in it at a time, or one for each shard.

Who holds a lock is written in a file beside the locked one: Windows lets no other process read a
locked file, and nobody at all write into one whose lock is shared.
"""

import os
import platform
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import IO, Any

import portalocker
from portalocker import LockFlags

WAITS = (0.05, 0.1, 0.2)  # seconds; `is_locked` takes the lock for an instant


def lock(file: IO[Any], *, shared: bool = False, wait: bool = False) -> None:
    """Lock an open file until it is closed.

    Args:
        file: open for reading and writing, or a network file system may refuse.
        shared: others may share the lock; nobody can have it alone meanwhile.
        wait: until nobody else has it.

    Raises:
        BlockingIOError: somebody else has it; never with `wait`.
        OSError: the file system can't lock.
    """
    kind = LockFlags.SHARED if shared else LockFlags.EXCLUSIVE
    while True:
        try:
            return portalocker.lock(file, kind if wait else kind | LockFlags.NON_BLOCKING)
        except portalocker.AlreadyLocked as error:
            if not wait:
                raise BlockingIOError(f"{file.name} is locked") from error
            time.sleep(WAITS[0])  # Windows waits for ten seconds only
        except portalocker.LockException as error:
            raise OSError(f"{file.name} can't be locked: {error}") from error


def is_locked(folder: Path) -> bool:
    """Whether a coordinator works in a folder at this moment."""
    try:
        with (folder / ".lock").open() as file:
            lock(file)
    except FileNotFoundError:
        return False
    except OSError:
        return True
    return False


@contextmanager
def locked(folder: Path, shard: str = "") -> Iterator[None]:
    """Take a folder, which is made if it is not there.

    Args:
        folder: of a run.
        shard: the name of a shard, of which each is taken alone; without one, the whole folder is.

    Raises:
        BlockingIOError: another coordinator has it; the message names it.
        OSError: the file system can't lock.
    """
    folder.mkdir(parents=True, exist_ok=True)
    with ExitStack() as stack:
        whole = stack.enter_context((folder / ".lock").open("a+"))
        _take(whole, "shards of this study" if shard else _me(), shared=bool(shard))
        if shard:
            _take(stack.enter_context((folder / f".lock-{shard}").open("a+")), _me())
        yield


def _take(file: IO[str], holder: str, *, shared: bool = False) -> None:
    path = Path(file.name)
    written = path.with_name(f"{path.name}.holder")
    for wait in (*WAITS, None):
        try:
            lock(file, shared=shared)
            break
        except BlockingIOError as error:
            if wait is None:
                who = written.read_text() if written.exists() else ""
                raise BlockingIOError(
                    f"{path.parent} is in use by {who or 'another process'}"
                ) from error
        time.sleep(wait)
    written.write_text(holder)


@contextmanager
def exclusive(path: Path) -> Iterator[None]:
    """Take a lock that one process at a time can have.

    Args:
        path: of its file, which is made if it is not there.

    Raises:
        BlockingIOError: another process has it; the message names it.
        OSError: the file system can't lock.
    """
    with path.open("a+") as file:
        _take(file, _me())
        yield


def _me() -> str:
    return f"process {os.getpid()} on {platform.node()}"
