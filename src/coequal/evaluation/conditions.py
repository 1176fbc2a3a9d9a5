"""Which classes generators are asked for."""

from collections.abc import Sequence

import torch

from coequal.evaluation.instrument import Instrument
from coequal.rng import Rng
from coequal.seeds import seed_for


def every_class(count: int, classes: Sequence[str] | None) -> torch.Tensor | None:
    """Classes in turn, for generators that know them."""
    return None if classes is None else torch.arange(count) % len(classes)


def like_split(instrument: Instrument, split: str, device: str) -> torch.Tensor | None:
    """Classes to ask for, as often as in the split, in random order."""
    labels = instrument.dataset.split(split).labels
    if labels is None:
        return None
    found = in_proportion(labels.bincount(), instrument.samples)
    order = Rng(seed_for("labels", split)).permutation(len(found))
    return found[order].to(device)


def in_proportion(counts: torch.Tensor, total: int) -> torch.Tensor:
    """(total,) labels, of each class in proportion to its count by largest remainders, and one at
    least of each that there is, if there is room."""
    kinds = counts.nonzero()[:, 0]
    least = int(total >= len(kinds))
    share = counts[kinds].double() / counts.sum() * (total - least * len(kinds))
    whole = share.floor().long()
    rest = total - least * len(kinds) - int(whole.sum())
    whole[(share - whole).argsort(descending=True, stable=True)[:rest]] += 1
    return kinds.repeat_interleave(whole + least)
