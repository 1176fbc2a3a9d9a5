"""What became of a training: of every trial of a run, or of one."""

import json
from collections.abc import Sequence
from dataclasses import asdict, replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors import SafetensorError, safe_open

from coequal import lookup
from coequal.contract import Log
from coequal.datasets._loading import data_folder
from coequal.devices import AUTO, computing_on
from coequal.health import Health, judge
from coequal.health.judge_images import ImageObservation, judge_samples
from coequal.health.objective_facts import ASSUMED, ObjectiveFacts
from coequal.health.signals import NAMES, Signals, load
from coequal.inputs.input import Scorable
from coequal.inspection.generated import generated_images
from coequal.inspection.image_diagnosis import FROM_SAMPLES, of_images
from coequal.inspection.samples import chosen_trial
from coequal.monitoring.images import image_signals
from coequal.records import Result, Trial
from coequal.reporting.shown_values import Diagnosis
from coequal.results.folder import HEALTH, SIGNALS, RunFolder
from coequal.trial.health_callback import recorded_facts, settings_of
from coequal.value_range import UNIT, ValueRange


def diagnose(
    run: str | Path | None = None,
    *,
    model: str | None = None,
    trial: str | None = None,
    fake: Scorable | None = None,
    real: Scorable | None = None,
    samples: int = 2_000,
    value_range: Sequence[float] | str = UNIT,
    seed: int = 0,
    device: str = AUTO,
    data_dir: str | Path | None = None,
    log: Log | None = None,
) -> Diagnosis:
    """The health of a run's trials, or of images; judged now, by the rules of this version.

    Args:
        run: the folder of a run, or of one of its trials; finished or not.
        model: of a run: its only trial, or that of its best setting by validation; if none has
            finished, the first that has begun.
        trial: of a run: the beginning of a trial's id.
        fake: generated images, instead of a run; as for `score`.
        real: real images to compare them with; few checks work without them.
        samples: number of images that a generator is asked for.
        value_range: black and white of images that are floats: (-1, 1), (0, 255); what
            `generator` makes of a net has a range of its own.
        seed: of the images that a generator makes.
        device: what images are judged on: "cpu", "cuda", "cuda:1", "mps"; "auto": an NVIDIA GPU
            where there is one, else the CPU.
        data_dir: where datasets lie or are put.
        log: is given a line about long work.

    Returns:
        A dict, ready for JSON, that a prompt and a notebook show: verdict, step, evidence,
        remedies, findings, alarms, unseen, and "from": "signals" of the training, "samples" alone,
        or "result" of a training that has diverged and left neither. Several trials are a list
        under "trials", where the verdict of a trial that has left nothing yet is None.

    Raises:
        ValueError, LookupError, FileNotFoundError: it cannot be diagnosed; the message says why.
    """
    if problem := misuse(run, model, trial, fake, real, device):
        raise ValueError(problem)
    if run is None:
        assert fake is not None
        log = log or (lambda line: None)
        values_of = ValueRange.of(value_range)
        with computing_on(device) as where:
            generated = generated_images(fake, samples, seed, log, where)
            found = of_images(generated, real, data_folder(data_dir), log, where, values_of)
            return Diagnosis(found)
    folder, own = _place(Path(run).expanduser().resolve())
    trials = _chosen(folder, model, trial or own)
    if len(trials) > 1:
        listed = [of_trial(folder, one) for one in trials]
        return Diagnosis(run=str(folder.path), trials=listed)
    values = of_trial(folder, trials[0])
    if values["verdict"] is None:
        raise ValueError(f"{values['model']} (trial {trials[0].id}): {values['evidence']}")
    return Diagnosis(values)


def misuse(
    run: object, model: object, trial: object, fake: object, real: object, device: str = AUTO
) -> str:
    """Why the arguments of `diagnose` don't go together, in words; empty if they do."""
    if (run is None) == (fake is None):
        return "name the folder of a run or trial, or images with --fake"
    if fake is not None and (model or trial):
        return "--model and --trial select within a run; images given with --fake have neither"
    if run is not None and real is not None:
        return "--real goes with --fake; a run is compared with its own real images"
    if run is not None and device != AUTO:
        return "--device goes with --fake; a run is judged by what was measured during training"
    return ""


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
        f"{path} is neither the folder of a run (no study.json) nor that of a trial (no "
        "trial.json); name runs/NAME, or images with --fake"
    )


def _chosen(folder: RunFolder, model: str | None, trial: str | None) -> list[Trial]:
    """The requested trials, in the order of the plan."""
    folder.study()
    known = folder.plan()
    if not known:
        raise ValueError(f"{folder.path} has no trial yet")
    if trial is not None:
        matches = [one for one in known if one.id.startswith(trial)]
        if len(matches) != 1:
            raise LookupError(f"{len(matches)} trials of {folder.path} have an id like '{trial}'")
        return matches
    if model is None:
        return known
    models = list(dict.fromkeys(one.model for one in known))
    if model not in models:
        raise LookupError(lookup.unknown(model, models))
    own = [one for one in known if one.model == model]
    data = sorted({one.data for one in own})
    if len(data) > 1:
        raise LookupError(f"{model} has several datasets ({', '.join(data)}); name a --trial")
    return own if len(own) == 1 else [_of_model(folder, model, own)]


