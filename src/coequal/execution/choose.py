"""What trials run on: this process, this machine's cores or GPUs, or a cluster."""

import math
from concurrent.futures import Executor
from dataclasses import dataclass

from coequal.devices import refuse_missing
from coequal.execution.main_guard import refuse_unguarded_main
from coequal.parallel import cores

# torch imports torch._dynamo with the first optimiser: a second per trial, unless the fork server
# has it. Neither touches a GPU when imported, which would break every fork.
PRELOAD = ("torch", "torch._dynamo", "coequal.trial.execute", "coequal.cli.app")


@dataclass(frozen=True)
class ExecutionOptions:
    """What trials run on.

    Attributes:
        workers: processes; None: one per core; 0: this process.
        time_limit: seconds on the clock for one attempt at a trial; None: no limit.
        memory: bytes of main memory for one trial; None: no limit.
        gpus: GPUs of this machine, by number; each worker sees one of them.
        per_gpu: trials at a time on each GPU.
        cluster: address of a Dask scheduler; None: this machine.
        device: what torch computes on: "cpu", "cuda", "cuda:1".
    """

    workers: int | None = None
    time_limit: float | None = None
    memory: int | None = None
    gpus: tuple[str, ...] = ()
    per_gpu: int = 1
    cluster: str | None = None
    device: str = "cpu"


def executor_for(where: ExecutionOptions) -> Executor:
    """Workers of a cluster, of this machine, or none at all for 0.

    Args:
        where: what to run on.

    Raises:
        ValueError, OSError: that can't be had; the message says what would do.
    """
    refuse_clashes(where)
    if where.cluster is None:
        refuse_missing(where.device)
    if where.workers == 0 and not (where.gpus or where.cluster):
        from coequal.execution.serial import Serial

        return Serial()
    # A trial that looks at its time itself ends in order; one that hangs is ended a while later.
    hard = None if where.time_limit is None else 1.2 * where.time_limit + 60
    if where.cluster:
        from coequal.execution.cluster import Cluster

        resources = {"GPU": 1 / where.per_gpu} if where.device.startswith("cuda") else None
        return Cluster(
            where.cluster, resources=resources, preload=PRELOAD, seconds=hard, memory=where.memory
        )
    from coequal.execution.local import Local

    count = None if where.gpus else where.workers or cores()
    return Local(
        count,
        PRELOAD,
        seconds=hard,
        memory=where.memory,
        gpus=where.gpus,
        per_gpu=where.per_gpu,
    )


def refuse_clashes(where: ExecutionOptions) -> None:
    """Refuse options that would have no effect beside another, limits that can't be, and processes
    that would run the calling script again.

    Raises:
        ValueError: there is such an option; the message names it.
        RuntimeError: see `refuse_unguarded_main`.
    """
    clashes = [
        (where.cluster and where.gpus, "--gpus", "--cluster"),
        (where.cluster and where.workers is not None, "--workers", "--cluster"),
        (where.gpus and where.workers is not None, "--workers", "--gpus"),
        (where.workers == 0 and where.memory is not None, "--memory", "--workers 0"),
    ]
    for clash, one, other in clashes:
        if clash:
            raise ValueError(f"{one} has no effect with {other}; leave one out")
    for name, limit in (("--time-limit", where.time_limit), ("--memory", where.memory)):
        if limit is not None and not 0 < limit < math.inf:
            raise ValueError(f"{name} is {limit:g}; it must be above 0")
    if where.workers != 0 and not where.cluster:
        refuse_unguarded_main()
    if where.gpus and where.device != "cuda":
        raise ValueError("--gpus goes with --device cuda: each worker sees one GPU, its own")
    if where.gpus:
        import torch

        there = torch.cuda.device_count()
        for gpu in where.gpus:
            if not gpu or (gpu.isdecimal() and int(gpu) >= there):
                raise ValueError(f"--gpus: there is no GPU '{gpu}' here, of {there}")
