"""Measures what is around the trials: starting them, and 100,000 results; never part of the tests.

Each piece of work runs in a process of its own; CPU time and largest memory are the kernel's, of
all processes together. Results are synthetic: see `synthetic_run`."""

import json
import os
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from argparse import ArgumentParser, Namespace
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from statistics import median

from coequal.results.folder import RunFolder
from coequal.results.result_log import ENTRIES, LINES

from synthetic_run import SEEDS, SPLITS, USUAL, Size, generate

Row = dict[str, str]


def nothing(number: int) -> int:
    return number


# ------------------------------------------------------------------------------- no-op trials


def overhead(workers: int, tasks: int) -> Row:
    """Of the local executor, per task that does nothing: CPU of all processes, and wall time."""
    from multiprocessing.forkserver import _forkserver

    from coequal.execution.choose import PRELOAD
    from coequal.execution.local import Local

    executor = Local(workers, PRELOAD)
    begun = time.perf_counter()
    executor.submit(nothing, 0).result()
    start = time.perf_counter() - begun
    rounds, before = [], cpu_seconds() + cpu_of(_forkserver._forkserver_pid)
    for _ in range(5):
        begun = time.perf_counter()
        for future in [executor.submit(nothing, number) for number in range(tasks)]:
            future.result()
        rounds.append((time.perf_counter() - begun) / tasks)
    spent = cpu_seconds() + cpu_of(_forkserver._forkserver_pid) - before
    executor.shutdown()
    return {
        "what": f"{5 * tasks} no-op trials, {workers} worker{'s' * (workers > 1)}",
        "first result after": f"{start:.2f} s",
        "CPU per trial": f"{spent / (5 * tasks):.3f} s of one core",
        "wall per trial": f"{median(rounds):.3f} s",
    }


def cpu_of(process: int | None) -> float:
    """CPU seconds of a process and of all its children that have ended (Linux: proc(5), stat)."""
    fields = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
    return sum(map(int, fields[11:15])) / os.sysconf("SC_CLK_TCK")


# ------------------------------------------------------------------------- many results: questions


def collect(folder: RunFolder) -> str:
    from coequal.results.collect import collect

    found = collect(folder)
    return f"{found.results:,} results, {found.added:,} of them new"


def status(folder: RunFolder) -> str:
    from coequal.inspection.status import statuses

    rows = statuses(folder)
    return f"{len(rows)} models, {sum(row['done'] for row in rows):,} done"


def report(folder: RunFolder) -> str:
    """Page, figures and tables, the look at the trial folders included."""
    from coequal.reporting.page import write_report

    page = write_report(folder)
    tables = sum(path.stat().st_size for path in (page.parent / "tables").iterdir())
    size = page.stat().st_size / 1e6
    return f"page {size:.2f} MB, tables {tables / 1e6:.0f} MB"


def everything(folder: RunFolder) -> str:
    from coequal.results.collect import open_results

    results = open_results(folder).values()
    values = sum(len(m.values) for r in results for m in r.checkpoints.measured)
    return f"{values:,} values"


def from_folders(folder: RunFolder) -> str:
    """As where the log is missing and may not be written."""
    results = (folder.result(trial_id) for trial_id in folder.planned())
    values = sum(len(m.values) for r in results if r for m in r.checkpoints.measured)
    return f"{values:,} values"


def tables(folder: RunFolder) -> str:
    from coequal.results.collect import open_results
    from coequal.results.results_csv import write_tables

    write_tables(folder, open_results(folder))
    return f"results.csv {(folder.path / 'results.csv').stat().st_size / 1e9:.2f} GB"


def record(folder: RunFolder) -> str:
    """As the coordinator does when a trial ends; what is added is on the disk after each."""
    from coequal.results.result_log import log_writer

    trials = folder.plan()[:200]
    with log_writer(folder) as log:
        begun = time.perf_counter()
        for trial in trials:
            log.add(trial.id)
        rate = len(trials) / (time.perf_counter() - begun)
    return f"{rate:.0f} a second"


TABLES = "results.csv, timings.csv"
WORK: dict[str, Callable[[RunFolder], str]] = {
    "report, the first": report,
    "report again": report,
    "status": status,
    "collect, nothing new": collect,
    "everything from the log": everything,
    "everything from the folders": from_folders,
    "record 200 more": record,
    TABLES: tables,
}


