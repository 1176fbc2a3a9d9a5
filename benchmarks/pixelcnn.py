"""Sampling of PixelCNN++: everything kept by row against a whole pass of the net for every pixel.

python benchmarks/pixelcnn.py                     # some four minutes; --quick: seconds
python benchmarks/pixelcnn.py --width 1 --blocks 5

CPU seconds, one thread, random weights. Both sides make the same images from the same latents, in
turns, in one batch; ratios are medians of per-round ratios with [least, most]. The last column is
what `coequal` does: batches of 500, cached, per 10,000 images.
"""

import os
import random
import time
from argparse import ArgumentParser
from collections.abc import Callable
from statistics import median

import torch
from torch import Tensor

from coequal.architectures import _logistics
from coequal.architectures.pixelcnn import PixelCnn, PixelGenerator
from coequal.contract import DensityGenerator, GeneratorInput, ImageShape, Requirements, Samples
from coequal.rng import Rng
from coequal.training.loop import build_players

BATCH = 500


def main() -> None:
    parser = ArgumentParser(description=__doc__)
    parser.add_argument("--width", type=float, default=1 / 8)
    parser.add_argument("--blocks", type=int, default=2)
    parser.add_argument("--images", type=int, default=4, help="of each side in each round")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--quick", action="store_true", help="one image of 8x8: a smoke check")
    options = parser.parse_args()
    shapes = [ImageShape(1, 28, 28), ImageShape(3, 32, 32)]
    if options.quick:
        shapes, options.images, options.rounds = [ImageShape(1, 8, 8)], 1, 1
    torch.set_num_threads(1)
    print(f"torch {torch.__version__}, load {os.getloadavg()[0]:.1f}, width {options.width:g}")
    print(f"blocks {options.blocks}, {options.rounds} rounds of {options.images} images\n")
    print("| images | cached, s | plain, s | plain / cached | that differ | cached, s for 10,000 |")
    print("|---|---|---|---|---|---|")
    for shape in shapes:
        print(row(shape, options.width, options.blocks, options.images, options.rounds), flush=True)


@torch.inference_mode()
def row(shape: ImageShape, width: float, blocks: int, count: int, rounds: int) -> str:
    """A line of the table."""
    requirements = Requirements(generator=DensityGenerator)
    net = build_players(
        PixelCnn(width=width, blocks=blocks), shape, None, requirements, 0
    ).generator
    assert isinstance(net, PixelGenerator)
    asked = GeneratorInput(net.latents(count, Rng(1)))
    sides: dict[str, Callable[[], Tensor]] = {
        "cached": lambda: net(asked).images,
        "plain": lambda: plain(net, asked),
    }
    times: dict[str, list[float]] = {name: [] for name in sides}
    images: dict[str, Tensor] = {}
    for index in range(rounds):
        for name in random.Random(index).sample(list(sides), len(sides)):
            begun = time.process_time()
            images[name] = sides[name]()
            times[name].append(time.process_time() - begun)
    ratios = [b / a for a, b in zip(times["cached"], times["plain"], strict=True)]
    apart = int((images["cached"] != images["plain"]).flatten(1).any(1).sum())
    many = GeneratorInput(net.latents(BATCH, Rng(2)))
    begun = time.process_time()
    net(many)
    whole = (time.process_time() - begun) * 10_000 / BATCH
    return (
        f"| {shape.channels}x{shape.height}x{shape.width} | {median(times['cached']):.3g} "
        f"| {median(times['plain']):.3g} | {median(ratios):.0f} [{min(ratios):.0f}, "
        f"{max(ratios):.0f}] | {apart} of {count} | {whole:.0f} |"
    )


def plain(net: PixelGenerator, asked: GeneratorInput) -> Tensor:
    """The same images, by a whole pass of the net for every pixel."""
    (uniforms,) = asked.latents
    images = torch.zeros(len(uniforms), *net.shape)
    for i in range(net.shape.height):
        for j in range(net.shape.width):
            distributions = net.distributions(Samples(images))
            distribution = _logistics.Mixture(*(part[..., i, j] for part in distributions))
            images[..., i, j] = _logistics.draw(distribution, uniforms[..., i, j]) / 255
    return images


if __name__ == "__main__":
    main()
