"""A call in a process of its own: whatever happens to it, it costs itself only.

Pebble starts one process and one pipe per call. Its pool is not used: there the workers share a
pipe and a lock, so that a worker killed between two tasks breaks the pool, and one that leaves with
`os._exit(0)` is waited for without end (both seen with Pebble 5.2.3).
"""

import os
import pickle
import signal
import sys
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import CancelledError, Future, wait
from contextlib import suppress
from dataclasses import dataclass
from multiprocessing import get_all_start_methods, get_context
from multiprocessing.connection import Connection
from threading import Thread
from typing import Any

from pebble import ProcessExpired
from pebble.concurrent import process

LOOK = 0.25  # seconds between two looks: at the memory in use, and whether the call is wanted
GRACE = 5.0  # seconds that a call no longer wanted has to notice it
GIB = 2**30


@dataclass(frozen=True)
class Limits:
    """What a call may use; `None` is without limit.

    Raises:
        ValueError: not above zero, or this system can't say what a process uses.
    """

    seconds: float | None = None  # of wall clock, the start of the process included
    memory: int | None = None  # bytes resident at most at any moment, torch's own 0.2 GiB included

    def __post_init__(self) -> None:
        for name in ("seconds", "memory"):
            value = getattr(self, name)
            if value is not None and value <= 0:
                raise ValueError(f"{name} is {value}; a limit must be above 0")
        if self.memory is not None and sys.platform == "win32":
            raise ValueError("memory: Windows does not say what a process uses; leave it out")


def packed(function: Callable[..., Any], args: Sequence[Any], kwargs: Mapping[str, Any]) -> bytes:
    """A call as bytes, which only the process that runs it unpacks.

    Raises:
        pickle.PicklingError, AttributeError, TypeError: it can't travel.
    """
    return pickle.dumps((function, tuple(args), dict(kwargs)))


def call(
    payload: bytes,
    *,
    preload: Sequence[str],
    limits: Limits,
    environment: Mapping[str, str],
    unwanted: Callable[[], bool],
) -> Any:
    """Run a packed call in a fresh process and wait for what it returns.

    A fork server imports the `preload` modules once; each process then starts in hundredths of a
    second, without another call's memory, threads or random state. It ends with this one.

    Args:
        payload: from `packed`.
        preload: modules; none may touch a GPU when imported. The first call's count.
        limits: what the call may use.
        environment: variables set in the process before the call is unpacked.
        unwanted: asked a few times a second; once true, the process is ended.

    Raises:
        ProcessExpired: the process died.
        TimeoutError: it took longer than `limits.seconds`; the call's own are plain OSErrors.
        MemoryError: it used more than `limits.memory`, or what the call itself raised.
        CancelledError: it was unwanted.
        Exception: what the call raised.
    """
    context = _context(preload)
    ours, theirs = context.Pipe()  # each side sees at once when the other one is gone
    apart: Any = process  # its annotations name an argument that it does not take
    start = apart(timeout=limits.seconds, context=context)
    with ours:
        with theirs:
            future: Future[Any] = start(_inside)(theirs, payload, limits.memory, dict(environment))
        while not wait([future], timeout=LOOK).done:
            if unwanted():
                ours.close()
                if not wait([future], timeout=GRACE).done:
                    future.cancel()
                raise CancelledError("the call is no longer wanted")
        error = future.exception()
        if isinstance(error, ProcessExpired):
            raise _death(error, ours, limits) from None
        if isinstance(error, TimeoutError):
            raise TimeoutError(f"it took longer than {limits.seconds:g} s") from None
        return future.result()


def _context(preload: Sequence[str]) -> Any:
    method = "forkserver" if "forkserver" in get_all_start_methods() else "spawn"
    context: Any = get_context(method)
    if method == "forkserver":
        context.set_forkserver_preload([*preload, "coequal.execution._fork_server"])
    return context


def _death(error: ProcessExpired, line: Connection, limits: Limits) -> Exception:
    """Why a process is gone: it says so itself if it used too much."""
    with suppress(EOFError, OSError):
        used = line.recv()
        return MemoryError(
            f"it used {used / GIB:.2f} GiB, more than the limit of {limits.memory / GIB:.2f}"  # type: ignore[operator]
        )
    code = error.exitcode
    try:
        name = signal.Signals(-code).name
    except ValueError:
        return ProcessExpired(f"ended with code {code}", code, error.pid)
    how = f"killed by {name}"
    if name == "SIGKILL":
        how += ", as the system does when memory runs out"
    return ProcessExpired(how, code, error.pid)


def _inside(
    line: Connection, payload: bytes, memory: int | None, environment: Mapping[str, str]
) -> Any:
    """The fresh process's side."""
    signal.signal(signal.SIGTERM, signal.SIG_DFL)  # which the fork server ignores
    os.environ.update(environment)
    Thread(target=_watch, args=(line, memory), daemon=True).start()
    function, args, kwargs = pickle.loads(payload)
    try:
        return function(*args, **kwargs)
    except TimeoutError as error:  # of a network folder, say: not the limit of this call
        raise OSError(f"{type(error).__name__}: {error}") from error


def _watch(line: Connection, memory: int | None) -> None:
    """End this process with its parent, or when it uses too much."""
    while not line.poll(None if memory is None else LOOK):
        used = most_resident()
        if memory is not None and used > memory:
            line.send(used)
            break
    os._exit(1)


def most_resident() -> int:
    """Bytes of memory that this process held at the most so far. Not on Windows."""
    if sys.platform == "win32":
        raise NotImplementedError("Windows has no `resource`; `Limits` refuses a limit there")
    else:
        import resource

        most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        return most if sys.platform == "darwin" else most * 1024
