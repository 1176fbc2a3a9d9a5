"""Scores of images from Python."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from coequal.contract import Log
from coequal.datasets._loading import data_folder
from coequal.evaluation.score import DEFAULT_METRICS
from coequal.evaluation.score import score as measure_scores
from coequal.files import cache_folder
from coequal.inputs.input import Scorable
from coequal.inspection.generated import generated_images
from coequal.study.parts import refuse_metric_settings


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
    samples: int = 10_000,
    data_dir: str | Path | None = None,
    sheet: Path | None = None,
    log: Log | None = None,
) -> dict[str, Any]:
    """Score generated images against real ones.

    Args:
        real: a folder, .zip, .npy, .npz, "fashion_mnist:test", a tensor or array of images or
            features, a torch or Hugging Face Dataset.
        fake: as `real`; also a trained model of a run, "runs/demo:ns_gan", or a function that takes
            a number and returns so many images.
        train: as `real`: the images that the model was trained on, for metrics of memorisation.
        metrics: names, or "all" that apply and take no training.
        settings: of metrics, where they differ from the defaults: {"gan_train": {"seeds": 5}}.
        encoder: see `coequal list encoders`; None: chosen by the data, and named in the result.
        image_size: height and width to which images of folders, arrays and lists are cropped and
            resized.
        seed: of subsets and shuffles, and of the images of a trained model.
        samples: number of images that a trained model or a function is asked for.
        data_dir: where data sets lie or are put; None: COEQUAL_DATA, then the user's cache.
        sheet: a .png or .html to write, with fakes beside their nearest real images.
        log: is told about long work.

    Returns:
        Plain values, ready for JSON: the numbers, their protocols and what was measured.

    Raises:
        ValueError, LookupError, FileNotFoundError: something can't be scored; one message.
    """
    refuse_metric_settings(settings or {})
    return measure_scores(
        real=real,
        fake=generated_images(fake, samples, seed),
        train=train,
        metrics=metrics,
        settings=settings,
        encoder=encoder,
        image_size=image_size,
        seed=seed,
        data_dir=data_folder(data_dir),
        cache=cache_folder(),
        sheet=sheet,
        log=log or (lambda line: None),
    )
