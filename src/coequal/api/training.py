"""Train one model from Python: what `coequal train` does."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from coequal.api.runs import Run
from coequal.contract import Callback, Log
from coequal.reporting.trial_page.page import read_run, write_training_page
from coequal.results.folder import RunFolder
from coequal.runner.one_training import encoder_for, refuse_to_extend
from coequal.runner.progress import Observer
from coequal.runner.start import RunOptions, start
from coequal.study.check import checked_values
from coequal.study.document import yaml_text
from coequal.study.one_training import FRAMES, OneTraining


def train(
    model: str,
    *,
    data: str = "fashion_mnist",
    steps: int = 1500,
    width: float = 0.125,
    settings: Mapping[str, Any] | None = None,
    generator_lr: float | None = None,
    discriminator_lr: float | None = None,
    ema: float | None = None,
    image_size: int | None = None,
    batch_size: int | None = None,
    encoder: str | None = None,
    samples: int = 2500,
    seed: int = 0,
    stop_on: Sequence[str] | None = None,
    out: str | Path | None = None,
    workers: int = 1,
    data_dir: str | Path | None = None,
    device: str = "cpu",
    observer: Observer | None = None,
    callbacks: Sequence[str | Callback] = (),
    log: Log | None = None,
) -> Run:
    """Train one model with its authors' settings, or yours, and watch its health.

    The same call continues a training run that was stopped; with more steps, it continues one that
    has ended. Unless you give a learning rate, narrow networks get a larger one than the authors',
    as in `coequal train` (docs/how_to/train.md).

    Args:
        model: its name, "ns_gan"; `coequal list` has them all.
        data: name of a dataset, or "folder:PATH".
        steps: number of discriminator steps.
        width: of the networks, relative to the published ones.
        settings: hyperparameters and tricks by name: {"instance_noise": 0.1}.
        generator_lr: learning rate of the generator alone.
        discriminator_lr: learning rate of the discriminator alone.
        ema: decay of a moving average of the generator, which is then measured: 0.999.
        image_size: height and width to which images are cropped and resized: 28, 32 or 64.
        batch_size: number of images per step; None: 64.
        encoder: see `coequal list encoders`; None: chosen by the data.
        samples: number of generated images per measurement.
        seed: random seed.
        stop_on: health verdicts at which to stop: ["collapsed", "diverged"].
        out: the run's folder; None: runs/MODEL.
        workers: 1 trains in a process of its own, 0 in this one. With 1, a script needs
            `if __name__ == "__main__":`.
        data_dir: folder of the datasets, to which missing ones are downloaded; None: COEQUAL_DATA,
            then the user's cache.
        device: where torch computes: "cpu", "cuda", "cuda:1".
        observer: is told how far the training is.
        callbacks: what watches the training, as for `coequal.run` (docs/how_to/trackers.md).
        log: called with a line of text about long work and warnings.

    Returns:
        The run. `run.health` has the verdict on the training, with evidence and remedies;
        index.html in `run.path` is its page.

    Raises:
        StudyError: an argument is invalid; the message lists every problem.
        ValueError: the run in the folder can't be continued with more steps.
        FileExistsError, BlockingIOError: the folder is another run's, or in use.
        KeyboardInterrupt: stopped by Ctrl-C or SIGTERM; the same call continues the training.

    Examples:
        >>> import coequal as cq
        >>> run = cq.train("ns_gan", data="digits", steps=600)  # doctest: +SKIP
        >>> run.health["verdict"]                               # doctest: +SKIP
    """
    asked = OneTraining(
        model=model,
        data=data,
        steps=steps,
        width=width,
        settings=settings or {},
        generator_lr=generator_lr,
        discriminator_lr=discriminator_lr,
        ema=ema,
        image_size=image_size,
        batch_size=batch_size,
        encoder=encoder,
        samples=samples,
        seed=seed,
        stop_on=stop_on,
    )
    tell = log or (lambda line: None)
    place = (Path("runs") / model if out is None else Path(out)).expanduser().resolve()
    chosen = encoder or encoder_for(asked, data_dir, tell)
    study = checked_values(asked.study(chosen), "train", "train")
    refuse_to_extend(place, study)
    folder = RunFolder(place)
    options = RunOptions(
        workers=workers,
        data_dir=data_dir,
        device=device,
        frames=FRAMES,
        callbacks=tuple(callbacks),
    )
    outcome = start(study, yaml_text(study.as_dict()), folder, options, observer)
    (trial,) = folder.plan()
    write_training_page(folder, read_run(folder, trial, study.select.metric, None), None)
    return Run(folder, outcome.results)
