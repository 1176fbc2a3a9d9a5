"""The verdict's numbers from their definitions, and the truth about them; nothing of coequal.

    python benchmarks/independent_verdict.py [STUDIES]

Simulated models are searched as a study searches them: their settings are random and shared, so
that a good draw for one may be good (or bad) for another; each training has seed noise, and each
evaluation noise of its own. A search of n settings takes the best by validation, and the model is
then trained once more with a fresh seed. Two numbers are asked of two models: P, the probability
that A's score is then below B's, and the logarithm of the ratio of their geometric means.

`truth` finds both by doing many searches. `estimate` finds them from one study by enumerating all
subsets of n settings, and their standard errors by leaving out one setting after another. There is
neither a closed form nor an influence function. Called as a script it prints how estimates and 95 %
intervals compare with the truth. `benchmarks/validation/independent.py` compares coequal's own.
"""

import math
import sys
from dataclasses import dataclass, replace
from functools import cache
from itertools import combinations
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr
from scipy.stats import norm, t

Array = NDArray[np.float64]
CAP = 2000.0  # the score of a failure, worse than nearly all that finished
EVALUATION_NOISE = 0.02  # standard deviation of a log score
SHARE = 0.25  # of the settings, best by validation, that is trained once more with a fresh seed
TIED_AT = 20.0  # the validation score of settings that are tied at the best
SEARCHES = 200_000  # of which the truth is taken


@dataclass(frozen=True)
class Model:
    """A model, by the distribution of its log scores over settings and over seeds.

    Attributes:
        distribution: of the settings; a key of DISTRIBUTIONS.
        factor: by which all scores are worse.
        seed: standard deviation of the log score over seeds.
        failed: fraction of the settings that fail, on every seed.
        collapsed: fraction of the trainings that collapse, to eight times the score.
        tied: fraction of the settings that validation can't tell from the best.
    """

    distribution: str = "log-normal"
    factor: float = 1.0
    seed: float = 0.18
    failed: float = 0.0
    collapsed: float = 0.0
    tied: float = 0.0

    def times(self, factor: float) -> "Model":
        """Return this model with scores worse by a factor."""
        return replace(self, factor=self.factor * factor)

    def typical(self, latent: Array) -> Array:
        """Log scores of settings without any noise, from standard normal numbers."""
        return np.asarray(DISTRIBUTIONS[self.distribution](latent) + math.log(self.factor))


class Runs(NamedTuple):
    """What the settings of a model scored, each (..., settings); failures are infinite."""

    validation: Array  # of the search's run
    test: Array  # of the same run
    fresh: Array  # of a run with another seed, had it been done


class Estimate(NamedTuple):
    """A number and its standard error."""

    value: float
    error: float


@cache
def _clusters() -> Array:
    """A third good, the rest five times as bad: sorted log scores."""
    rng = np.random.default_rng(0)
    good = rng.random(400_000) < 0.35
    low = math.log(45) + 0.12 * rng.standard_normal(400_000)
    return np.sort(np.where(good, low, math.log(220) + 0.25 * rng.standard_normal(400_000)))


def _bimodal(latent: Array) -> Array:
    clusters = _clusters()
    place = (ndtr(latent) * len(clusters)).astype(int)
    return np.asarray(clusters[np.minimum(place, len(clusters) - 1)])


def _lucky(latent: Array) -> Array:
    """One setting in thirty is three times as good as the rest."""
    return np.where(ndtr(latent) < 1 / 30, math.log(30.0), math.log(90)) + 0.15 * latent


DISTRIBUTIONS = {
    "log-normal": lambda latent: math.log(90) + 0.6 * latent,
    "narrow": lambda latent: math.log(90) + 0.05 * latent,
    "wide": lambda latent: math.log(90) + 1.2 * latent,
    "heavy": lambda latent: math.log(90) + 0.3 * np.clip(t.ppf(ndtr(latent), 2), -12, 12),
    "bimodal": _bimodal,
    "lucky": _lucky,
}


