"""Measures our metrics against other packages': one thread, CPU time, one Markdown table.

Both sides take turns within a round; a ratio is the median [min, max] of those within rounds. The
share of the peak is the time in which a product of two large float64 matrices, measured in the same
rounds, would do the least work there is, over ours: it is 1 where nothing can be gained. Wants
`pip install torch-fidelity POT`, which coequal itself never imports, and measures Inception where
`pip install --no-deps pytorch-fid` (maintained no more) was done. Features are made up: the
positive part of correlated Gaussians, whose variances fall like a power. Inception's weights are
random, the same on both sides."""

import importlib.util
import math
import random
import time
from argparse import ArgumentParser
from collections.abc import Callable, Iterator
from statistics import median
from typing import NamedTuple
from unittest.mock import patch

import numpy as np
import ot
import torch
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits
from torch import Tensor, nn
from torch_fidelity.metric_fid import fid_statistics_to_metric
from torch_fidelity.metric_kid import kid_features_to_metric

from coequal.contract import ImageSet
from coequal.encoders import _inception_net
from coequal.encoders.inception import InceptionTorch
from coequal.metrics import _gaussians
from coequal.metrics.emd import distance_with_error, earth_movers_distance
from coequal.metrics.fd import FrechetDistance, frechet_distance, moments
from coequal.metrics.kid import KernelDistance
from coequal.metrics.swd import sliced_wasserstein
from coequal.rng import Rng

Rows = NDArray[np.float32]
Run = Callable[[], float]
FIDELITY = "torch-fidelity"


class Pair(NamedTuple):
    what: str
    peer: str
    ours: Run
    theirs: Run
    operations: float = math.nan  # the least that ours has to do: multiplications and additions


def features(count: int, size: int, seed: int) -> Rows:
    """The positive part of Gaussians with a power-law spectrum, turned at random."""
    axes = np.random.default_rng(0).standard_normal((size, size), dtype=np.float32)
    axes *= (np.arange(1, size + 1, dtype=np.float32) ** -0.5)[:, None] / np.sqrt(size) * 4
    rows = np.random.default_rng(seed).standard_normal((count, size), dtype=np.float32) @ axes
    return np.maximum(rows + 0.02 * seed, 0)


def statistics(rows: Rows) -> dict[str, NDArray[np.float64]]:
    return {"mu": rows.mean(0, dtype=np.float64), "sigma": np.cov(rows, rowvar=False)}


def frechet_pairs(size: int, many: int, few: int) -> Iterator[Pair]:
    real, fake, scarce = features(many, size, 1), features(many, size, 2), features(few, size, 3)
    known = {name: statistics(x) for name, x in (("r", real), ("f", fake), ("s", scarce))}

    def stated(name: str) -> _gaussians.Gaussian:
        return _gaussians.stated(known[name]["mu"], known[name]["sigma"], many)

    def theirs(name: str) -> float:
        found = fid_statistics_to_metric(known["r"], known[name], False)
        return float(next(iter(found.values())))

    yield Pair(
        f"fd of two {size} x {size} covariances, full rank",
        FIDELITY,
        lambda: frechet_distance(real=stated("r"), fake=stated("f")),
        lambda: theirs("f"),
        # Cholesky's root, the product R'CR, its reduction to tridiagonal form.
        (1 / 3 + 1 + 4 / 3) * size**3,
    )
    yield Pair(
        f"fd of a {size} x {size} covariance and {few} fakes",
        FIDELITY,
        lambda: frechet_distance(real=stated("r"), fake=moments(torch.from_numpy(scarce))),
        lambda: theirs("s"),
    )
    metric = FrechetDistance()
    reference = metric.reference(ImageSet(torch.from_numpy(real)))
    whole = ImageSet(torch.from_numpy(fake))

    def theirs_from_features() -> float:
        found = fid_statistics_to_metric(known["r"], statistics(fake), False)
        return float(found["frechet_inception_distance"])

    alone = many * size**2 + (1 + 4 / 3) * size**3  # covariance, product, reduction
    yield Pair(
        f"fd alone from features, {many} x {size}",
        f"numpy.cov, {FIDELITY}",
        lambda: frechet_distance(
            real=_gaussians.from_tensors(reference), fake=moments(whole.features)
        ),
        theirs_from_features,
        alone,
    )
    yield Pair(
        f"fd, its bias and standard error from features, {many} x {size}; theirs: fd",
        f"numpy.cov, {FIDELITY}",
        lambda: metric.values(real=reference, fake=whole, rng=Rng(0))["fd"].value,
        theirs_from_features,
        # All images along all eigenvectors, their fourth moments, and the eigenvectors.
        alone + (2 + 1) * many * size**2 + (2 + 2) * size**3,
    )