def cpu_seconds() -> float:
    kinds = (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)
    return sum(used.ru_utime + used.ru_stime for used in map(resource.getrusage, kinds))


def peak_memory() -> int:
    """Bytes that this process ever held.

    Not its `ru_maxrss`, which is never below that of the process that started it.
    """
    status = Path("/proc/self/status").read_text()
    return 1024 * int(status.partition("VmHWM:")[2].split()[0])


def measured(name: str, path: Path) -> Row:
    """One piece of work in a process of its own, the interpreter's start included."""
    begun = time.perf_counter()
    command = [sys.executable, __file__, "--only", name, "--run", str(path)]
    done = subprocess.run(command, stdout=subprocess.PIPE, check=True, text=True)
    wall = time.perf_counter() - begun
    found = json.loads(done.stdout.splitlines()[-1])
    return {"what": name, "wall": f"{wall:.2f} s", "CPU": f"{found['cpu']:.2f} s"} | {
        "memory": f"{found['memory'] / 1e6:.0f} MB",
        "found": found["found"],
    }


def only(name: str, path: Path) -> None:
    found = WORK[name](RunFolder(path))
    print(json.dumps({"found": found, "cpu": cpu_seconds(), "memory": peak_memory()}))


# ------------------------------------------------------------------------------- the table


def table(rows: list[Row]) -> str:
    columns = list(rows[0])
    lines = ["| " + " | ".join(columns) + " |", "|" + "---|" * len(columns)]
    return "\n".join(lines + ["| " + " | ".join(row[c] for c in columns) + " |" for row in rows])


def main() -> None:
    given = arguments()
    if given.only:
        only(given.only, given.run)
        return
    print(f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC, {os.cpu_count()} cores, {processor()}")
    print(f"load average at the start: {os.getloadavg()[0]:.1f}\n")
    if given.tasks:
        print(table([overhead(workers, given.tasks) for workers in (1, 2)]), flush=True)
    if given.trials:
        many_results(given)


def many_results(given: Namespace) -> None:
    numbers = given.checkpoints * given.metrics * len(SPLITS)
    print(f"\n{given.trials:,} trials, {numbers} values each at the most, and their errors")
    if given.run is not None:
        run_and_ask(given, given.run)
        return
    needed = 1.3 * given.trials * 2 * (numbers * 45 + 5000)
    if shutil.disk_usage(tempfile.gettempdir()).free < needed:
        raise SystemExit(f"{tempfile.gettempdir()} has less than {needed / 1e9:.0f} GB free")
    with tempfile.TemporaryDirectory(prefix="coequal-orchestration-") as place:
        run_and_ask(given, Path(place) / "run")


def run_and_ask(given: Namespace, path: Path) -> None:
    if not path.exists():
        begun = time.perf_counter()
        settings = given.trials // len(USUAL) - SEEDS
        generate(path, Size(settings, given.checkpoints, given.metrics))
        print(f"made in {time.perf_counter() - begun:.0f} s")
    for name in (LINES, ENTRIES):
        (path / name).unlink(missing_ok=True)
    work = [name for name in WORK if given.tables or name != TABLES]
    print(table([measured(name, path) for name in work]), flush=True)
    print(f"\n{LINES}: {(path / LINES).stat().st_size / 1e9:.2f} GB")


def processor() -> str:
    from coequal.trial.context import WorkerContext, environment

    return environment(WorkerContext("", "", ""))["processor"]


def arguments() -> Namespace:
    parser = ArgumentParser(description=__doc__)
    parser.add_argument("--trials", type=int, default=100_000, help="synthetic results; 0: none")
    parser.add_argument("--checkpoints", type=int, default=20)
    parser.add_argument(
        "--metrics", type=int, default=10, choices=range(1, 11), help="each on two splits"
    )
    parser.add_argument("--tasks", type=int, default=20, help="no-op trials a round; 0: none")
    parser.add_argument("--tables", action="store_true", help="also write results.csv: gigabytes")
    parser.add_argument("--run", type=Path, help="keep the synthetic run here, or take that one")
    parser.add_argument("--only", choices=WORK, help="for its own use: one piece, by itself")
    return parser.parse_args()


if __name__ == "__main__":
    main()
