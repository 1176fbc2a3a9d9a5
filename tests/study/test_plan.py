"""The plan: pure, paired, and unmoved by what is added."""

import subprocess
import sys

import pytest

from coequal.checkpoints import Checkpoint, Checkpoints, Measurement, Spent
from coequal.ranges import Choice, LogUniform, Uniform, draw
from coequal.records import MetricInfo, Result, Trial
from coequal.seeds import seed_for
from coequal.selection import SelectionRule
from coequal.study.parts import rule_of
from coequal.study.plan import most_trials, plan
from coequal.study.spec import Study
from coequal.training.settings import Training


def study(**values) -> Study:  # type: ignore[no-untyped-def]
    return Study.model_validate({"study": "x", **values})


def by_model(found: list[Trial]) -> dict[str, list[Trial]]:
    return {name: [t for t in found if t.model == name] for name in {t.model for t in found}}


def test_every_model_has_every_setting_and_ids_are_unique():
    found = plan(study(search={"settings": 4}, data=["digits", "fashion_mnist"]))
    assert len(found) == 8 * 5 * 2
    assert len({trial.id for trial in found}) == len(found)
    assert found == plan(study(search={"settings": 4}, data=["digits", "fashion_mnist"]))


def test_models_that_share_a_hyper_parameter_share_its_draws():
    trials = by_model(plan(study(search={"settings": 5})))
    rates = [
        [t.settings["learning_rate"] for t in trials[name][1:]] for name in ("ns_gan", "began")
    ]
    assert rates[0] == rates[1]
    assert len(set(rates[0])) == 5


def test_another_hyper_parameter_moves_no_draw():
    base = {"base": "ns_gan", "name": "a", "wide": {}}
    more = {**base, "wide": {"latents": {"choice": [8, 16]}}}
    plain, extended = (plan(study(models=[m], search={"settings": 4})) for m in (base, more))
    for one, other in zip(plain, extended, strict=True):
        rest = {key: value for key, value in other.settings.items() if key != "latents"}
        assert rest == one.settings


def test_more_settings_or_models_or_data_move_no_trial():
    few = {t.id for t in plan(study(models=["ns_gan", "vae"], search={"settings": 2}))}
    many = {t.id for t in plan(study(search={"settings": 6}, data=["digits", "fashion_mnist"]))}
    assert few <= many


def test_ranges_of_the_study_replace_those_of_every_model():
    ranges = {"learning_rate": {"log_uniform": [0.1, 0.2]}}
    found = plan(study(search={"settings": 3, "ranges": ranges}))
    drawn = [t for t in found if t.setting > 0]
    assert all(0.1 <= float(t.settings["learning_rate"]) < 0.2 for t in drawn)
    authors = [t.settings["learning_rate"] for t in found if t.setting == 0]
    assert max(map(float, authors)) < 0.001
    # A model without the setting gets none.
    found = plan(study(search={"settings": 1, "ranges": {"gamma": {"choice": [0.5]}}}))
    assert {t.model for t in found if "gamma" in t.settings} == {"began"}


@pytest.mark.parametrize(
    "change",
    [
        {"seed": 1},
        {"training": {"batch_size": 32}},
        {"training": {"precision": "bfloat16"}},
        {"training": {"ema": 0.9}},
        {"training": {"checkpoints": 2}},
        {"training": {"budget": {"discriminator_steps": 10}}},
        {"evaluation": {"samples": 100}},
        {"evaluation": {"encoder": "pixels"}},
        {"architecture": {"width": 0.5}},
        {"image_size": 32},
        {"data": ["digits"]},
        {"models": [{"base": "ns_gan", "name": "twin"}]},
    ],
    ids=str,
)
def test_whatever_can_change_a_number_changes_the_id(change):
    (before,), (after,) = (
        plan(study(**{"models": ["ns_gan"], "search": {"settings": 0}, **more}))
        for more in ({}, change)
    )
    assert before.id != after.id


def ended(trial: Trial, value: float, status: str = "done") -> Result:
    """A result with this validation FD, and the test FD the other way round: it must not choose."""
    found = (
        Measurement("fd", "validation", value, "p"),
        Measurement("fd", "test", -value, "p"),
    )
    checkpoints = (Checkpoint(10, Spent(), found),) if status == "done" else ()
    return Result(trial, status, Spent(), Checkpoints.of(checkpoints))


