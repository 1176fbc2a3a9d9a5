"""Scores of generated images against real ones: every metric in one pass, with its protocol."""

import math
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch

from coequal import lookup
from coequal.contract import Dataset, DensityGenerator, Encoder, ImageSet, Log, Metric
from coequal.evaluation.asked import Asked, asked_metrics
from coequal.evaluation.doubts import doubts, size_in_words
from coequal.evaluation.features import cached_features
from coequal.evaluation.inputs import Input, Scorable, from_split, load_input
from coequal.evaluation.sheet import refuse_sheet, wish, write_sheet
from coequal.evaluation.unread import as_dataset
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
        real, fake: see `evaluation.inputs.load_input`.
        train: what the generator was trained on, for metrics of memorisation.
        metrics: names of metrics or of their numbers, or "all" that apply.
        encoder: a name of `coequal list encoders`; default: by the data, and said in the output.
        image_size: folders are cropped and resized to it.
        seed: of subsets and shuffles.
        data_dir, cache: folders.
        sheet: a .png or .html to write, with fakes beside their nearest images.
        log: is told about long work.

    Raises:
        ValueError, LookupError, FileNotFoundError: something can't be scored; one message.
    """
    sources = {
        role: load_input(given, role=role, data_dir=data_dir, image_size=image_size, cache=cache)
        for role, given in (("real", real), ("fake", fake), ("train", train))
        if given is not None
    }
    refuse_sheet(sheet, sources["fake"])
    _refuse_unlike(sources)
    sources["fake"], misnamed = _with_classes_of(sources["real"], sources["fake"])
    asked = asked_metrics(metrics)
    if "train" not in sources and (own := _own_train(sources["real"])) is not None:
        sources["train"] = own
    ready, chosen_because = _encoder(encoder, sources, cache, log)
    missing = _not_measurable(asked, sources, ready, misnamed)
    if metrics != "all" and missing:
        raise ValueError("\n".join(f"{name}: {reason}" for name, reason in missing.items()))
    parts = {name: part for name, part in asked.parts.items() if name not in missing}
    wants = {want for part in parts for want in asked.wants(part)}
    if train is None and "train" not in wants:
        sources.pop("train", None)
    sets = {
        role: _image_set(source, ready, wants if role != "train" else (), cache, log)
        for role, source in sources.items()
    }
    near = "train" if "train" in sets else "real"
    with one_pass(*([] if sheet is None else [wish(sets["fake"], sets[near])])):
        numbers, undefined = _measure(parts, sets, ready, seed, log)
        if sheet is not None:
            write_sheet(sheet, sets=sets, sources=sources, near=near)
    return {
        "schema": SCHEMA,
        **{role: source.as_dict() for role, source in sources.items()},
        "encoder": {"id": ready.id if ready else "features as given", "chosen": chosen_because},
        "seed": seed,
        "metrics": _asked_for(numbers, asked),
        "not_measured": {**missing, **undefined},
        "warnings": doubts(sources, sets, ready),
    }


def _encoder(
    name: str | None, sources: Mapping[str, Input], cache: Path, log: Log
) -> tuple[Encoder | None, str]:
    real = sources["real"]
    if real.features is not None:
        if name is not None:
            raise ValueError(f"features need no encoder; leave out --encoder {name}")
        return None, "features were given"
    dataset = real.dataset or as_dataset(sources.get("train", real))
    why = "asked for"
    if name is None:
        name, why = _default_encoder(dataset)
    kind = lookup.load("encoders", name)
    refusal = kind.available() or kind.refuses(dataset)
    if refusal:
        raise ValueError(refusal)
    return kind.prepare(dataset, cache, log), why


def _default_encoder(dataset: Dataset) -> tuple[str, str]:
    """The classifier for labelled data, corners for polygons, else the first net that can be had
    here, else pixels."""
    # A classifier trained on the very images that it then judges would know them by heart.
    labelled = dataset.train is not dataset.test and dataset.train.labels is not None
    # Nets for photographs are slow on made polygons, and know less of them than one made for them.
    made = [] if lookup.load("encoders", "corners").refuses(dataset) else ["corners"]
    nets = ["inception", "efficientnet_lite0", "pixels"]
    order = [*(["classifier"] if labelled else []), *made, *nets]
    passed_over: list[str] = []
    for name in order:
        kind = lookup.load("encoders", name)
        if (kind.available() or kind.refuses(dataset)) is None:
            after = f"; {' and '.join(passed_over)} could not be had" if passed_over else ""
            return name, f"default for {dataset.name}{after}"
        passed_over.append(name)
    raise ValueError(f"no encoder can be had for {dataset.name}; name one with --encoder")


def _own_train(real: Input) -> Input | None:
    """The training split of the data set whose other split is the reference."""
    if real.dataset is None or real.what.endswith(":train"):
        return None
    name = f"{real.what.rpartition(':')[0]}:train"
    return from_split(name, real.dataset, real.dataset.train)


def _with_classes_of(real: Input, fake: Input) -> tuple[Input, str | None]:
    """The fakes with labels by the names of the real classes, or why that can't be."""
    if not (real.classes and fake.classes and fake.labels is not None):
        return fake, None
    only = [
        sorted(set(a.classes or ()) - set(b.classes or ())) for a, b in ((real, fake), (fake, real))
    ]
    if any(only):
        return fake, f"class names differ: only real {only[0]}, only fake {only[1]}"
    places = torch.tensor([real.classes.index(name) for name in fake.classes])
    return replace(fake, labels=places[fake.labels], classes=real.classes), None


