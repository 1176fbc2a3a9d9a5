"""Some of the images of every class, and an order that hangs on nothing but the images."""

import hashlib

import torch
from jaxtyping import Int
from torch import Tensor

from coequal.rng import Rng
from coequal.seeds import seed_for


def in_fixed_order(images: Tensor, labels: Int[Tensor, " n"]) -> tuple[Tensor, Tensor]:
    """Images and labels sorted by their bytes: the same for every order they may come in."""
    values = images + 0.0 if images.is_floating_point() else images  # 0 and -0 are the same value
    pairs = zip(values.contiguous().numpy(), labels.tolist(), strict=True)
    keys = [(image.tobytes(), label) for image, label in pairs]
    order = torch.tensor(sorted(range(len(keys)), key=keys.__getitem__), dtype=torch.int64)
    return images[order], labels[order]


def some_of_each(labels: Int[Tensor, " n"], count: int, seed: int) -> Int[Tensor, " rows"]:
    """`count` rows at random, of each class in proportion, and at least one if `count` allows.

    A smaller count gives a part of what a larger one gives.

    Args:
        labels: 0 .. classes - 1, of all images.
        count: How many rows are wanted; all if there are fewer.
        seed: Of the draw.
    """
    rng = Rng(seed_for("classification", "subset", seed))
    keys: list[tuple[bool, float, int, int]] = []
    for label in labels.unique().tolist():
        rows = (labels == label).nonzero()[:, 0]
        for rank, row in enumerate(rows[rng.permutation(len(rows))].tolist()):
            keys.append((rank > 0, (rank + 0.5) / len(rows), label, row))
    return torch.tensor([key[-1] for key in sorted(keys)[:count]], dtype=torch.int64)


def digest(images: Tensor, labels: Int[Tensor, " n"]) -> str:
    """SHA-256 of images and labels, as hexadecimal digits."""
    content = hashlib.sha256(f"{tuple(images.shape)} {images.dtype}".encode())
    content.update(images.contiguous().numpy().data)
    content.update(labels.contiguous().numpy().data)
    return content.hexdigest()
