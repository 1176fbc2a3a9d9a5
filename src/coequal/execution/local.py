"""Workers on this machine: a fresh process per trial, so that one that dies costs itself only."""

import os
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from threading import Event, Lock
from typing import Any, ParamSpec, TypeVar

from coequal.execution._isolated_call import Limits, call, packed

PART = "Local"
P = ParamSpec("P")
T = TypeVar("T")


class Local(Executor):
    """Calls in processes of their own, so many at a time; with GPUs, each sees one of them."""

    def __init__(
        self,
        workers: int | None = None,
        preload: Sequence[str] = (),
        *,
        seconds: float | None = None,
        memory: int | None = None,
        gpus: Sequence[int | str] = (),
        per_gpu: int = 1,
    ) -> None:
        """Nothing starts before the first call.

        Args:
            workers: calls at a time; leave it out with `gpus`, which give their own number.
            preload: modules that a fork server imports once for all; none may touch a GPU then.
            seconds: wall-clock limit of a call.
            memory: limit of a call's resident memory, in bytes, torch's own 0.2 GiB included, the
                GPU's and that of processes which the call starts not included.
            gpus: numbers as in nvidia-smi (within CUDA_VISIBLE_DEVICES where that is set: its
                positions), or UUIDs. A call finds its own alone in CUDA_VISIBLE_DEVICES.
            per_gpu: calls at a time on each of them.

        Raises:
            ValueError: a number that can't be, or a GPU that this process does not see.
        """
        self._limits = Limits(seconds, memory)
        self._busy = {_visible(gpu): 0 for gpu in gpus}  # calls running, by GPU
        if len(self._busy) != len(gpus):
            raise ValueError(f"gpus {', '.join(map(str, gpus))}: one is named twice")
        if gpus and workers is not None:
            raise ValueError("give workers, or gpus and per_gpu, not both")
        if per_gpu < 1:
            raise ValueError(f"per_gpu is {per_gpu}; it must be at least 1")
        self._workers = len(gpus) * per_gpu or (1 if workers is None else workers)
        self._preload = tuple(preload)
        self._lock, self._stop = Lock(), Event()
        self._threads = ThreadPoolExecutor(self._workers, "trial")

    def slots(self) -> int:
        """Calls that run at the same time."""
        return self._workers

    def submit(self, fn: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> Future[T]:
        """Queue a call; its future raises what `_apart.call` raises.

        A function with a true attribute `unlimited` (what is done once for all) has no limits.
        """
        limits = Limits() if getattr(fn, "unlimited", False) else self._limits
        return self._threads.submit(self._run, packed(fn, args, kwargs), limits)

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        """Stop; with `cancel_futures`, calls that run are ended as well."""
        if cancel_futures:
            self._stop.set()
        self._threads.shutdown(wait, cancel_futures=cancel_futures)

    def _run(self, payload: bytes, limits: Limits) -> Any:
        with self._lock:
            # Fewer calls run than there are places, so the least busy GPU has one.
            gpu = min(self._busy, key=self._busy.__getitem__, default=None)
            if gpu is not None:
                self._busy[gpu] += 1
        try:
            return call(
                payload,
                preload=self._preload,
                limits=limits,
                environment={} if gpu is None else _only(gpu),
                unwanted=self._stop.is_set,
            )
        finally:
            if gpu is not None:
                with self._lock:
                    self._busy[gpu] -= 1


def _visible(gpu: int | str) -> str:
    """The GPU's name for CUDA_VISIBLE_DEVICES; numbers count within what this process may see."""
    allowed = os.environ.get("CUDA_VISIBLE_DEVICES")
    if allowed is None or not str(gpu).isdecimal():
        return str(gpu)
    names = [name.strip() for name in allowed.split(",") if name.strip()]
    if int(gpu) >= len(names):
        raise ValueError(f"GPU {gpu}: CUDA_VISIBLE_DEVICES={allowed} leaves {len(names)}")
    return names[int(gpu)]


def _only(gpu: str) -> Mapping[str, str]:
    # Without the order, CUDA counts from the fastest, nvidia-smi by the slot on the board.
    order = os.environ.get("CUDA_DEVICE_ORDER", "PCI_BUS_ID")
    return {"CUDA_VISIBLE_DEVICES": gpu, "CUDA_DEVICE_ORDER": order}
