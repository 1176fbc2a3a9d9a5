"""Measures training and scoring on a GPU, in at most eight minutes; writes docs/how_to/gpu.md.

Training: steps a second of our loop by precision, compiled, with CUDA graphs, and of populations
of processes on one GPU. Scoring: files to numbers, stage by stage, against the packages of the
field on the same GPU (`pip install torch-fidelity pytorch-fid clean-fid torchmetrics`; what isn't
there is left out and named). Images are synthetic and Inception's weights random, the same for all
sides.
`--device cpu --quick` is a check that the script works, and its numbers mean nothing."""

import os
import time
from argparse import ArgumentParser, Namespace
from collections.abc import Callable, Iterator
from contextlib import nullcontext
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, NamedTuple
from unittest.mock import patch

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from coequal.architectures.infogan import InfoGan
from coequal.bfloat16 import slow
from coequal.contract import ImageSet, ImageShape, Objective, Split
from coequal.devices import Precision, computing_on
from coequal.encoders import _inception_net
from coequal.encoders.inception import InceptionTorch
from coequal.inputs.folders import from_folder
from coequal.metrics.fd import FrechetDistance
from coequal.objectives.non_saturating import NonSaturating
from coequal.objectives.wgan_gp import WassersteinGradientPenalty
from coequal.rng import Rng
from coequal.runner.population import measured_population
from coequal.training.batches import Batches
from coequal.training.deferred import synchronise
from coequal.training.loop import Trainer, build_players
from coequal.training.settings import Optimisation, Training
from coequal.trial.context import WorkerContext
from coequal.trial.environment import environment

PAGE = Path(__file__).parent.parent / "docs" / "how_to" / "gpu.md"
SHAPE, BATCH = ImageShape(1, 28, 28), 64
OBJECTIVES: dict[str, Objective] = {"NS": NonSaturating(), "WGAN-GP": WassersteinGradientPenalty()}
VARIANTS: dict[str, dict[str, Any]] = {
    "float32": {},
    "tf32": {"precision": "tf32"},
    "bfloat16": {"precision": "bfloat16"},
    "float32, compiled": {"compile": True},
    "float32, CUDA graphs": {"cuda_graphs": True},
    "tf32, CUDA graphs": {"precision": "tf32", "cuda_graphs": True},
    "bfloat16, CUDA graphs": {"precision": "bfloat16", "cuda_graphs": True},
}
Row = dict[str, str]


class Size(NamedTuple):
    """How much is measured.

    Attributes:
        seconds: of training for each variant.
        widths: of the nets.
        populations: trials at a time.
        images: that are scored.
        side: of them, in pixels.
        square: side of the matrices whose product gives the peak.
    """

    seconds: float
    widths: tuple[float, ...]
    populations: tuple[int, ...]
    images: int
    side: int
    square: int


FULL = Size(3.0, (1.0, 0.125), (1, 2, 4, 8, 16), 50_000, 64, 8192)
QUICK = Size(0.3, (1 / 32,), (1, 2), 48, 32, 256)


def trainer(objective: str, width: float, device: str, **asked: Any) -> Trainer:
    """One that trains without an end on noise."""
    own = OBJECTIVES[objective]
    noise = torch.Generator().manual_seed(1)
    images = torch.randint(256, (10_000, *SHAPE), generator=noise, dtype=torch.uint8)
    nets = InfoGan(width=width, batch_norm=objective == "NS")
    players = build_players(nets, SHAPE, None, own.requirements(), seed=1)
    batches = Batches(Split(images), BATCH, 1, torch.device(device))
    return Trainer(own, players, batches, Optimisation(), Training(1e12, **asked), 1, device)


def speed(one: Trainer, seconds: float) -> tuple[float, float]:
    """Steps and FLOPs a second, after a warm-up of two reads' worth of steps."""
    for _ in range(2):
        one.train_until(1e12, at_most_steps=max(25, one.read_every))
    before = one.spent
    while one.spent.seconds - before.seconds < seconds:
        one.train_until(1e12, at_most_steps=one.read_every)
    took = one.spent.seconds - before.seconds
    steps = one.spent.discriminator_steps - before.discriminator_steps
    return steps / took, (one.spent.flops - before.flops) / took


def peak(precision: str, device: str, side: int) -> float:
    """FLOPs a second of a product of two square matrices."""
    dtype = torch.bfloat16 if precision == "bfloat16" else torch.float32
    products = computing_on(device, Precision.tf32) if precision == "tf32" else nullcontext()
    with products:
        square = torch.rand(side, side, device=device).to(dtype)
        square @ square
        synchronise(square.device)
        begun, count = time.perf_counter(), 10
        for _ in range(count):
            square @ square
        synchronise(square.device)
        return 2 * side**3 * count / (time.perf_counter() - begun)


