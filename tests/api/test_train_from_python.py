"""`coequal.train`: one model, trained and judged."""

import pytest

import coequal as cq

SMALL = {
    "data": "digits",
    "width": 0.0625,
    "encoder": "pixels",
    "samples": 64,
    "workers": 0,
}


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> cq.Run:
    out = tmp_path_factory.mktemp("train") / "vae"
    return cq.train("vae", steps=20, settings={"learning_rate": 2e-3}, out=str(out), **SMALL)


def test_it_gives_a_run_with_health_and_a_page(trained):
    (result,) = trained.trials.values()
    assert result.status == "done"
    assert result.trial.settings["learning_rate"] == 2e-3
    assert result.spent.discriminator_steps + result.spent.generator_steps > 0
    assert trained.health["verdict"]
    assert (trained.path / "index.html").exists()
    assert trained.sample(count=2).images.shape == (2, 1, 8, 8)


def test_it_shows_the_health_and_the_score(trained):
    text = repr(trained)
    assert "FD" in text
    assert "compare" not in text  # there is one model
    html = trained._repr_html_()
    assert text.splitlines()[3].split(";")[0] in html
    assert html.count("<img") == 2  # real images, and those of the model


def test_more_steps_go_on_from_the_end(trained):
    longer = cq.train("vae", steps=30, settings={"learning_rate": 2e-3}, out=trained.path, **SMALL)
    (trial,) = longer.trials
    assert trial not in trained.trials
    assert longer.trials[trial].checkpoints[-1].step == 30
    (longer.path / "states").rename(longer.path / "gone")
    with pytest.raises(ValueError, match="can't continue from 30 to 40 steps"):
        cq.train("vae", steps=40, settings={"learning_rate": 2e-3}, out=trained.path, **SMALL)


def test_what_cannot_be_is_said_at_once(tmp_path):
    with pytest.raises(cq.StudyError) as caught:
        cq.train("nsgan", out=tmp_path / "run", stop_on=["colapsed"], **SMALL)
    assert "did you mean 'ns_gan'" in str(caught.value)
    assert "did you mean 'collapsed'" in str(caught.value)
    assert not (tmp_path / "run").exists()
