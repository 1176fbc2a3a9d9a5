"""Nearest-neighbour metrics against prdc and torch-fidelity: CPU time, one thread, taking turns.

pip install --no-deps prdc torch-fidelity      # what is not installed is left out
python benchmarks/neighbours.py                # some five minutes and 3 GB; --quick: seconds
"""

import contextlib
import importlib.util
import io
import os
import random
import resource
import time
from argparse import ArgumentParser
from collections.abc import Callable
from pathlib import Path
from statistics import median

import torch
from torch import Tensor

from coequal.contract import ImageSet
from coequal.metrics.neighbours import Neighbours
from coequal.rng import Rng

Scores = dict[str, float]
Run = Callable[[Tensor, Tensor], Scores]
K = 5  # of every ball, since prdc knows one k only
ORDER = ("ours", "ours, real images known", "torch-fidelity", "prdc")


def features(count: int, size: int, seed: int) -> Tensor:
    """ReLU of Gaussians with a power-law spectrum, as the features of a net look."""
    rng = Rng(seed)
    spectrum = torch.arange(1, size + 1).float().pow(-0.5)
    mixing = torch.linalg.qr(Rng(0).normal(size, size)).Q
    return (rng.normal(count, size) * spectrum @ mixing + 0.02).relu()


def reference(real: Tensor) -> dict[str, Tensor]:
    return dict(Neighbours(K, K).reference(ImageSet(real)))


def scores(known: dict[str, Tensor], fake: Tensor) -> Scores:
    found = Neighbours(K, K).values(real=known, fake=ImageSet(fake), rng=Rng(0))
    return {name: value.value for name, value in found.items()}


def torch_fidelity(real: Tensor, fake: Tensor) -> Scores:
    from torch_fidelity.metric_prc import calculate_precision_recall_full

    precision, recall = calculate_precision_recall_full(fake, real, K)
    return {"precision": precision, "recall": recall}


def prdc(real: Tensor, fake: Tensor) -> Scores:
    from prdc import compute_prdc

    with contextlib.redirect_stdout(io.StringIO()):
        found: Scores = compute_prdc(real.numpy(), fake.numpy(), K)
    return found


def variants(real: Tensor) -> dict[str, Run]:
    known = reference(real)
    runs: dict[str, Run] = {
        "ours": lambda real, fake: scores(reference(real), fake),
        "ours, real images known": lambda real, fake: scores(known, fake),
    }
    if importlib.util.find_spec("torch_fidelity"):
        runs["torch-fidelity"] = torch_fidelity
    if importlib.util.find_spec("prdc"):
        runs["prdc"] = prdc
    return runs


def measure(count: int, size: int, rounds: int) -> list[dict[str, str]]:
    """A row per variant, all of which take turns in random order."""
    real, fake = features(count, size, 1), features(count, size, 2)
    runs = variants(real)
    times: dict[str, list[float]] = {name: [] for name in runs}
    found: dict[str, Scores] = {}
    for index in range(rounds):
        for name in random.Random(index).sample(list(runs), len(runs)):
            begin = time.process_time()
            found[name] = runs[name](real, fake)
            times[name].append(time.process_time() - begin)
    products = least(real, fake)
    rows = []
    for name in (name for name in ORDER if name in runs):
        row = {"images": f"2 x {count}", "features": str(size), "variant": name}
        row["CPU seconds"] = f"{median(times[name]):.3g}"
        for other in ORDER[2:]:
            row[f"of {other}'s"] = ratio(times[name], times[other]) if other in runs else "-"
        row["of the products alone"] = f"{median(times[name]) / products:.2f}"
        row["scores"] = ", ".join(f"{key} {value:.4f}" for key, value in found[name].items())
        rows.append(row)
    return rows


def least(real: Tensor, fake: Tensor) -> float:
    """CPU seconds of the products of all pairs: of both sets, and of half of each with itself."""
    rows, pairs = 512, sum(len(x) ** 2 / 2 for x in (real, fake)) + len(real) * len(fake)
    begin = time.process_time()
    for part in real.split(rows):
        torch.mm(part, fake.t())
    return (time.process_time() - begin) * pairs / (len(real) * len(fake))


def ratio(above: list[float], below: list[float]) -> str:
    values = [a / b for a, b in zip(above, below, strict=True)]
    return f"{median(values):.3f} [{min(values):.3f}, {max(values):.3f}]"


def memory(count: int, size: int) -> float:
    """MB between a process that holds the features and its peak: at most what ours takes."""
    real, fake = features(count, size, 1), features(count, size, 2)
    small = features(64, size, 3)
    scores(reference(small), small)
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    before = pages * resource.getpagesize() / 1024
    scores(reference(real), fake)
    return (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024


def table(rows: list[dict[str, str]]) -> str:
    lines = [list(rows[0]), ["---"] * len(rows[0]), *(list(row.values()) for row in rows)]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines) + "\n"


def main() -> None:
    parser = ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--images", type=int, default=10_000)
    parser.add_argument("--features", type=int, nargs="+", default=[256, 2048])
    parser.add_argument("--memory", action="store_true", help="only the memory of ours")
    parser.add_argument("--quick", action="store_true", help="few images: only a smoke check")
    parser.add_argument("--out", type=Path, help="also write the Markdown here")
    options = parser.parse_args()
    if options.quick:
        options.rounds, options.images = 1, 1000
    torch.set_num_threads(1)
    os.environ["OMP_NUM_THREADS"] = "1"
    text = "".join(
        f"- peak memory over the features, {size}: {memory(options.images, size):.0f} MB\n"
        for size in options.features
        if options.memory
    )
    if not options.memory:
        load = os.getloadavg()[0]
        rows = [
            row
            for size in options.features
            for row in measure(options.images, size, options.rounds)
        ]
        text = f"torch {torch.__version__}, load {load:.1f}, {options.rounds} rounds\n\n"
        text += table(rows)
    print(text)
    if options.out:
        options.out.write_text(text)


if __name__ == "__main__":
    main()
