"""What is proposed for a failure: it exists, it fits the run, and the run has it not yet."""

import re
from dataclasses import dataclass, fields, replace
from typing import Any

import pytest

from coequal.contract import Reconstruction, Requirements
from coequal.health import EARLY, FAILURES, HEALTHY
from coequal.health import _run_settings as known
from coequal.health.objective_facts import ObjectiveFacts
from coequal.health.remedies import REMEDIES, in_options, remedies_for
from coequal.objectives.minimax import Minimax
from coequal.objectives.vae import Vae
from coequal.objectives.wgan_gp import WassersteinGradientPenalty
from coequal.records import Trial
from coequal.study.model import shipped_models
from coequal.study.parts import assemble
from coequal.study.plan import plan
from coequal.study.spec import Study
from coequal.training.settings import Optimisation
from coequal.training.tricks import Tricks
from coequal.trial.health_callback import facts_of, settings_of

from toys import ALL


def proposed(verdict: str, objective: str = "hinge", **settings: object) -> dict[str, object]:
    remedies = remedies_for(verdict, settings, facts(objective))
    return {name: value for remedy in remedies for name, value in remedy.settings.items()}


def facts(objective: str) -> ObjectiveFacts:
    return facts_of(ALL[objective]().requirements())


def facts_of_trial(trial: Trial) -> ObjectiveFacts:
    return facts_of(assemble(trial).objective.requirements())


@pytest.mark.parametrize("verdict", [*FAILURES, EARLY])
def test_every_failure_has_remedies_with_a_source(verdict):
    found = remedies_for(verdict, {})
    assert len(found) > 1
    assert all(remedy.what and remedy.source for remedy in found)
    # Where no setting is known, a learning rate in numbers would be a guess.
    names = {name for remedy in found for name in remedy.settings}
    assert not any(name.endswith("learning_rate") for name in names)


def test_a_healthy_run_needs_none():
    assert remedies_for(HEALTHY, {}) == ()


def test_what_is_assumed_is_what_training_assumes():
    rates = Optimisation()
    assert {name: getattr(rates, name) for name in known.DEFAULTS} == dict(known.DEFAULTS)
    for given in ({}, {"learning_rate": 1e-3, "generator_learning_rate": 1e-5}):
        for player in ("generator", "discriminator"):
            assert known.RunSettings(given).rate(player) == Optimisation(**given).rate(player)


@pytest.mark.parametrize("name", ALL)
def test_an_objective_that_says_it_has_a_target_a_penalty_or_a_bound_has_the_setting(name):
    requirements = ALL[name]().requirements()
    settings = {field.name for field in fields(ALL[name])}
    assert requirements.real_targets == ("one_sided_smoothing" in settings)
    assert requirements.gradient_penalty == ("penalty_weight" in settings)
    assert (requirements.weight_bound is not None) == ("weight_bound" in settings)


TRICKS: dict[str, Any] = {
    **{"label_smoothing": 0.1, "label_flips": 0.1, "instance_noise": 0.1, "gradient_clip": 1.0},
    **{"gradient_penalty": "r1", "feature_matching": 1.0, "historical_averaging": 1.0},
    "augment": "diffaugment",
}


@pytest.mark.parametrize("name", TRICKS)
def test_what_a_trick_needs_is_what_training_says(name):
    # Every trick is here: other fields are details of one.
    assert all(field.name.startswith((*TRICKS, "ada_")) for field in fields(Tricks))
    tricks = Tricks(**{name: TRICKS[name]})
    for output, without in (
        (None, known.DISCRIMINATOR_SETTINGS),
        (Reconstruction, known.LOGIT_SETTINGS),
    ):
        assert bool(tricks.unmet(Requirements(output=output))) == (name in without)


@dataclass(frozen=True)
class BetaVae(Vae):
    """A model of one player from outside the package."""


@dataclass(frozen=True)
class OwnCritic(WassersteinGradientPenalty):
    """A copy of `wgan_gp` from outside the package."""


@dataclass(frozen=True)
class OwnMinimax(Minimax):
    """A copy of `minimax` from outside the package."""


@pytest.mark.parametrize("verdict", list(REMEDIES))
@pytest.mark.parametrize(
    ("model", "outside"), [("vae", BetaVae), ("wgan_gp", OwnCritic), ("mm_gan", OwnMinimax)]
)
def test_an_objective_from_outside_gets_the_remedies_of_one_like_it(model, outside, verdict):
    trial = plan(Study.model_validate({"study": "x", "models": [model]}))[0]
    inside = remedies_for(verdict, settings_of(trial), facts(trial.objective))
    name = f"{__name__}:{outside.__name__}"
    own = replace(trial, objective=name)
    assert remedies_for(verdict, settings_of(own), facts_of_trial(own)) == inside


