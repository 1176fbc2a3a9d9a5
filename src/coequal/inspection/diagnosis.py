"""What became of a training: of every trial of a run, of one, or of images alone."""

import json
import math
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors import SafetensorError, safe_open

from coequal import lookup
from coequal.contract import Log
from coequal.datasets._loading import data_folder
from coequal.evaluation.encoder_choice import chosen_encoder
from coequal.evaluation.warnings import describe_size
from coequal.files import cache_folder
from coequal.health import Health, judge
from coequal.health.judge_images import ImageObservation, judge_samples
from coequal.health.objective_facts import ASSUMED, ObjectiveFacts
from coequal.health.signals import NAMES, Signals, load
from coequal.inputs.load import Input, Scorable, load_input
from coequal.inspection.samples import chosen_trial
from coequal.monitoring.images import chosen_rows, class_signals, image_signals
from coequal.records import Result, Trial
from coequal.results.folder import HEALTH, SIGNALS, RunFolder
from coequal.trial.health_callback import recorded_facts, settings_of

CLASSIFIED = 10_000  # images of each side that the classifier sees
ALONE = "from samples alone: "


def diagnose(
    run: str | Path | None = None,
    *,
    model: str | None = None,
    trial: str | None = None,
    fake: Scorable | None = None,
    real: Scorable | None = None,
    data_dir: str | Path | None = None,
    log: Log | None = None,
) -> dict[str, Any]:
    """The health of a run's trials, or of images; judged now, by the rules of this version.

    Args:
        run: the folder of a run, or of one of its trials; finished or not.
        model: of a run: its only trial, or that of its best setting by validation; where none has
            finished, the first that has begun.
        trial: of a run: the beginning of a trial's id.
        fake: images, instead of a run; as for `score`.
        real: real images to compare them with; without them little can be said.
        data_dir: where data sets lie or are put.
        log: is told about long work.

    Returns:
        Plain values, ready for JSON: verdict, step, evidence, remedies, findings, alarms, unseen,
        and "from": "signals" of the training, "samples" alone, or "result" of one that has diverged
        and left neither. Of several trials a list of them
        under "trials", where the verdict of one that has left nothing yet is None.

    Raises:
        ValueError, LookupError, FileNotFoundError: it can't be diagnosed; one message.
    """
    if (run is None) == (fake is None):
        raise ValueError("name the folder of a run or of a trial, or images with --fake")
    if run is None:
        if model or trial:
            raise ValueError("--model and --trial are of a run; images given with --fake have none")
        assert fake is not None
        return of_images(fake, real, data_folder(data_dir), log or (lambda line: None))
    if real is not None:
        raise ValueError("--real goes with --fake; a run is compared with its own real images")
    folder, own = _place(Path(run).expanduser().resolve())
    trials = _chosen(folder, model, trial or own)
    if len(trials) > 1:
        return {"run": str(folder.path), "trials": [of_trial(folder, one) for one in trials]}
    found = of_trial(folder, trials[0])
    if found["verdict"] is None:
        raise ValueError(f"{found['model']} (trial {trials[0].id}): {found['evidence']}")
    return found


def _place(path: Path) -> tuple[RunFolder, str | None]:
    """The run that a folder is or belongs to, and the id of the trial that it is."""
    if (path / "study.json").exists():
        return RunFolder(path), None
    if (path / "trial.json").exists() and len(path.parents) > 2:
        folder = RunFolder(path.parents[2])
        if folder.trial_folder(path.name) == path:
            return folder, path.name
    if not path.exists():
        raise FileNotFoundError(f"there is no folder {path}")
    raise ValueError(
        f"{path} is neither the folder of a run (no study.json) nor of a trial in one (no "
        "trial.json); what would do: runs/NAME, or images with --fake"
    )


def _chosen(folder: RunFolder, model: str | None, trial: str | None) -> list[Trial]:
    """The trials that are asked for, in the plan's order."""
    folder.study()
    known = folder.plan()
    if not known:
        raise ValueError(f"{folder.path} has no trial yet")
    if trial is not None:
        found = [one for one in known if one.id.startswith(trial)]
        if len(found) != 1:
            raise LookupError(f"{len(found)} trials of {folder.path} have an id like '{trial}'")
        return found
    if model is None:
        return known
    models = list(dict.fromkeys(one.model for one in known))
    if model not in models:
        raise LookupError(lookup.unknown(model, models))
    own = [one for one in known if one.model == model]
    data = sorted({one.data for one in own})
    if len(data) > 1:
        raise LookupError(f"{model} has several data sets ({', '.join(data)}); name a --trial")
    return own if len(own) == 1 else [_of_model(folder, model, own)]


