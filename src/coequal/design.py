"""What follows from the design of a study: plain values in, numbers out.

A study is given as plain values with every default filled in, as study.json holds them.
"""

import math
from collections.abc import Mapping
from typing import Any


def judged_budget(search: Mapping[str, Any], settings: int) -> int:
    """The budget n that a number of settings can judge.

    Args:
        search: `search` of a study.
        settings: random settings of each model.

    Returns:
        The budget of the study, or a tenth of the settings if that is less; at least 1.
    """
    from coequal.statistics.verdict import SETTINGS_PER_BUDGET  # takes half a second to import

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
