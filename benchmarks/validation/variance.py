"""Components of variance

The estimated variances should be unbiased even if the design is unbalanced: the mean of all studies
lies within four of its standard errors of the truth, for every source. The intervals are those of
the fractions of the variance.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

import numpy as np

from coequal.statistics.variance import VarianceComponents, failure_components, variance_components
from coequal.statistics.variance_sources import SOURCES, Source
from validation.common import Row, over_distributions

CLAIMS = {
    "Components of variance are unbiased, and their intervals cover": (
        "8 designs of scores, failures"
    )
}

NAN = float("nan")
Effects = Callable[[np.random.Generator, tuple[int, ...]], np.ndarray]


def normal(rng: np.random.Generator, shape: tuple[int, ...]) -> np.ndarray:
    """Unit variance."""
    return rng.standard_normal(shape)


def skewed(rng: np.random.Generator, shape: tuple[int, ...]) -> np.ndarray:
    """Unit variance, kurtosis 9: many settings near the best, some far worse."""
    return rng.exponential(1, shape) - 1


@dataclass(frozen=True)
class Design:
    """A study; standard deviations of the log score from evaluation, seed, setting and model."""

    name: str
    models: int = 8
    settings: int = 100
    best: int = 1  # re-run settings per model
    runs: int = 10
    spreads: tuple[float, float, float, float] = (0.02, 0.08, 0.5, 0.25)
    failing: tuple[float, float] = (0.2, 0.05)  # settings, re-runs
    hyper: Effects = normal

    def draw(self, rng: np.random.Generator) -> tuple[dict, dict]:
        """Search and re-runs, every other run evaluated twice."""
        evaluation, seed, hyper, model = self.spreads
        search, reruns = {}, {}
        for k in range(self.models):
            level = model * rng.standard_normal()
            noise = np.hypot(evaluation, seed) * rng.standard_normal(self.settings)
            scores = level + hyper * self.hyper(rng, (self.settings,)) + noise
            scores[rng.random(self.settings) < self.failing[0]] = NAN
            shape = (self.best, self.runs, 2)
            # Within a setting its own effect cancels; the seed's does not depend on it here.
            again = level + seed * rng.standard_normal((*shape[:2], 1))
            again = again + evaluation * rng.standard_normal(shape)
            again[:, ::2, 1] = NAN
            again[rng.random(shape[:2]) < self.failing[1]] = NAN
            search[str(k)], reruns[str(k)] = np.exp(scores), list(np.exp(again))
        return search, reruns


DESIGNS = (
    Design("8 models, 100 settings, 10 re-runs"),
    Design("8 models, 20 settings, 5 re-runs", settings=20, runs=5),
    Design("best 3 x 3 re-runs", best=3, runs=3),
    Design("3 models", models=3),
    Design("half of the settings fail", settings=50, failing=(0.5, 0.2)),
    Design("skewed hyperparameters", hyper=skewed),
    Design("no model effect", spreads=(0.02, 0.08, 0.5, 0.0)),
    Design("seed below evaluation", spreads=(0.03, 0.02, 0.5, 0.25)),
)


def rows(quick: bool) -> Iterable[Row]:
    """All rows."""
    rng = np.random.default_rng(42)
    studies = 100 if quick else 1000
    bias: dict[str, float] = {}
    covered: dict[Source, dict[str, float]] = {source: {} for source in SOURCES}
    for design in DESIGNS:
        truth = np.array(design.spreads) ** 2

        def study(design: Design = design) -> VarianceComponents:
            return variance_components(*design.draw(rng), rng=rng, draws=1000)

        bias[design.name], covering = _simulated(study, truth, studies)
        for source, fraction in zip(SOURCES, covering, strict=True):
            covered[source][design.name] = float(fraction)
    yield _unbiased("variances of scores", bias, studies)
    for source, fractions in covered.items():
        yield over_distributions(
            f"fraction of the variance: {source}",
            f"mean of {len(DESIGNS)} designs",
            fractions,
            studies,
            worst=0.92,
        )
    truth = np.array([0.14, 0.01, 0.01])
    off, covering = _simulated(
        lambda: failure_components(_failed(rng), rng=rng, draws=1000), truth, studies
    )
    design_name = "8 models, 10 settings, 5 runs"
    yield _unbiased("variances of failures", {design_name: off}, studies)
    for source, fraction in zip(SOURCES[1:], covering.tolist(), strict=True):
        yield Row(
            f"fraction of the variance of failures: {source}",
            design_name,
            fraction,
            0.93,
            1,
            studies,
            "conservative",
        )


def _simulated(
    study: Callable[[], VarianceComponents], truth: np.ndarray, studies: int
) -> tuple[float, np.ndarray]:
    """Worst bias in standard errors, and how often each fraction is covered."""
    fractions = truth / truth.sum()
    found, covering = np.empty((studies, len(truth))), np.zeros(len(truth))
    for row in range(studies):
        parts = study().components
        found[row] = [part.variance for part in parts]
        covering += [
            part.interval.low - 1e-12 <= fraction <= part.interval.high
            for part, fraction in zip(parts, fractions, strict=True)
        ]
    errors = found.std(axis=0, ddof=1) / np.sqrt(studies)
    return float(np.max(np.abs(found.mean(axis=0) - truth) / errors)), covering / studies


def _unbiased(name: str, bias: dict[str, float], studies: int) -> Row:
    design = max(bias, key=lambda name: bias[name])
    fraction = sum(off <= 4 for off in bias.values()) / len(bias)
    label = f"{name}: mean within 4 standard errors of the truth"
    remark = f"worst: {bias[design]:.1f}, {design}"
    about = f"{len(bias)} designs" if len(bias) > 1 else design
    return Row(label, about, fraction, 1, 1, studies, "promise", remark)


def _failed(rng: np.random.Generator) -> dict[str, list[np.ndarray]]:
    """Failure rates .2 +- .1 +- .1 by model and setting."""
    rates = 0.2 + rng.choice([-0.1, 0.1], (8, 1)) + rng.choice([-0.1, 0.1], (8, 10))
    return {str(k): [(rng.random(5) < rate).astype(float) for rate in rates[k]] for k in range(8)}
