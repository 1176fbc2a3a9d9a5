"""The lock of a run's folder: one coordinator works in it at a time, or one for each shard."""

import fcntl
import os
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import IO

WAITS = (0.05, 0.1, 0.2)  # seconds; `is_locked` takes the lock for an instant


def is_locked(folder: Path) -> bool:
    """Whether a coordinator works in a folder at this moment."""
    try:
        with (folder / ".lock").open() as file:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
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
    """
    folder.mkdir(parents=True, exist_ok=True)
    with ExitStack() as stack:
        whole = stack.enter_context((folder / ".lock").open("a+"))
        _take(whole, fcntl.LOCK_SH if shard else fcntl.LOCK_EX, folder)
        mine = whole
        if shard:
            whole.truncate(0)
            whole.write("shards of this study")
            whole.flush()
            mine = stack.enter_context((folder / f".lock-{shard}").open("a+"))
            _take(mine, fcntl.LOCK_EX, folder)
        mine.truncate(0)
        mine.write(f"process {os.getpid()} on {os.uname().nodename}")
        mine.flush()
        yield


def _take(file: IO[str], kind: int, folder: Path) -> None:
    for wait in (*WAITS, None):
        try:
            return fcntl.flock(file, kind | fcntl.LOCK_NB)
        except OSError as error:
            if wait is None:
                file.seek(0)
                raise BlockingIOError(
                    f"{folder} is in use by {file.read().strip() or 'another process'}"
                ) from error
        time.sleep(wait)
