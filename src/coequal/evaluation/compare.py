"""Two scores beside each other: refused unless they were measured alike."""

import math
import re
from collections.abc import Mapping
from typing import Any

SCHEMA = 1  # of what `compare` gives
SHOWN = 0.05  # a difference with a smaller p-value counts as shown
EQUAL = 1e-9  # values that differ by less than this part of the larger one are equal,
ROUNDING = 1e-12  # and so are values that are both as near to 0
OVER_FAKES = (
    "errors and p-values are over new fake images on both sides, drawn independently; the real "
    "images are the same for both and stay; each p-value stands for its metric alone, and for "
    "these generators, not for what other seeds would train"
)
OVER_NOTHING = "both scores are of the same fake images: every difference is exactly 0"


def compare(first: Mapping[str, Any], second: Mapping[str, Any]) -> dict[str, Any]:
    """Differences with errors and p-values, metric by metric, and over what they are.

    A standard error is over new fake images, the real and training ones being the same. Here these
    are the same in both scores, so that nothing of them is in the error of a difference, and the
    fakes are two independent sets: squares of errors add.

    Returns:
        `schema` of this; `over`, a sentence; `same_fakes`; `notes`, what else to know of the two;
        and `metrics`: for each that both scores
        have its values `first` and `second`, their `difference` (second - first), its
        `standard_error` and two-sided `p_value`, which one has the `better` value, and which one
        is `shown` to be better, with a p-value of at most `SHOWN`. None where a score has no number
        or no error; no p-value where the error is over something else than new fakes
        (`gan_train`), and then nothing is shown. Values that differ by rounding are equal. For the
        same fake images on both sides nothing is random: the error is 0 and there is no p-value.

    Raises:
        ValueError: measured differently; the message names the fields.
    """
    different = _different(first, second)
    if different:
        raise ValueError("not comparable: " + "; ".join(different))
    same = first["fake"]["sha256"] == second["fake"]["sha256"]
    common = [name for name in first["metrics"] if name in second["metrics"]]
    return {
        "schema": SCHEMA,
        "over": OVER_NOTHING if same else OVER_FAKES,
        "same_fakes": same,
        "notes": _notes(first, second),
        "metrics": {
            name: _pair(first["metrics"][name], second["metrics"][name], same) for name in common
        },
    }


def _different(first: Mapping[str, Any], second: Mapping[str, Any]) -> list[str]:
    reasons = []
    if first.get("schema") != second.get("schema"):
        reasons.append(f"schema {first.get('schema')} and {second.get('schema')}")
        return reasons
    pairs = {
        "encoder": (first["encoder"]["id"], second["encoder"]["id"]),
        "real images (sha256)": (first["real"]["sha256"], second["real"]["sha256"]),
        "real statistics": tuple(score["real"].get("statistics") for score in (first, second)),
        "number of fake images": (first["fake"]["count"], second["fake"]["count"]),
        "seed": (first["seed"], second["seed"]),
        "training images (sha256)": tuple(
            score.get("train", {}).get("sha256") for score in (first, second)
        ),
    }
    reasons += [f"{name}: {a} and {b}" for name, (a, b) in pairs.items() if a != b]
    common = set(first["metrics"]) & set(second["metrics"])
    for name in sorted(common):
        protocols = [_but_device(score["metrics"][name]["protocol"]) for score in (first, second)]
        if not reasons and protocols[0] != protocols[1]:
            reasons.append(f"{name}: {protocols[0]} and {protocols[1]}")
    if not common:
        reasons.append("they have no metric in common")
    return reasons


def _but_device(protocol: str) -> str:
    """A protocol without the device, by which numbers differ no more than by rounding."""
    return re.sub(r" device=\w+", "", protocol)


def _notes(first: Mapping[str, Any], second: Mapping[str, Any]) -> list[str]:
    """What else to know of two scores that are comparable."""
    devices = [score.get("device", "cpu") for score in (first, second)]
    if devices[0] == devices[1]:
        return []
    return [
        f"the first was computed on {devices[0]}, the second on {devices[1]}: features differ by "
        "the rounding of float32"
    ]


def _pair(first: Mapping[str, Any], second: Mapping[str, Any], same: bool) -> dict[str, Any]:
    values = (first["value"], second["value"])
    row: dict[str, Any] = {"first": values[0], "second": values[1]}
    row |= dict.fromkeys(("difference", "standard_error", "p_value", "better", "shown"))
    if None in values:
        return row
    equal = math.isclose(*values, rel_tol=EQUAL, abs_tol=ROUNDING)
    row["difference"] = 0.0 if equal else values[1] - values[0]
    errors = (first["standard_error"], second["standard_error"])
    if same:
        row["standard_error"] = 0.0
    elif None not in errors:
        row["standard_error"] = error = math.hypot(*errors)
        if error and "over" not in first:  # else what new fakes would change is not in the error
            row["p_value"] = _two_sided(row["difference"] / error)
    distances = [_worse(row, first["better"], first["target"]) for row in (first, second)]
    if not any(math.isnan(distance) for distance in distances):
        close = equal or math.isclose(*distances, rel_tol=EQUAL, abs_tol=ROUNDING)
        row["better"] = "equal" if close else "first" if distances[0] < distances[1] else "second"
        if row["p_value"] is not None and not close:
            # On both sides of a target the values differ by more than how good they are.
            apart = abs(distances[0] - distances[1]) / row["standard_error"]
            row["shown"] = row["better"] if _two_sided(apart) <= SHOWN else None
    return row


def _two_sided(z: float) -> float:
    """The p-value of a difference of so many standard errors, by the normal distribution."""
    return math.erfc(abs(z) / math.sqrt(2))  # scipy.stats takes a second to import


def _worse(row: Mapping[str, Any], better: str, target: float | None) -> float:
    """How bad a value is, on any scale; NaN where the metric has no fixed best value."""
    value = float(row["value"])
    if better == "target":
        return math.nan if target is None else abs(value - target)
    return value if better == "lower" else -value
