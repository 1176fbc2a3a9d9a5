"""Scores of images from Python."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

from coequal.api.score_command import DEFAULT_SAMPLES, score_command
from coequal.contract import Log
from coequal.datasets._loading import data_folder
from coequal.devices import AUTO, Precision, computing_on
from coequal.evaluation.exhibits import Pictures
from coequal.evaluation.image_ranking import PerImageRequest
from coequal.evaluation.score import score as measure_scores
from coequal.evaluation.score_request import DEFAULT_METRICS, ScoreRequest
from coequal.evaluation.scorer import References
from coequal.evaluation.several import refuse_unequal, score_several
from coequal.files import cache_folder
from coequal.generators.load import is_outside
from coequal.inputs.input import Input, Scorable
from coequal.inputs.load import SPLITS
from coequal.inspection.generated import generated_images
from coequal.parallel import reading_threads
from coequal.reporting.shown_values import Scores
from coequal.study.parts import refuse_metric_settings
from coequal.value_range import UNIT, ValueRange


def score(
    *,
    real: Scorable,
    fake: Scorable | Mapping[str, Scorable],
    train: Scorable | None = None,
    metrics: Sequence[str] | str = DEFAULT_METRICS,
    settings: Mapping[str, Mapping[str, Any]] | None = None,
    encoder: str | None = None,
    image_size: int | None = None,
    value_range: Sequence[float] | str = UNIT,
    real_count: int | None = None,
    max_images: int | None = None,
    seed: int = 0,
    samples: int = DEFAULT_SAMPLES,
    data_dir: str | Path | None = None,
    page: str | Path | None = None,
    sheet: str | Path | None = None,
    floor: bool = False,
    worst: int | None = None,
    worst_sheet: str | Path | None = None,
    per_image: str | Path | None = None,
    device: str = AUTO,
    precision: str = Precision.float32,
    workers: int | None = None,
    log: Log | None = None,
) -> Scores:
    """Score generated images against real ones.

    Args:
        real: a folder, .zip, .npy, .npz, "fashion_mnist:test", a tensor or array of images or
            features, a torch or Hugging Face Dataset. For `fd`, also an .npz of statistics (`mu`,
            `sigma`).
        fake: as `real`; also a trained model of a run, "runs/demo:ns_gan", what `generator` makes
            of a torch module, a function that takes a number and returns that many images, or the
            name of either in a module, "my_lab.gen:make". A mapping of names to any of these scores
            all of them against the same real images, and compares each pair.
        train: as `real`: the images that the model was trained on, for metrics of memorisation.
        metrics: names, "recommended" (a small set), or "all" that apply and need no training.
        settings: of metrics, where they differ from the defaults: {"gan_train": {"seeds": 5}}.
        encoder: see `coequal list encoders`; None: chosen by the data, and named in the result.
        image_size: height and width to which images of folders, arrays and lists are cropped and
            resized.
        value_range: the values of black and white in float images: (-1, 1), (0, 255). What
            `generator` makes of a network has a range of its own.
        real_count: number of images behind the statistics that `real` names. If neither this nor
            the file gives it, the bias of `fd` is unknown.
        max_images: number of images after which reading a stream (loader, generator, tar, LMDB)
            stops; None: at its end.
        seed: random seed of subsets and shuffles, and of the images that a generator makes.
        samples: number of images to draw from a generator or a function.
        data_dir: folder of the datasets, to which missing ones are downloaded; None: COEQUAL_DATA,
            then the user's cache.
        page: an .html file to write, which shows everything at once: each number between the score
            of real data and that of uniform noise (both are then measured), warnings, images beside
            their nearest neighbours, precision and recall, the worst and the best images.
        sheet: a .png file to write, with fakes beside their nearest real images.
        floor: whether to score real images against other real ones, too: what a perfect generator
            would get.
        worst: how many of the worst and of the best generated images to list, by each number that
            the metrics give single images (influence on fd, realism); the list is in "images".
        worst_sheet: a .png file to write, with these images.
        per_image: a .csv or .json file to write, with these numbers for every generated image.
        device: where the encoder, a trained model and the metrics compute: "cpu", "cuda",
            "cuda:1", "mps"; "auto": an NVIDIA GPU if there is one, else the CPU. Protocols name
            the device unless it is the CPU.
        precision: of float32 products on an NVIDIA GPU: "float32", or "tf32", which is faster and
            has a relative error of 1e-3.
        workers: threads that decode images while others are encoded; None: one per core. They
            change no number.
        log: called with a line of text about long work.

    Returns:
        A JSON-ready dict, which a prompt and a notebook show as a table: the numbers, their
        protocols and what was measured. `to_json(path)` writes it for `compare`. For several sets:
        `scores` by name, and `pairs` with differences, errors and p-values, also corrected for the
        number of pairs (see `coequal.evaluation.several.score_several`).

    Raises:
        ValueError, LookupError, FileNotFoundError: something can't be scored; the message says
            what.
    """
    several = fake if isinstance(fake, Mapping) else None
    files = (sheet, worst_sheet, per_image)
    if several is not None and any(file is not None for file in files):
        raise ValueError("a sheet or table is of one set of generated images; name one")
    if page is not None:
        from coequal.reporting.score_page.page import refuse_page, write_score_page

        refuse_page(page)
    with computing_on(device, precision) as where, reading_threads(workers):
        refuse_metric_settings(settings or {})
        request = ScoreRequest(
            data_dir=data_folder(data_dir),
            cache=cache_folder(),
            log=log or (lambda line: None),
            metrics=metrics,
            settings=settings or {},
            encoder=encoder,
            image_size=image_size,
            value_range=ValueRange.of(value_range),
            real_count=real_count,
            max_images=max_images,
            seed=seed,
            sheet=_path(sheet),
            floor=floor or page is not None,
            page=page is not None,
            per_image=PerImageRequest(worst, _path(worst_sheet), _path(per_image)),
            device=where,
        )
        if several is None:
            scored = _one(request, real, fake, train, samples)
        else:
            scored = _several(request, real, several, train, samples)
    if page is not None:
        command = score_command(request, real, fake, train, samples, page)
        write_score_page(Path(page), scored.record, scored.pictures, command)
    return Scores(scored.record)


class _Scored(NamedTuple):
    """What a page is made of: the record, and by set of generated images the pictures."""

    record: dict[str, Any]
    pictures: Mapping[str, Pictures]


def _one(
    request: ScoreRequest, real: Scorable, fake: Scorable, train: Scorable | None, samples: int
) -> _Scored:
    """Score one set of generated images."""
    images = _generated(request, fake, samples)
    found = measure_scores(request, real=real, fake=images, train=train)
    return _Scored(found.record, {"": found.pictures})


def _several(
    request: ScoreRequest,
    real: Scorable,
    fakes: Mapping[str, Scorable],
    train: Scorable | None,
    samples: int,
) -> _Scored:
    """Score several sets against the same real images, which are read once."""
    sides = {"real": request.read(real, role="real")}
    if train is not None:
        sides["train"] = request.read(train, role="train")
    given = {name: _given(request, one, samples) for name, one in fakes.items()}
    refuse_unequal({name: len(one) for name, one in given.items() if isinstance(one, Input)})
    references: References = {}
    pictures: list[Pictures] = []

    def measure(fake: Scorable, floor: bool) -> dict[str, Any]:
        found = measure_scores(
            replace(request, floor=floor), fake=fake, references=references, **sides
        )
        pictures.append(found.pictures)
        return found.record

    record = score_several(
        {name: one if callable(one) else partial(_same, one) for name, one in given.items()},
        measure,
        floor=request.floor,
    )
    return _Scored(record, dict(zip(fakes, pictures, strict=True)))


def _generated(request: ScoreRequest, fake: Scorable, samples: int) -> Scorable:
    """The images of a generator; anything else as it is."""
    return generated_images(fake, samples, request.seed, request.log, request.device)


def _given(request: ScoreRequest, fake: Scorable, samples: int) -> Input | Callable[[], Scorable]:
    """Images of files and datasets, checked before anything is measured; or what generates
    them."""
    place, _, inside = str(fake).rpartition(":")
    is_path = isinstance(fake, str | Path) and not is_outside(str(fake))
    if is_path and (not place or inside in SPLITS):
        return request.read(fake, role="fake")
    return partial(_generated, request, fake, samples)


def _same(images: Input) -> Input:
    return images


def _path(given: str | Path | None) -> Path | None:
    return None if given is None else Path(given)