def searched(spec: Study, **scores: list[float | None]) -> dict[str, Result]:
    """Results of the search: for each model the validation FD by setting; None for a failure."""
    found = {}
    for trial in plan(spec):
        value = scores[trial.model][trial.setting]
        status = "done" if value is not None else "diverged"
        found[trial.id] = ended(trial, value or 0.0, status)
    return found


def later(spec: Study, results: dict[str, Result]) -> list[tuple[str, str, int, int]]:
    trials = plan(spec, results, rule_of(spec))
    return [(t.model, t.data, t.setting, t.repeat) for t in trials if t.repeat]


def test_reruns_are_fresh_seeds_of_the_best_settings_by_validation():
    spec = study(models=["ns_gan", "vae"], search={"settings": 2}, reruns={"best": 2, "seeds": 2})
    # vae has one success: it gets one setting. Seeds first, models second.
    results = searched(spec, ns_gan=[7.0, 5.0, 6.0], vae=[None, None, 9.0])
    data = "fashion_mnist"
    assert later(spec, results) == [
        ("ns_gan", data, 1, 1),
        ("ns_gan", data, 2, 1),
        ("vae", data, 2, 1),
        ("ns_gan", data, 1, 2),
        ("ns_gan", data, 2, 2),
        ("vae", data, 2, 2),
    ]
    assert len({trial.id for trial in plan(spec, results, rule_of(spec))}) == 6 + 6
    assert most_trials(spec) == {"search": 6, "reruns": 8, "transfer": 0}


def test_a_model_is_re_run_when_its_own_search_has_ended():
    spec = study(models=["ns_gan", "vae"], search={"settings": 1}, reruns={"seeds": 1})
    results = searched(spec, ns_gan=[1.0, 2.0], vae=[3.0, 4.0])
    missing = next(t.id for t in plan(spec) if t.model == "vae" and t.setting == 1)
    del results[missing]
    assert [entry[0] for entry in later(spec, results)] == ["ns_gan"]
    assert later(spec, {}) == []


def test_transfer_takes_each_best_setting_to_the_other_data_sets():
    spec = study(
        models=["ns_gan"],
        data=["digits", "fashion_mnist"],
        search={"settings": 2},
        reruns={"seeds": 1},
        transfer={"seeds": 2},
    )
    found = {}
    for trial in plan(spec):
        best = 1 if trial.data == "digits" else 2
        found[trial.id] = ended(trial, 1.0 if trial.setting == best else 5.0)
    assert later(spec, found) == [
        ("ns_gan", "digits", 1, 1),
        ("ns_gan", "fashion_mnist", 2, 1),
        ("ns_gan", "fashion_mnist", 1, 1),  # of digits
        ("ns_gan", "fashion_mnist", 1, 2),
        ("ns_gan", "digits", 2, 1),
        ("ns_gan", "digits", 2, 2),
    ]
    # One setting is best on both: the transfer's first seed is the re-run, and runs once.
    same = {trial.id: ended(trial, float(trial.setting)) for trial in plan(spec)}
    assert len(later(spec, same)) == 2 + 2 * 2 - 2


def test_the_best_checkpoint_may_choose():
    spec = study(models=["ns_gan"], search={"settings": 1}, reruns={"seeds": 1})
    results = {}
    for trial in plan(spec):
        rising = [(1.0, 9.0), (4.0, 5.0)][trial.setting]
        checkpoints = Checkpoints.of(
            Checkpoint(step, Spent(), (Measurement("fd", "validation", value, "p"),))
            for step, value in enumerate(rising)
        )
        results[trial.id] = Result(trial, "done", Spent(), checkpoints)
    assert [entry[2] for entry in later(spec, results)] == [1]
    best = study(
        models=["ns_gan"],
        search={"settings": 1},
        reruns={"seeds": 1},
        select={"checkpoint": "best"},
    )
    assert [entry[2] for entry in later(best, results)] == [0]


def test_a_metric_that_should_be_high_chooses_the_highest():
    high = [
        Result(
            trial,
            "done",
            Spent(),
            Checkpoints.of(
                [Checkpoint(1, Spent(), (Measurement("precision", "validation", value, "p"),))]
            ),
        )
        for trial, value in zip(
            plan(study(models=["vae"], search={"settings": 2})),
            (0.2, 0.9, float("nan")),
            strict=True,
        )
    ]
    higher, lower = MetricInfo("higher", ""), MetricInfo("lower", "")
    assert SelectionRule("precision", higher).best_settings(high, 3) == [1, 0]  # NaN is no score
    assert SelectionRule("fd", lower).best_settings(high, 3) == []  # not measured


