"""Workers of a Dask cluster: each call in a process of its own on whichever machine has room."""

import logging
import math
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import CancelledError, Executor, Future
from functools import partial
from multiprocessing import current_process
from typing import Any, ParamSpec, TypeVar
from weakref import ref

from pebble import ProcessExpired

from coequal.execution._isolated_call import Limits, call, packed

PART = "Cluster"
P = ParamSpec("P")
T = TypeVar("T")

COUNTED = 1.0  # seconds for which a count of the workers holds
COMMAND = "dask.__main__"  # what `dask worker` runs, and each fresh process of it imports again


class Lost(ConnectionError):
    """The cluster is not there, or no longer: no call is to blame, and none can go on.

    What the calls wrote to disk stays; the message says what happened and what to do.
    """


class Cluster(Executor):
    """Dask's `Client.get_executor` with a process per call, and what goes wrong in plain words.

    Calls whose worker leaves or dies are moved to another one by the scheduler; workers that join
    get the next ones. Trusting a scheduler means trusting everybody who can reach it: see
    docs/how_to/cluster.md.
    """

    def __init__(
        self,
        address: str,
        resources: Mapping[str, float] | None = None,
        preload: Sequence[str] = (),
        *,
        seconds: float | None = None,
        memory: int | None = None,
        patience: float = 10.0,
    ) -> None:
        """Connect; no port is opened on this side.

        Args:
            address: of the scheduler, `tcp://host:8786`.
            resources: what a call takes of what workers were started with, `{"GPU": 0.25}`.
            preload: modules that each worker's fork server imports once; none may touch a GPU then.
            seconds: wall-clock limit of a call.
            memory: limit of a call's resident memory, in bytes.
            patience: seconds to wait for the scheduler.

        Raises:
            Lost: nothing answers at the address.
            ValueError: a number or an address that can't be.
            LookupError: the extra `cluster` is not installed.
        """
        self._limits = Limits(seconds, memory)
        self._resources = dict(resources or {})
        if wrong := {name: need for name, need in self._resources.items() if need <= 0}:
            raise ValueError(f"resources {wrong}: what a trial takes is above 0")
        self._preload = (*preload, COMMAND)
        self._address = address
        self._client = _connected(address, patience)
        self._executor: Executor = self._client.get_executor(
            pure=False, retries=0, resources=self._resources
        )
        self._counted, self._slots = -math.inf, 0
        self._ended = False

    def slots(self) -> int:
        """Calls that the workers of this moment can run at the same time; 0 while there are none.

        Raises:
            Lost: the scheduler is gone.
        """
        if time.monotonic() - self._counted > COUNTED:
            workers = self._ask_for_workers()
            self._slots = sum(_room(worker, self._resources) for worker in workers.values())
            self._counted = time.monotonic()
        return self._slots

    def submit(self, fn: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> Future[T]:
        """Hand a call to the scheduler.

        Its future raises what `_apart.call` raises, `ProcessExpired` too if worker after worker
        died under it, and `Lost`. Cancelled, it is taken back even from the worker that runs it.

        Raises:
            Lost: the scheduler is gone.
        """
        payload = packed(fn, args, kwargs)
        self._refuse_lost()
        limits = Limits() if getattr(fn, "unlimited", False) else self._limits
        inner: Future[T] = self._executor.submit(_on_worker, payload, self._preload, limits)
        outer: Future[T] = Future()
        outer.add_done_callback(partial(_take_back, ref(inner)))
        inner.add_done_callback(partial(_settle, outer, self._gone()))
        return outer

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        """Stop; with `cancel_futures`, calls that run are ended, by the workers, within a second.

        With neither, calls go on for as long as this process does.
        """
        if self._ended or not (wait or cancel_futures):
            return
        self._ended = True
        try:
            self._executor.shutdown(wait=not cancel_futures)
        finally:
            self._client.close()

    def _ask_for_workers(self) -> dict[str, dict[str, Any]]:
        self._refuse_lost()
        try:
            identity = self._client.sync(self._client.scheduler.identity, callback_timeout=10)
        except (OSError, CancelledError) as error:
            raise Lost(self._gone()) from error
        return dict(identity["workers"])

    def _refuse_lost(self) -> None:
        if self._client.status != "running":
            raise Lost(self._gone())

    def _gone(self) -> str:
        return (
            f"the Dask scheduler at {self._address} is gone or can't be reached any "
            "more; finished trials are kept: start it again, and run the same command "
            "to continue"
        )


def _connected(address: str, patience: float) -> Any:
    """A client of the scheduler, silent where this module speaks."""
    try:
        from distributed import Client
    except ModuleNotFoundError as error:
        raise LookupError(
            f"a cluster needs Dask ({error.name} is missing): pip install 'coequal[cluster]'"
        ) from error
    for name in ("distributed.client", "distributed.core", "distributed.comm"):
        logging.getLogger(name).setLevel(logging.CRITICAL)
    try:
        return Client(address, timeout=patience, set_as_default=False)
    except OSError as error:
        raise Lost(
            f"no Dask scheduler answers at {address} (waited {patience:g} s); is it "
            "running, and is this the address that it printed?"
        ) from error


def _room(worker: Mapping[str, Any], resources: Mapping[str, float]) -> int:
    """Calls that a worker can run at a time: as its threads, and what it was started with, allow.

    A need above what it has leaves none.
    """
    # A hair more than the quotient: 0.3 / 0.1 is 2.9999999999999996.
    each = [math.floor(worker["resources"].get(n, 0) / r + 1e-9) for n, r in resources.items()]
    return int(min([worker["nthreads"], *each]))


def _take_back(inner: "ref[Future[T]]", outer: Future[T]) -> None:
    # A reference without weight: as long as a result can still be asked for, Dask keeps it on the
    # worker that made it, and makes it again when that worker dies.
    future = inner()
    if outer.cancelled() and future is not None:
        future.cancel()


def _settle(outer: Future[T], gone: str, inner: Future[T]) -> None:
    """Hand on what became of a call, in the words of this module."""
    from distributed import KilledWorker
    from distributed.comm.core import CommClosedError

    if not outer.set_running_or_notify_cancel():
        return  # taken back by the caller
    if inner.cancelled():
        outer.set_exception(Lost(gone))
        return
    error = inner.exception()
    if error is None:
        outer.set_result(inner.result())
    elif isinstance(error, KilledWorker):
        workers, last = error.allowed_failures + 1, error.last_worker.address
        outer.set_exception(
            ProcessExpired(f"{workers} Dask workers died under it, the last one at {last}")
        )
    elif isinstance(error, CommClosedError):
        outer.set_exception(Lost(gone))
    else:
        outer.set_exception(error)


def _on_worker(payload: bytes, preload: Sequence[str], limits: Limits) -> Any:
    """The Dask task: not the call itself, but one that waits for a process of its own."""
    from distributed import Reschedule, get_worker

    worker = get_worker()
    if current_process().daemon:
        raise Lost(
            f"the Dask worker at {worker.address} can't start processes; start it with --no-nanny"
        )
    task = worker.get_current_task()
    try:
        return call(
            payload,
            preload=preload,
            limits=limits,
            environment={},
            unwanted=lambda: _unwanted(worker, task),
        )
    except CancelledError:
        raise Reschedule from None  # to another worker, if anybody still waits for it


def _unwanted(worker: Any, task: Any) -> bool:
    """Whether a task was taken back (its coordinator may be gone), or its worker is leaving."""
    state = worker.state.tasks.get(task)
    leaving = worker.status.name not in ("running", "paused")
    return leaving or state is None or state.state == "cancelled"
