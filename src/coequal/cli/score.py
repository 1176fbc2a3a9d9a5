"""`coequal score`: scores of existing images."""

import json
from pathlib import Path
from typing import Any

from coequal.cli.command import CommandResult
from coequal.cli.options import (
    TF32,
    AnyDevice,
    Batch,
    Classes,
    DataDir,
    DecodingThreads,
    Encoder,
    ImageSize,
    Latent,
    MaxImages,
    Seed,
    Values,
    fake_and_values,
)
from coequal.cli.printing import log_line, say
from coequal.cli.score_options import (
    WORST_SHEET,
    Fakes,
    Floor,
    Metrics,
    MetricSettings,
    Page,
    PerImage,
    Real,
    RealCount,
    Samples,
    ScoresFile,
    Sheet,
    Train,
    Worst,
    WorstSheet,
    metric_settings,
    sets_of_images,
)
from coequal.cli.score_text import print_scores
from coequal.cli.several_text import print_several
from coequal.devices import AUTO, Precision
from coequal.files import atomic_write, refuse_unwritable


def score(
    real: Real,
    fake: Fakes,
    train: Train = None,
    metrics: Metrics = "fd,precision,recall",
    given: MetricSettings = None,
    encoder: Encoder = None,
    image_size: ImageSize = None,
    real_count: RealCount = None,
    max_images: MaxImages = None,
    out: ScoresFile = None,
    page: Page = None,
    sheet: Sheet = None,
    floor: Floor = False,
    worst: Worst = None,
    worst_sheet: WorstSheet = None,
    per_image: PerImage = None,
    seed: Seed = 0,
    samples: Samples = 10_000,
    latent: Latent = None,
    value_range: Values = None,
    classes: Classes = None,
    batch: Batch = None,
    device: AnyDevice = AUTO,
    precision: TF32 = Precision.float32,
    workers: DecodingThreads = None,
    data_dir: DataDir = None,
) -> CommandResult:
    """Score generated images against real ones.

    Every number has its error, its protocol and its warnings.
    """
    from coequal.api import score as measure
    from coequal.evaluation.requested import GROUPS

    if out is not None:
        refuse_unwritable(out)
    if worst is not None and worst_sheet is None and page is None:
        worst_sheet = WORST_SHEET
    fakes, values = fake_and_values(sets_of_images(fake), latent, value_range, classes, batch)
    scores = measure(
        real=real,
        fake=fakes,
        train=train,
        metrics=metrics if metrics in GROUPS else metrics.split(","),
        settings=metric_settings(given or []),
        encoder=encoder,
        image_size=image_size,
        value_range=values,
        real_count=real_count,
        max_images=max_images,
        seed=seed,
        samples=samples,
        data_dir=data_dir,
        page=page,
        sheet=sheet,
        floor=floor,
        worst=worst,
        worst_sheet=worst_sheet,
        per_image=per_image,
        device=device,
        precision=precision,
        workers=workers,
        log=log_line,
    )
    if out is not None:
        atomic_write(out, (json.dumps(scores, indent=1) + "\n").encode())
    files = {"scores": out, "worst and best images": worst_sheet, "page": page}
    return CommandResult(scores, lambda: _show(scores, files))


def _show(scores: dict[str, Any], files: dict[str, Path | None]) -> None:
    """Print one set's numbers or those of several, and the files that were written."""
    print_several(scores) if "scores" in scores else print_scores(scores)
    for what, path in files.items():
        if path is not None:
            say(f"{what}: {path}")