def training_rows(options: Namespace, size: Size) -> Iterator[Row]:
    """A row for every objective, width and variant; what can't be had says why."""
    for width in size.widths:
        for objective in OBJECTIVES:
            for name, asked in VARIANTS.items():
                row = {"objective": objective, "width": f"{width:g}", "variant": name}
                if reason := left_out(asked, options):
                    yield row | {"steps/s": reason, "GFLOP/s": "", "share of matmul's": ""}
                    continue
                steps, flops = speed(
                    trainer(objective, width, options.device, **asked), size.seconds
                )
                reached = peak(asked.get("precision", "float32"), options.device, size.square)
                yield row | {
                    "steps/s": f"{steps:.3g}",
                    "GFLOP/s": f"{flops / 1e9:.3g}",
                    "share of matmul's": f"{flops / reached:.2f}",
                }


def left_out(asked: dict[str, Any], options: Namespace) -> str:
    """Why a variant is not measured; empty if it is."""
    if time.monotonic() > options.end:
        return "left out: the time was over"
    on_gpu = options.device.startswith("cuda")
    if not on_gpu and (asked.get("cuda_graphs") or asked.get("precision") == "tf32"):
        return "left out: of NVIDIA's GPUs alone"
    if asked.get("precision") == "bfloat16" and slow(options.device):
        return "left out: slow on this device"
    return ""


def population_rows(options: Namespace, size: Size) -> Iterator[Row]:
    """What equal trials reach together, each in a process of its own."""
    width = size.widths[-1]
    make = partial(trainer, "NS", width, options.device)
    for count in size.populations:
        row = {"objective": "NS", "width": f"{width:g}", "trials at a time": str(count)}
        if time.monotonic() > options.end:
            yield row | {"steps/s of all": "left out: the time was over"}
            continue
        try:
            found = measured_population(make, (count,), size.seconds)
            yield row | {"steps/s of all": f"{found.speeds[count]:.3g}"}
        except RuntimeError as error:
            yield row | {"steps/s of all": f"failed: {error}"}


# ------------------------------------------------------------------------------------- scoring


class Side(NamedTuple):
    """One way to do a stage."""

    stage: str
    who: str
    run: Callable[[], object]


def scoring_rows(options: Namespace, size: Size) -> Iterator[Row]:
    """Seconds of every stage and side, one run each after those that warm up."""
    with TemporaryDirectory() as folder:
        images = written(Path(folder), size)
        for make in (decoding, encoding, distances):
            for side in make(Path(folder), images, options):
                row = {"stage": side.stage, "by": side.who}
                if time.monotonic() > options.end:
                    yield row | {"seconds": "left out: the time was over"}
                    continue
                try:
                    begun = time.perf_counter()
                    side.run()
                    synchronise(torch.device(options.device))
                    yield row | {"seconds": f"{time.perf_counter() - begun:.3g}"}
                except (ImportError, OSError) as error:
                    yield row | {"seconds": f"left out: {error}"}


def written(folder: Path, size: Size) -> Tensor:
    """Smooth images as PNGs; as they were written."""
    noise = np.random.default_rng(1)
    small = noise.integers(0, 256, (size.images, 8, 8, 3), dtype=np.uint8)
    images = np.empty((size.images, size.side, size.side, 3), np.uint8)
    for index, one in enumerate(small):
        picture = Image.fromarray(one).resize((size.side, size.side), Image.Resampling.BILINEAR)
        picture.save(folder / f"{index:06d}.png", compress_level=1)
        images[index] = np.asarray(picture)
    return torch.from_numpy(images).permute(0, 3, 1, 2).contiguous()


def decoding(folder: Path, images: Tensor, options: Namespace) -> Iterator[Side]:
    stage = f"decode {len(images):,} PNGs of {images.shape[-1]} x {images.shape[-1]}"
    workers = min(8, os.cpu_count() or 1)

    def ours() -> object:
        return from_folder(folder, "benchmark", None, None, lambda line: None).images.whole

    def loader() -> None:
        from pytorch_fid.fid_score import ImagePathDataset
        from torchvision.transforms import ToTensor

        files = sorted(str(path) for path in folder.glob("*.png"))
        dataset = ImagePathDataset(files, ToTensor())
        for _ in torch.utils.data.DataLoader(dataset, 64, num_workers=workers):
            pass

    yield Side(stage, "ours", ours)
    yield Side(stage, f"pytorch-fid (DataLoader, {workers} workers)", loader)