def _of_model(folder: RunFolder, model: str, own: list[Trial]) -> Trial:
    """The best setting's trial; if none has finished, the first that has begun."""
    try:
        return chosen_trial(folder, model, None)
    except LookupError:
        begun = (one for one in own if folder.trial_folder(one.id).exists())
        return next(begun, own[0])


def of_trial(folder: RunFolder, trial: Trial) -> dict[str, Any]:
    """The health of one trial, from the signals of its training or else from its stored samples.

    Args:
        folder: of the run.
        trial: of the run's plan.

    Returns:
        One entry of "trials" of `diagnose`; its verdict is None if there are neither signals nor
        samples.
    """
    place = folder.trial_folder(trial.id)
    row = {
        "trial": trial.id,
        **{name: getattr(trial, name) for name in ("model", "data", "setting", "repeat")},
        "status": None,
        "recorded": None,
    }
    objective, unknown = _objective(place, trial)
    try:
        result = folder.result(trial.id)
        health, source = _health(folder, trial, place, result, objective)
        row |= {"status": result and result.status, "recorded": _recorded(place, result)}
    except ValueError as error:
        return row | _unjudged(str(error))
    if health is None:
        reason = f": {result.reason}" if result is not None and result.reason else ""
        text = f"there are neither signals nor samples to judge it by{reason}"
        return row | _unjudged(text)
    health = replace(health, unseen=(*health.unseen, *unknown))
    return row | asdict(health) | {"from": source}


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
    """The health of a trial, and what it was judged by; None if there is nothing to judge it by."""
    settings = settings_of(trial)
    diverged = result.reason if result is not None and result.status == "diverged" else None
    at = None if result is None else result.spent.discriminator_steps
    judged = partial(judge, diverged=diverged, at=at, settings=settings, objective=objective)
    if (place / SIGNALS).exists():
        return judged(load(place / SIGNALS)), "signals"
    under_way = _in_checkpoint(place)
    if under_way is not None:
        health = judged(under_way)
        unseen = [text for text in health.unseen if not text.startswith("mode_dropping")]
        late = "mode_dropping: classes are compared once the trial has ended"
        return replace(health, unseen=(*unseen, late)), "signals"
    if diverged is not None:
        no_signals = Signals(np.zeros((0, len(NAMES))), np.zeros((0, 0)), np.zeros(0), {})
        return judged(no_signals), "result"
    observations = _stored(folder, trial, place)
    if not observations:
        return None, None
    health = judge_samples(observations, settings, objective)
    return replace(health, evidence=f"{FROM_SAMPLES}{health.evidence}"), "samples"


def watched_so_far(folder: RunFolder, trial: Trial) -> tuple[Health | None, Signals | None]:
    """The health and the signals of a trial that still trains, as of its last checkpoint; None
    before the first.

    No code of the run is imported: an objective from outside the package is taken for one with a
    discriminator and a logit.

    Args:
        folder: of the run.
        trial: of its plan, without a result yet.
    """
    place = folder.trial_folder(trial.id)
    signals = _in_checkpoint(place)
    if signals is None:
        return None, None
    objective = ASSUMED if ":" in trial.objective else _objective(place, trial)[0]
    return _health(folder, trial, place, None, objective)[0], signals


def _in_checkpoint(place: Path) -> Signals | None:
    """The signals in the checkpoint of a trial that has not ended; None if there are none."""
    try:
        with safe_open(place / "checkpoint" / "state.safetensors", framework="pt") as file:
            if "health/rows" not in set(file.keys()):
                return None
            rows = file.get_tensor("health/rows").numpy()
    except (OSError, SafetensorError):  # none, or replaced at this moment
        return None
    return Signals(rows, np.zeros((len(rows), 0)), np.zeros(0), {}) if len(rows) else None


def _stored(folder: RunFolder, trial: Trial, place: Path) -> list[ImageObservation]:
    """What a trial's stored samples show, checkpoint by checkpoint."""
    stored = folder.real_samples(trial.data)
    real = None if stored is None else torch.from_numpy(stored)
    unseen = ["mode_dropping: a sheet of samples has too few images to count classes"]
    if real is None:
        unseen.append("collapsed (images that hardly differ): the run has no stored real images")
    observations = []
    for path in sorted((place / "samples").glob("step-*.npy")):
        images = torch.from_numpy(np.load(path, allow_pickle=False))
        step = int(path.stem.removeprefix("step-"))
        observations.append(
            ImageObservation(step, image_signals(images, real), unseen=tuple(unseen))
        )
    return observations


def _recorded(place: Path, result: Result | None) -> str | None:
    """The verdict that was recorded at the end of the trial."""
    if result is not None and result.health is not None:
        return result.health.verdict
    path = place / HEALTH
    return str(json.loads(path.read_text())["verdict"]) if path.exists() else None


def _unjudged(reason: str) -> dict[str, Any]:
    """The values of a trial without a verdict."""
    lists: dict[str, Any] = {key: [] for key in ("remedies", "findings", "alarms", "unseen")}
    return {"verdict": None, "step": None, "evidence": reason, **lists, "from": None}
