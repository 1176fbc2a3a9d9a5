"""What follows from the design of a study: plain values in, numbers out.

A study is given as plain values with every default filled in, as study.json holds them.
"""

import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from coequal.records import MetricInfo

if TYPE_CHECKING:
    from coequal.statistics.rules import Rules

DEFAULT_RATIO = 1.1
"""Scores within a tenth of each other are equivalent unless the study says otherwise."""


def judged_budget(search: Mapping[str, Any], settings: int) -> int:
    """The budget n that a number of settings can judge.

    Args:
        search: `search` of a study.
        settings: random settings of each model.

    Returns:
        The budget of the study, or a tenth of the settings if that is less; at least 1.
    """
    from coequal.statistics.rules import SETTINGS_PER_BUDGET  # takes half a second to import

    return max(1, min(int(search["budget"]), settings // SETTINGS_PER_BUDGET))


def retrained_share(search: Mapping[str, Any]) -> float:
    """The best share of the settings of each model that are trained once more with a fresh seed.

    Args:
        search: `search` of a study.

    Returns:
        A number in [0, 1]; 0 where the budget that can be judged at the last look is one setting:
        that is chosen from none, and has no luck of its seed in it.
    """
    most = max(search["looks"], default=0)
    return float(search["retrain"]) if judged_budget(search, most) > 1 else 0.0


def rerun_seeds(study: Mapping[str, Any], model: str) -> int:
    """The number of fresh seeds of each of a model's best settings, after the search.

    A model that k others are compared with (`against`) has about sqrt(k) times as many as they
    unless the study says how many: every comparison hangs on it (Dunnett 1955).

    Args:
        study: plain values.
        model: by name.
    """
    reruns = study.get("reruns") or {}
    seeds = int(reruns.get("seeds", 0))
    compared = sum(entry.get("against") == model for entry in study["models"])
    if not compared:
        return seeds
    own = reruns.get("base_seeds")
    return math.ceil(seeds * math.sqrt(compared)) if own is None else int(own)


def named_pairs(study: Mapping[str, Any]) -> tuple[tuple[str, str], ...] | None:
    """The pairs of models that a study names (`against`); None: it names none, and all are
    compared."""
    named = ((entry["name"], entry.get("against")) for entry in study.get("models") or ())
    return tuple((name, other) for name, other in named if other is not None) or None


def usable_cap(reference: Mapping[str, Any], name: str, metric: MetricInfo) -> float | None:
    """What noise scores, unless that is as good as real images: it then can't stand for a failure.

    Args:
        reference: of a dataset, as references.json holds it.
        name: of the metric's number.
        metric: what it says of that number.
    """
    cap, floor = ((reference.get(end) or {}).get(name) for end in ("cap", "floor"))
    if cap is None or floor is None:
        return cap
    return None if metric.cost(cap) <= metric.cost(floor) else cap


def has_ratios(metric: MetricInfo) -> bool:
    """Whether the ratio of two scores is meant: no score is below 0, and less is better."""
    return metric.better == "lower" and metric.best is not None and metric.best >= 0


def rules_of(
    study: Mapping[str, Any],
    metric: MetricInfo,
    *,
    cap: float | None,
    looks: Sequence[tuple[int, float]],
    comparisons: int,
) -> "Rules":
    """The rules by which a study compares its models on one dataset.

    Args:
        study: plain values.
        metric: what the metric by which it chooses says of its number.
        cap: the value that a failure counts as, in the metric's units; None: none is known.
        looks: numbers of settings, and the error spent at each over all pairs.
        comparisons: number of pairs that the error is divided by, at least.
    """
    from coequal.statistics.looks import Look
    from coequal.statistics.rules import Rules

    declared, search = study.get("equivalence") or {}, study["search"]
    ratios = has_ratios(metric) and "difference" not in declared
    margin = declared.get("ratio", DEFAULT_RATIO) if ratios else declared.get("difference")
    return Rules(
        budget=int(search["budget"]),
        looks=tuple(Look(*look) for look in looks),
        share=float(search["retrain"]),
        margin=None if margin is None else float(margin),
        scale="log" if ratios else "linear",
        cap=None if cap is None else metric.cost(cap),
        pairs=named_pairs(study),
        comparisons=comparisons,
    )