def _of_model(folder: RunFolder, model: str, own: list[Trial]) -> Trial:
    """The best setting's trial, or, where none has finished, the first that has begun."""
    try:
        return chosen_trial(folder, model, None)
    except LookupError:
        begun = (one for one in own if folder.trial_folder(one.id).exists())
        return next(begun, own[0])


def of_trial(folder: RunFolder, trial: Trial) -> dict[str, Any]:
    """The health of one trial, from the signals of its training, or else from its stored samples;
    the verdict is None where there are neither."""
    place = folder.trial_folder(trial.id)
    said = {
        "trial": trial.id,
        **{name: getattr(trial, name) for name in ("model", "data", "setting", "repeat")},
        "status": None,
        "recorded": None,
    }
    objective, unknown = _objective(place, trial)
    try:
        result = folder.result(trial.id)
        health, source = _health(folder, trial, place, result, objective)
        said |= {"status": result and result.status, "recorded": _recorded(place, result)}
    except ValueError as error:
        return said | _nothing(str(error))
    if health is None:
        reason = f": {result.reason}" if result is not None and result.reason else ""
        text = f"neither signals nor samples to judge it by{reason}"
        return said | _nothing(text)
    return said | _plain(replace(health, unseen=(*health.unseen, *unknown)), source)


def _objective(place: Path, trial: Trial) -> tuple[ObjectiveFacts, tuple[str, ...]]:
    """What a trial's objective is, and what to report where it cannot be known."""
    try:
        return recorded_facts(place, trial), ()
    except (LookupError, ValueError) as error:
        return ASSUMED, (f"remedies: they assume a discriminator with a logit, because {error}",)


def _health(
    folder: RunFolder,
    trial: Trial,
    place: Path,
    result: Result | None,
    objective: ObjectiveFacts,
) -> tuple[Health | None, str | None]:
    settings = settings_of(trial)
    diverged = result.reason if result is not None and result.status == "diverged" else None
    at = None if result is None else result.spent.discriminator_steps
    if (place / SIGNALS).exists():
        found = judge(
            load(place / SIGNALS), diverged=diverged, at=at, settings=settings, objective=objective
        )
        return found, "signals"
    under_way = _in_checkpoint(place)
    if under_way is not None:
        found = judge(under_way, diverged=diverged, settings=settings, objective=objective)
        unseen = [text for text in found.unseen if not text.startswith("mode_dropping")]
        late = "mode_dropping: classes are counted, and compared when the trial has ended"
        return replace(found, unseen=(*unseen, late)), "signals"
    if diverged is not None:
        nothing = Signals(np.zeros((0, len(NAMES))), np.zeros((0, 0)), np.zeros(0), {})
        return judge(
            nothing, diverged=diverged, at=at, settings=settings, objective=objective
        ), "result"
    observations = _stored(folder, trial, place)
    if not observations:
        return None, None
    found = judge_samples(observations, settings, objective)
    return replace(found, evidence=f"{ALONE}{found.evidence}"), "samples"


def _in_checkpoint(place: Path) -> Signals | None:
    """The signals of a trial that is not at its end, out of its checkpoint."""
    try:
        with safe_open(place / "checkpoint" / "state.safetensors", framework="pt") as file:
            if "health/rows" not in set(file.keys()):
                return None
            rows = file.get_tensor("health/rows").numpy()
    except (OSError, SafetensorError):  # none, or replaced at this moment
        return None
    return Signals(rows, np.zeros((len(rows), 0)), np.zeros(0), {}) if len(rows) else None


