"""Batches of real images, shuffled anew for every epoch."""

import torch
from torch import Tensor

from coequal.contract import ImageRows, Samples, Split
from coequal.images import as_float
from coequal.rng import Rng
from coequal.seeds import seed_for

MAX_BYTES_ON_CPU, MAX_BYTES_ON_ACCELERATOR = 1 << 27, 1 << 32
"""Images in files that take no more lie on the device in one tensor; of more, batches are read."""


class Batches:
    """Endless batches without replacement within an epoch; its position is two numbers.

    The order of an epoch depends on the seed and the epoch only, so nothing but (epoch, position)
    has to be stored. The rest of an epoch that fills no batch is dropped, as everywhere. Images in
    memory, and few in files, lie on the device in one tensor; of many in files each batch is read
    from there.

    Args:
        split: What to train on.
        batch_size: Images of a batch.
        seed: Of the order of the images.
        device: Where the batches are wanted.

    Raises:
        ValueError: The split has fewer images than a batch.
    """

    def __init__(self, split: Split, batch_size: int, seed: int, device: torch.device) -> None:
        if len(split) < batch_size:
            raise ValueError(
                f"the training split has {len(split)} images, fewer than batch_size {batch_size}; "
                f"use at most {len(split)} (--batch-size, or training: {{batch_size: ...}} in "
                "a study file), or more images"
            )
        self.device = device
        self.images = _on_device(split.images, device)
        self._source = device if isinstance(self.images, Tensor) else torch.device("cpu")
        self.labels = None if split.labels is None else split.labels.to(self._source)
        self.batch_size = batch_size
        self.seed = seed
        self.epoch = -1
        self.position = len(split)
        self._order = torch.empty(0, dtype=torch.int64)

    def draw(self) -> Samples:
        """The next batch, images float32 in [0, 1]."""
        if self.position + self.batch_size > len(self.images):
            self.restore(self.epoch + 1, 0)
        rows = self._order[self.position : self.position + self.batch_size]
        self.position += self.batch_size
        labels = None if self.labels is None else self.labels[rows].to(self.device)
        return Samples(as_float(self.images[rows].to(self.device)), labels)

    def restore(self, epoch: int, position: int) -> None:
        """Go on at a position of an epoch."""
        self.epoch, self.position = epoch, position
        if epoch >= 0:
            order = Rng(seed_for(self.seed, "epoch", epoch)).permutation(len(self.images))
            self._order = order.to(self._source)


def _on_device(images: ImageRows, device: torch.device) -> Tensor | ImageRows:
    """All images in one tensor on the device, or the rows to read batches from if they are many."""
    limit = MAX_BYTES_ON_CPU if device.type == "cpu" else MAX_BYTES_ON_ACCELERATOR
    if images.loaded or images.bytes_in_all <= limit:
        return images.whole.to(device)
    return images
