"""A torch module, and a file of it, as the generator to be scored: no folder of images is written.

The "generator" is a Gaussian fitted to the training digits: their mean and their 16 principal
directions, as one linear layer. Any torch module goes the same way.

    python examples/score_a_generator.py [a folder, which gets scores.json]
"""

import json
import sys
from pathlib import Path

import torch
from torch import nn

import coequal
from coequal.datasets.digits import load_digits

COMPONENTS = 16


def gaussian_of(images):
    """A module that makes images of 16 standard normal latents, as the principal components say."""
    pixels = images.flatten(1).float() / 255
    mean = pixels.mean(0)
    _, lengths, directions = torch.linalg.svd(pixels - mean, full_matrices=False)
    spread = lengths[:COMPONENTS] / len(pixels) ** 0.5
    layer = nn.Linear(COMPONENTS, len(mean))
    with torch.no_grad():
        layer.weight.copy_(directions[:COMPONENTS].T * spread)
        layer.bias.copy_(mean)
    return nn.Sequential(layer, nn.Hardtanh(0, 1), nn.Unflatten(1, tuple(images.shape[1:])))


def save(net, path):
    """Write a module as a file that holds all of it: `coequal score --fake gaussian.pt2`."""
    rows = torch.export.Dim("n")
    latents = torch.zeros(2, COMPONENTS)
    program = torch.export.export(net.eval(), (latents,), dynamic_shapes=({0: rows},))
    torch.export.save(program, path)


def main(folder):
    folder.mkdir(parents=True, exist_ok=True)
    net = gaussian_of(load_digits("", folder).train.images.whole)
    save(net, folder / "gaussian.pt2")
    fakes = {
        "module": coequal.generator(net, latent=COMPONENTS, value_range=(0, 1)),
        "file": coequal.generator(folder / "gaussian.pt2", value_range=(0, 1)),
    }
    scores = coequal.score(real="digits:test", fake=fakes, samples=1000, encoder="pixels")
    for name, score in scores["scores"].items():
        for metric, number in score["metrics"].items():
            error = number["standard_error"]
            print(f"{name} {metric}: {number['value']:.4g}" + (f" +- {error:.2g}" if error else ""))
    (folder / "scores.json").write_text(json.dumps(scores, indent=1))


if __name__ == "__main__":
    main(Path(sys.argv[1] if len(sys.argv) > 1 else "runs/generator"))