def covariance_pair(count: int, size: int) -> Pair:
    rows = features(count, size, 1)
    return Pair(
        f"mean and covariance, {count} x {size}",
        "numpy.cov",
        lambda: moments(torch.from_numpy(rows)).trace,
        lambda: float(statistics(rows)["sigma"].trace()),
        count * size**2,  # half of a product: the result is symmetric
    )


def kernel_pair(count: int, size: int) -> Pair:
    real, fake = (torch.from_numpy(features(count, size, seed)) for seed in (1, 2))
    metric, subset = KernelDistance(), min(1000, count)
    reference = metric.reference(ImageSet(real))

    def theirs() -> float:
        found = kid_features_to_metric(
            real, fake, kid_subsets=100, kid_subset_size=subset, verbose=False
        )
        return float(found["kernel_inception_distance_mean"])

    return Pair(
        f"kid_subsets, and kid with its standard error, {count} x {size}; theirs: subsets",
        FIDELITY,
        lambda: metric.values(real=reference, fake=ImageSet(fake), rng=Rng(0))["kid_subsets"].value,
        theirs,
    )


def transport_pairs(count: int, size: int, paired: int) -> Iterator[Pair]:
    real, fake = (features(count, size, seed).astype(np.float64) for seed in (1, 2))
    lines = np.random.default_rng(0).standard_normal((512, size))
    lines /= np.linalg.norm(lines, axis=1, keepdims=True)
    yield Pair(
        f"swd and its standard error, {count} x {size}, 512 lines; theirs: swd",
        "POT",
        lambda: sliced_wasserstein(real=real, fake=fake, lines=lines).value,
        lambda: float(ot.sliced_wasserstein_distance(real, fake, projections=lines.T) ** 2),
        4 * count * size * len(lines),  # the projections; the sorts have a row of their own
    )

    def bare() -> float:
        for start in range(0, len(lines), 64):
            some = lines[start : start + 64]
            np.sort(some @ real.T)
            np.argsort(some @ fake.T)
        return math.nan

    yield Pair(
        f"swd and its standard error, {count} x {size}, 512 lines; theirs: projections and sorts",
        "numpy",
        lambda: sliced_wasserstein(real=real, fake=fake, lines=lines).value,
        bare,
    )
    x, y = real[:paired], fake[:paired]

    def theirs() -> float:
        return float(ot.emd2([], [], ot.dist(x, y, "euclidean"), numItermax=10**7))

    yield Pair(
        f"emd, {paired} x {size}", "POT", lambda: earth_movers_distance(real=x, fake=y), theirs
    )
    yield Pair(
        f"emd and its standard error, {paired} x {size}; theirs: emd",
        "POT",
        lambda: distance_with_error(real=x, fake=y).value,
        theirs,
    )


