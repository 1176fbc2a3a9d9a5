"""Distance to a manifold that is known: CPU seconds for 1,024 images, one thread, and memory.

python benchmarks/manifold.py               # some six minutes; --quick: few images
python benchmarks/manifold.py --memory      # the peak of one projection
"""

import os
import resource
import time
from argparse import ArgumentParser
from collections.abc import Callable, Iterator
from pathlib import Path
from statistics import median

import torch
from torch import Tensor
from torch.nn.functional import avg_pool2d, pad

from coequal.manifolds.polygons.convex import ConvexPolygons
from coequal.manifolds.polygons.descent import descend
from coequal.manifolds.polygons.family import PolygonFamily
from coequal.manifolds.polygons.projection import project
from coequal.manifolds.polygons.renderer import coverage, fit
from coequal.manifolds.polygons.starts import bank
from coequal.rng import Rng

WHOLE = 1024  # images that every time is for
Row = dict[str, str]


def kinds(family: PolygonFamily, count: int) -> dict[str, Tensor]:
    """Images on the manifold, near it and far from it."""
    rng = Rng(1)
    images, others = (family.images(family.draw(count, rng)) for _ in range(2))
    blurred = avg_pool2d(pad(images, (1, 1, 1, 1), value=1.0), 3, 1)
    mush = avg_pool2d(pad(torch.lerp(others, images, 0.8), (1, 1, 1, 1), value=1.0), 3, 1)
    return {
        "members": images,
        "pixel noise 0.05": (images + 0.05 * rng.normal(*images.shape)).clamp(0, 1),
        "blurred": blurred,
        "two mixed, blurred": mush,
        "uniform noise": rng.uniform(*images.shape),
    }


def seconds(run: Callable[[], object], rounds: int) -> float:
    """Median CPU seconds."""
    times = []
    for _ in range(rounds):
        begin = time.process_time()
        run()
        times.append(time.process_time() - begin)
    return median(times)


def projections(count: int, rounds: int) -> Iterator[Row]:
    """A row per kind of images, a column per number of vertices and manifold."""
    families = {k: PolygonFamily(k) for k in (3, 4, 6, 8)}
    images = {k: kinds(family, count) for k, family in families.items()}
    for kind in images[3]:
        row = {"images": kind}
        for name in ("convex", "family"):
            for k, family in families.items():
                some = images[k][kind]
                project(some[:2], family, name)  # makes the banks
                took = seconds(lambda s=some, f=family, n=name: project(s, f, n), rounds)
                row[f"{name}, k = {k}"] = f"{took * WHOLE / count:.2g}"
        yield row


def renderer(count: int, rounds: int) -> Iterator[Row]:
    """Polygons a second."""
    for k in (3, 4, 6, 8):
        family = PolygonFamily(k)
        polygons = family.draw(count, Rng(2))
        target = coverage(family.draw(count, Rng(3)), family.size)
        yield {
            "vertices": str(k),
            "rendered /s": f"{count / seconds(lambda p=polygons: coverage(p, 28), rounds):,.0f}",
            "with gradient and normal matrix /s": (
                f"{count / seconds(lambda p=polygons, t=target: fit(p, t), rounds):,.0f}"
            ),
        }


def growth(count: int, rounds: int) -> Iterator[Row]:
    """The same searches of more images and from more starts."""
    family = PolygonFamily(3)
    rules = ConvexPolygons(family.bounds, family.least_area)
    members = bank(family)
    for images, starts in ((count // 4, 2), (count // 2, 2), (count, 2), (count, 4), (count, 8)):
        ink = 1 - kinds(family, images)["blurred"][:, 0]
        begin = members.vertices[members.nearest(ink, starts)].flatten(0, 1).flatten(1)
        target = ink.repeat_interleave(starts, 0)
        took = seconds(lambda b=begin, t=target: descend(b, t, rules), rounds)
        each = 1e6 * took / (images * starts)
        yield {
            "images": str(images),
            "starts": str(starts),
            "seconds": f"{took:.3g}",
            "microseconds each": f"{each:.0f}",
        }


def memory(count: int, k: int) -> str:
    """Of a process that holds the images and the banks, what one projection adds at its peak."""
    family = PolygonFamily(k)
    images = kinds(family, count)["two mixed, blurred"]
    project(images[:8], family)
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    before = pages * resource.getpagesize() / 1024
    project(images, family)
    peak = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024
    return f"peak of projecting {count} images, k = {k}, over images and banks: {peak:.0f} MB"


def table(rows: Iterator[Row]) -> str:
    """As Markdown."""
    found = list(rows)
    lines = [list(found[0]), ["---"] * len(found[0]), *(list(row.values()) for row in found)]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines) + "\n"


def main() -> None:
    parser = ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=1)
    parser.add_argument("--images", type=int, default=WHOLE)
    parser.add_argument("--vertices", type=int, default=3, help="for --memory")
    parser.add_argument("--memory", action="store_true", help="only the peak of one projection")
    parser.add_argument("--quick", action="store_true", help="few images: only a smoke check")
    options = parser.parse_args()
    if options.quick:
        options.rounds, options.images = 1, 64
    torch.set_num_threads(1)
    if options.memory:
        print(memory(options.images, options.vertices))
        return
    print(f"torch {torch.__version__}, load {os.getloadavg()[0]:.1f}, {options.rounds} rounds\n")
    for part in (renderer, growth, projections):
        print(table(part(options.images, options.rounds)), flush=True)


if __name__ == "__main__":
    main()
