"""What is proposed for a failure: it exists, it fits the run, and the run has it not yet."""

from dataclasses import fields, replace

import pytest

from coequal.contract import Logits, Reconstruction
from coequal.health import EARLY, FAILURES, HEALTHY
from coequal.health import _run_settings as known
from coequal.health.remedies import REMEDIES, in_options, remedies_for
from coequal.study.model import shipped_models
from coequal.study.parts import assemble
from coequal.study.plan import plan
from coequal.study.spec import Study
from coequal.training.settings import Optimisation
from coequal.trial.health_callback import settings_of

from toys import ALL


def proposed(verdict: str, **settings: object) -> dict[str, object]:
    return {k: v for found in remedies_for(verdict, settings) for k, v in found.settings.items()}


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


def test_groups_of_objectives_are_those_that_there_are():
    requirements = {name: kind().requirements() for name, kind in ALL.items()}
    assert {n for n, of in requirements.items() if of.output is None} == known.ALONE
    assert {
        n for n, of in requirements.items() if of.output is Reconstruction
    } == known.AUTOENCODERS
    others = ALL.keys() - known.ALONE - known.AUTOENCODERS
    assert all(issubclass(requirements[name].output, Logits) for name in others)
    for field, group in (
        ("one_sided_smoothing", known.TARGETS),
        ("penalty_weight", known.PENALISED),
    ):
        assert {n for n, k in ALL.items() if field in {f.name for f in fields(k)}} == group
    assert ALL.keys() >= known.CRITICS


@pytest.mark.parametrize("model", [model.name for model in shipped_models()])
def test_every_remedy_fits_the_run_and_changes_it(model):
    trial = plan(Study.model_validate({"study": "x", "models": [model]}))[0]
    had = settings_of(trial)
    found = {str(r): r.settings for verdict in REMEDIES for r in remedies_for(verdict, had)}
    for said, settings in found.items():
        own = {name: value for name, value in settings.items() if name != "ema"}
        tried = replace(trial, settings={**trial.settings, **own})
        parts = assemble(tried)  # which refuses what no part has, and what can't be
        requirements = parts.objective.requirements()
        assert not parts.architecture.unmet(requirements), said
        assert not parts.tricks.unmet(requirements), said
        assert all(settings_of(tried) != had for _ in own), said


@pytest.mark.parametrize("verdict", list(REMEDIES))
def test_what_is_on_is_not_proposed_again(verdict):
    settings: dict[str, object] = {"objective": "non_saturating"}
    for remedy in remedies_for(verdict, settings):
        after = settings | dict(remedy.settings)
        again = [found.settings for found in remedies_for(verdict, after) if found.settings]
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
    first = remedies_for(verdict, {"objective": "non_saturating", **rates})[0]
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
    assert "ns_gan" in remedies_for("discriminator_won", {"objective": "minimax"})[0].what
    # Ten times 1e-7 would still be nothing: 1e-4 at least.
    assert proposed("stalled", learning_rate=1e-7)["generator_learning_rate"] == 1e-4
    assert proposed(EARLY, learning_rate=1e-5)["learning_rate"] == 1e-4


def test_in_options():
    settings = {"spectral_norm": True, "ema": 0.999, "augment": "ada"}
    assert in_options(settings) == "--set spectral_norm=true --ema 0.999 --set augment=ada"
    assert in_options({}) == ""
