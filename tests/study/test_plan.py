"""The plan: pure, paired, and unmoved by what is added."""

import subprocess
import sys
from collections.abc import Callable

import pytest

from coequal.checkpoints import Checkpoint, Checkpoints, Measurement, Spent
from coequal.ranges import Choice, LogUniform, Uniform, draw
from coequal.records import MetricInfo, Result, Trial
from coequal.seeds import seed_for
from coequal.selection import SelectionRule
from coequal.study.looks import study_rules
from coequal.study.parts import rule_of
from coequal.study.plan import most_trials, plan, study_plan
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
    assert most_trials(spec) == {"search": 6, "retrained": 0, "reruns": 8, "transfer": 0}


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


def in_order(found: list[Trial]) -> list[tuple[str, int, int]]:
    return [(t.model, t.setting, t.repeat) for t in found]


def ended_search(
    spec: Study, scores: dict[str, Callable[[int], float]], until: int = 999, looks=None
):
    """Results of everything that the plan names, in phases, up to so many settings: a model scores
    the same on validation, test and every seed. Also the plan that then follows. `looks` are those
    of the run's folder; None: those of the study."""
    results: dict[str, Result] = {}
    rule = rule_of(spec)
    rules = None if looks is None else study_rules(spec, rule, looks, 3, {})
    while True:
        found = study_plan(spec, results, rule, rules)
        new = [t for t in found.trials if t.id not in results and t.setting <= until]
        if not new:
            return results, found
        for trial in new:
            value = scores[trial.model](trial.setting)
            measured = [Measurement("fd", split, value, "p") for split in ("validation", "test")]
            points = Checkpoints.of([Checkpoint(1, Spent(), tuple(measured))])
            results[trial.id] = Result(trial, "done", Spent(), points)


def test_the_best_share_of_each_model_is_trained_again_when_its_own_search_has_ended():
    spec = study(models=["ns_gan", "vae"], search={"settings": 20, "retrain": 0.15})
    scores = {"ns_gan": lambda n: 50.0 - n, "vae": lambda n: 50.0 + n}
    assert most_trials(spec)["retrained"] == 2 * 3  # 0.15 x 20, of both models
    results, found = ended_search(spec, scores)
    # The best three of ns_gan are the last drawn; of vae the first, and not setting 0: no draw.
    wanted = [("ns_gan", 18, 1), ("vae", 1, 1), ("ns_gan", 19, 1), ("vae", 2, 1)]
    wanted += [("ns_gan", 20, 1), ("vae", 3, 1)]
    assert in_order(found.trials)[2 * 21 :] == wanted
    assert found.most == len(found.trials) == 2 * 21 + 6
    assert found.searches[0].ended == {"ns_gan", "vae"}
    # vae lacks a setting: only ns_gan goes on; and up to 3 of vae can't be named yet.
    missing = next(t.id for t in plan(spec) if t.model == "vae" and t.setting == 7)
    part = {key: result for key, result in results.items() if key != missing}
    waiting = study_plan(spec, part, rule_of(spec))
    assert [entry for entry in in_order(waiting.trials) if entry[2]] == wanted[::2]
    assert waiting.most == 2 * 21 + 3 + 3
    # One trial is the first re-run of the best setting, too, and stands once.
    again = study(models=["ns_gan", "vae"], search={"settings": 20}, reruns={"seeds": 2})
    _, found = ended_search(again, scores)
    assert len(found.trials) == 2 * 21 + 2 * 5 + 2 * 2 - 1  # vae's best is setting 0


def test_a_share_of_none_trains_nothing_again_and_all_everything():
    scores = {"vae": float}
    for share, again in ((0, 0), (0.01, 1), (1, 20)):
        spec = study(models=["vae"], search={"settings": 20, "retrain": share})
        _, found = ended_search(spec, scores)
        assert sum(trial.repeat for trial in found.trials) == again


RACE = {
    "models": ["ns_gan", "vae", "began"],
    "search": {"looks": [20, 40, 60], "retrain": 0.1, "spending": "pocock"},
    "reruns": {"seeds": 1},
}


def race(number: int) -> float:
    return 10.0 + (7 * number % 13)


SCORES = {
    "ns_gan": race,
    "vae": lambda n: race(n) * (1.5 if n % 2 else 0.7),
    "began": lambda n: 90.0 + race(n),
}


def test_a_beaten_model_trains_no_further_and_is_re_run_at_once():
    spec = study(**RACE)
    results, found = ended_search(spec, SCORES, until=20)
    # At 20 settings began is 4 to 9 times as bad as both others in every setting: beaten. The other
    # two, one ahead in turn, are not decided and go on to 40.
    (search,) = found.searches
    assert search.verdict is not None
    assert search.stopped == {"began": 20}
    assert search.reached == 40
    assert {t.model for t in found.trials if t.setting > 20} == {"ns_gan", "vae"}
    assert {t.model for t in found.trials if t.id not in results} == {"ns_gan", "vae"}
    # began's own best is setting 0, 90 + 10 + (0 mod 13), which is re-run now.
    assert ("began", 0, 1) in in_order(found.trials)
    assert search.ended == {"began"}
    # At most: what is named, 20 more settings of two models, fewer that are trained again, re-runs.
    settings, again = 3 * 21 + 2 * 20 + 2 * 20, 2 + 2 * (2 + 4 + 6)
    assert found.most == settings + again + 3
    # Before began's last trial, nobody knows who trains on.
    part = dict(results)
    del part[next(t.id for t in found.trials if (t.model, t.setting) == ("began", 20))]
    waiting = study_plan(spec, part, rule_of(spec))
    assert max(t.setting for t in waiting.trials) == 20
    assert waiting.searches[0].verdict is None