def _stored(folder: RunFolder, trial: Trial, place: Path) -> list[ImageObservation]:
    """What a trial's sheets of samples show, checkpoint by checkpoint."""
    kept = folder.real_samples(trial.data)
    real = None if kept is None else torch.from_numpy(kept)
    unseen = ["mode_dropping: a sheet of samples is too few to count classes in"]
    if real is None:
        unseen.append("collapsed (images that hardly differ): no real images lie beside the run")
    found = []
    for path in sorted((place / "samples").glob("step-*.npy")):
        images = torch.from_numpy(np.load(path, allow_pickle=False))
        step = int(path.stem.removeprefix("step-"))
        found.append(ImageObservation(step, image_signals(images, real), unseen=tuple(unseen)))
    return found


def _recorded(place: Path, result: Result | None) -> str | None:
    """The verdict that was given when the trial ended."""
    if result is not None and result.health is not None:
        return str(result.health["verdict"])
    path = place / HEALTH
    return str(json.loads(path.read_text())["verdict"]) if path.exists() else None


def of_images(fake: Scorable, real: Scorable | None, data_dir: Path, log: Log) -> dict[str, Any]:
    """The health of a model as its images show it, beside real ones if there are any."""
    cache = cache_folder()
    ours = load_input(fake, role="fake", data_dir=data_dir, cache=cache)
    theirs = None
    if real is not None:
        theirs = load_input(real, role="real", data_dir=data_dir, cache=cache)
    _refuse(ours, theirs)
    pictures = _rows(ours)
    reality = None if theirs is None else _rows(theirs)
    values, unseen = image_signals(pictures, reality), []
    counts: tuple[list[int], list[int]] = ([], [])
    if theirs is None or reality is None:
        unseen.append("collapsed (images that hardly differ), mode_dropping: no --real to compare")
    elif (why := _no_classifier(theirs)) is not None:
        unseen.append(f"mode_dropping: {why}")
    else:
        encoder, _ = chosen_encoder("classifier", {"real": theirs}, cache, log)
        assert encoder is not None
        of_features, *counted = class_signals(pictures, reality, encoder)
        values |= of_features
        counts = counted[0], counted[1]
    classes = () if theirs is None else theirs.classes or ()
    observation = ImageObservation(0, values, *counts, classes=classes, unseen=tuple(unseen))
    found = judge_samples([observation])
    found = replace(found, evidence=f"{ALONE}{found.evidence}")
    sources = {"fake": ours.what, "real": None if theirs is None else theirs.what}
    match_dtype = len({bytes(row) for row in ours.digests})
    numbers = {"images": len(ours), "distinct": match_dtype, **values}
    return {
        **{"trial": None, "model": None, **sources},
        **_plain(found, "samples"),
        "numbers": {
            name: value if math.isfinite(value) else None for name, value in numbers.items()
        },
        "classes": {
            name: {"fake": a, "real": b} for name, a, b in zip(classes, *counts, strict=False)
        },
    }


def _rows(source: Input) -> torch.Tensor:
    """Images in a fixed random order, `CLASSIFIED` at most."""
    assert source.images is not None
    return source.images[chosen_rows(len(source), CLASSIFIED)]


def _no_classifier(real: Input) -> str | None:
    """Why no classifier can count classes, or None if one can."""
    if real.dataset is None:
        return "only for a data set by name (--real fashion_mnist:test) is a classifier trained"
    refusal: str | None = lookup.load("encoders", "classifier").unsupported_reason(real.dataset)
    return refusal


def _refuse(fake: Input, real: Input | None) -> None:
    """Features, and real images of another size."""
    for role, source in (("fake", fake), ("real", real)):
        if source is not None and source.images is None:
            raise ValueError(f"{role}: {source.what} holds features; images are what is looked at")
    if real is not None and real.shape != fake.shape:
        raise ValueError(
            f"real images are {describe_size(real)}, fake images {describe_size(fake)}; make them "
            "alike"
        )


def _plain(health: Health, source: str | None) -> dict[str, Any]:
    """Plain values, ready for JSON, which has neither NaN nor infinity."""
    values = asdict(health)
    return {**values, "from": source}


def _nothing(why: str) -> dict[str, Any]:
    """Plain values for a run that cannot be judged, ready for JSON."""
    lists: dict[str, Any] = {key: [] for key in ("remedies", "findings", "alarms", "unseen")}
    return {"verdict": None, "step": None, "evidence": why, **lists, "from": None}
