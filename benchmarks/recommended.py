"""Which numbers see which flaw of generated images, and from which strength on: the evidence for
`--metrics recommended`.

Generated images are real ones of Fashion-MNIST that nothing else uses, with a flaw of growing
strength; real and training images stay. A number sees a flaw from the least strength at which, and
at all greater ones, its values are worse than those without a flaw by a one-sided rank-sum test at
p < 0.005 (at 0.05 one cell in twenty would be chance). It is fooled where they are better by the
same test. A number that is best at a target is worse on both sides.

    python benchmarks/recommended.py measure RESULTS.jsonl [FLAW ...]    # some minutes a flaw
    python benchmarks/recommended.py table RESULTS.jsonl
"""

import json
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch
from scipy.stats import mannwhitneyu
from torch import Tensor
from torchvision.transforms.functional import gaussian_blur

from coequal import lookup
from coequal.contract import ImageSet
from coequal.datasets._loading import load_dataset
from coequal.evaluation.encoder_choice import prepared_encoder
from coequal.files import cache_folder
from coequal.rng import Rng
from coequal.seeds import seed_for

COUNT, TRAIN = 500, 2000  # images: real and generated, and to train on
DRAWS, PLAIN = 3, 16  # of each flaw and strength, and without a flaw
LEVEL = 0.005
NONE = "none"
SETTINGS: Mapping[str, Mapping[str, Any]] = {"fld": {"groups": 0}}  # no errors are needed here


class Images(NamedTuple):
    """Images with their classes."""

    images: Tensor
    labels: Tensor

    def rows(self, rows: Tensor) -> "Images":
        """Some of them."""
        return Images(self.images[rows], self.labels[rows])


@dataclass(frozen=True)
class Flaw:
    """How generated images go wrong.

    Attributes:
        strengths: growing.
        make: takes images that nothing is wrong with (more than are wanted), training images, a
            strength and a random stream; gives `COUNT` images.
    """

    strengths: tuple[float, ...]
    make: Callable[[Images, Images, float, Rng], Images]


def _all_changed(change: Callable[[Tensor, float, Rng], Tensor]) -> Callable[..., Images]:
    def make(pool: Images, train: Images, strength: float, rng: Rng) -> Images:
        images = pool.images[:COUNT].float() / 255
        changed = change(images, strength, rng).clamp(0, 1)
        return Images((changed * 255).round().to(torch.uint8), pool.labels[:COUNT])

    return make


def _noise(images: Tensor, strength: float, rng: Rng) -> Tensor:
    return images + strength * rng.normal(*images.shape)


def _blur(images: Tensor, strength: float, rng: Rng) -> Tensor:
    return gaussian_blur(images, 9, strength)


def _speckled(images: Tensor, strength: float, rng: Rng) -> Tensor:
    hit = rng.uniform(*images.shape) < strength
    return torch.where(hit, (rng.uniform(*images.shape) < 0.5).float(), images)


def _foreign(pool: Images, train: Images, strength: float, rng: Rng) -> Images:
    images = pool.images[:COUNT].clone()
    count = round(strength * COUNT)
    images[:count] = images[:count].flip(2)  # upside down: images of another kind
    return Images(images, pool.labels[:COUNT])


def _classes_missing(pool: Images, train: Images, strength: float, rng: Rng) -> Images:
    missing = rng.permutation(10)[: int(strength)]
    return pool.rows((~torch.isin(pool.labels, missing)).nonzero()[:COUNT, 0])


def _one_class_grows(pool: Images, train: Images, strength: float, rng: Rng) -> Images:
    chosen = int(rng.integers(10, 1))
    many = (pool.labels == chosen).nonzero()[: round(strength * COUNT), 0]
    rest = torch.arange(COUNT)[len(many) :]
    return pool.rows(torch.cat([many, rest]))


def _collapse(pool: Images, train: Images, strength: float, rng: Rng) -> Images:
    """So many images stand for each that is really there."""
    few = torch.arange(round(COUNT / strength))
    return pool.rows(few.repeat(int(strength) + 1)[:COUNT])


def _copies(pool: Images, train: Images, strength: float, rng: Rng) -> Images:
    count = round(strength * COUNT)
    copied = train.rows(rng.permutation(len(train.labels))[:count])
    fresh = pool.rows(torch.arange(COUNT - count))
    return Images(*(torch.cat(both) for both in zip(copied, fresh, strict=True)))


def _wrong_labels(pool: Images, train: Images, strength: float, rng: Rng) -> Images:
    labels = pool.labels[:COUNT].clone()
    count = round(strength * COUNT)
    labels[:count] = (labels[:count] + 1 + rng.integers(9, count)) % 10
    return Images(pool.images[:COUNT], labels)


FLAWS: Mapping[str, Flaw] = {
    NONE: Flaw((0.0,), lambda pool, train, strength, rng: pool.rows(torch.arange(COUNT))),
    "noise, sd": Flaw((0.02, 0.05, 0.1, 0.2), _all_changed(_noise)),
    "blur, px": Flaw((0.4, 0.7, 1.0, 2.0), _all_changed(_blur)),
    "specks, share of pixels": Flaw((0.002, 0.01, 0.05, 0.1), _all_changed(_speckled)),
    "foreign images, share": Flaw((0.05, 0.1, 0.3, 1.0), _foreign),
    "classes missing of 10": Flaw((1, 2, 4, 8), _classes_missing),
    "one class grows to, share": Flaw((0.2, 0.3, 0.5, 0.9), _one_class_grows),
    "collapse, images for each": Flaw((2, 5, 10, 50), _collapse),
    "copies of training images, share": Flaw((0.1, 0.3, 0.6, 1.0), _copies),
    "wrong labels, share": Flaw((0.05, 0.1, 0.3, 1.0), _wrong_labels),
}


