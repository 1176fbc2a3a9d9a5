"""Inversion of generators of triangles: CPU seconds for 1,024 images, one thread.

python benchmarks/inversion.py                          # trains its generators first: minutes each
python benchmarks/inversion.py --width 0.125 --steps 8000
python benchmarks/inversion.py --width 1 --steps 1000 --images 128

Recall of the same images with ten times the work (searches that are not given up, four starts)
stands beside it. Nobody else inverts a generator so; the peer is Adam on the latents, clamped to
the box, from the same start, for as many evaluations as ours took on average.
"""

import time
from argparse import ArgumentParser, BooleanOptionalAction
from dataclasses import replace

import torch
from torch import Tensor

from coequal import lookup
from coequal.contract import Generator, GeneratorInput
from coequal.datasets._loading import data_folder, load_dataset
from coequal.manifolds.inversion.invert import Effort, folded, invert
from coequal.manifolds.inversion.latents import joined, split
from coequal.manifolds.polygons.projection import DELTA, project
from coequal.rng import Rng
from coequal.training.batches import Batches
from coequal.training.loop import Trainer, build_players
from coequal.training.settings import Optimisation, Training

WHOLE = 1024


def main() -> None:
    options = _arguments()
    torch.set_num_threads(1)
    data = load_dataset("triangles", data_folder(), None, print)
    generator, took = trained(data, options.width, options.steps)
    print(f"ns_gan, width {options.width:g}: {options.steps} steps in {took:.0f} s of CPU")
    with torch.no_grad():
        images = generator(GeneratorInput(generator.latents(options.images, Rng(3)))).images
    precise = project(images, data.manifold).squared <= DELTA
    print(f"precision {float(precise.float().mean()):.3f} of {options.images}\n")
    targets = data.test.images[: options.images]
    rows = [_row("ours", *_timed(generator, targets, Effort()), options.images)]
    rows.append(
        _row("ours, not stopped", *_timed(generator, targets, Effort(stop=False)), options.images)
    )
    found, seconds, evaluations = adam(generator, targets, max(1, round(rows[0][4])))
    rows.append(_row("Adam, clamped", found, seconds, evaluations, options.images))
    if options.patient:
        found, seconds, evaluations = patient(generator, targets)
        rows.append(_row("ten times the work", found, seconds, evaluations, options.images))
    print(
        "| search | recall at 0.75 | mean squared distance | s for 1,024 | evaluations an image |"
    )
    print("|---|---|---|---|---|")
    for name, recall, mean, took, evaluations in rows:
        print(
            f"| {name} | {recall:.3f} | {mean:.3f} | {took:.1f} | {evaluations:.0f} |", flush=True
        )


def trained(data, width: float, steps: int) -> tuple[Generator, float]:
    """A generator of triangles, and the CPU seconds of its training."""
    objective = lookup.load("objectives", "non_saturating")()
    nets = lookup.load("architectures", "infogan")(width=width)
    players = build_players(nets, data.shape, None, objective.requirements(), 0)
    batches = Batches(data.train, 64, 1, torch.device("cpu"))
    trainer = Trainer(
        objective, players, batches, Optimisation(1e-3, 0.5, 1), Training(steps, 64), 7
    )
    begun = time.process_time()
    trainer.train_until(steps)
    return trainer.generator.eval(), time.process_time() - begun


def _timed(generator: Generator, targets: Tensor, effort: Effort) -> tuple[Tensor, float, float]:
    begun = time.process_time()
    found = invert(generator, targets, Rng(4), effort)
    return found.squared, time.process_time() - begun, float(found.evaluations.float().mean())


def patient(generator: Generator, targets: Tensor) -> tuple[Tensor, float, float]:
    """The best of four searches from different samples, none given up before 1,000 evaluations."""
    effort = replace(Effort(), stop=False, ticks=1000, more=1000, hopeless=1e9, near=1e9)
    best, seconds, evaluations = torch.full((len(targets),), torch.inf), 0.0, 0.0
    for seed in range(4):
        begun = time.process_time()
        found = invert(generator, targets, Rng(10 + seed), effort)
        seconds += time.process_time() - begun
        evaluations += float(found.evaluations.float().mean())
        best = torch.minimum(best, found.squared)
    return best, seconds, evaluations


def adam(generator: Generator, targets: Tensor, steps: int) -> tuple[Tensor, float, float]:
    """Adam with rate 0.1 from the nearest of 8,192 samples, latents clamped to [-1, 1]."""
    net, flat = folded(generator), targets.flatten(1)
    begun = time.process_time()
    drawn = net.latents(8192, Rng(4))
    with torch.no_grad():
        made = torch.cat(
            [net(GeneratorInput((part,))).images.flatten(1) for part in drawn[0].split(512)]
        )
        near = (made.square().sum(1) - 2 * flat @ made.T).argmin(1)
    like = tuple(part[:1] for part in drawn)
    found = []
    for start, wanted in zip(joined(drawn)[near].split(128), flat.split(128), strict=True):
        latents = start.clone().requires_grad_()
        optimiser = torch.optim.Adam([latents], lr=0.1)
        for _ in range(steps):
            squared = (
                (net(GeneratorInput(split(latents, like))).images.flatten(1) - wanted)
                .square()
                .sum(1)
            )
            optimiser.zero_grad()
            squared.sum().backward()
            optimiser.step()
            latents.data.clamp_(-1, 1)
        found.append(squared.detach())
    return torch.cat(found), time.process_time() - begun, float(steps)


def _row(
    name: str, squared: Tensor, seconds: float, evaluations: float, images: int
) -> tuple[str, float, float, float, float]:
    recall = float((squared <= DELTA).float().mean())
    return name, recall, float(squared.mean()), seconds * WHOLE / images, evaluations


def _arguments():
    parser = ArgumentParser(description=__doc__)
    parser.add_argument("--width", type=float, default=0.125)
    parser.add_argument("--steps", type=int, default=8000)
    parser.add_argument("--images", type=int, default=WHOLE)
    parser.add_argument("--patient", action=BooleanOptionalAction, default=True)
    return parser.parse_args()


if __name__ == "__main__":
    main()