def encoding(folder: Path, images: Tensor, options: Namespace) -> Iterator[Side]:
    del folder
    device, stage = options.device, f"Inception features of {len(images):,} images"
    net = _inception_net.Inception()
    weights = net.state_dict()
    encoder = InceptionTorch(net.eval(), "random", official=False).to(torch.device(device))
    few = images[:64]

    def tf32() -> object:
        with computing_on(device, Precision.tf32):
            return encoder.features(images)

    def batches(of: Callable[[Tensor], object]) -> None:
        with torch.inference_mode():
            for part in images.split(64):
                of(part.to(device))

    def peer(name: str) -> Callable[[Tensor], object]:
        if name == "pytorch-fid":
            import pytorch_fid.inception as module

            with patch.object(module, "load_state_dict_from_url", return_value=weights):
                own = module.InceptionV3([3]).eval().to(device)
            return lambda part: own(part.float() / 255)
        import torch_fidelity.feature_extractor_inceptionv3 as module

        with patch.object(module, "load_state_dict_from_url", return_value=weights):
            if name == "torch-fidelity":
                extract = module.FeatureExtractorInceptionV3("x", ["2048"]).eval().to(device)
                return lambda part: extract(part)
            from torchmetrics.image.fid import NoTrainInceptionV3

            no_train = NoTrainInceptionV3("x", ["2048"]).to(device)
            return lambda part: no_train(part)

    encoder.features(few)
    yield Side(stage, "ours", lambda: encoder.features(images))
    if device.startswith("cuda"):
        yield Side(stage, "ours, tf32", tf32)
    for name in ("pytorch-fid", "torch-fidelity", "torchmetrics"):
        try:
            found = peer(name)
        except ImportError as error:
            yield Side(stage, name, partial(_missing, str(error)))
            continue
        with torch.inference_mode():
            found(few.to(device))
        yield Side(stage, name, partial(batches, found))
    yield Side(stage, "clean-fid", partial(_missing, "its net is a file that has to be fetched"))


def _missing(reason: str) -> None:
    raise OSError(reason)


def distances(folder: Path, images: Tensor, options: Namespace) -> Iterator[Side]:
    del folder
    device, count = torch.device(options.device), len(images)
    stage = f"fd of 2 x {count:,} features"
    stream = Rng(1, device)
    real, fake = (stream.normal(count, 2048).relu() for _ in range(2))
    rows = [side.cpu().numpy() for side in (real, fake)]

    def ours() -> object:
        metric = FrechetDistance()
        reference = metric.reference(ImageSet(real))
        return metric.values(real=reference, fake=ImageSet(fake), rng=Rng(1))

    def statistics() -> list[tuple[Any, Any]]:
        return [(side.mean(0), np.cov(side, rowvar=False)) for side in rows]

    def pytorch_fid() -> object:
        from pytorch_fid.fid_score import calculate_frechet_distance

        (mu, sigma), (mu_2, sigma_2) = statistics()
        return calculate_frechet_distance(mu, sigma, mu_2, sigma_2)

    def clean_fid() -> object:
        from cleanfid.fid import frechet_distance

        (mu, sigma), (mu_2, sigma_2) = statistics()
        return frechet_distance(mu, sigma, mu_2, sigma_2)

    def torch_fidelity() -> object:
        from torch_fidelity.metric_fid import fid_statistics_to_metric

        first, second = ({"mu": mu, "sigma": sigma} for mu, sigma in statistics())
        return fid_statistics_to_metric(first, second, False)

    def torchmetrics() -> object:
        from torchmetrics.image.fid import _compute_fid

        moments = [(side.double().mean(0), side.double().T.cov()) for side in (real, fake)]
        return _compute_fid(*moments[0], *moments[1])

    yield Side(stage, "ours, with error and bias", ours)
    yield Side(stage, "torch-fidelity", torch_fidelity)
    yield Side(stage, "torchmetrics", torchmetrics)
    yield Side(stage, "pytorch-fid", pytorch_fid)
    yield Side(stage, "clean-fid", clean_fid)


# --------------------------------------------------------------------------------------- page


def table(title: str, rows: list[Row]) -> str:
    lines = [list(rows[0]), ["---"] * len(rows[0]), *(list(row.values()) for row in rows)]
    return "\n".join([f"## {title}", "", *(f"| {' | '.join(line)} |" for line in lines), "", ""])


def measured(options: Namespace, size: Size) -> str:
    """The page."""
    about = environment(WorkerContext("", "", "", options.device))
    about |= {"date": f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC", "cores": str(os.cpu_count())}
    about["load before"] = f"{os.getloadavg()[0]:.1f}"
    with computing_on(options.device):
        tables = [
            table("Training", list(training_rows(options, size))),
            table("Populations on one device", list(population_rows(options, size))),
            table("Scoring", list(scoring_rows(options, size))),
        ]
    facts = "".join(f"- {name}: {value}\n" for name, value in about.items())
    return f"# On a GPU\n\nWritten by `python benchmarks/gpu.py`.\n\n{facts}\n{''.join(tables)}"


def main() -> None:
    parser = ArgumentParser(description=__doc__)
    parser.add_argument("--device", default="cuda")
    parser.add_argument("--quick", action="store_true", help="small and short: only a check")
    parser.add_argument("--minutes", type=float, default=7.0, help="after which no row begins")
    parser.add_argument(
        "--out", type=Path, help="default: docs/how_to/gpu.md of a whole run on a GPU"
    )
    options = parser.parse_args()
    options.end = time.monotonic() + 60 * options.minutes
    torch.set_num_threads(1 if options.device == "cpu" else min(8, os.cpu_count() or 1))
    text = measured(options, QUICK if options.quick else FULL)
    print(text)
    whole = not options.quick and options.device.startswith("cuda")
    if out := options.out or (PAGE if whole else None):
        out.write_text(text)


if __name__ == "__main__":
    main()
