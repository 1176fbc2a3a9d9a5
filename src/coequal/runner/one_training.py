"""Before one model is trained: its encoder, and whether a longer training can go on."""

from pathlib import Path
from typing import Any

from coequal.contract import Log
from coequal.datasets._loading import data_folder, load_dataset
from coequal.evaluation.encoder_choice import default_encoder
from coequal.records import Trial
from coequal.results.folder import RunFolder
from coequal.results.states import state_to_extend
from coequal.study.one_training import OneTraining
from coequal.study.parts import assemble
from coequal.study.plan import search_of
from coequal.study.spec import Study


def encoder_for(asked: OneTraining, data_dir: str | Path | None, log: Log) -> str:
    """The encoder that `coequal score` would take for the data.

    Args:
        asked: names the data.
        data_dir: where datasets lie or are put; None for the default.
        log: is told about long work and warnings.
    """
    dataset = load_dataset(asked.data, data_folder(data_dir), asked.image_size, log)
    name, _, warnings = default_encoder(dataset)
    for warning in warnings:
        log(f"warning: {warning}")
    return name


def refuse_to_extend(out: Path, study: Study) -> None:
    """Refuse a longer training that can't go on from the end of the run in its folder.

    Args:
        out: the folder.
        study: of the longer training.

    Raises:
        ValueError: it can't; the message says why, and what would do.
    """
    folder = RunFolder(out)
    if not (out / "study.json").exists() or not (out / "plan.json").exists():
        return
    (before,), (trial,) = folder.plan(), search_of(study)
    if _but_for_length(before) != _but_for_length(trial) or before.id == trial.id:
        return  # another training, which its folder refuses, or the same
    done, asked = (int(t.training["budget"]["discriminator_steps"]) for t in (before, trial))
    result = folder.result(before.id)
    if result is None or asked < done or state_to_extend(out, trial) is not None:
        return
    optimisation = assemble(trial).optimisation
    if not result.finished:
        why = f"it ended before that ({result.status}: {result.reason})"
    elif optimisation.follows_budget:
        decay = optimisation.learning_rate_decay
        why = (
            f"its learning rate decays over the whole budget ({decay}) and would have "
            "been different"
        )
    elif not before.training.get("extendable"):
        why = "it was trained by an earlier version, which did not keep the state of the optimisers"
    else:
        why = "the state of its optimisers has been deleted (as `coequal clean` does)"
    raise ValueError(
        f"the run in {out} can't continue from {done} to {asked} steps: {why}; train "
        "from scratch in another folder with --out"
    )


def _but_for_length(trial: Trial) -> dict[str, Any]:
    """What a trial is, apart from its length."""
    values = trial.as_dict()
    free = ("budget", "checkpoints", "extendable")
    kept = {key: value for key, value in values["training"].items() if key not in free}
    return {**values, "training": kept}
