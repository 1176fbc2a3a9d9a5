"""Measures what is around the trials: starting them, and 100,000 results; never part of the tests.

Each piece of work runs in a process of its own; CPU time and largest memory are the kernel's, of
all processes together. Results are synthetic: their numbers are drawn, their form is a trial's."""

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
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict
from datetime import UTC, datetime
from functools import lru_cache, partial
from multiprocessing import get_context
from pathlib import Path
from random import Random
from statistics import median

from coequal.records import Checkpoint, Measurement, Result, Spent, Trial
from coequal.results.folder import RunFolder

MODELS = ("mm_gan", "ns_gan", "lsgan", "wgan", "wgan_gp", "dragan", "began", "vae")
STATUSES = ("done",) * 17 + ("diverged", "timeout", "failed")
PROTOCOL = (
    "encoder=classifier:c1092c402786 real={}:10000 fake=5000 batch_norm=moving-averages ema=none"
    " seed=trial"
)
DRAWN = 0.123456789  # stands for a number that is drawn
Row = dict[str, str]


def nothing(number: int) -> int:
    return number


# ------------------------------------------------------------------------------- no-op trials


def overhead(workers: int, tasks: int) -> Row:
    """Of the local executor, per task that does nothing: CPU of all processes, and wall time."""
    from multiprocessing.forkserver import _forkserver

    from coequal.api import PRELOAD
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


# ------------------------------------------------------------------------------- many results


def generate(path: Path, trials: int, checkpoints: int, metrics: int, splits: int) -> None:
    """A run with so many results, in the form that a trial leaves them."""
    made = [_trial(number) for number in range(trials)]
    study = {
        "study": "synthetic",
        "data": ["fashion_mnist"],
        "models": [{"name": name} for name in MODELS],
        "select": {"metric": "metric_0", "split": "validation", "checkpoint": "last"},
        "seed": 0,
    }
    RunFolder(path).begin("study: synthetic\n", study, made)
    share = partial(_write, path, checkpoints, metrics, splits)
    starts = range(0, trials, 500)
    with ProcessPoolExecutor(2, mp_context=get_context("spawn")) as pool:
        list(pool.map(share, starts, [min(start + 500, trials) for start in starts]))


