"""Peak memory of `coequal score --metrics fd` by the number of images: one Markdown table.

python benchmarks/memory.py                # some minutes, 800 MB of disk; --quick: few images

Each row is a process of its own; its peak is the largest resident set that the kernel saw (files
that are mapped count as far as they were looked at). Pictures and features are noise.
"""

import os
import subprocess
import sys
import tempfile
from argparse import ArgumentParser
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np
from PIL import Image

SIDE = 32  # pixels; their values are the features
WIDTH = 2048  # features of a file


class Row(NamedTuple):
    what: str
    count: int
    real: Path
    fake: Path
    again: bool  # with everything in the cache


def folder(path: Path, count: int, seed: int) -> Path:
    path.mkdir()
    rng = np.random.default_rng(seed)
    for index in range(count):
        pixels = rng.integers(0, 256, (SIDE, SIDE), dtype=np.uint8)
        Image.fromarray(pixels).save(path / f"{index:06d}.png", compress_level=1)
    return path


def array(path: Path, count: int, seed: int, *shape: int) -> Path:
    """uint8 images, or float32 features if they have one axis."""
    kind = np.float32 if len(shape) == 1 else np.uint8
    rows = np.lib.format.open_memmap(path, "w+", kind, (count, *shape))
    rng = np.random.default_rng(seed)
    for start in range(0, count, 500):
        some = (len(rows[start : start + 500]), *shape)
        rows[start : start + 500] = (
            rng.standard_normal(some, np.float32)
            if kind is np.float32
            else rng.integers(0, 256, some, np.uint8)
        )
    return path


def rows(place: Path, counts: list[int]) -> Iterator[Row]:
    for count in counts:
        pair = [folder(place / f"png{count}-{seed}", count, seed) for seed in (1, 2)]
        yield Row("folders of PNG", count, *pair, again=False)
        yield Row("the same again", count, *pair, again=True)
    for count in counts:
        pair = [array(place / f"i{count}-{s}.npy", count, s, 1, SIDE, SIDE) for s in (3, 4)]
        yield Row(".npy of images", count, *pair, again=False)
    for count in (max(count, 2 * WIDTH) for count in counts):  # fewer have no d x d covariance
        pair = [array(place / f"f{count}-{s}.npy", count, s, WIDTH) for s in (5, 6)]
        yield Row(f".npy of {WIDTH} features", count, *pair, again=False)


def peak(row: Row, cache: Path, metrics: str) -> tuple[float, float]:
    """MB, and CPU seconds."""
    command = [sys.executable, "-c", "from coequal.cli.app import main; main()", "score"]
    command += ["--real", str(row.real), "--fake", str(row.fake), "--metrics", metrics]
    command += [] if "features" in row.what else ["--encoder", "pixels"]
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "COEQUAL_CACHE": str(cache)}
    child = subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL)
    _, status, usage = os.wait4(child.pid, 0)
    child.returncode = os.waitstatus_to_exitcode(status)
    if child.returncode:
        raise RuntimeError(f"coequal score ended with {child.returncode}")
    return usage.ru_maxrss / 1024, usage.ru_utime + usage.ru_stime


def main() -> None:
    parser = ArgumentParser(description=__doc__)
    parser.add_argument("--images", type=int, nargs="+", default=[2000, 40_000])
    parser.add_argument("--metrics", default="fd")
    parser.add_argument("--quick", action="store_true", help="few images: only a smoke check")
    options = parser.parse_args()
    counts = [50, 100] if options.quick else options.images
    print("| real and fake, each | images | peak, MB | CPU, s |\n|---|---|---|---|", flush=True)
    with tempfile.TemporaryDirectory() as place:
        for row in rows(Path(place), counts):
            memory, seconds = peak(row, Path(place) / "cache", options.metrics)
            cells = (row.what, f"{row.count:,}", f"{memory:.0f}", f"{seconds:.1f}")
            print(f"| {' | '.join(cells)} |", flush=True)


if __name__ == "__main__":
    main()
