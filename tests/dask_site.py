"""A Dask scheduler and its workers on loopback, for tests that let them die, leave and join."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

from waiting import until

DASK = str(Path(sys.executable).parent / "dask")


class Site:
    """A scheduler and its workers, each a process of this machine."""

    def __init__(self, folder: Path, *modules: Path) -> None:
        self.folder, self.processes = folder, dict[str, subprocess.Popen[bytes]]()
        self.modules = modules  # folders of modules that the workers import
        place = folder / "scheduler.json"
        self.start("scheduler", "--port", "0", "--scheduler-file", str(place))
        until(lambda: place.exists() and place.stat().st_size > 0, "a scheduler")
        self.address: str = json.loads(place.read_text())["address"]

    def start(self, name: str, *more: str, kind: str = "scheduler") -> None:
        path = os.pathsep.join([*map(str, self.modules), os.environ.get("PYTHONPATH", "")])
        with (self.folder / f"{name}.log").open("wb") as log:
            self.processes[name] = subprocess.Popen(
                [DASK, kind, "--host", "127.0.0.1", "--dashboard-address", "127.0.0.1:0", *more],
                env={
                    **os.environ,
                    "PYTHONPATH": path,
                    "OMP_NUM_THREADS": "1",
                    "DASK_TEMPORARY_DIRECTORY": str(self.folder),
                },
                stdout=subprocess.DEVNULL,
                stderr=log,
                cwd=self.folder,
            )

    def worker(self, name: str, *more: str, nanny: str = "--no-nanny") -> None:
        self.start(name, self.address, nanny, "--nthreads", "2", *more, kind="worker")

    def kill(self, name: str, number: int = signal.SIGKILL) -> None:
        self.processes[name].send_signal(number)
        self.processes.pop(name).wait()

    def said(self, name: str) -> str:
        """What a process has written to its log."""
        return (self.folder / f"{name}.log").read_text()

    def close(self) -> None:
        for process in self.processes.values():
            process.kill()
        for process in self.processes.values():
            process.wait()
