"""No workers: each call runs at once, in this process. For debuggers, notebooks and small
things."""

from collections.abc import Callable
from concurrent.futures import Executor, Future
from typing import ParamSpec, TypeVar

PART = "Serial"
P = ParamSpec("P")
T = TypeVar("T")


class Serial(Executor):
    """`submit` returns when the call has ended."""

    def submit(self, fn: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> Future[T]:
        """Run the call; the future holds what it returned or raised."""
        future: Future[T] = Future()
        try:
            future.set_result(fn(*args, **kwargs))
        except TimeoutError as error:  # the call's own, as of a network: no limit of ours
            future.set_exception(OSError(f"{type(error).__name__}: {error}"))
        except Exception as error:
            future.set_exception(error)
        return future
