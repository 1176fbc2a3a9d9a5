"""Several sets of generated images against the same real ones, and every two of them compared."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from itertools import combinations
from typing import Any

import numpy as np

from coequal.evaluation.compare import SHOWN, compare
from coequal.inputs.input import Scorable
from coequal.statistics.multiplicity import holm

SCHEMA = 1  # of what `score_several` gives
CORRECTION = (
    "p_corrected: Holm's correction over all pairs of generators, for each number on its own"
)


def refuse_unequal(counts: Mapping[str, int]) -> None:
    """Refuse sets of different sizes: few images are further from the real ones by chance.

    Args:
        counts: of images, by the name of the set.

    Raises:
        ValueError: they differ.
    """
    if len({*counts.values()}) > 1:
        told = ", ".join(f"{name}: {count:,}" for name, count in counts.items())
        raise ValueError(
            f"sets with different numbers of images can't be compared ({told}); give "
            "the same number of each"
        )


def score_several(
    fakes: Mapping[str, Callable[[], Scorable]],
    measure: Callable[..., dict[str, Any]],
    *,
    floor: bool = False,
) -> dict[str, Any]:
    """Score several sets of generated images and compare every two of them.

    Args:
        fakes: by name, what gives the images. One set is held at a time.
        measure: scores one set, `measure(fake=images, floor=False)`, always against the same real
            images.
        floor: whether to score real images in the place of generated ones.

    Returns:
        `schema` of this; `scores`, each as of one set, by name; `over`, a sentence on what errors
        and p-values are over; `correction`, another on `p_corrected`; and `pairs`, for every two
        sets `first`, `second` and their `metrics` as `compare` gives them, with `p_corrected`
        beside each `p_value`, and `shown` by it; `floor` as of one set, but for its `generated`,
        which is by name of the set.

    Raises:
        ValueError, LookupError, OSError: a set can't be scored, or two were not measured alike; the
            message names it. Fewer than two sets.
    """
    if len(fakes) < 2:
        raise ValueError(
            f"comparing needs several sets of generated images; only {len(fakes)} is given"
        )
    scores: dict[str, dict[str, Any]] = {}
    floors: dict[str, dict[str, Any]] = {}
    for name, give in fakes.items():
        with _of(name):
            # All have as many images: one floor serves all, where it has the counts of the scores.
            wanted = all("generated" in one for one in floors.values())
            scores[name] = measure(fake=give(), floor=floor and wanted)
        if "floor" in scores[name]:
            floors[name] = scores[name].pop("floor")
    pairs = compared_pairs(scores)
    if refusal := next((pair["refusal"] for pair in pairs if "refusal" in pair), None):
        raise ValueError(refusal)
    return {
        "schema": SCHEMA,
        "scores": scores,
        "over": _over(pairs),
        "correction": CORRECTION,
        "pairs": [
            {key: pair[key] for key in ("first", "second", "same_fakes", "metrics")}
            for pair in pairs
        ],
        **_joined(floors),
    }


def compared_pairs(scores: Mapping[str, Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Compare every two scores.

    Args:
        scores: at least two, by name.

    Returns:
        For every two their names, `first` and `second`, and what `compare` gives, with
        `p_corrected` beside each `p_value`, and `shown` by it; or, of two that were measured
        differently, the `refusal` in words.
    """
    pairs: list[dict[str, Any]] = []
    for first, second in combinations(scores, 2):
        names = {"first": first, "second": second}
        try:
            pairs.append({**names, **compare(scores[first], scores[second])})
        except ValueError as error:
            pairs.append({**names, "refusal": f"{first} and {second}: {error}"})
    _correct([pair for pair in pairs if "refusal" not in pair])
    return pairs


def compare_saved(scores: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    """Compare scores that were measured at other times.

    Args:
        scores: at least two, by name.

    Returns:
        `schema` of this; `over` and `correction`, sentences; and `pairs`, as `compared_pairs` gives
        them.
    """
    pairs = compared_pairs(scores)
    return {"schema": SCHEMA, "over": _over(pairs), "correction": CORRECTION, "pairs": pairs}


def _over(pairs: Sequence[Mapping[str, Any]]) -> str:
    """On what errors and p-values are over."""
    told = {pair["over"] for pair in pairs if "over" in pair}
    return told.pop() if len(told) == 1 else _MIXED


_MIXED = (
    "errors and p-values are over new fake images on both sides, drawn independently; two sets of "
    "the same images have a difference of exactly 0 and no p-value"
)


def _joined(floors: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    """The floor of all sets, with what each of them has in the same numbers."""
    if not floors:
        return {}
    shared = {
        key: value for key, value in next(iter(floors.values())).items() if key != "generated"
    }
    generated = {name: one["generated"] for name, one in floors.items() if "generated" in one}
    return {"floor": {**shared, **({"generated": generated} if generated else {})}}


@contextmanager
def _of(name: str) -> Iterator[None]:
    """Errors inside say whose they are."""
    try:
        yield
    except (ValueError, LookupError) as error:
        kind = LookupError if isinstance(error, LookupError) else ValueError
        raise kind(f"{name}: {error.args[-1] if error.args else error}") from error


def _correct(pairs: list[dict[str, Any]]) -> None:
    """Write `p_corrected` beside each p-value, and let `shown` follow from it."""
    for name in {name for pair in pairs for name in pair["metrics"]}:
        rows = [pair["metrics"][name] for pair in pairs if name in pair["metrics"]]
        for row in rows:
            row["p_corrected"] = None
        tested = [row for row in rows if row["p_value"] is not None]
        corrected = holm(np.array([row["p_value"] for row in tested]))
        for row, p in zip(tested, corrected.tolist(), strict=True):
            row["p_corrected"] = p
            if p > SHOWN:
                row["shown"] = None