# Overfitting is seen by a discriminator alone.
@pytest.mark.parametrize("verdict", sorted(REMEDIES.keys() - {"overfitting"}))
def test_a_model_without_discriminator_gets_no_remedy_for_one(verdict):
    trial = plan(Study.model_validate({"study": "x", "models": ["vae"]}))[0]
    own = replace(trial, objective=f"{__name__}:BetaVae")
    for remedy in remedies_for(verdict, settings_of(own), facts_of_trial(own)):
        assert not {"discriminator", "critic", "wgan_gp"} & set(re.findall(r"\w+", remedy.what))


@pytest.mark.parametrize("model", [model.name for model in shipped_models()])
def test_every_remedy_fits_the_run_and_changes_it(model):
    trial = plan(Study.model_validate({"study": "x", "models": [model]}))[0]
    had, own = settings_of(trial), facts(trial.objective)
    found = {str(r): r.settings for verdict in REMEDIES for r in remedies_for(verdict, had, own)}
    for said, settings in found.items():
        new = {name: value for name, value in settings.items() if name != "ema"}
        tried = replace(trial, settings={**trial.settings, **new})
        parts = assemble(tried)  # which refuses what no part has, and what can't be
        requirements = parts.objective.requirements()
        assert not parts.architecture.unmet(requirements), said
        assert not parts.tricks.unmet(requirements), said
        assert all(settings_of(tried) != had for _ in new), said


@pytest.mark.parametrize("verdict", list(REMEDIES))
def test_what_is_on_is_not_proposed_again(verdict):
    objective = facts("non_saturating")
    for remedy in remedies_for(verdict, {}, objective):
        after = remedies_for(verdict, remedy.settings, objective)
        again = [proposal.settings for proposal in after if proposal.settings]
        assert remedy.settings not in again
    # In another strength it is on, too.
    if verdict == "discriminator_won":
        assert "instance_noise" not in proposed(verdict, instance_noise=0.02)


@pytest.mark.parametrize(
    ("generator", "discriminator", "expected"),
    [
        # 2e-3 is 200 times 1e-5, and no large rate: the generator gets it.
        (1e-5, 2e-3, {"generator_learning_rate": 2e-3}),
        (1e-3, 1e-6, {"discriminator_learning_rate": 1e-3}),
        # 2e-2 is above 5e-3: it is what is out of place.
        (2e-2, 2e-4, {"generator_learning_rate": 2e-4}),
    ],
)
@pytest.mark.parametrize("verdict", ["discriminator_won", "generator_won", "collapsed", "stalled"])
def test_two_rates_far_apart_are_balanced_first(verdict, generator, discriminator, expected):
    rates = {
        "generator_learning_rate": generator,
        "discriminator_learning_rate": discriminator,
    }
    first = remedies_for(verdict, rates, facts("non_saturating"))[0]
    assert (first.settings, "Heusel" in first.source) == (expected, True)
    # Four times is what the paper of two time scales has itself.
    near = {"generator_learning_rate": 1e-4, "discriminator_learning_rate": 4e-4}
    assert "times as fast" not in remedies_for(verdict, near)[0].what


def test_remedies_by_what_the_run_has():
    assert proposed("generator_won", label_flips=0.5)["label_flips"] == 0
    assert "label_flips" not in proposed("generator_won")
    assert proposed("diverged", optimiser="sgd", learning_rate=5.0)["optimiser"] == "adam"
    assert proposed("diverged", beta1=0.9)["beta1"] == 0.5
    assert "beta1" not in proposed("diverged", beta1=0.0)
    # A tenth of 0.1 is still far too large: 1e-3 at most. A tenth of 1e-4: 5e-5 at least.
    assert proposed("diverged", learning_rate=0.1)["learning_rate"] == 1e-3
    assert proposed("diverged", learning_rate=1e-4)["learning_rate"] == 5e-5
    assert proposed("diverged", objective="wgan_gp", penalty_weight=0.0)["penalty_weight"] == 10
    assert "gradient_penalty" not in proposed("diverged", objective="wgan_gp")
    assert proposed("collapsed", latents=2)["latents"] == 128
    assert "ns_gan" in remedies_for("discriminator_won", {}, facts("minimax"))[0].what
    # Ten times 1e-7 would still be nothing: 1e-4 at least.
    assert proposed("stalled", learning_rate=1e-7)["generator_learning_rate"] == 1e-4
    assert proposed(EARLY, learning_rate=1e-5)["learning_rate"] == 1e-4


def test_in_options():
    settings = {"spectral_norm": True, "ema": 0.999, "augment": "ada"}
    assert in_options(settings) == "--set spectral_norm=true --ema 0.999 --set augment=ada"
    assert in_options({}) == ""
