"""The sources of a variance, and where the number of each comes from, in words."""

from collections.abc import Sequence
from typing import Literal

Source = Literal["evaluation", "seed", "hyperparameters", "model"]
SOURCES: tuple[Source, ...] = ("evaluation", "seed", "hyperparameters", "model")


def score_notes(
    layers: Sequence[object | None], given: float | None, finished: int, models: int
) -> dict[Source, str]:
    """Return a note for each component of the variance of a score that needs one.

    Args:
        layers: mean squares of evaluations, runs, settings and models; None where there is none.
        given: evaluation noise known from elsewhere; None if it is not known.
        finished: number of models with a finished setting.
        models: number of models.
    """
    evaluation, runs, within, between = layers
    notes: dict[Source, str] = {}
    hidden = []
    if evaluation is not None:
        notes["evaluation"] = "from networks measured more than once"
    elif given is not None:
        notes["evaluation"] = "from the standard errors of the scores"
    else:
        notes["evaluation"] = "not separable: no network was measured twice"
        hidden.append("evaluation noise")
    if runs is None:
        notes["seed"] = "not separable: no setting has two finished runs"
        hidden.append("the seed")
    if hidden:
        notes["hyperparameters" if runs is None else "seed"] = "includes " + " and ".join(hidden)
    if within is None:
        unknown = "not known: no model has two finished settings"
        notes |= {"hyperparameters": unknown, "model": unknown}
    elif between is None:
        notes["model"] = "not known: fewer than two models have finished settings"
    elif finished < models:
        notes["model"] = f"{models - finished} of {models} models have no finished setting"
    return notes


def failure_notes(layers: Sequence[object | None]) -> dict[Source, str]:
    """Return a note for each component of the variance of failures that needs one.

    Args:
        layers: mean squares of runs, settings and models; None where there is none.
    """
    seed, within, between = layers
    notes: dict[Source, str] = {}
    if seed is None:
        notes["seed"] = "not separable: no setting was run twice"
        notes["hyperparameters"] = "includes the seed"
    if within is None:
        notes["hyperparameters"] = "not separable: no model has two settings"
        notes["model"] = "includes the hyperparameters" + (" and the seed" if seed is None else "")
    if between is None:
        notes["model"] = "not known: fewer than two models"
    return notes