@pytest.mark.parametrize("checkpoint", ["last", "best"])
def test_the_checkpoint_that_stands_for_a_trial_is_enough_to_choose_by(checkpoint):
    # FD at three steps: the last is not finite, or the best is not the last, or all is well.
    curves = [(5.0, 3.0, float("nan")), (9.0, 2.0, 4.0), (9.0, 8.0, 7.0), (2.0, 2.0, 7.5)]
    trials = plan(study(models=["vae"], search={"settings": 3}))
    results = [
        Result(
            trial,
            "done",
            Spent(),
            Checkpoints.of(
                Checkpoint(step, Spent(), (Measurement("fd", "validation", value, "p"),))
                for step, value in enumerate(curve)
            ),
        )
        for trial, curve in zip(trials, curves, strict=True)
    ]
    rule = SelectionRule("fd", MetricInfo("lower", ""), checkpoint)
    judged = [rule.summary(result) for result in results]
    assert [len(result.checkpoints) for result in judged] == [int(checkpoint == "best"), 1, 1, 1]
    # At the last: 4, 7, 7.5; at the best: 2 and 2, the earlier setting first, then 3 and 7.
    wanted = [1, 2, 3] if checkpoint == "last" else [1, 3, 0, 2]
    assert rule.best_settings(results, 4) == rule.best_settings(judged, 4) == wanted
    assert [c.step for r in judged for c in r.checkpoints] == (
        [2, 2, 2] if checkpoint == "last" else [1, 1, 2, 0]
    )


def test_data_sets_may_have_budgets_of_their_own():
    training = {
        "budget": {"discriminator_steps": 5},
        "budgets": {"digits": {"images": 640}},
    }
    found = plan(study(models=["vae"], data=["digits", "fashion_mnist"], training=training))
    budgets = {trial.data: trial.training["budget"] for trial in found}
    assert budgets == {"digits": {"images": 640}, "fashion_mnist": {"discriminator_steps": 5}}


def test_verdicts_to_stop_on_are_in_a_trial_only_where_they_are_given():
    plain = study(training={"stop_on": []})
    assert all("stop_on" not in trial.training for trial in plan(plain))
    assert "stop_on" not in plain.as_dict()["training"]
    orders = (["diverged", "collapsed"], ["collapsed", "diverged", "collapsed"])
    one, other = (plan(study(training={"stop_on": names})) for names in orders)
    assert one[0].training["stop_on"] == ["diverged", "collapsed"]
    assert [trial.id for trial in one] == [trial.id for trial in other]
    assert one[0].id != plan(plain)[0].id
    assert Training.of(one[0].training).stop_on == ("diverged", "collapsed")


def test_wording_changes_no_id():
    before, after = (
        plan(study(models=["ns_gan"], question=text)) for text in ("why?", "what for?")
    )
    assert before == after


def test_a_trial_survives_json():
    import json

    (trial,) = plan(study(models=["wgan_gp"], search={"settings": 0}))
    again = Trial(**json.loads(json.dumps(trial.as_dict())))
    assert again == trial
    assert again.id == trial.id


def test_ranges():
    assert Uniform(2, 4).at(0.25) == 2.5
    assert LogUniform(1e-4, 1e-2).at(0.5) == pytest.approx(1e-3)
    assert [Choice((1, 5)).at(q) for q in (0, 0.49, 0.5, 0.99)] == [1, 1, 5, 5]
    # One seed is one quantile in every range: that pairs the models.
    quantile = draw(Uniform(0, 1), 7)
    assert draw(Uniform(0, 10), 7) == pytest.approx(10 * float(quantile))


def test_seeds_depend_on_names_alone():
    # Frozen: a change here would move every number that was ever measured.
    assert seed_for("a", 1) == seed_for("a", 1)
    assert seed_for("search", 0) == 6424582992382151114
    assert len({seed_for("a", 1), seed_for("a", "1"), seed_for("a"), seed_for("ab", "c")}) == 4


def test_planning_imports_no_torch():
    code = (
        "import sys; from coequal.study.plan import plan; from coequal.study.spec import Study;"
        "sys.exit('torch' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