def _image_set(
    source: Input, encoder: Encoder | None, wants: Collection[str], cache: Path, log: Log
) -> ImageSet:
    """Features, mapped from a file if they are in one, and what else is wanted."""
    if encoder is None:
        assert source.features is not None
        return ImageSet(source.features.whole, labels=source.labels, read=source.features.read)
    assert source.images is not None
    rows = cached_features(source.images, source.digest(), encoder, cache, log, source.what)
    return ImageSet(
        rows.whole,
        encoder.probabilities(rows.whole) if "probabilities" in wants else None,
        source.labels,
        source.images.whole if "images" in wants else None,
        rows.read,
        None if source.dataset is None else source.dataset.manifold,
        source.generator if "generator" in wants else None,
    )


def _measure(
    parts: Mapping[str, Metric],
    sets: Mapping[str, ImageSet],
    encoder: Encoder | None,
    seed: int,
    log: Log,
) -> tuple[dict[str, dict[str, Any]], dict[str, str]]:
    """The numbers, and why a metric has none."""
    real, fake = sets["real"], sets["fake"]
    name_of = encoder.id if encoder else "given"
    protocol = f"encoder={name_of} real={len(real)} fake={len(fake)} seed={seed}"
    numbers: dict[str, dict[str, Any]] = {}
    undefined: dict[str, str] = {}
    for name, metric in parts.items():
        log(f"measuring {name}")
        reference = metric.reference(real, sets.get("train"))
        rng = Rng(seed_for("metric", name) if seed == 0 else seed_for("metric", name, seed))
        try:
            values = metric.values(real=reference, fake=fake, rng=rng)
        except FloatingPointError as error:
            undefined[name] = str(error)
            continue
        for output, found in values.items():
            official = output == "fd" and encoder is not None and encoder.is_fid
            numbers["fid" if official else output] = {
                "value": _number(found.value),
                "standard_error": _number(found.standard_error),
                **({} if found.interval is None else {"interval": list(found.interval)}),
                "protocol": f"{protocol} {metric}",
                "better": metric.outputs[output].better,
                "target": metric.outputs[output].target,
                "unit": metric.outputs[output].unit,
            }
    return numbers, undefined


def _number(value: float | None) -> float | None:
    """JSON has no NaN: a number that could not be had is null."""
    return None if value is None or not math.isfinite(value) else value


def _asked_for(numbers: Mapping[str, dict[str, Any]], asked: Asked) -> dict[str, dict[str, Any]]:
    """The numbers asked for; `fid` where `fd` was."""
    names = {output for outputs in asked.outputs.values() for output in outputs}
    return {
        name: number
        for name, number in numbers.items()
        if name in names or (name == "fid" and "fd" in names)
    }


def _not_measurable(
    asked: Asked,
    sources: Mapping[str, Input],
    encoder: Encoder | None,
    misnamed: str | None,
) -> dict[str, str]:
    """Metrics, and single numbers of metrics, that can't be had, with the reason."""
    real, fake = sources["real"], sources["fake"]
    knows_classes = encoder is not None and encoder.knows_classes
    reasons = {
        "probabilities": None
        if knows_classes
        else "needs an encoder with class probabilities (classifier, inception)",
        "labels": misnamed
        if real.labels is not None and fake.labels is not None
        else "needs labels on both sides (class sub-folders)",
        "images": None if fake.images is not None else "needs images; features were given",
        "train": None
        if "train" in sources
        else "needs what the generator was trained on (--train)",
        "generator": None
        if fake.generator is not None
        else "needs the generator itself, not only images (--fake runs/my_run:ns_gan)",
        "density": _no_density(real, fake),
    }
    manifold = None if real.dataset is None else real.dataset.manifold
    found = {}
    for name, metric in asked.parts.items():
        said = [metric.refuses(manifold), *(reasons[want] for want in metric.wants)]
        if any(said):
            found[name] = "; ".join(reason for reason in said if reason is not None)
            continue
        for output in asked.outputs[name]:
            want = metric.wants_for.get(output)
            if want is not None and (reason := reasons[want]) is not None:
                found[output] = reason
    return found


def _no_density(real: Input, fake: Input) -> str | None:
    """Why a generator that is given has no likelihood of the real images; None if it has."""
    generator = fake.generator
    if generator is None:
        return None  # it is said that one is needed
    if not isinstance(generator, DensityGenerator):
        return "needs a generator that gives the probability of an image, such as pixelcnn_pp's"
    if generator.conditional and real.labels is None:
        return "the generator knows classes, and the real images have no labels"
    return None


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
                f"real images are {size_in_words(real)}, {role} images {size_in_words(other)}; "
                "give both --image-size, or make them alike"
            )
