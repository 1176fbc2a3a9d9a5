"""Precision and recall against a known manifold, from Python."""

from collections.abc import Sequence
from functools import partial
from pathlib import Path

from coequal.contract import Log
from coequal.datasets._loading import data_folder
from coequal.devices import AUTO, computing_on
from coequal.evaluation.manifold_curves import manifold_curves
from coequal.files import cache_folder
from coequal.inputs.alike import made_alike
from coequal.inputs.input import Scorable
from coequal.inputs.load import load_input
from coequal.inspection.generated import generated_images
from coequal.manifolds.polygons.projection import DELTA, Name
from coequal.reporting.manifold_page import write_manifold_page
from coequal.reporting.shown_values import ManifoldScores
from coequal.value_range import UNIT, ValueRange


def manifold(
    *,
    real: str,
    fake: Scorable,
    out: str | Path,
    train: bool = True,
    count: int = 1024,
    delta: float = DELTA,
    manifold: Name = "convex",
    image_size: int | None = None,
    value_range: Sequence[float] | str = UNIT,
    seed: int = 0,
    device: str = AUTO,
    data_dir: str | Path | None = None,
    log: Log | None = None,
) -> ManifoldScores:
    """Measure precision and recall against a known manifold at every delta, and write a page.

    Args:
        real: a split of a dataset of polygons, "triangles:test".
        fake: images, as for `score`, or a generator, which also gives recall.
        out: folder for index.html, manifold.json, curves.csv and the figure.
        train: whether to measure recall on as many training images, too (memorisation).
        count: number of real and of generated images.
        delta: squared distance within which an image counts as on the manifold.
        manifold: "convex": any convex polygon in the image; "family": those that the data are
            drawn from.
        image_size: height and width to which the dataset is resized; None: its own.
        value_range: the values of black and white in float images: (-1, 1), (0, 255). What
            `generator` makes of a network has a range of its own.
        seed: of the generated images and of the searches' starts.
        device: where the generator and the searches compute: "cpu", "cuda", "cuda:1"; "auto": an
            NVIDIA GPU if there is one, else the CPU.
        data_dir: folder of the datasets, to which missing ones are downloaded.
        log: called with a line of text about long work.

    Returns:
        The content of manifold.json: a dict, which a prompt and a notebook show as a table.

    Raises:
        ValueError, LookupError, FileNotFoundError: something can't be measured; the message lists
            every problem.
    """
    with computing_on(device) as where:
        load = partial(
            load_input,
            data_dir=data_folder(data_dir),
            image_size=image_size,
            value_range=ValueRange.of(value_range),
            cache=cache_folder(),
        )
        log = log or (lambda line: None)
        fake = generated_images(fake, count, seed, log, where)
        truth = load(real, role="real")
        generated = load(fake, role="fake", like=truth)
        trained = f"{real.rpartition(':')[0]}:train"
        recall = train and generated.generator is not None
        sides = made_alike({"real": truth, "fake": generated})
        curves = manifold_curves(
            **sides,
            train=load(trained, role="train") if recall else None,
            count=count,
            delta=delta,
            manifold=manifold,
            seed=seed,
            device=where,
            log=log,
        )
        target = Path(out).expanduser()
        write_manifold_page(target, curves.record, curves.curves, curves.samples, curves.reached)
        return ManifoldScores(curves.record)