def test_a_study_without_open_pairs_trains_no_further():
    # ns_gan and vae are the same within 10 %: equivalent, at the first look.
    alike = {**SCORES, "vae": lambda n: race(n) * (1.001 if n % 2 else 0.999)}
    _, found = ended_search(study(**RACE), alike)
    (search,) = found.searches
    assert search.stopped == dict.fromkeys(("ns_gan", "vae", "began"), 20)
    assert search.ended == {"ns_gan", "vae", "began"}
    # Nothing is equivalent within a ten-thousandth: the two train to the last look.
    strict = study(**RACE, equivalence={"ratio": 1.0001})
    _, found = ended_search(strict, alike)
    assert found.searches[0].reached == 60
    assert found.searches[0].verdict.looks_done == 3


def test_a_run_ends_at_its_settings_and_names_no_later_look():
    spec = study(**{**RACE, "search": {**RACE["search"], "settings": 40}})
    _, found = ended_search(spec, SCORES)
    assert max(t.setting for t in found.trials) == 40
    assert found.most == len(found.trials)
    assert found.searches[0].ended == {"ns_gan", "vae", "began"}
    assert most_trials(spec)["search"] == 3 * 41
    assert most_trials(spec)["retrained"] == 3 * (2 + 4)


def test_settings_after_the_last_look_of_an_earlier_version_are_trained_and_not_judged():
    spec = study(**{**RACE, "search": {**RACE["search"], "looks": [30]}})
    _, found = ended_search(spec, SCORES, looks=((20, 0.05),))
    (search,) = found.searches
    assert search.verdict is not None
    assert search.looks_done == 1
    assert search.reached == 30
    assert search.ended == {"ns_gan", "vae", "began"}
    # Only what the look chose is trained again: 2 of 20 settings of each, and one re-run.
    assert sum(t.repeat > 0 for t in found.trials) == 3 * 2 + 3 - _both(found.trials)
    assert found.most == len(found.trials)


def _both(found: list[Trial]) -> int:
    """Re-runs that are also settings trained again: the best of a model, unless it is the authors'
    setting."""
    again = {t.model for t in found if t.repeat > 0 and t.setting == 0}
    return 3 - len(again)


def test_a_study_that_ends_before_a_look_that_was_taken_has_its_settings():
    spec = study(**{**RACE, "search": {**RACE["search"], "looks": [3]}})
    _, found = ended_search(spec, SCORES, looks=((20, 0.05),))
    assert len(found.trials) == 3 * 4 + 3  # nothing is trained again: no look is reached
    assert found.searches[0].verdict is None
    assert found.searches[0].ended == {"ns_gan", "vae", "began"}


def test_how_error_is_spent_decides_who_trains_on():
    # z is 2.95 (p .0032) at the first of five looks: enough for Pocock's level there, .05 ln(1 +
    # 1.718 / 5) = .0148 for one pair, not for O'Brien and Fleming's, 2 (1 - Phi(1.96 sqrt 5)) =
    # 1.2e-5.
    def worse(number: int) -> float:
        return race(number) * (1.6 if number % 5 else 0.7)

    reached = {}
    for spending in ("pocock", "obrien_fleming"):
        search = {"looks": [20, 40, 60, 80, 100], "spending": spending, "budget": 1}
        spec = study(models=["ns_gan", "vae"], search=search)
        _, found = ended_search(spec, {"ns_gan": race, "vae": worse}, until=20)
        reached[spending] = found.searches[0].reached
    assert reached == {"pocock": 20, "obrien_fleming": 40}


def test_looks_are_of_each_data_set_alone():
    spec = study(**RACE, data=["digits", "fashion_mnist"])
    results, found = ended_search(spec, SCORES, until=20)
    part = {k: r for k, r in results.items() if r.trial.data == "digits" or r.trial.setting < 20}
    waiting = study_plan(spec, part, rule_of(spec))
    assert [search.reached for search in found.searches] == [40, 40]
    assert [search.reached for search in waiting.searches] == [40, 20]


def test_one_model_alone_is_searched_to_the_end():
    spec = study(models=["vae"], search={"looks": [20, 40]})
    _, found = ended_search(spec, SCORES)
    assert found.searches[0].reached == 40
    assert found.searches[0].verdict is None


def test_a_base_is_trained_as_long_as_one_of_its_comparisons_is_open():
    # Of the three only the pairs (vae, ns_gan) and (began, ns_gan) are compared.
    models = ["ns_gan", *({"base": name, "against": "ns_gan"} for name in ("vae", "began"))]
    _, found = ended_search(study(**{**RACE, "models": models}), SCORES, until=20)
    assert found.searches[0].stopped == {"began": 20}
    assert len(found.searches[0].verdict.pairs) == 2


@pytest.mark.parametrize("settings", [0, 1, 2, 19])
def test_few_settings_are_planned_and_judged_without_a_word(settings):
    spec = study(models=["ns_gan", "vae"], search={"settings": settings}, reruns={"seeds": 1})
    _, found = ended_search(spec, SCORES)
    assert len(found.trials) == found.most == 2 * (settings + 1) + 2
