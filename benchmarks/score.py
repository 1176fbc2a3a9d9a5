"""Measures `coequal score` from end to end beside torch-fidelity and clean-fid: from folders of
images to a Fréchet distance, decoding included; and how long a command takes to start.

Each piece runs in a process of its own on so many cores, with an empty cache, tools in turns; the
table has wall time, start included, and ratios within rounds. Images are made up; Inception's
weights are random, the same for all. Wants `pip install torch-fidelity clean-fid`."""

import json
import math
import os
import random
import subprocess
import sys
import tempfile
import time
from argparse import ArgumentParser, Namespace
from collections.abc import Callable
from pathlib import Path
from statistics import median

OURS = "coequal"
SIDE = 64  # of the images, in pixels


# ------------------------------------------------------------- one tool, in a process of its own


def ours(real: Path, fake: Path, weights: Path, workers: int) -> float:
    from coequal.api import score

    found = score(real=real, fake=fake, metrics=["fd"], encoder="inception")
    return float(found["metrics"]["fd"]["value"])


def torch_fidelity(real: Path, fake: Path, weights: Path, workers: int) -> float:
    from torch_fidelity import calculate_metrics

    found = calculate_metrics(
        input1=str(real),
        input2=str(fake),
        fid=True,
        cuda=False,
        verbose=False,
        cache=False,
        batch_size=16,
        save_cpu_ram=workers == 1,  # no process beside this one
        feature_extractor_weights_path=str(weights),
        samples_find_deep=False,
    )
    return float(found["frechet_inception_distance"])


def clean_fid(real: Path, fake: Path, weights: Path, workers: int) -> float:
    import torch
    from cleanfid import fid, inception_pytorch

    def loaded(*_: object, **__: object) -> object:
        return torch.load(weights, weights_only=True)

    inception_pytorch.load_state_dict_from_url = loaded
    net = inception_pytorch.InceptionV3(output_blocks=[3], resize_input=False).eval()

    def features(images: torch.Tensor) -> torch.Tensor:
        found: torch.Tensor = net(images / 255)[0].flatten(1)
        return found

    given = {"num_workers": workers - 1, "batch_size": 16, "device": torch.device("cpu")}
    try:
        return float(
            fid.compare_folders(str(real), str(fake), features, "clean", verbose=False, **given)
        )
    except ValueError:  # fewer images than features: its matrix root has imaginary parts
        return math.nan


TOOLS: dict[str, Callable[[Path, Path, Path, int], float]] = {
    OURS: ours,
    "torch-fidelity": torch_fidelity,
    "clean-fid": clean_fid,
}


def decode_ours(folder: Path, cores: int) -> float:
    from coequal.inputs.load import load_input

    images = load_input(folder, role="real", data_dir=folder).images
    assert images is not None
    return float(sum(int(part.sum()) for part in images.parts()))


def decode_torch_fidelity(folder: Path, cores: int) -> float:
    from torch.utils.data import DataLoader
    from torch_fidelity.datasets import ImagesPathDataset

    files = sorted(str(path) for path in folder.iterdir())
    loader = DataLoader(ImagesPathDataset(files), 64, num_workers=cores if cores > 1 else 0)
    return float(sum(int(batch.sum()) for batch in loader))


DECODERS = {OURS: decode_ours, "torch-fidelity": decode_torch_fidelity}


# ------------------------------------------------------------------------------- the rounds


def make(folder: Path, count: int, suffix: str, seed: int) -> Path:
    """A folder of smooth coloured pictures with a little noise."""
    import numpy as np
    from PIL import Image

    folder.mkdir()
    rng = np.random.default_rng(seed)
    for index in range(count):
        coarse = Image.fromarray(rng.integers(0, 256, (8, 8, 3), dtype=np.uint8))
        smooth = np.asarray(coarse.resize((SIDE, SIDE), Image.Resampling.BICUBIC), dtype=int)
        noisy = smooth + rng.integers(-6, 7, smooth.shape)
        picture = Image.fromarray(noisy.clip(0, 255).astype(np.uint8))
        picture.save(
            folder / f"{index:06d}{suffix}", **({"quality": 90} if suffix == ".jpg" else {})
        )
    return folder


def save_weights(path: Path) -> None:
    import torch

    from metrics import random_inception

    torch.manual_seed(0)
    images = torch.randint(256, (4, 3, SIDE, SIDE), dtype=torch.uint8)
    torch.save(random_inception(images), path)


def timed(arguments: list[str], cores: int, weights: Path) -> tuple[float, float]:
    """Wall seconds of a process on so many cores with an empty cache, and the number it printed."""
    with tempfile.TemporaryDirectory() as cache:
        places = {"COEQUAL_CACHE": cache, "COEQUAL_INCEPTION_WEIGHTS": str(weights)}
        threads = {"OMP_NUM_THREADS": str(cores), "COEQUAL_OFFLINE": "1"}
        begun = time.perf_counter()
        done = subprocess.run(
            [sys.executable, *arguments],
            env={**os.environ, **places, **threads},
            stdout=subprocess.PIPE,
            check=True,
            text=True,
            preexec_fn=lambda: os.sched_setaffinity(0, range(cores)),
        )
        return time.perf_counter() - begun, float(json.loads(done.stdout.splitlines()[-1]))


