"""What spectral norm and classes cost per training step, beside the same nets without them.

Variants take turns within a round; a ratio is the median [min, max] of the ratios within rounds.
Images are synthetic, for what they show changes no amount of work. Prints a Markdown table.

    python benchmarks/conditional.py --rounds 7
"""

import time
from argparse import ArgumentParser
from statistics import median

import torch

from coequal import lookup
from coequal.contract import ImageShape, Split
from coequal.objectives.hinge import Hinge
from coequal.rng import Rng
from coequal.training.batches import Batches
from coequal.training.loop import Trainer, build_players
from coequal.training.settings import Optimisation, Training

SHAPE, BATCH = ImageShape(1, 28, 28), 64
VARIANTS = {
    "plain": {},
    "spectral norm": {"spectral_norm": True},
    "one-hot": {"generator_labels": "one_hot"},
    "conditional norm": {"generator_labels": "conditional_norm"},
    "projection": {"discriminator_labels": "projection"},
    "spectral norm, conditional norm, projection": {
        "spectral_norm": True,
        "generator_labels": "conditional_norm",
        "discriminator_labels": "projection",
    },
}
NETS = [("infogan", 0.125), ("dcgan", 0.25), ("dcgan", 0.5), ("sndcgan", 0.25), ("resnet", 0.125)]


def trainer(name: str, width: float, device: str, **settings: object) -> Trainer:
    """One step of D and one of G at a time, on 28x28 grey images of ten classes."""
    images = Rng(1).integers(256, 2000 * 784).view(2000, *SHAPE).to(torch.uint8)
    split = Split(images, torch.arange(2000) % 10)
    plain = {} if name == "resnet" else {"batch_norm": False}  # as nets with spectral norm are
    nets = lookup.load("architectures", name)(width=width, **plain, **settings)
    players = build_players(nets, SHAPE, 10, Hinge().requirements(), 0)
    batches = Batches(split, BATCH, 0, torch.device(device))
    return Trainer(Hinge(), players, batches, Optimisation(), Training(1e9), 0, device)


def seconds(one: Trainer, steps: int) -> float:
    """Of a step."""
    done = one.steps_done
    start = time.perf_counter()
    one.train_until(done + steps)
    if one.device.type == "cuda":
        torch.cuda.synchronize()
    return (time.perf_counter() - start) / steps


def main() -> None:
    """Print the table."""
    parser = ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--steps", type=int, default=20)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--device", default="cpu")
    given = parser.parse_args()
    torch.set_num_threads(given.threads)
    print("| nets | variant | ms per step | ratio to plain |\n|---|---|---|---|")
    for name, width in NETS:
        variants = {
            key: trainer(name, width, given.device, **settings)
            for key, settings in VARIANTS.items()
        }
        for one in variants.values():
            seconds(one, 5)
        rounds = [
            {key: seconds(one, given.steps) for key, one in variants.items()}
            for _ in range(given.rounds)
        ]
        for key in variants:
            own = 1000 * median(row[key] for row in rounds)
            ratios = sorted(row[key] / row["plain"] for row in rounds)
            spread = f"{median(ratios):.2f} [{ratios[0]:.2f}, {ratios[-1]:.2f}]"
            print(f"| {name}, width {width:g} | {key} | {own:.1f} | {spread} |", flush=True)


if __name__ == "__main__":
    main()
