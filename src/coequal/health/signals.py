"""The signals of a training run: a row of numbers at each probe."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from coequal.files import write_npz

MEANING: Mapping[str, str] = {
    "step": "discriminator steps done",
    "loss_discriminator": "mean loss of the discriminator since the last probe",
    "loss_generator": "mean loss of the generator since the last probe",
    "auc": (
        "how well the discriminator tells real images from generated ones: the fraction of pairs "
        "that it orders correctly; 0.5 is chance"
    ),
    "accuracy_real": "fraction of real images with a logit above 0; meaningless for a critic",
    "accuracy_fake": "fraction of generated images with a logit below 0",
    "logit": "median absolute value of the discriminator's logit",
    "gradient_discriminator": "median norm of the discriminator's gradient",
    "gradient_generator": "median norm of the generator's gradient",
    "rate": "learning rate of the generator, relative to its initial value",
    "movement": (
        "how far the images of the fixed latents have moved over four probes, in units of the mean "
        "distance between real images"
    ),
    "spread": "mean distance between the images of the fixed latents, relative to real images",
    "nearest": "median nearest-neighbour distance among these images, relative to real images",
    "distinct": "fraction of these images whose nearest neighbour is no copy (farther than 0.02)",
    "gap": (
        "distance of the mean image from the mean real image, in units of the mean distance "
        "between real images"
    ),
    "past_best": "that distance divided by its minimum so far",
    "shift": "how far the mean image has moved since the last probe, in the same unit",
    "drift": "how far it has moved over eight probes, in the same unit",
    "held_out_auc": (
        "how well the discriminator tells training images from held-out ones; 0.5 is chance"
    ),
    "saturated": "fraction of pixels within 0.01 of black or white",
    "batch_norm": (
        "distance between images made with BatchNorm's moving averages and with the batch's "
        "statistics, in units of the mean distance between real images"
    ),
    "feature_spread": (
        "mean distance between generated images in the classifier's features, relative to real "
        "images; measured at every second probe and carried forward"
    ),
    "feature_gap": (
        "distance of their mean feature from that of real images, in units of the mean distance "
        "between real images"
    ),
    "modes": (
        "effective number of classes among fresh images (exp of the entropy); measured at every "
        "second probe and carried forward"
    ),
}
"""What every signal is, by name."""

NAMES = tuple(MEANING)


@dataclass(frozen=True, eq=False)
class Signals:
    """The signals of one run.

    Attributes:
        values: (probes, signals) in the order of `NAMES`; NaN where a signal cannot be measured.
        counts: (probes, classes) generated images since the last probe that a classifier assigned
            to each class; (probes, 0) without a classifier.
        real_fractions: (classes,) fraction of real images that it assigns to each class.
        real: what the run's numbers are relative to, by name, for people.
        classes: names of the classes.
    """

    values: NDArray[np.float64]
    counts: NDArray[np.float64]
    real_fractions: NDArray[np.float64]
    real: Mapping[str, float]
    classes: tuple[str, ...] = ()

    def __len__(self) -> int:
        return len(self.values)

    def __getitem__(self, name: str) -> NDArray[np.float64]:
        """One signal at every probe."""
        column: NDArray[np.float64] = self.values[:, NAMES.index(name)]
        return column

    def until(self, probes: int) -> "Signals":
        """The signals of the first `probes` probes."""
        return Signals(
            self.values[:probes], self.counts[:probes], self.real_fractions, self.real, self.classes
        )

    def save(self, path: Path) -> None:
        """Write an .npz file that holds nothing pickled."""
        write_npz(path, self.arrays())

    def arrays(self) -> dict[str, NDArray[Any]]:
        """The arrays of a file; each signal under its own name."""
        columns: dict[str, NDArray[Any]] = {
            name: self[name].astype(np.float32) for name in NAMES if name != "step"
        }
        return {
            "step": self["step"].astype(np.int64),
            **columns,
            "class_counts": self.counts.astype(np.float32),
            "class_shares": self.real_fractions.astype(np.float32),
            "class_names": np.array(self.classes, dtype=np.str_),
            "real_names": np.array(list(self.real), dtype=np.str_),
            "real_values": np.array(list(self.real.values()), dtype=np.float64),
        }


def load(path: Path) -> Signals:
    """Read the file that `Signals.save` wrote.

    Raises:
        FileNotFoundError: there is no such file.
        ValueError: the file holds no signals.
    """
    try:
        with np.load(path, allow_pickle=False) as file:
            return of_arrays(file)
    except FileNotFoundError:
        raise
    except (KeyError, OSError, EOFError, ValueError) as error:
        raise ValueError(f"{path} holds no signals of a run ({error})") from error


def of_arrays(arrays: Any) -> Signals:
    """The signals of the arrays that `Signals.arrays` gave.

    Args:
        arrays: arrays by name; a signal that is missing (of an older version) becomes NaN.

    Raises:
        KeyError: the steps or the classes are missing.
    """
    steps = np.asarray(arrays["step"], dtype=np.float64)
    absent = np.full(len(steps), np.nan)
    columns: Sequence[NDArray[np.float64]] = [
        np.asarray(arrays[name], dtype=np.float64) if name in arrays else absent for name in NAMES
    ]
    real = zip(arrays["real_names"].tolist(), arrays["real_values"].tolist(), strict=True)
    return Signals(
        np.stack(columns, 1),
        np.asarray(arrays["class_counts"], dtype=np.float64),
        np.asarray(arrays["class_shares"], dtype=np.float64),
        dict(real),
        tuple(arrays["class_names"].tolist()),
    )
