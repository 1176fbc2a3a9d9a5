"""The looks of a study at its results, and the error that each of them may spend.

A study that is looked at more than once must divide the error of 5 % among its looks. A spending
function f says how much of it has been spent once a fraction t of the settings has been measured;
a look may spend the increment since the look before. As the increments add up to the whole error,
the union bound holds for any dependence between the looks.

Source: Lan and DeMets 1983, Biometrika 70, 659-663; O'Brien and Fleming 1979, Biometrics 35,
549-556; Pocock 1977, Biometrika 64, 191-199.
"""

import math
from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import Literal, NamedTuple

import numpy as np
from scipy.special import ndtr, ndtri

from coequal.statistics.search import Array, worst_last

LEVEL = 0.05
"""The error of a whole study: the probability that any pair of equal models is separated."""

Spending = Literal["obrien_fleming", "pocock"]


class Look(NamedTuple):
    """A planned look at the results.

    Attributes:
        settings: number of random settings of each model that it needs.
        level: error that it may spend, over all pairs.
    """

    settings: int
    level: float


def _obrien_fleming(fraction: float, level: float) -> float:
    return float(2 * ndtr(ndtri(level / 2) / math.sqrt(fraction)))


def _pocock(fraction: float, level: float) -> float:
    return level * math.log(1 + (math.e - 1) * fraction)


SPENT: dict[Spending, Callable[[float, float], float]] = {
    "obrien_fleming": _obrien_fleming,
    "pocock": _pocock,
}
"""By name, the error spent at a fraction of the settings, in (0, 1]; at 1 it is the level."""


def spend(
    settings: Sequence[int],
    level: float = LEVEL,
    spending: Spending = "obrien_fleming",
    done: Sequence[Look] = (),
) -> tuple[Look, ...]:
    """Divide the error among the looks of a study.

    Args:
        settings: numbers of settings at which the study looks, ascending; the last is the most.
        level: error of the whole study.
        spending: by which function it is spent.
        done: looks that were taken under an earlier version of the study. They keep what they
            spent, and only what is left is divided among the later ones; nothing may be left.

    Returns:
        The looks done, then those of `settings` that come after the last of them; none of these
        where nothing is left to spend, as no later result can then decide anything.

    Raises:
        ValueError: there is no look, or the numbers do not ascend from at least 1.
    """
    counts = list(settings)
    if not counts or counts[0] < 1 or any(b <= a for a, b in pairwise(counts)):
        raise ValueError(f"looks must ascend from at least 1, got {counts}")
    reached = done[-1].settings if done else 0
    later, most = [count for count in counts if count > reached], counts[-1]
    left = level - math.fsum(look.level for look in done)
    if not later or left < 1e-9 * level:
        return tuple(done)

    def spent(count: int) -> float:
        return SPENT[spending](count / most, level) if count else 0.0

    share = left / (level - spent(reached))  # 1 for a study that has not changed
    return (
        *done,
        *(
            Look(count, share * (spent(count) - spent(before)))
            for before, count in zip([reached, *later], later, strict=False)
        ),
    )


def retrained_settings(validation: Array, looks: Sequence[int], share: float) -> list[int]:
    """Choose the settings that are trained once more with a fresh seed, up to the last of some
    looks.

    At each look these are the best settings by validation among those drawn by then: a share of
    them, rounded up. A setting that was among them at an earlier look stays in.

    Args:
        validation: (settings,) validation scores in the order drawn, lower is better; failures as
            NaN or infinity are never chosen.
        looks: numbers of settings, ascending.
        share: of the settings at each look, in [0, 1].

    Returns:
        Positions in `validation`, ascending.
    """
    scores = worst_last(validation)
    chosen: set[int] = set()
    for count in looks:
        order = np.argsort(scores[:count], kind="stable")[: math.ceil(share * count - 1e-9)]
        chosen.update(int(i) for i in order if np.isfinite(scores[i]))
    return sorted(chosen)
