"""Batches of real images: one uint8 tensor, shuffled anew for every epoch."""

import torch

from coequal.contract import Samples, Split
from coequal.images import as_float
from coequal.rng import Rng
from coequal.seeds import seed_for


class Batches:
    """Endless batches without replacement within an epoch; its position is two numbers.

    The order of an epoch depends on the seed and the epoch only, so nothing but (epoch, position)
    has to be stored. The rest of an epoch that fills no batch is left out, as everywhere.
    """

    def __init__(self, split: Split, batch_size: int, seed: int, device: torch.device) -> None:
        if len(split) < batch_size:
            raise ValueError(
                f"the training split has {len(split)} images, fewer than batch_size {batch_size}"
            )
        self.images = split.images.to(device)
        self.labels = None if split.labels is None else split.labels.to(device)
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
        return Samples(
            as_float(self.images[rows]), None if self.labels is None else self.labels[rows]
        )

    def restore(self, epoch: int, position: int) -> None:
        """Go on at a position of an epoch."""
        self.epoch, self.position = epoch, position
        if epoch >= 0:
            order = Rng(seed_for(self.seed, "epoch", epoch)).permutation(len(self.images))
            self._order = order.to(self.images.device)