def measure(path: Path, flaws: list[str]) -> None:
    """Append a line to the file for each number of each draw."""
    data = load_dataset("fashion_mnist", Path("data"))
    encoder = prepared_encoder("classifier", data, cache_folder(), print)
    rows = Rng(0).permutation(len(data.validation))
    train_rows, pool_rows = rows[:TRAIN], rows[TRAIN:]
    test_rows = Rng(1).permutation(len(data.test))[:COUNT]
    train, pool, real = (
        Images(split.images.whole[chosen], split.labels[chosen])
        for split, chosen in (
            (data.validation, train_rows),
            (data.validation, pool_rows),
            (data.test, test_rows),
        )
    )

    def as_set(images: Images) -> ImageSet:
        features = encoder.features(images.images)
        return ImageSet(features, encoder.probabilities(features), images.labels, images.images)

    sides = as_set(real), as_set(train)
    metrics = {
        name: kind(**SETTINGS.get(name, {}))
        for name in lookup.names("metrics")
        if _measurable(kind := lookup.load("metrics", name))
    }
    references = {name: metric.reference(*sides) for name, metric in metrics.items()}
    with path.open("a") as file:
        for name in flaws:
            for strength in FLAWS[name].strengths:
                for draw in range(PLAIN if name == NONE else DRAWS):
                    rng = Rng(seed_for("recommended", name, draw))
                    fresh = pool.rows(rng.permutation(len(pool_rows)))
                    fake = as_set(FLAWS[name].make(fresh, train, strength, rng))
                    for part, metric in metrics.items():
                        found = metric.values(real=references[part], fake=fake, rng=Rng(1))
                        for number, value in found.items():
                            row = {"flaw": name, "strength": strength, "number": number}
                            print(json.dumps(row | {"value": value.value}), file=file)
                print(f"{name}: {strength:g}", flush=True)


def _measurable(kind: Any) -> bool:
    """Whether a metric can be had of any images, in seconds."""
    needs = {"generator", "density"} & set(kind.required)
    return not needs and not kind.costly and kind.unsupported_reason(None) is None


def table(path: Path) -> None:
    """Print a table in Markdown: numbers by flaws."""
    values: dict[tuple[str, str, float], list[float]] = {}
    for line in path.read_text().splitlines():
        row = json.loads(line)
        key = (row["number"], row["flaw"], row["strength"])
        values.setdefault(key, []).append(row["value"])
    infos = {
        number: info
        for name in lookup.names("metrics")
        for number, info in lookup.load("metrics", name).outputs.items()
    }
    there = [name for name in FLAWS if any(name == flaw for _, flaw, _ in values)]
    flaws = [name for name in there if name != NONE]
    print(f"| number | {' | '.join(flaws)} |")
    print("|---" * (len(flaws) + 1) + "|")
    for number in dict.fromkeys(number for number, _, _ in values):
        plain = np.array(values[number, NONE, 0.0])
        cells = [_seen(infos[number], plain, number, flaw, values) for flaw in flaws]
        print(f"| `{number}` | {' | '.join(cells)} |")


def _seen(info: Any, plain: Any, number: str, flaw: str, values: Mapping[Any, list[float]]) -> str:
    """ "0.1", the strength from which a number sees a flaw; "." if it doesn't; "fooled 0.3"; a ~
    behind it where the means don't keep the order of the strengths from there on."""

    def cost(found: list[float]) -> Any:
        if info.better == "target":
            return np.abs(np.array(found) - np.median(plain))
        return np.array([info.cost(value) for value in found])

    strengths = FLAWS[flaw].strengths
    costs = [cost(values[number, flaw, strength]) for strength in strengths]
    start, fooled = None, None
    for strength, one in zip(strengths, costs, strict=True):
        if not np.isfinite(one).all():
            start = None
        elif _p_value(one, cost(list(plain)), "greater") < LEVEL:
            start = strength if start is None else start
        else:
            start = None
            if _p_value(one, cost(list(plain)), "less") < LEVEL and info.better != "target":
                fooled = strength if fooled is None else fooled
    means = [one.mean() for s, one in zip(strengths, costs, strict=True) if start and s >= start]
    mark = "" if means == sorted(means) else "~"
    parts = [f"{start:g}{mark}" if start is not None else ""]
    parts += [f"fooled {fooled:g}"] if fooled is not None else []
    return "; ".join(filter(None, parts)) or "."


def _p_value(values: Any, plain: Any, side: str) -> float:
    return float(mannwhitneyu(values, plain, alternative=side, method="exact").pvalue)


if __name__ == "__main__":
    torch.set_num_threads(1)
    action, file, *names = sys.argv[1:]
    if action == "measure":
        measure(Path(file), names or list(FLAWS))
    else:
        table(Path(file))
