"""What every model file must keep, and the published settings and ranges."""

import pytest

from coequal import lookup
from coequal.ranges import Choice, LogUniform, Uniform
from coequal.study.check import problems
from coequal.study.model import shipped_models
from coequal.study.parts import assemble
from coequal.study.plan import plan
from coequal.study.spec import Study

from toys import ALL

MODELS = {model.name: model for model in shipped_models()}


def test_the_eight_of_the_study_are_there():
    eight = {"mm_gan", "ns_gan", "lsgan", "wgan", "wgan_gp", "dragan", "began", "vae"}
    assert eight <= set(MODELS)


@pytest.mark.parametrize("name", MODELS)
def test_a_model_is_complete(name):
    model = MODELS[name]
    assert model.objective in lookup.names("objectives")
    assert model.title
    assert "arXiv" in model.source
    assert model.settings.keys() >= {"learning_rate", "beta1"}
    for space in (model.wide, model.narrow):
        assert space.keys() == model.settings.keys()


@pytest.mark.parametrize("space", ["wide", "narrow"])
@pytest.mark.parametrize("name", MODELS)
def test_every_setting_that_a_search_can_draw_is_possible(name, space):
    study = Study.model_validate(
        {"study": "x", "models": [name], "search": {"space": space, "settings": 30}}
    )
    assert problems(study) == []
    # The ends of every range are drawn nearly as well: each must be accepted by its part.
    for end in (0.0, 1 - 2**-53):
        values = {key: spec.range().at(end) for key, spec in MODELS[name].ranges(space).items()}
        fixed = {"study": "x", "models": [{"base": name, "name": "ends", "settings": values}]}
        assert problems(Study.model_validate(fixed)) == []


@pytest.mark.parametrize("name", MODELS)
def test_setting_0_is_the_authors(name):
    study = Study.model_validate({"study": "x", "models": [name]})
    assert plan(study)[0].settings == MODELS[name].settings


def test_published_settings():
    # Lucic et al. 2018, from the code named in the models' source lines.
    table = {
        "mm_gan": (5e-5, 0.0, 1, True),
        "ns_gan": (5e-5, 0.0, 1, True),
        "lsgan": (2e-4, 0.5, 1, True),
        "wgan": (5e-5, 0.5, 5, True),
        "wgan_gp": (1e-4, 0.5, 5, False),
        "dragan": (1e-4, 0.5, 1, True),
        "began": (1e-4, 0.5, 5, False),
        "vae": (5e-5, 0.5, None, True),
    }
    keys = ("learning_rate", "beta1", "discriminator_per_generator", "batch_norm")
    found = {name: tuple(MODELS[name].settings.get(key) for key in keys) for name in table}
    assert found == table
    assert MODELS["wgan"].settings["weight_bound"] == 0.01
    assert MODELS["wgan_gp"].settings["penalty_weight"] == 10
    assert MODELS["dragan"].settings["penalty_weight"] == 10
    assert (MODELS["began"].settings["gamma"], MODELS["began"].settings["balance_rate"]) == (
        0.75,
        1e-3,
    )


@pytest.mark.parametrize("name", MODELS)
def test_published_ranges(name):
    wide = {key: spec.range() for key, spec in MODELS[name].wide.items()}
    narrow = {key: spec.range() for key, spec in MODELS[name].narrow.items()}
    assert wide["learning_rate"] == LogUniform(1e-5, 1e-2)
    assert wide["beta1"] == Uniform(0, 1)
    assert narrow["learning_rate"] == LogUniform(1e-4, 1e-3)
    assert narrow["beta1"] == Choice((0.5,))
    if "batch_norm" in wide:  # some nets have none in D
        only_false = name in ("wgan_gp", "dragan")
        assert wide["batch_norm"] == Choice((True, False))
        assert narrow["batch_norm"] == Choice((False,) if only_false else (True, False))
    own = {
        "wgan": (("weight_bound", LogUniform(1e-3, 1.0), LogUniform(1e-2, 1.0)),),
        "wgan_gp": (("penalty_weight", LogUniform(0.1, 100), LogUniform(0.1, 10)),),
        "dragan": (("penalty_weight", LogUniform(0.1, 100), LogUniform(0.1, 10)),),
        "began": (
            ("gamma", Uniform(0, 1), Uniform(0.6, 0.9)),
            ("balance_rate", LogUniform(1e-4, 1e-2), Choice((1e-3,))),
        ),
    }
    for key, in_wide, in_narrow in own.get(name, ()):
        assert (wide[key], narrow[key]) == (in_wide, in_narrow)


def test_pixelcnn_has_nets_of_its_own():
    # Salimans et al. 2017, and the code named in the model's source line.
    model = MODELS["pixelcnn_pp"]
    assert model.settings == {
        "learning_rate": 1e-3,
        "beta1": 0.95,
        "generator_labels": "embedding",
    }
    assert model.architecture.as_dict() == {"name": "pixelcnn"}
    study = Study.model_validate(
        {"study": "x", "models": ["pixelcnn_pp"], "architecture": {"width": 0.5}}
    )
    parts = assemble(plan(study)[0])
    assert (parts.architecture.width, parts.architecture.blocks) == (0.5, 5)
    assert parts.architecture.uses_labels == {"generator"}


def test_every_objective_has_a_model():
    assert {model.objective for model in MODELS.values()} == set(ALL)
