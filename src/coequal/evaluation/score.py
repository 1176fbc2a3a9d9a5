"""Scores of generated images against real ones: every metric in one pass, with its protocol."""

import hashlib
import math
from collections.abc import Callable, Collection, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from coequal.contract import Encoder, ImageSet, Log, Metric
from coequal.evaluation.encoder_choice import chosen_encoder, need_features
from coequal.evaluation.feature_cache import cached_features
from coequal.evaluation.neighbour_sheet import refuse_sheet, wish, write_sheet
from coequal.evaluation.reference_cache import cached_reference
from coequal.evaluation.requested import RequestedMetrics, requested_metrics
from coequal.evaluation.requirements import not_measurable, slow
from coequal.evaluation.warnings import describe_size, doubts
from coequal.inputs.classes import with_classes_of
from coequal.inputs.load import Input, Scorable, from_split, load_input
from coequal.metrics._distances import one_pass
from coequal.rng import Rng
from coequal.seeds import seed_for

SCHEMA = 1  # of the JSON
DEFAULT_METRICS = ("fd", "precision", "recall")


def score(
    *,
    real: Scorable,
    fake: Scorable,
    train: Scorable | None = None,
    metrics: Sequence[str] | str = DEFAULT_METRICS,
    settings: Mapping[str, Mapping[str, Any]] | None = None,
    encoder: str | None = None,
    image_size: int | None = None,
    seed: int = 0,
    data_dir: Path,
    cache: Path,
    sheet: Path | None = None,
    log: Log,
) -> dict[str, Any]:
    """Plain values, ready for JSON: what was compared, every number with its protocol, warnings.

    Args:
        real, fake: see `inputs.load.load_input`.
        train: what the generator was trained on, for metrics of memorisation and classifiers.
        metrics: names of metrics or of their numbers, or "all" that apply and take no training.
        settings: by metric, those that are not to be its defaults; checked.
        encoder: a name of `coequal list encoders`; default: by the data, and said in the output.
        image_size: folders are cropped and resized to it.
        seed: of subsets and shuffles.
        data_dir, cache: folders.
        sheet: a .png or .html to write, with fakes beside their nearest images.
        log: is told about long work.

    Raises:
        ValueError, LookupError, FileNotFoundError: something can't be scored; one message.
    """
    given = {"real": real, "fake": fake, "train": train}
    sources, misnamed = _sources(given, data_dir, image_size, cache)
    refuse_sheet(sheet, sources["fake"])
    _refuse_unlike(sources)
    asked = requested_metrics(metrics, settings)
    if idle := [name for name in settings or {} if name not in asked.parts]:
        raise ValueError(f"settings of {', '.join(idle)}, which is not among the metrics asked for")
    ready, chosen_because = None, "no metric looks at features"
    if need_features(asked, encoder, sheet):
        ready, chosen_because = chosen_encoder(encoder, sources, cache, log)
    missing = not_measurable(asked, sources, ready, misnamed)
    if metrics == "all":
        missing |= slow(asked)
    elif missing:
        raise ValueError("\n".join(f"{name}: {reason}" for name, reason in missing.items()))
    parts = {name: part for name, part in asked.parts.items() if name not in missing}
    required = {want for part in parts for want in asked.required(part)}
    if train is None and "train" not in required:
        sources.pop("train", None)
    of_train = {
        w for name in parts for w in asked.required(name) if "train" in parts[name].required
    }
    sets = {
        role: _image_set(source, ready, required if role != "train" else of_train, cache, log)
        for role, source in sources.items()
    }
    near = "train" if "train" in sets else "real"
    with one_pass(*([] if sheet is None else [wish(sets["fake"], sets[near])])):
        refer = partial(_reference, sources=sources, sets=sets, encoder=ready, cache=cache)
        numbers, undefined = _measure(parts, sets, ready, refer, seed, log)
        undefined = {name: why for name, why in undefined.items() if asked.has(name)}
        if sheet is not None:
            write_sheet(sheet, sets=sets, sources=sources, near=near)
    return {
        "schema": SCHEMA,
        **{role: source.as_dict() for role, source in sources.items()},
        "encoder": {"id": _name(ready, sources["real"]), "chosen": chosen_because},
        "seed": seed,
        "metrics": _asked_for(numbers, asked),
        "not_measured": {**missing, **undefined},
        "warnings": doubts(sources, sets, ready),
    }


def _sources(
    given: Mapping[str, Scorable | None], data_dir: Path, image_size: int | None, cache: Path
) -> tuple[dict[str, Input], dict[str, str | None]]:
    """What is compared, labels by the real classes; and of whom these can't be had, why."""
    sources = {
        role: load_input(one, role=role, data_dir=data_dir, image_size=image_size, cache=cache)
        for role, one in given.items()
        if one is not None
    }
    if "train" not in sources and (own := _own_train(sources["real"])) is not None:
        sources["train"] = own
    misnamed: dict[str, str | None] = {}
    for role in [role for role in sources if role != "real"]:
        sources[role], misnamed[role] = with_classes_of(sources["real"], sources[role], role)
    return sources, misnamed


def _own_train(real: Input) -> Input | None:
    """The training split of the data set whose other split is the reference."""
    if real.dataset is None or real.what.endswith(":train"):
        return None
    name = f"{real.what.rpartition(':')[0]}:train"
    return from_split(name, real.dataset, real.dataset.train)