def draw(
    models: list[Model],
    settings: tuple[int, ...],
    rng: np.random.Generator,
    *,
    correlation: float = 0.0,
) -> list[Runs]:
    """Draw what the settings of all models score.

    Args:
        models: that are searched.
        settings: shape of the settings.
        rng: source of the draws.
        correlation: of the same setting's score between models, by a Gaussian copula; if it is
            negative, what is good for every other model is bad for the rest.
    """
    common = rng.standard_normal(settings)
    drawn = []
    for i, model in enumerate(models):
        sign = -1 if correlation < 0 and i % 2 else 1
        own = math.sqrt(1 - abs(correlation)) * rng.standard_normal(settings)
        typical = model.typical(sign * math.sqrt(abs(correlation)) * common + own)
        typical[rng.random(settings) < model.failed] = np.inf

        def trained(typical: Array = typical, model: Model = model) -> Array:
            collapse = math.log(8) * (rng.random(settings) < model.collapsed)
            return np.asarray(typical + collapse + model.seed * rng.standard_normal(settings))

        def scored(log_score: Array) -> Array:
            return np.exp(log_score + EVALUATION_NOISE * rng.standard_normal(settings))

        run = trained()
        validation = scored(run)
        if model.tied:
            validation = np.where(rng.random(settings) < model.tied, TIED_AT, 100 + validation)
        drawn.append(Runs(validation, scored(run), scored(trained())))
    return drawn


def tuned(model: Model, budget: int, rng: np.random.Generator, searches: int = SEARCHES) -> Array:
    """Return what a fresh seed of the best of `budget` settings scores, for many searches."""
    (runs,) = draw([model], (searches, budget), rng)
    chosen = np.argmin(runs.validation, axis=1)  # of equals the first, which is a random one
    return np.asarray(runs.fresh[np.arange(searches), chosen])


def truth(a: Model, b: Model, budget: int) -> tuple[float, float]:
    """Return P, and the logarithm of the ratio of geometric means with failures at CAP."""
    if a == b:
        return 0.5, 0.0
    rng = np.random.default_rng([99, budget])
    left, right = tuned(a, budget, rng), tuned(b, budget, rng)
    # Compare all with all: both sides are large independent samples.
    ordered = np.sort(right)
    above = len(right) - np.searchsorted(ordered, left, side="right")
    equal = len(right) - np.searchsorted(ordered, left, side="left") - above
    chance = float(np.mean(above + equal / 2)) / len(right)
    return chance, float(np.mean(_logs(left)) - np.mean(_logs(right)))


def matching_factor(a: Model, b: Model, budget: int) -> float:
    """Return the factor by which B's scores are to be multiplied so that P is one half."""
    rng = np.random.default_rng([98, budget])
    left, right = tuned(a, budget, rng), tuned(b, budget, rng)
    return float(np.median(left / right))  # the pairs are independent


def estimate(a: Runs, b: Runs, budget: int, share: float = SHARE) -> tuple[Estimate, Estimate]:
    """Return P and the log ratio of one study, by enumeration, with jackknife standard errors.

    Args:
        a: A's settings in the order drawn.
        b: B's, the same draws.
        budget: n, the number of settings that a search tries.
        share: of the settings that is trained once more.
    """
    settings = len(a.validation)
    first, second = _Side(a, budget, share), _Side(b, budget, share)
    whole = np.ones(settings, dtype=bool)
    full = first.against(second, whole)
    left_out = np.array([first.against(second, whole & ~row) for row in np.eye(settings) > 0])
    spread = left_out - left_out.mean(axis=0)
    errors = np.sqrt((settings - 1) / settings * (spread**2).sum(axis=0))
    return Estimate(full[0], float(errors[0])), Estimate(full[1], float(errors[1]))


