"""Peak memory of a study of a folder by the number of its images: one Markdown table.

python benchmarks/memory_of_training.py    # some minutes, 1 GB of disk; --quick: few images

Each row is a process of its own that decodes the folder, trains the encoder, prepares the
references and trains a model for some steps; its peak is the largest resident set that the kernel
saw. Images are noise of 64x64 in colour. The peak may grow from the smallest folder to another by
no more than half of what the further images would take in memory; else the script fails. The
smallest folder has 1,200 images to validate: more than an encoder is given at a time (500), and
than the monitor keeps (1,024). What these take is the same for every folder.
"""

import json
import os
import subprocess
import sys
import tempfile
from argparse import ArgumentParser
from pathlib import Path

import numpy as np
from PIL import Image

SIDE = 64
BYTES_OF_IMAGE = 3 * SIDE**2
STUDY = {
    "study": "memory",
    "models": ["ns_gan"],
    "architecture": {"name": "infogan", "width": 1 / 32},
    "search": {"settings": 0},
    "training": {"budget": {"discriminator_steps": 30}, "batch_size": 64, "checkpoints": 1},
    "evaluation": {"encoder": "classifier", "samples": 200},
}


def folder(path: Path, count: int) -> Path:
    """So many images in two classes, a light and a dark one."""
    rng = np.random.default_rng(count)
    for label in range(2):
        (path / str(label)).mkdir(parents=True)
        for index in range(count // 2):
            pixels = rng.integers(100 * label, 100 * label + 100, (SIDE, SIDE, 3), dtype=np.uint8)
            Image.fromarray(pixels).save(path / str(label) / f"{index:06d}.png", compress_level=1)
    return path


def peak(images: Path, place: Path) -> tuple[float, float]:
    """Bytes at most, and CPU seconds, of a study of a folder."""
    study = place / "study.yaml"
    study.write_text(json.dumps({**STUDY, "data": [f"folder:{images}"]}))
    command = [sys.executable, "-c", "from coequal.cli.app import main; main()", "run", str(study)]
    command += ["--out", str(place / "run"), "--workers", "0"]
    folders = {"COEQUAL_CACHE": str(place / "cache"), "COEQUAL_DATA": str(place / "data")}
    environment = {**os.environ, "OMP_NUM_THREADS": "1", **folders}
    child = subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL)
    _, status, usage = os.wait4(child.pid, 0)
    child.returncode = os.waitstatus_to_exitcode(status)
    if child.returncode:
        raise RuntimeError(f"coequal run ended with {child.returncode}")
    return usage.ru_maxrss * 1024, usage.ru_utime + usage.ru_stime


def main() -> None:
    parser = ArgumentParser(description=__doc__)
    parser.add_argument("--images", type=int, nargs="+", default=[6000, 20_000])
    parser.add_argument("--quick", action="store_true", help="few images: only a smoke check")
    options = parser.parse_args()
    counts = [200, 400] if options.quick else sorted(options.images)
    print("| images | they take, MB | peak, MB | growth allowed, MB | CPU, s |", flush=True)
    print("|---|---|---|---|---|", flush=True)
    first = None
    with tempfile.TemporaryDirectory() as name:
        for count in counts:
            place = Path(name) / str(count)
            reached, seconds = peak(folder(place / "images", count), place)
            first = first or reached
            allowed = (count - counts[0]) * BYTES_OF_IMAGE / 2
            sizes = (count * BYTES_OF_IMAGE, reached, allowed)
            cells = (f"{count:,}", *(f"{size / 1e6:.0f}" for size in sizes), f"{seconds:.0f}")
            print(f"| {' | '.join(cells)} |", flush=True)
            if not options.quick and reached - first > allowed:
                raise SystemExit(f"the peak grew by {(reached - first) / 1e6:.0f} MB")


if __name__ == "__main__":
    main()
