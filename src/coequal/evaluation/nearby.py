"""Generated images beside the training images nearest to them: Shmelkov et al. 2018,
arXiv:1807.09499, figure 3."""

from pathlib import Path

import torch
from jaxtyping import UInt8
from torch import Tensor

from coequal.contract import Dataset, Encoder, Log
from coequal.data import fingerprint
from coequal.evaluation.features import cached_features
from coequal.evaluation.rows import Rows, held
from coequal.images import to_uint8
from coequal.metrics._distances import nearest

NEIGHBOURS = 5


def train_features(dataset: Dataset, encoder: Encoder, cache: Path, log: Log) -> Rows:
    """Features of all training images, from the cache or made now."""
    images = dataset.train.images
    digest = f"{fingerprint(dataset)}:train"
    return cached_features(held(images), digest, encoder, cache, log, f"{dataset.name}:train")


def beside_nearest(
    images: Tensor, dataset: Dataset, encoder: Encoder, cache: Path
) -> UInt8[Tensor, "n six c h w"]:
    """Each image, then its five nearest training images by distance in the encoder's features,
    nearest first."""
    known = train_features(dataset, encoder, cache, lambda line: None).whole
    count = min(NEIGHBOURS, len(known))
    found = nearest(encoder.features(images), known, count).indices
    near = dataset.train.images[found.flatten()].unflatten(0, (len(images), count))
    return torch.cat([to_uint8(images)[:, None], to_uint8(near)], 1)