def _image_set(
    source: Input, encoder: Encoder | None, required: Collection[str], cache: Path, log: Log
) -> ImageSet:
    """Features, mapped from a file if they are in one, and what else is wanted."""
    if source.features is not None:
        return ImageSet(source.features.whole, labels=source.labels, read=source.features.read)
    assert source.images is not None
    images = source.images.whole if "images" in required else None
    if encoder is None:
        return ImageSet(torch.empty(len(source), 0), labels=source.labels, images=images)
    rows = cached_features(source.images, source.digest(), encoder, cache, log, source.what)
    return ImageSet(
        rows.whole,
        encoder.probabilities(rows.whole) if "probabilities" in required else None,
        source.labels,
        images,
        rows.read,
        None if source.dataset is None else source.dataset.manifold,
        source.generator if "generator" in required else None,
    )


def _name(encoder: Encoder | None, real: Input) -> str:
    """The encoder's id, or why there is none."""
    if encoder is not None:
        return encoder.id
    return "none" if real.features is None else "features as given"


def _reference(
    name: str,
    metric: Metric,
    *,
    sources: Mapping[str, Input],
    sets: Mapping[str, ImageSet],
    encoder: Encoder | None,
    cache: Path,
) -> Mapping[str, Tensor]:
    """What a metric knows of the real images; from the cache if it is costly and known."""
    both = sets["real"], sets.get("train")
    if not metric.costly:
        return metric.reference(*both)
    known = [sources[role] for role in ("real", "train") if role in sources]
    key = key_of(known, encoder if metric.sees_features else None)
    return cached_reference(name, metric, key, cache, lambda: both)


def _measure(
    parts: Mapping[str, Metric],
    sets: Mapping[str, ImageSet],
    encoder: Encoder | None,
    refer: Callable[[str, Metric], Mapping[str, Tensor]],
    seed: int,
    log: Log,
) -> tuple[dict[str, dict[str, Any]], dict[str, str]]:
    """The numbers, and why a metric has none."""
    real, fake = sets["real"], sets["fake"]
    given = "given" if real.features.shape[1] else "none"
    name_of = encoder.id if encoder else given
    protocol = f"encoder={name_of} real={len(real)} fake={len(fake)} seed={seed}"
    numbers: dict[str, dict[str, Any]] = {}
    undefined: dict[str, str] = {}
    for name, metric in parts.items():
        log(f"measuring {name}")
        reference = refer(name, metric)
        rng = Rng(seed_for("metric", name) if seed == 0 else seed_for("metric", name, seed))
        try:
            values = metric.values(real=reference, fake=fake, rng=rng)
        except FloatingPointError as error:
            undefined[name] = str(error)
            continue
        for output in metric.outputs.keys() - values.keys() - metric.required_for.keys():
            undefined[output] = f"these images have none ({metric.outputs[output].unit})"
        for output, found in values.items():
            official = output == "fd" and encoder is not None and encoder.is_fid
            numbers["fid" if official else output] = {
                "value": _number(found.value),
                "standard_error": _number(found.standard_error),
                **({} if found.interval is None else {"interval": list(found.interval)}),
                **({} if metric.error_over == Metric.error_over else {"over": metric.error_over}),
                **({} if found.details is None else {"details": dict(found.details)}),
                "protocol": f"{protocol} {metric}",
                "better": metric.outputs[output].better,
                "target": metric.outputs[output].target,
                "unit": metric.outputs[output].unit,
            }
    return numbers, undefined


def _number(value: float | None) -> float | None:
    """JSON has no NaN: a number that could not be had is null."""
    return None if value is None or not math.isfinite(value) else value


def _asked_for(
    numbers: Mapping[str, dict[str, Any]], asked: RequestedMetrics
) -> dict[str, dict[str, Any]]:
    """The numbers asked for; `fid` where `fd` was."""
    names = {output for outputs in asked.outputs.values() for output in outputs}
    return {
        name: number
        for name, number in numbers.items()
        if name in names or (name == "fid" and "fd" in names)
    }


def _refuse_unlike(sources: Mapping[str, Input]) -> None:
    real = sources["real"]
    for role, other in sources.items():
        if (real.features is None) != (other.features is None):
            raise ValueError(f"real is {real.kind} and {role} is {other.kind}; both must be alike")
        if real.features is not None and other.features is not None:
            if real.features.shape[1] != other.features.shape[1]:
                raise ValueError(
                    f"real has {real.features.shape[1]} features and {role} "
                    f"{other.features.shape[1]}; they come from different encoders"
                )
        elif real.shape != other.shape:
            raise ValueError(
                f"real images are {describe_size(real)}, {role} images {describe_size(other)}; "
                "give both --image-size, or make them alike"
            )


def key_of(sources: Sequence[Input], encoder: Encoder | None) -> str:
    """For `cached_reference`: of images, labels and the encoder that sees them, if one does."""
    found = hashlib.sha256(repr(None if encoder is None else encoder.id).encode())
    for source in sources:
        found.update(source.digest().encode())
        if source.labels is not None:
            found.update(source.labels.contiguous().numpy().data)
    return found.hexdigest()[:24]
