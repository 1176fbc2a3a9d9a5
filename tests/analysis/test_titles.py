"""What models to which a study gives no title are called."""

import pytest

from coequal.analysis.titles import changed, titles

BASE = {
    "name": "ns_gan",
    "title": "NS GAN",
    "objective": "non_saturating",
    "settings": {"beta1": 0.5, "batch_norm": True, "learning_rate": 2e-3},
}


def study(name="changed", settings=None, removed="", **more):
    own = {**BASE["settings"], **(settings or {})}
    own.pop(removed, None)
    model = {**BASE, "name": name, "title": name, "against": "ns_gan", "settings": own}
    return {"models": [BASE, {**model, **more}]}


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        ({"instance_noise": 0.1}, "instance noise 0.1"),
        ({"instance_noise": 0.2, "instance_noise_steps": 300}, "instance noise 0.2, steps 300"),
        (
            {"gradient_penalty": "zero_centred", "gradient_penalty_weight": 1.0},
            "gradient penalty zero centred, weight 1",
        ),
        ({"spectral_norm": True}, "spectral norm"),
        ({"batch_norm": False}, "no batch norm"),
        ({"optimiser": "rmsprop", "beta1": 0.0}, "beta1 0, optimiser rmsprop"),
        ({"learning_rate": 1e-4}, "learning rate 0.0001"),
    ],
)
def test_a_change_is_named_after_the_settings_that_differ(settings, expected):
    made = study(settings=settings)
    assert changed(made, "changed") == expected
    assert titles(made) == {"ns_gan": "NS GAN", "changed": f"NS GAN + {expected}"}


def test_a_setting_that_is_taken_away_is_named():
    assert changed(study(removed="batch_norm"), "changed") == "no batch norm"


@pytest.mark.parametrize(
    "more",
    [
        {"title": "NS GAN, quiet"},  # the study's own title stands
        {"against": None},  # there is no other model to name it after
        {"objective": "wasserstein"},  # it is more than a change of settings
        {"architecture": {"name": "dcgan"}},
        {"settings": {}},  # nothing differs
    ],
)
def test_all_others_keep_their_title(more):
    made = study(**{"settings": {"instance_noise": 0.1}, **more})
    assert changed(made, "changed") == ""
    assert titles(made)["changed"] == more.get("title", "changed")


@pytest.mark.parametrize(
    ("name", "objective", "title"),
    [
        ("wgan_gp", "wgan_gp", "WGAN-GP"),  # coequal's own, with settings of the study
        ("wgan_gp", "my_lab.losses:Mine", "wgan_gp"),  # another model of the same name
        ("mine", "wgan_gp", "mine"),
    ],
)
def test_a_model_of_coequals_keeps_its_title_where_the_study_repeats_its_name(
    name, objective, title
):
    model = {"name": name, "title": name, "objective": objective, "settings": {}}
    assert titles({"models": [model]}) == {name: title}
