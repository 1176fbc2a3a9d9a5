"""The surroundings of a worker: its folders and its threads."""

import os
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass

import torch

from coequal.contract import Callback
from coequal.devices import computing_on


@dataclass(frozen=True)
class WorkerContext:
    """Where a worker reads and writes, and on what it computes: plain values, which can be sent to
    another process.

    Attributes:
        run: the folder of the run.
        data: the folder of the datasets.
        cache: the folder of trained encoders, features and references.
        device: what torch computes on.
        coordinator: process id of the coordinator, with which workers end; 0 if it is on another
            machine.
        stop: a file; once it is there, running trials write a checkpoint and end.
        time_limit: seconds on the clock for one attempt at a trial; None: no limit.
        threads: of torch. One per trial is fastest overall, and makes its bits independent of other
            workers.
        frames: pictures of its training that each trial keeps, for an animation.
        callbacks: what watches the trials, by name or as objects: see `Callback`.
        try_parts: whether the parts are tried on a few images before anything is trained.
        import_path: folders that are searched for parts from outside, beside those of the worker.
        kernels: of layers of few channels on a CPU, "own" or "torch"; empty: as COEQUAL_KERNELS
            says, which is "own" where it is not set.
    """

    run: str
    data: str
    cache: str
    device: str = "cpu"
    coordinator: int = 0
    stop: str = ""
    time_limit: float | None = None
    threads: int = 1
    frames: int = 0
    callbacks: tuple[str | Callback, ...] = ()
    try_parts: bool = False
    import_path: tuple[str, ...] = ()
    kernels: str = ""


@contextmanager
def computing(context: WorkerContext) -> Iterator[None]:
    """Let torch compute as a worker does: on so many threads, on its device, there with float32
    products in full, and by the context's kernels. Everything is set as before afterwards.

    Raises:
        OSError: this machine has no such device.
    """
    before = torch.get_num_threads()
    with ExitStack() as stack:
        try:
            stack.enter_context(computing_on(context.device))
        except ValueError as error:  # it was there where the run began: this machine fails
            raise OSError(str(error)) from error
        stack.callback(torch.set_num_threads, before)
        torch.set_num_threads(context.threads)
        if context.kernels:
            stack.enter_context(_environment_variable("COEQUAL_KERNELS", context.kernels))
        yield


@contextmanager
def _environment_variable(name: str, value: str) -> Iterator[None]:
    """A variable of the environment for a while."""
    before = os.environ.get(name)
    os.environ[name] = value
    try:
        yield
    finally:
        if before is None:
            del os.environ[name]
        else:
            os.environ[name] = before
