"""Every kind of part can come from outside the package, as "module:Name"."""

import pytest

from coequal import api
from coequal.results.folder import RunFolder
from coequal.study.check import problems
from coequal.study.spec import Study

STUDY = {
    "study": "outside",
    "data": ["wrong_parts:noise"],
    "models": [
        {
            "name": "mine",
            "objective": "wrong_parts:Good",
            "settings": {
                "learning_rate": 1e-3,
                "beta1": 0.5,
                "discriminator_per_generator": 1,
            },
        }
    ],
    "architecture": {"name": "wrong_parts:Nets"},
    "search": {"settings": 0},
    "training": {"budget": {"discriminator_steps": 4}, "checkpoints": 1, "batch_size": 8},
    "evaluation": {
        "encoder": "wrong_parts:Means",
        "metrics": ["wrong_parts:Distance"],
        "samples": 20,
    },
    "select": {"metric": "distance"},
}


def test_a_study_of_nothing_but_parts_from_outside_runs(tmp_path):
    study = Study.model_validate(STUDY)
    assert problems(study) == []
    results = api.run(study, tmp_path / "run", workers=0).trials
    (result,) = results.values()
    assert result.status == "done", result.reason
    assert {m.metric for m in result.checkpoints[-1].measurements} == {"distance"}
    reference = RunFolder(tmp_path / "run").references()["wrong_parts:noise"]
    assert reference["encoder"] == "means:1"


WRONG = {
    "objective": (
        ("models", 0, "objective"),
        "wrong_parts:Means",
        "must be a class that extends Objective",
    ),
    "architecture": (
        ("architecture", "name"),
        "wrong_parts:Means",
        "must be a class that extends Architecture",
    ),
    "metric": (
        ("evaluation", "metrics"),
        ["wrong_parts:Means"],
        "must be a class that extends Metric",
    ),
    "encoder": (
        ("evaluation", "encoder"),
        "wrong_parts:Distance",
        "must be a class that extends Encoder",
    ),
}


@pytest.mark.parametrize(("place", "name", "message"), WRONG.values(), ids=WRONG)
def test_a_part_of_another_kind_is_refused_in_words(place, name, message):
    study = _with(STUDY, place, name)
    assert any(message in problem.message for problem in problems(Study.model_validate(study)))


def _with(value, place, new):  # type: ignore[no-untyped-def]
    """A copy of nested values with one of them replaced."""
    if not place:
        return new
    first, *rest = place
    if isinstance(value, dict):
        return {key: _with(own, rest, new) if key == first else own for key, own in value.items()}
    return [_with(own, rest, new) if index == first else own for index, own in enumerate(value)]