def rounds(jobs: dict[str, list[str]], cores: int, weights: Path, count: int) -> list[list[str]]:
    """A row per tool: seconds, and their ratio to ours within rounds."""
    seconds: dict[str, list[float]] = {name: [] for name in jobs}
    values = {}
    for index in range(count):
        for name in random.Random(index).sample(list(jobs), len(jobs)):
            spent, values[name] = timed(jobs[name], cores, weights)
            seconds[name].append(spent)
    rows = []
    for name in jobs:
        ratios = [a / b for a, b in zip(seconds[OURS], seconds[name], strict=True)]
        spread = f"{median(ratios):.2f} [{min(ratios):.2f}, {max(ratios):.2f}]"
        rows.append([name, f"{median(seconds[name]):.3g}", spread, f"{values[name]:.6g}"])
    return rows


def row(*cells: str) -> None:
    print("| " + " | ".join(cells) + " |", flush=True)


def header(*cells: str) -> None:
    row(*cells)
    row(*("---" for _ in cells))


def start_up(place: Path, repeats: int) -> None:
    """How long commands take until they have done their work, which is little."""
    import numpy as np

    for seed, name in enumerate(("a", "b")):
        values = np.random.default_rng(seed).standard_normal((500, 64)).astype(np.float32)
        np.save(place / f"{name}.npy", values)
    ours = "from coequal.cli.app import main; main()"
    files = ["--real", str(place / "a.npy"), "--fake", str(place / "b.npy"), "--metrics", "fd"]
    programs = {
        "import numpy": ["-c", "import numpy"],
        "import torch": ["-c", "import torch"],
        "import torch_fidelity": ["-c", "import torch_fidelity"],
        "coequal --help": ["-c", ours, "--help"],
        "coequal score of 500 + 500 features of 64": ["-c", ours, "score", *files],
    }
    header("process", "wall, s", "CPU, s")
    for name, arguments in programs.items():
        walls, cpus = [], []
        for _ in range(repeats):
            before, begun = os.times(), time.perf_counter()
            quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
            subprocess.run([sys.executable, *arguments], check=True, **quiet)  # type: ignore[call-overload]
            after = os.times()
            walls.append(time.perf_counter() - begun)
            cpus.append(after.children_user - before.children_user)
        row(name, f"{median(walls):.2f}", f"{median(cpus):.2f}")


def main() -> None:
    parser = ArgumentParser(description=__doc__)
    parser.add_argument("--images", type=int, default=10_000, help="of each folder, for Inception")
    parser.add_argument("--decoded", type=int, default=10_000, help="of a folder that is only read")
    parser.add_argument("--cores", type=int, nargs="+", default=[1, 2])
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--only", nargs="+", help="for its own use: a tool and what it is given")
    options = parser.parse_args()
    if options.only:
        kind, name, *given = options.only
        folders = [Path(one) for one in given[:-1]]
        run = TOOLS[name] if kind == "score" else DECODERS[name]
        print(json.dumps(run(*folders, int(given[-1]))))
        return
    with tempfile.TemporaryDirectory(prefix="coequal-score-") as place:
        measure(Path(place), options)


def measure(place: Path, options: Namespace) -> None:
    print(f"load average at the start: {os.getloadavg()[0]:.1f}\n")
    start_up(place, options.rounds)
    weights = place / "inception.pth"
    save_weights(weights)
    for suffix in (".png", ".jpg"):
        kind = suffix.strip(".")
        many = make(place / f"many_{kind}", options.decoded, suffix, 0)
        print(f"\n{options.decoded:,} {kind} images of {SIDE}x{SIDE}, read and no more\n")
        header("cores", "tool", "wall, s", "ours / tool's", "sum of all values")
        for cores in options.cores:
            jobs = {n: [__file__, "--only", "decode", n, str(many), str(cores)] for n in DECODERS}
            for cells in rounds(jobs, cores, weights, options.rounds):
                row(str(cores), *cells)
        sides = [
            make(place / f"{side}_{kind}", options.images, suffix, seed)
            for seed, side in enumerate("ab")
        ]
        print(
            f"\nFréchet distance of two folders of {options.images:,} {kind} images by Inception\n"
        )
        header("cores", "tool", "wall, s", "ours / tool's", "value")
        for cores in options.cores:
            given = [*map(str, sides), str(weights), str(cores)]
            jobs = {n: [__file__, "--only", "score", n, *given] for n in TOOLS}
            for cells in rounds(jobs, cores, weights, options.rounds):
                row(str(cores), *cells)


if __name__ == "__main__":
    main()