class _Side:
    """One model's search. Each setting is represented by the scores that it may count with, each
    with a weight: its own run's or its fresh seed's.

    A setting that would have been trained again, had another not been, has no fresh seed. It counts
    with its own score, corrected by what the last settings of those trained again changed.
    """

    def __init__(self, runs: Runs, budget: int, share: float) -> None:
        self.runs, self.budget = runs, budget
        self.count = math.ceil(share * len(runs.validation) - 1e-9) if budget > 1 else 0
        self.order = np.argsort(runs.validation, kind="stable")
        self.fresh = np.zeros(len(self.order), dtype=bool)
        self.fresh[self.order[: self.count]] = True
        self.last = self.order[self.count - math.ceil(self.count / 2) : self.count]

    def masses(self, kept: NDArray[np.bool_]) -> tuple[Array, Array]:
        """The weight of each setting's own score, and that of its fresh one."""
        ranked = self.order[kept[self.order]]
        weight = np.zeros(len(kept))
        weight[ranked] = _chances(len(ranked), self.budget)
        for score in np.unique(self.runs.validation[ranked]):  # equals share evenly
            equal = kept & (self.runs.validation == score)
            weight[equal] = weight[equal].mean()
        own, fresh = np.where(self.fresh, 0.0, weight), np.where(self.fresh, weight, 0.0)
        if self.count and not kept[self.fresh].all():
            moved = weight[ranked[self.count - 1]]  # the next in line
            own[self.last] -= moved / len(self.last)
            fresh[self.last] += moved / len(self.last)
        return own, fresh

    def against(self, other: "_Side", kept: NDArray[np.bool_]) -> tuple[float, float]:
        """P and the log ratio with only some of the settings."""
        mine, theirs = np.concatenate(self.masses(kept)), np.concatenate(other.masses(kept))
        left = np.concatenate([self.runs.test, self.runs.fresh])
        right = np.concatenate([other.runs.test, other.runs.fresh])
        wins = (left[:, None] < right[None, :]) + 0.5 * (left[:, None] == right[None, :])
        return float(mine @ wins @ theirs), float(mine @ _logs(left) - theirs @ _logs(right))


@cache
def _chances(settings: int, budget: int) -> Array:
    """How often the i-th best is the best of a subset, over all subsets."""
    best = np.array([subset[0] for subset in combinations(range(settings), budget)])
    return np.bincount(best, minlength=settings) / len(best)


def _logs(scores: Array) -> Array:
    return np.log(np.where(np.isfinite(scores), scores, CAP))


def chance_interval(found: Estimate, settings: int, level: float = 0.05) -> tuple[float, float]:
    """An interval for P: normal on the logit scale."""
    inside = min(max(found.value, 0.5 / settings), 1 - 0.5 / settings)
    middle, reach = math.log(inside / (1 - inside)), norm.isf(level / 2) * found.error
    reach /= inside * (1 - inside)
    return 1 / (1 + math.exp(reach - middle)), 1 / (1 + math.exp(-reach - middle))


def ratio_interval(
    found: Estimate, settings: int, budget: int, level: float = 0.05
) -> tuple[float, float]:
    """An interval for the log ratio: Student's t, with fewer degrees the fewer settings count."""
    reach = float(t.isf(level / 2, 2 * settings / (budget + 1) - 1)) * found.error
    return found.value - reach, found.value + reach


CASES = (
    ("identical, log-normal", Model(), Model()),
    ("identical, narrow", Model("narrow"), Model("narrow")),
    ("identical, heavy, seeds .4", Model("heavy", seed=0.4), Model("heavy", seed=0.4)),
    ("twice as bad", Model(), Model(factor=2.0)),
    ("seeds .1 against .3, bimodal", Model("bimodal", seed=0.1), Model("bimodal", seed=0.3)),
    ("seeds .05 against .4", Model(seed=0.05), Model(seed=0.4)),
    ("10 % fail against 30 %", Model(failed=0.1), Model(failed=0.3)),
    ("a third tied at the best", Model(tied=0.3), Model(tied=0.3, factor=1.3)),
)


def main() -> None:
    """Compare estimates and intervals with the truth."""
    studies = int(sys.argv[1]) if len(sys.argv) > 1 else 200
    rng = np.random.default_rng(1)
    columns = ("correlation", "B", "n", "P", "estimated", "covered", "log ratio", "estimated")
    print("| | " + " | ".join([*columns, "covered"]) + " |\n|" + "---|" * 10)
    for name, a, b in CASES:
        for correlation, settings, budget in ((0.0, 20, 2), (0.6, 20, 2), (-0.6, 40, 4)):
            chance, ratio = truth(a, b, budget)
            inside, values = np.zeros(2), np.zeros(2)
            for _ in range(studies):
                pair = draw([a, b], (settings,), rng, correlation=correlation)
                p, r = estimate(*pair, budget)
                low, high = chance_interval(p, settings)
                inside += [low <= chance <= high, 0]
                low, high = ratio_interval(r, settings, budget)
                inside += [0, low <= ratio <= high]
                values += [p.value, r.value]
            values, inside = values / studies, inside / studies
            print(
                f"| {name} | {correlation} | {settings} | {budget} | {chance:.3f} | "
                f"{values[0]:.3f} | {inside[0]:.3f} | {ratio:.3f} | {values[1]:.3f} | "
                f"{inside[1]:.3f} |",
                flush=True,
            )


if __name__ == "__main__":
    main()
