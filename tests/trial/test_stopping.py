"""Trials that a study stops early: which verdicts may do it, and what becomes of the trials."""

import pytest

from coequal import api
from coequal.analysis.health import saved_budget
from coequal.analysis.summary import summarise
from coequal.health import Health
from coequal.records import TrialHealth
from coequal.reporting.page import write_report
from coequal.results.folder import RunFolder
from coequal.study.check import problems
from coequal.study.spec import Study
from coequal.trial import execute, health_callback

FAST = {"base": "ns_gan", "name": "fast", "settings": {"learning_rate": 1e-2}}
TINY = {
    "study": "tiny",
    "data": ["digits"],
    "models": ["ns_gan", FAST],
    "architecture": {"name": "infogan", "width": 1 / 32},
    "search": {"settings": 0},
    "training": {
        "budget": {"discriminator_steps": 80},
        "batch_size": 16,
        "checkpoints": 2,
        "stop_on": ["collapsed"],
    },
    "evaluation": {"encoder": "pixels", "samples": 40},
}


def said(verdicts: list[str], models: list[str], encoder: str = "classifier") -> list[str]:
    study = Study.model_validate(
        {
            "study": "x",
            "data": ["digits"],
            "models": models,
            "search": {"settings": 1},
            "training": {"stop_on": verdicts},
            "evaluation": {"encoder": encoder},
        }
    )
    slips = problems(study)
    assert {slip.place for slip in slips} <= {("training", "stop_on")}
    return [slip.message for slip in slips]


@pytest.mark.parametrize(
    ("verdicts", "models"),
    [
        (["collapsed", "stalled", "oscillating", "diverged"], ["ns_gan", "began", "vae"]),
        (["overfitting", "mode_dropping"], ["ns_gan", "began"]),
        (["discriminator_won", "generator_won"], ["ns_gan", "wgan"]),
        (["diverged"], ["pixelcnn_pp", "vae"]),
        ([], ["pixelcnn_pp", "vae"]),
    ],
)
def test_verdicts_that_can_be_seen_of_all_models(verdicts, models):
    assert said(verdicts, models) == []


@pytest.mark.parametrize(
    ("verdict", "models", "blind", "why"),
    [
        ("discriminator_won", ["ns_gan", "began"], "began", "no discriminator with a logit"),
        ("generator_won", ["ns_gan", "vae"], "vae", "no discriminator with a logit"),
        ("overfitting", ["began", "vae"], "vae", "no discriminator"),
        ("mode_dropping", ["ns_gan", "vae"], "vae", "no discriminator"),
        ("collapsed", ["vae", "pixelcnn_pp"], "pixelcnn_pp", "its images take too long"),
        ("stalled", ["vae", "pixelcnn_pp"], "pixelcnn_pp", "its images take too long"),
        ("oscillating", ["vae", "pixelcnn_pp"], "pixelcnn_pp", "its images take too long"),
    ],
)
def test_a_verdict_that_would_stop_some_models_alone(verdict, models, blind, why):
    (message,) = said([verdict, "diverged"], models)
    assert message.startswith(f"{verdict} can't be detected for {blind} ({why}")
    assert "would stop only the others; leave the verdict out, or the model" in message


def test_models_with_one_reason_are_named_together():
    (message,) = said(["generator_won"], ["vae", "began", "ns_gan"])
    assert "for vae and began (no discriminator with a logit)" in message
    (message,) = said(["collapsed"], ["pixelcnn_pp"])
    assert "would stop nobody" in message


@pytest.mark.parametrize("encoder", ["pixels", "inception"])
def test_mode_dropping_needs_a_quick_encoder_that_knows_classes(encoder):
    (message,) = said(["mode_dropping"], ["ns_gan"], encoder)
    assert f"and {encoder} is none; `encoder: classifier` is" in message


def fast_collapses(signals, *, settings, **told):  # type: ignore[no-untyped-def]
    """From the second probe on, at step 50."""
    if settings["learning_rate"] == 1e-2 and len(signals) >= 2:
        return Health("collapsed", 25, "one image")
    return Health("healthy", None, "nothing")


@pytest.mark.parametrize("seconds", [0.0, 60.0], ids=["slow", "fast"])
def test_a_trial_stops_at_the_same_probe_on_any_machine(tmp_path, monkeypatch, seconds):
    """With chunks of 0 s a trial is judged after each step, with long ones as seldom as can be."""
    monkeypatch.setattr(health_callback, "judge", fast_collapses)
    monkeypatch.setattr(execute, "CHUNK_SECONDS", seconds)
    found = api.run(Study.model_validate(TINY), tmp_path / "run", workers=0).trials
    kept, stopped = sorted(found.values(), key=lambda result: result.trial.model != "ns_gan")
    assert kept.status == "done"
    assert kept.health == TrialHealth("healthy", None, "nothing")
    assert stopped.status == "stopped early"
    assert stopped.reason == "collapsed since step 25: one image"
    assert stopped.health == TrialHealth("collapsed", 25, "one image")
    assert stopped.spent.discriminator_steps == 50
    assert [checkpoint.step for checkpoint in stopped.checkpoints] == [40]
    folder = RunFolder(tmp_path / "run")
    (summary,) = summarise(folder)
    assert summary.model("fast").chosen is None
    assert saved_budget(summary.model("fast")).fraction == pytest.approx(30 / 80)
    if seconds:
        page = write_report(folder).read_text()
        assert "(docs/explanation/health.md) give the verdict collapsed" in page
        assert "stopped early" in (folder.path / "results.csv").read_text()
