"""Made once per dataset, before its first trial: the encoder, its references, its bounds."""

import io
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch

from coequal.contract import Dataset
from coequal.datasets._loading import fingerprint, load_dataset
from coequal.evaluation.encoder_choice import keep_weights
from coequal.evaluation.instrument import Instrument
from coequal.evaluation.neighbour_sheet import train_features
from coequal.files import atomic_write, file_name
from coequal.images import match_dtype
from coequal.lookup import search_also
from coequal.records import Trial
from coequal.results.encoder_files import ENCODERS, FIELD, described
from coequal.results.folder import RunFolder
from coequal.study.parts import assemble
from coequal.trial.build import instrument_for, unsupported_without_labels
from coequal.trial.context import WorkerContext, computing
from coequal.trial.heartbeat import Heartbeat
from coequal.trial.snapshots import sheet_format
from coequal.trial.try_parts import refuse_failing

TRYING = "trying the parts"


def prepare_references(trials: Sequence[Trial], context: WorkerContext) -> None:
    """Try the parts, train or load the encoder, measure its bounds, and store both beside the
    trials. What is there already stays.

    Args:
        trials: all that are still to run on one dataset; they share one evaluation.
        context: where to read and write.

    Raises:
        ValueError: a trial can't work on these images; refused before any has begun.
        PartsError: parts failed when they were tried.
    """
    search_also(*context.import_path)
    run = RunFolder(Path(context.run))
    progress = preparation_heartbeat(context)
    log = Heartbeat(progress, replace(context, time_limit=None)).report_stage
    first = trials[0]
    with computing(context):
        assemble(first).training.refuse_elsewhere(context.device)
        real = load_dataset(first.data, Path(context.data), first.image_size, log)
        _refuse_impossible(trials, real)
        if context.try_parts:
            trying = Heartbeat(progress, replace(context, time_limit=None))  # which writes at once
            trying.report_stage(f"{TRYING} on some images of {first.data}")
            refuse_failing(trials, real, context.device)
        if first.data in run.references():
            progress.unlink(missing_ok=True)
            return
        instrument = instrument_for(first, context, log)
        if any(trial.evaluation.get("neighbours") for trial in trials):
            train_features(real, instrument.encoder, Path(context.cache), log)
        images = io.BytesIO()
        count, dtype = sheet_format(real.shape)
        np.save(images, match_dtype(real.test.images[:count], dtype).numpy(), allow_pickle=False)
        atomic_write(run.path / "references" / f"{file_name(first.data)}.npy", images.getvalue())
        reference = {
            "encoder": instrument.encoder.id,
            **_encoder_file(instrument, context),
            "encoder_note": instrument.encoder.note,
            "counts": {name: len(real.split(name)) for name in ("train", "validation", "test")},
            "shape": list(real.shape),
            "form": str(real.train.images.dtype).removeprefix("torch."),
            "notes": list(real.notes),
            "classes": None if real.classes is None else list(real.classes),
            **({} if real.classes is None else {"class_counts": _class_counts(real)}),
            "fingerprint": fingerprint(real),
            **instrument.bounds(),
        }
        run.add_reference(first.data, reference)
    progress.unlink(missing_ok=True)


# The limits of one trial are not meant for what is made once for all of them.
prepare_references.unlimited = True  # type: ignore[attr-defined]


def _encoder_file(instrument: Instrument, context: WorkerContext) -> dict[str, Any]:
    """Keep the weights of a small encoder in the run's folder; what a reference says of the
    file."""
    kept = Path(context.run) / ENCODERS
    path = keep_weights(instrument.encoder, instrument.dataset, Path(context.cache), kept)
    return {} if path is None else {FIELD: described(path)}


def _class_counts(data: Dataset) -> list[int]:
    """Training images of each class."""
    assert data.classes is not None
    assert data.train.labels is not None
    return torch.bincount(data.train.labels, minlength=len(data.classes)).tolist()


def preparation_heartbeat(context: WorkerContext) -> Path:
    """The file in which a coordinator reads how far its preparation is; each shard has its own."""
    return Path(f"{context.stop}.preparing") if context.stop else Path(context.run) / ".preparing"


def _refuse_impossible(trials: Sequence[Trial], data: Dataset) -> None:
    problems: dict[str, None] = {}
    for trial in trials:
        parts = assemble(trial)
        for refusal in (
            parts.architecture.unsupported_reason(data.shape),
            unsupported_without_labels(trial, parts, data),
        ):
            if refusal:
                problems[refusal] = None
        if len(data.train) < parts.training.batch_size:
            problems[
                f"the training split of {trial.data} has {len(data.train)} images, fewer than "
                f"batch_size {parts.training.batch_size}; use at most {len(data.train)} "
                "(--batch-size, or training: {batch_size: ...} in a study file), or more images"
            ] = None
    if problems:
        raise ValueError("\n".join(problems))
