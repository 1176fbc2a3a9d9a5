"""Variances of what an instrument adds to a score, from repeated measurements of the same images.

The score of a network in one state of the instrument is a mean, plus a part of the network, plus a
part of the state that is the same for all networks, plus parts of the state that are the same for
all networks of a model, or a network's own: two crossed factors without repetition, one of them
nested in models (Searle, Casella and McCulloch 1992, Variance Components, chapters 3 and 4). The
first part of a state cancels where networks are compared; the others don't, and a model's own does
not become smaller with more seeds or settings either.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from coequal.statistics.rates import Interval
from coequal.statistics.search import Array


@dataclass(frozen=True)
class InstrumentVariance:
    """What one property of the instrument adds to a score; estimates of 0 may be below it.

    Attributes:
        shared: variance of the part that all networks share.
        model: variance of the part that the networks of one model share; None with one model.
        network: variance of the part that is a network's own; None where no model has two networks:
            `model` includes it.
        specific: the sum of the last two: what moves networks of different models apart.
        specific_interval: its 95 % interval, for normal parts (Satterthwaite's degrees of freedom).
        networks: how many were measured.
        states: of the instrument in which each was measured.
        swapped: the fraction of pairs of networks of different models that stand in another order
            than in the study, over all other states of the instrument; None where it is not known.
    """

    shared: float
    model: float | None
    network: float | None
    specific: float
    specific_interval: Interval
    networks: int
    states: int
    swapped: float | None = None


def encoder_variance(scores: Array, models: Sequence[str]) -> InstrumentVariance:
    """What the training seed of the encoder adds.

    Args:
        scores: (networks, encoders), at least 2 of each, on the scale on which differences are
            meant; the study's encoder is the first.
        models: the model of each network.
    """
    states = scores.shape[1]
    apart = scores - scores.mean(1, keepdims=True)
    return _nested(apart, models, states - 1, states - 1, states, _swapped(scores, models))


def split_variance(scores: Array, models: Sequence[str]) -> InstrumentVariance:
    """What the draw of the test images adds, from scores against halves of them.

    The variance of a score against n images is taken to go with 1 / n, so that the difference of
    two disjoint halves has four times the variance of the score against all of them.

    Args:
        scores: (networks, partitions, 2), at least 2 networks, on the scale on which differences
            are meant. For the interval, all partitions count as one, as they are of the same
            images.
        models: the model of each network.
    """
    partitions = scores.shape[1]
    apart = (scores[:, :, 0] - scores[:, :, 1]) / 2
    return _nested(apart, models, partitions, 1, 2 * partitions, None)


def _nested(
    apart: Array,
    models: Sequence[str],
    divisor: int,
    degrees: int,
    states: int,
    swapped: float | None,
) -> InstrumentVariance:
    """Moment estimates of the components.

    Args:
        apart: (networks, columns) deviations by state.
        models: the model of each network.
        divisor: by which a sum of squares over the columns becomes a variance.
        degrees: of freedom that the columns have.
        states: of the instrument.
        swapped: see `InstrumentVariance`.
    """
    names = np.array(models)
    groups = [apart[names == name] for name in dict.fromkeys(models)]
    means = np.array([group.mean(0) for group in groups])
    inside = sum(len(group) - 1 for group in groups)
    squares = sum(
        float(np.sum((group - mean) ** 2)) for group, mean in zip(groups, means, strict=True)
    )
    network = squares / (inside * divisor) if inside else None
    carried = float(np.mean([1 / len(group) for group in groups])) * (network or 0.0)
    overall = float(np.sum(means.mean(0) ** 2)) / divisor
    if len(groups) == 1:  # the part of the one model is not separable from that of all
        specific = network or 0.0
        return InstrumentVariance(
            *(overall - carried, None, network, specific),
            _interval([(specific, inside * degrees)]),
            *(len(apart), states, swapped),
        )
    between = float(np.sum((means - means.mean(0)) ** 2)) / ((len(groups) - 1) * divisor)
    rest = (network or 0.0) - carried
    terms = [(between, (len(groups) - 1) * degrees), (rest, inside * degrees)]
    return InstrumentVariance(
        shared=overall - between / len(groups),
        model=between - carried,
        network=network,
        specific=between + rest,
        specific_interval=_interval(terms),
        networks=len(apart),
        states=states,
        swapped=swapped,
    )


def _interval(terms: Sequence[tuple[float, int]]) -> Interval:
    """The 95 % interval of a sum of multiples of mean squares, by their degrees of freedom."""
    from scipy.stats import chi2  # here: it takes long to import

    total = sum(term for term, _ in terms)
    spread = sum(term**2 / degrees for term, degrees in terms if degrees)
    if not spread:
        return Interval(0.0, 0.0)
    degrees = total**2 / spread
    low, high = degrees * total / chi2.ppf([0.975, 0.025], degrees)
    return Interval(float(low), float(high))


def _swapped(scores: Array, models: Sequence[str]) -> float | None:
    """How often two networks of different models stand in another order than by the first state."""
    first, second = np.triu_indices(len(scores), 1)
    names = np.array(models)
    other = names[first] != names[second]
    if not other.any():
        return None
    signs = np.sign(scores[first[other]] - scores[second[other]])
    return float(np.mean(signs[:, 1:] != signs[:, :1]))