def inception_pair(count: int, side: int) -> Pair:
    """Features of uint8 images, their resize included; ours in batches of 16, theirs in one."""
    import pytorch_fid.inception

    images = torch.randint(256, (count, 3, side, side), dtype=torch.uint8)
    weights = random_inception(images[:4])
    ours = InceptionTorch(_inception_net.built(dict(weights)), "random", official=False)
    with patch.object(pytorch_fid.inception, "load_state_dict_from_url", return_value=weights):
        peer = pytorch_fid.inception.InceptionV3([3]).eval()

    @torch.inference_mode()
    def theirs() -> float:
        return float(peer(images / 255)[0].double().norm())

    return Pair(
        f"Inception features of {count} images of {side}x{side}",
        "pytorch-fid",
        lambda: float(ours.features(images).double().norm()),
        theirs,
    )


def random_inception(images: Tensor) -> dict[str, Tensor]:
    """Weights of a net whose activations stay about 1: BatchNorm's statistics fit the images."""
    net = _inception_net.Inception()
    for module in net.modules():
        if isinstance(module, nn.BatchNorm2d):
            module.momentum = None  # the plain mean over batches
    shown = nn.functional.interpolate(images / 127.5 - 1, (299, 299), mode="bilinear")
    with torch.no_grad():
        net.train()(shown)
    return net.state_dict()


def timed(run: Run) -> tuple[float, float]:
    """CPU seconds, and the number."""
    begin = time.process_time()
    value = run()
    return time.process_time() - begin, value


def operations_per_second(size: int = 1536) -> float:
    """Multiplications and additions of a float64 product, a CPU second."""
    square = np.ones((size, size))
    return 2 * size**3 / min(timed(lambda: float((square @ square)[0, 0]))[0] for _ in range(2))


def row(pair: Pair, rounds: int) -> str:
    """A warm-up, then both sides once a round in random order."""
    sides = {"ours": pair.ours, "theirs": pair.theirs}
    values = {name: timed(run)[1] for name, run in sides.items()}
    seconds: dict[str, list[float]] = {name: [] for name in sides}
    peak = []
    for index in range(rounds):
        peak.append(operations_per_second())
        for name in random.Random(index).sample(list(sides), 2):
            seconds[name].append(timed(sides[name])[0])
    ours, theirs = seconds["ours"], seconds["theirs"]
    ratios = [a / b for a, b in zip(ours, theirs, strict=True)]
    apart = abs(values["ours"] / values["theirs"] - 1)
    share = pair.operations / median(peak) / median(ours)
    cells = (
        pair.what,
        pair.peer,
        f"{median(ours):.3g}",
        f"{median(theirs):.3g}",
        f"{median(ratios):.3f} [{min(ratios):.3f}, {max(ratios):.3f}]",
        "-" if math.isnan(share) else f"{share:.2f}",
        "-" if pair.peer == "numpy" else f"{apart:.0e}",
    )
    return f"| {' | '.join(cells)} |"


def pairs(quick: bool) -> Iterator[Pair]:
    """Made one after the other: some hold much memory."""
    size = 128 if quick else 2048
    yield from frechet_pairs(size, 500 if quick else 10_000, 60 if quick else 1000)
    yield kernel_pair(500 if quick else 5000, size)
    yield from transport_pairs(
        1000 if quick else 10_000, 32 if quick else 256, 2000 // (1 + 3 * quick)
    )
    yield covariance_pair(2000 if quick else 50_000, size)
    if importlib.util.find_spec("pytorch_fid"):
        yield inception_pair(16 if quick else 48, 64)


def main() -> None:
    parser = ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--quick", action="store_true", help="small and once: only a smoke check")
    parser.add_argument("--only", default="", help="rows whose name holds this")
    options = parser.parse_args()
    torch.set_num_threads(1)
    torch.manual_seed(0)
    header = [
        "",
        "peer",
        "ours, s",
        "peer, s",
        "ours / peer",
        "share of the peak",
        "values apart by",
    ]
    print(f"| {' | '.join(header)} |\n|{'---|' * len(header)}", flush=True)
    with threadpool_limits(1):
        for pair in pairs(options.quick):
            if options.only not in pair.what:
                continue
            print(row(pair, 1 if options.quick else options.rounds), flush=True)


if __name__ == "__main__":
    main()
