"""Standard errors of scores against the spread that they foretell, on features of a classifier.

Real images stay, new generated ones (here: other real images, as they are and one pixel moved) are
drawn again and again. Prints a table: the root of the mean square error over the spread of the
values. `python benchmarks/standard_errors.py [DRAWS]`, some minutes.
"""

import sys
from pathlib import Path

import numpy as np
import torch

from coequal import lookup
from coequal.contract import ImageSet
from coequal.datasets._loading import load_dataset
from coequal.evaluation.encoder_choice import prepared_encoder
from coequal.files import cache_folder
from coequal.rng import Rng

METRICS = [
    "fd",
    "kid",
    "mmd_rbf",
    "mmd_cosine",
    "emd",
    "swd",
    "feature_matching",
    "neighbours",
    "inception_score",
    "mode_score",
    "vendi",
]
COUNT = 500  # images of each side


def main(draws: int) -> None:
    """Print the table."""
    data = load_dataset("fashion_mnist", Path("data"))
    encoder = prepared_encoder("classifier", data, cache_folder(), print)
    rng = Rng(0)
    test, train = data.test.images[:], data.validation.images[:]
    for name, change in (("the same", 0), ("one pixel moved", 1)):
        pool = torch.roll(train, change, 3)
        features = encoder.features(pool)
        chosen = rng.permutation(len(test))[:COUNT]
        real = set_of(encoder, encoder.features(test[chosen]))
        found: dict[str, list[tuple[float, float]]] = {}
        for _ in range(draws):
            fake = set_of(encoder, features[rng.permutation(len(features))[:COUNT]])
            for part in METRICS:
                metric = lookup.load("metrics", part)()
                values = metric.values(real=metric.reference(real), fake=fake, rng=Rng(1))
                for key, value in values.items():
                    if value.standard_error is not None:
                        found.setdefault(key, []).append((value.value, value.standard_error))
        # Drawn without replacement from a finite pool, values spread a little less.
        finite = np.sqrt(1 - COUNT / len(features))
        for key, rows in found.items():
            values, errors = np.array(rows).T
            ratio = np.sqrt(np.mean(errors**2)) / (values.std(ddof=1) / finite)
            print(f"{name:16s} {key:18s} {ratio:.2f}", flush=True)


def set_of(encoder, features) -> ImageSet:  # type: ignore[no-untyped-def]
    """Features with their class probabilities."""
    return ImageSet(features, encoder.probabilities(features))


if __name__ == "__main__":
    torch.set_num_threads(1)
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 60)