def _trial(number: int) -> Trial:
    chance = Random(number // len(MODELS))
    return Trial(
        model=MODELS[number % len(MODELS)],
        objective=MODELS[number % len(MODELS)],
        data="fashion_mnist",
        setting=number // len(MODELS),
        settings={"learning_rate": 10 ** chance.uniform(-5, -2), "beta1": chance.random()}
        | {"batch_norm": chance.random() < 0.5, "discriminator_per_generator": 1},
        architecture={"name": "infogan", "width": 0.125},
        training={"budget": {"discriminator_steps": 2000}, "batch_size": 64, "checkpoints": 20},
        evaluation={"encoder": "classifier", "metrics": ["fd"], "samples": 5000},
    )


def _write(path: Path, checkpoints: int, metrics: int, splits: int, start: int, end: int) -> None:
    folder = RunFolder(path)
    for number in range(start, end):
        trial, chance = _trial(number), Random(number)
        status = STATUSES[chance.randrange(len(STATUSES))]
        reached = checkpoints if status == "done" else chance.randrange(checkpoints)
        pieces = _pieces(reached, metrics, splits)
        drawn = [repr(chance.random()) for _ in pieces[1:]]
        text = "".join(piece for pair in zip(pieces, [*drawn, ""], strict=True) for piece in pair)
        result = Result(
            trial,
            status,
            _spent(reached),
            (),
            None if status == "done" else f"{status} after {reached} checkpoints",
            {"coequal": "0.1.0", "torch": "2.14.0", "processor": "made up", "device": "cpu"},
        )
        whole = json.dumps(result.as_dict(), indent=1).replace('"checkpoints": []', text) + "\n"
        place = folder.trial_folder(trial.id)
        place.mkdir(parents=True, exist_ok=True)
        # Not synced one by one, which a disk does some hundred times a second.
        (place / "result.json").write_text(whole)


@lru_cache
def _pieces(reached: int, metrics: int, splits: int) -> list[str]:
    """The text of the checkpoints, cut where a drawn number belongs."""
    points = [asdict(_checkpoint(number, metrics, splits)) for number in range(1, reached + 1)]
    return json.dumps({"checkpoints": points}, indent=1)[3:-2].split(str(DRAWN))


def _checkpoint(number: int, metrics: int, splits: int) -> Checkpoint:
    measurements = tuple(
        Measurement(f"metric_{m}", split, DRAWN, PROTOCOL.format(split), DRAWN)
        for split in ("validation", "test")[:splits]
        for m in range(metrics)
    )
    return Checkpoint(100 * number, _spent(number), measurements)


def _spent(checkpoints: int) -> Spent:
    steps = 100 * checkpoints
    return Spent(steps, steps, 64 * steps, 226_361_344 * steps, 0.0076 * steps)


# ------------------------------------------------------------------------------- questions


def collect(folder: RunFolder) -> str:
    from coequal.results.collect import collect

    found = collect(folder)
    return f"{found.results:,} results, {'made anew' if found.anew else 'nothing new'}"


def status(folder: RunFolder) -> str:
    from coequal.overview import statuses

    rows = statuses(folder)
    return f"{len(rows)} models, {sum(row['done'] for row in rows):,} done"


def chosen_metric(folder: RunFolder) -> str:
    """What the report draws its curves and verdicts from: every checkpoint of one metric."""
    from coequal.results.index import Index

    with Index(folder) as index:
        values = sum(
            len(checkpoint.measurements)
            for result in index.results(metrics=["metric_0"])
            for checkpoint in result.checkpoints
        )
    return f"{values:,} values"


def last_of_all(folder: RunFolder) -> str:
    """What the report's tables say of each trial, held in memory: all metrics where it ended."""
    from coequal.results.index import Index

    with Index(folder) as index:
        results = list(index.results(last_only=True))
    return f"{sum(len(m.measurements) for r in results for m in r.checkpoints):,} values"


def everything(folder: RunFolder) -> str:
    from coequal.results.index import Index

    with Index(folder) as index:
        values = sum(len(c.measurements) for r in index.results() for c in r.checkpoints)
    return f"{values:,} values"


def tables(folder: RunFolder) -> str:
    from coequal.results.index import Index
    from coequal.results.table import write_tables

    with Index(folder) as index:
        write_tables(folder, index)
    return f"results.csv {(folder.path / 'results.csv').stat().st_size / 1e9:.2f} GB"


def record(folder: RunFolder) -> str:
    """As the coordinator does when a trial ends: a transaction on the disk for each."""
    from coequal.results.index import Index

    with Index(folder, write=True) as index:
        results = [
            Result(_trial(10**7 + n), "done", Spent(), (_checkpoint(1, 20, 1),) * 20)
            for n in range(200)
        ]
        begun = time.perf_counter()
        for result in results:
            index.record(result)
        rate = len(results) / (time.perf_counter() - begun)
        with index.rows.transaction():
            keys = [result.trial.id for result in results]
            index.rows.drop(keys)
            index.rows.connection.execute("DELETE FROM trial WHERE place IS NULL")
    return f"{rate:.0f} a second"


TABLES = "results.csv, timings.csv"
WORK: dict[str, Callable[[RunFolder], str]] = {
    "collect, no index": collect,
    "collect again": collect,
    "status": status,
    "one metric, all checkpoints": chosen_metric,
    "all metrics, last checkpoint, in memory": last_of_all,
    "everything, one by one": everything,
    "record 200 more": record,
    TABLES: tables,
}


def cpu_seconds() -> float:
    kinds = (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)
    return sum(used.ru_utime + used.ru_stime for used in map(resource.getrusage, kinds))


def peak_memory() -> int:
    """Bytes, at most: what this process ever held, and its children (two readers) at their most.

    Not the `ru_maxrss` of this process, which is never below that of the one that started it.
    """
    status = Path("/proc/self/status").read_text()
    own = int(status.partition("VmHWM:")[2].split()[0])
    return 1024 * (own + 2 * resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)


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
    numbers = given.checkpoints * given.metrics * given.splits
    print(f"\n{given.trials:,} trials, {numbers} values each at the most")
    if given.run is not None:
        run_and_ask(given, given.run)
        return
    needed = 1.3 * given.trials * (numbers * 320 + 5000)
    if shutil.disk_usage(tempfile.gettempdir()).free < needed:
        raise SystemExit(f"{tempfile.gettempdir()} has less than {needed / 1e9:.0f} GB free")
    with tempfile.TemporaryDirectory(prefix="coequal-orchestration-") as place:
        run_and_ask(given, Path(place) / "run")


def run_and_ask(given: Namespace, path: Path) -> None:
    if not path.exists():
        begun = time.perf_counter()
        generate(path, given.trials, given.checkpoints, given.metrics, given.splits)
        print(f"made in {time.perf_counter() - begun:.0f} s")
    (path / "index.sqlite").unlink(missing_ok=True)
    work = [name for name in WORK if given.tables or name != TABLES]
    print(table([measured(name, path) for name in work]), flush=True)
    print(f"\nindex.sqlite: {(path / 'index.sqlite').stat().st_size / 1e6:.0f} MB")


def processor() -> str:
    from coequal.study.worker import Places, environment

    return environment(Places("", "", ""))["processor"]


def arguments() -> Namespace:
    parser = ArgumentParser(description=__doc__)
    parser.add_argument("--trials", type=int, default=100_000, help="synthetic results; 0: none")
    parser.add_argument("--checkpoints", type=int, default=20)
    parser.add_argument("--metrics", type=int, default=20)
    parser.add_argument("--splits", type=int, default=1, choices=(1, 2))
    parser.add_argument("--tasks", type=int, default=20, help="no-op trials a round; 0: none")
    parser.add_argument("--tables", action="store_true", help="also write results.csv: gigabytes")
    parser.add_argument("--run", type=Path, help="keep the synthetic run here, or take that one")
    parser.add_argument("--only", choices=WORK, help="for its own use: one piece, by itself")
    return parser.parse_args()


if __name__ == "__main__":
    main()
