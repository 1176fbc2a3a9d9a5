"""What a page shows beside the numbers of a score: images, their neighbours, the curve of precision
and recall."""

from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

import torch

from coequal.contract import ImageSet, Log
from coequal.evaluation.neighbour_sheet import found_neighbours, shown_rows
from coequal.evaluation.requested import RequestedMetrics
from coequal.evaluation.score_sides import only_statistics
from coequal.images import Pixels, enlarge, tile, to_uint8
from coequal.inputs.input import Input
from coequal.metrics.prd import Curve, DistributionPrecisionRecall, curves
from coequal.rng import Rng
from coequal.seeds import seed_for

ANGLES = 101  # at which a curve is recorded
LARGEST_PIXELS = 96  # larger images are shown smaller

Pictures = Mapping[str, Mapping[int, Pixels]]
"""Images that a page shows, by side ("real", "fake", "train") and row."""


class Exhibits(NamedTuple):
    """What a page shows of one set of generated images.

    Attributes:
        record: plain values: `shown`, rows of real and generated images; `neighbours`; `curve`; and
            `missing`, why there is none of these.
        pictures: all images that the record speaks of.
    """

    record: dict[str, Any]
    pictures: Pictures


def exhibits_of(
    requested: RequestedMetrics,
    sources: Mapping[str, Input],
    sets: Mapping[str, ImageSet],
    ranked: Mapping[str, Any],
    seed: int,
    log: Log,
) -> Exhibits:
    """Choose what a page shows.

    Args:
        requested: the metrics; precision and recall are as `prd` is set there.
        sources: the sides.
        sets: the same, as the metrics see them.
        ranked: the worst and the best images, as the record of the score has them.
        seed: of the draws.
        log: is told of long work.
    """
    missing: dict[str, str] = {}
    record: dict[str, Any] = {"missing": missing}
    if reason := _no_curve(sets, curve_metric(requested)):
        missing["curve"] = reason
    else:
        log("measuring the curve of precision and recall")
        record["curve"] = curve_of(sets, curve_metric(requested), seed)
    if side := only_statistics(sources):
        missing["floor"] = f"what real data and noise score needs {side} images or features"
    elif sources["real"].images is None:
        missing["noise"] = "what noise scores needs images; features were given"
    if reason := unshowable(sources["fake"]) or unshowable(sources["real"]):
        missing["pictures"] = reason
        return Exhibits(record, {})
    near = "train" if "train" in sources and unshowable(sources["train"]) is None else "real"
    record["shown"] = {
        side: shown_rows(len(sources[side]), sources[side].labels, seed).tolist()
        for side in ("real", "fake")
    }
    if len(sets[near].features) and len(sets["fake"].features) and sets["fake"].features.shape[1]:
        record["neighbours"] = found_neighbours(sets, sources, near, seed)
    else:
        missing["neighbours"] = "no metric here uses features"
    return Exhibits(record, _pictures(sources, _rows_of(record, ranked)))


def unshowable(source: Input) -> str | None:
    """Why images of a side can't be shown, in words; None if they can."""
    if source.images is None or source.shape is None:
        return f"{source.kind} were given, and no images"
    if source.shape.channels not in (1, 3):
        size = "x".join(map(str, source.shape))
        return f"only grey or coloured images can be shown; these are {size}"
    return None


def curve_metric(requested: RequestedMetrics) -> DistributionPrecisionRecall:
    """The settings of the curve: those of `prd` where it is measured, too."""
    known = requested.parts.get("prd")
    return known if isinstance(known, DistributionPrecisionRecall) else _DEFAULT


_DEFAULT = DistributionPrecisionRecall()


def _no_curve(sets: Mapping[str, ImageSet], metric: DistributionPrecisionRecall) -> str | None:
    features = [sets[side].features for side in ("real", "fake")]
    if any(not len(rows) or not rows.shape[1] for rows in features):
        return "the curve needs features of both sides"
    if any(sets[side].not_finite for side in ("real", "fake")):
        return "the curve needs finite features"
    count = min(len(rows) for rows in features)
    if count < metric.clusters:
        return f"the curve needs at least {metric.clusters} images of each side, got {count}"
    return None


def curve_of(
    sets: Mapping[str, ImageSet], metric: DistributionPrecisionRecall, seed: int
) -> dict[str, Any]:
    """Precision and recall of distributions (Sajjadi et al. 2018), as plain values.

    Args:
        sets: "real" and "fake"; what `prd` found of the latter is used again.
        metric: with its settings.
        seed: of the clusterings.
    """
    fake = sets["fake"]
    known = fake.shared.get(metric)
    if known is None:
        rng = Rng(seed_for("metric", "prd") if seed == 0 else seed_for("metric", "prd", seed))
        real = sets["real"].features
        known = metric.clusterings(real=real, fake=fake.features, rng=rng)
    by_run: Curve = curves(known, ANGLES)
    return {
        "precision": [round(value, 6) for value in by_run.precision.mean(0).tolist()],
        "recall": [round(value, 6) for value in by_run.recall.mean(0).tolist()],
        "clusters": metric.clusters,
        "runs": metric.runs,
        "images": len(known[0].labels),
    }


def _rows_of(record: Mapping[str, Any], ranked: Mapping[str, Any]) -> dict[str, set[int]]:
    """The rows of all images that are spoken of, by side."""
    rows = {side: set(shown) for side, shown in record["shown"].items()}
    neighbours = record.get("neighbours", {"of": "real", "rows": ()})
    near = rows.setdefault(neighbours["of"], set())
    for row in neighbours["rows"]:
        near.update(one["row"] for one in row["nearest"])
        rows["fake"].add(row["row"])
    for one in ranked.values():
        rows["fake"].update(image["row"] for end in ("worst", "best") for image in one[end])
    return rows


def _pictures(sources: Mapping[str, Input], rows: Mapping[str, Iterable[int]]) -> Pictures:
    return {
        side: {row: picture_of(sources[side], row) for row in sorted(some)}
        for side, some in rows.items()
    }


def picture_of(source: Input, row: int) -> Pixels:
    """One image, made smaller if it is large."""
    assert source.images is not None
    image: torch.Tensor = source.images[row : row + 1]
    pixels = tile(to_uint8(image).cpu().numpy(), 1)
    return enlarge(pixels, min(1.0, LARGEST_PIXELS / max(pixels.shape[:2])))
