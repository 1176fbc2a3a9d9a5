import math
import random
from dataclasses import replace
from pathlib import Path

import pytest

from coequal.analysis.summary import summarise
from coequal.formatting import count_in_words, listed
from coequal.reporting.first_screen import first_screen
from coequal.reporting.growth_text import growth_sentences
from coequal.reporting.observed_text import (
    cost_sentence,
    failures_sentence,
    flops,
    lowest,
    observed,
)
from coequal.reporting.power_text import (
    budget_sentence,
    needed_text,
    power,
    what_it_takes,
)
from coequal.reporting.rerun_text import effect_sentence, rerun_sentence, tuned_sentence
from coequal.reporting.style import spread
from coequal.reporting.sure_text import anytime_sentence, how_sure, more_on_how_sure
from coequal.reporting.terminal import verdict_lines
from coequal.reporting.verdict_text import (
    answers,
    progress,
    short_verdict,
    verdict_note,
    verdict_sentence,
)
from coequal.results.folder import RunFolder
from coequal.results.versions import Version

from fabricated_run import Run, build, made, same, written
from fabricated_study import realistic


def test_too_few_settings_are_said_to_be_too_few(tmp_path: Path):
    summary = summarise(realistic(tmp_path / "run"))[0]
    # 2^(1-3) = 0.25; 0.05 / 28 pairs = 0.0018, which takes 2^(1-11) = 0.00098.
    assert verdict_sentence(summary) == (
        "No ranking is possible: with 3 settings each, the smallest attainable p-value is 0.25; "
        "comparing 8 models requires 0.0018."
    )
    assert list(map(str, how_sure(summary))) == [
        "Compared: one run of one random setting of each model; 3 settings each.",
        "Power: no difference can be shown: a verdict needs at least 11 settings of each "
        "model (search.settings: 11).",
    ]


def apart(count: int, **more: list[Run | None]) -> dict[str, list[Run | None]]:
    """Two models of so many random settings, of which every one of the first is the better."""
    return {
        "vae": [Run([(100 + k, 100 + k)]) for k in range(count + 1)],
        "ns_gan": [Run([(10 + k, 10 + k)]) for k in range(count + 1)],
        **more,
    }


def test_the_beaten_are_named(tmp_path: Path):
    summary = summarise(build(tmp_path / "run", apart(10)))[0]
    assert verdict_sentence(summary) == "NS GAN is better than VAE."
    # Chosen: the authors' settings with 10 and 100, the tenfold.
    assert lowest(summary) == (
        "Among the settings chosen on validation, NS GAN with its authors' setting has the lowest "
        "test FD, 10; the runner-up, VAE, has 100 (10 times as high)."
    )


def test_undecided_is_not_called_equal(tmp_path: Path):
    runs = {
        "vae": [Run([(value, value)]) for value in range(1, 22, 2)],
        "ns_gan": [Run([(value, value)]) for value in range(2, 23, 2)],
    }
    runs["vae"][3], runs["ns_gan"][3] = Run([(99, 99)]), Run([(1, 1)])
    summary = summarise(build(tmp_path / "run", runs))[0]
    assert verdict_sentence(summary) == (
        "NS GAN and VAE cannot be told apart, and they are not shown to be equivalent within 10 %."
    )
    assert how_sure(summary)[1].text == (
        "95 %, jointly over 1 pair; one look, at 10 settings. Models that cannot be told apart are "
        "not necessarily equal."
    )


def test_equal_models_are_called_equivalent(tmp_path: Path):
    # Ratios of 0.99 and 1.01 by turns: the interval of the mean ratio lies well within 10 %.
    scores = [50 * 1.1**k for k in range(31)]
    runs = {
        "vae": [Run([(v, v)]) for v in scores],
        "ns_gan": [Run([(w, w)]) for k, v in enumerate(scores) if (w := v * (1 + (-1) ** k / 100))],
    }
    summary = summarise(build(tmp_path / "run", runs))[0]
    assert verdict_sentence(summary) == "NS GAN and VAE are equivalent within 10 %."
    assert verdict_note(summary) == ""
    assert "equal" not in how_sure(summary)[1].text
    assert what_it_takes(summary) == ""


def test_an_unfinished_study_says_what_is_missing_and_judges_nothing(unfinished: RunFolder):
    summary = summarise(unfinished)[0]
    assert progress(summary) == (
        "3 of 8 trials of the search have results. Incomplete: NS GAN 2 of 4 and VAE 1 of 4."
    )
    assert verdict_sentence(summary) == (
        "Nothing is decided before the first look, at 3 settings of each model."
    )
    assert "95 %" not in " ".join(
        [verdict_sentence(summary), verdict_note(summary), *map(str, how_sure(summary))]
    )


def looked(path: Path, runs: dict[str, list[Run | None]], looks: list[int], **search) -> RunFolder:
    """A run of a study that looks more than once."""
    return build(path, runs, search={"settings": looks[-1], "looks": looks, **search})


def test_between_looks_only_what_is_valid_at_any_time_is_said(tmp_path: Path):
    runs = apart(18)
    for found in runs.values():
        found += [None] * 22
    summary = summarise(looked(tmp_path / "run", runs, [20, 40]))[0]
    assert verdict_sentence(summary) == (
        "Nothing is decided before the first look, at 20 settings of each model."
    )
    # 18 of 18 won: B(18.5, 0.5) / B(0.5, 0.5) * 2^18 = 34,653 > 20.
    assert anytime_sentence(summary) == (
        "Valid at any time, for one run of one random setting (betting on signs, with an error of "
        "its own of 5 % over all pairs): NS GAN is better than VAE."
    )
    few = summarise(build(tmp_path / "few", {n: [*r[:4], None] for n, r in apart(3).items()}))[0]
    assert anytime_sentence(few) == ""  # 3 of 3: B(3.5, 0.5) / B(0.5, 0.5) * 8 = 2.5


def test_a_beaten_model_stops_and_its_settings_are_saved(tmp_path: Path):
    # Two that interleave and one that is far behind, beaten at the first look; the rest goes on.
    runs = {
        "ns_gan": [Run([(v, v)]) for v in [10 + k for k in range(31)]],
        "lsgan": [Run([(v, v)]) for v in [10 + k + (2 if k % 2 else -1.5) for k in range(31)]],
        "began": [Run([(500 + k, 500 + k)]) for k in range(21)],
    }
    going_on = {name: [*found, *[None] * 10] for name, found in runs.items() if name != "began"}
    folder = looked(tmp_path / "run", {**going_on, "began": runs["began"]}, [20, 40])
    summary = summarise(folder)[0]
    assert verdict_sentence(summary) == (
        "So far: BEGAN is worse than the other two; no other pair is decided yet."
    )
    sure = how_sure(summary)
    assert sure[1].text == (
        "Look 1 of 2, at 20 of 40 settings. Decisions made at a look are final; the next look is "
        "at 40 settings."
    )
    assert "by the last look, at 40 settings, with a probability of 80 %" in sure[2].text
    assert "95 %" not in " ".join(map(str, sure))
    assert (
        "A model is not trained further once all its pairs are decided. Of the 40 settings per "
        "model, this saved 20 for BEGAN; the saved settings were not reassigned."
    ) in more_on_how_sure(summary)
    assert what_it_takes(summary) == ""  # the study goes on by itself


def test_a_budget_that_cannot_be_judged_says_what_it_takes(tmp_path: Path):
    folder = build(tmp_path / "run", apart(20), search={"budget": 4})
    summary = summarise(folder)[0]
    assert budget_sentence(summary.verdict) == (
        "With 20 settings, the declared budget of 4 cannot be judged: that takes 40 "
        "(search.settings: 40). Models are compared at a budget of 2."
    )
    assert budget_sentence(summary.verdict) in more_on_how_sure(summary)


def test_a_difference_that_matters_is_declared_in_the_metrics_units(tmp_path: Path):
    folder = build(tmp_path / "run", uneven((1.9, 0.5, 1.4, 1.2)), equivalence={"difference": 0.5})
    summary = summarise(folder)[0]
    assert "not shown to be equivalent within 0.5." in verdict_sentence(summary)
    assert power(summary).startswith("Typical scores ")
    assert " apart are detected with a probability of 80 %" in power(summary)
    assert not any("no difference that matters" in line for line in more_on_how_sure(summary))


def test_nothing_and_only_failures_have_words(tmp_path: Path):
    empty = summarise(build(tmp_path / "empty", {"ns_gan": [None], "vae": [None]}))[0]
    assert verdict_sentence(empty) == "There are no results yet."
    assert (observed(empty), lowest(empty)) == ([], "")
    failed = summarise(build(tmp_path / "failed", {"ns_gan": [Run(status="failed")]}))[0]
    assert "nothing to compare" in verdict_sentence(failed)
    assert lowest(failed) == "No trial has a score."
    both = {"ns_gan": [Run(status="failed")] * 3, "vae": [Run(status="failed")] * 3}
    all_failed = summarise(build(tmp_path / "both", both))[0]
    assert verdict_sentence(all_failed) == "Every trial failed, so there is nothing to compare."


def test_the_table_shows_every_model_and_its_failures(small: RunFolder):
    lines = verdict_lines(summarise(small), 80)
    assert [line.split() for line in lines[-2:]] == [
        ["NS", "GAN", "3/3", "35", "41", "1/3"],
        ["VAE", "3/3", "–", "diverged", "3/3"],
    ]


@pytest.mark.parametrize("columns", [60, 80, 200])
def test_the_table_is_as_narrow_as_asked(tmp_path: Path, columns):
    runs = {"a" * 150: [Run([(1, 1)])], "b " * 80: [Run([(2, 2)]), None]}
    folder = build(tmp_path / "run", runs, data=("one", "two"))
    lines = verdict_lines(summarise(folder), columns)
    tables = [line for line in lines if not line.endswith((".", ")"))]
    assert len(tables) > 8  # two tables of three rows at least
    assert max(len(line) for line in tables) <= columns
    assert "== two ==" in lines


def test_the_terminal_says_the_reruns_too(tmp_path: Path):
    fresh = {("ns_gan", "fashion_mnist", 0): [*same(12, 9), Run(status="failed")]}
    runs = {"ns_gan": same(10, 4)}
    folder = build(tmp_path / "run", runs, again=fresh, reruns={"best": 1, "seeds": 10})
    lines = verdict_lines(summarise(folder), 100)
    assert "re-runs" in lines[-2]
    # Ten runs, nine at 12 and one failure: the median leads.
    assert lines[-1].endswith("median 12, 1/10 failed")


def test_how_sure_names_what_is_compared_and_the_smallest_difference(tmp_path: Path):
    summary = summarise(build(tmp_path / "run", apart(20)))[0]
    first, second, third = how_sure(summary)
    assert first.text == (
        "The best of 2 random settings of each model (chosen on validation), scored by the "
        "search's own run, which is slightly too good; 20 settings each."
    )
    assert second.text == "95 %, jointly over 1 pair; one look, at 20 settings."
    assert third.text.startswith("A typical score ")
    assert third.text.endswith(" is detected with a probability of 80 %.")
    assert str(third).startswith("Power: a typical score ")
    assert more_on_how_sure(summary)[0] == (
        "Method: normal score of P on the logit scale, paired by setting, Bonferroni over all "
        "pairs."
    )
    few = how_sure(summarise(build(tmp_path / "few", apart(10)))[0])
    assert few[0].text == "One run of one random setting of each model; 10 settings each."


def test_fresh_seeds_of_the_best_settings_are_named(tmp_path: Path):
    # The best quarter of 20 settings, 1 to 5, trained once more.
    again = {
        (name, "fashion_mnist", number): same(base, 1)
        for name, base in (("vae", 110), ("ns_gan", 20))
        for number in range(1, 6)
    }
    folder = build(tmp_path / "run", apart(20), again=again, search={"retrain": 0.25})
    summary = summarise(folder)[0]
    assert how_sure(summary)[0].text == (
        "The best of 2 random settings of each model (chosen on validation), retrained with a "
        "fresh seed; 20 settings each."
    )
    assert (
        "The best 25 % of each model's settings (by validation) were retrained with a fresh seed, "
        "and the score of that seed counts."
    ) in more_on_how_sure(summary)


def uneven(factors: tuple[float, ...], count: int = 20) -> dict[str, list[Run | None]]:
    """Two models; the second scores that many times the first, by turns, on the same setting."""
    scores = [10 * 1.1**k for k in range(count + 1)]
    return {
        "vae": [Run([(v, v)]) for v in scores],
        "ns_gan": [Run([(w, w)]) for k, v in enumerate(scores) for w in [v * factors[k % 4]]],
    }


def test_what_it_would_take_names_the_nearest_pair(tmp_path: Path):
    summary = summarise(build(tmp_path / "run", uneven((1.9, 0.5, 1.4, 1.2))))[0]
    clause = what_it_takes(summary)
    assert clause.startswith("the pair closest to a decision, ")
    assert clause.endswith(" settings each")
    assert power(summary).endswith(f"; {clause}.")
    # The same scores for both, and a margin that no interval of 20 settings lies in but this: 0.
    twins = uneven((1.0,) * 4)
    same_scores = summarise(build(tmp_path / "twins", twins, equivalence={"difference": 1e-9}))[0]
    assert verdict_sentence(same_scores).endswith("are equivalent within 1e-09.")


def test_a_number_of_settings_that_nobody_trains_is_a_bound():
    assert needed_text(40, 40) == "about 40"
    assert needed_text(4000, 40) == "about 4,000"
    assert needed_text(4001, 40) == "more than 4,000"


def test_changes_are_compared_with_their_base_alone(tmp_path: Path):
    run = made(apart(20, lsgan=[Run([(50 + k, 50 + k)]) for k in range(21)]))
    for model in run.study["models"]:
        if model["name"] != "vae":
            model["against"] = "vae"
    summary = summarise(written(tmp_path / "run", run))[0]
    assert verdict_sentence(summary) == "Compared with VAE, NS GAN and LSGAN are better."
    assert "jointly over 2 pairs" in how_sure(summary)[1].text


def test_a_study_that_has_grown_says_what_was_changed_after_which_look(tmp_path: Path):
    folder = build(tmp_path / "run", apart(20))
    summary = summarise(folder)[0]
    assert growth_sentences(summary) == []
    first = Version(1, "2026-01-01T00:00:00+00:00")
    before = replace(first, number=2, changes=("model began added",))
    after = replace(
        first,
        number=3,
        changes=("search.budget: 4 (before: 2)", "search.settings: 40 (before: 20)"),
        looks=((20, 0.01),),
    )
    summary.facts.versions = (first, before, after)
    assert growth_sentences(summary) == [
        "Version 2 of the study began before any look: model began added.",
        "Version 3 of the study began after look 1, at 20 settings: search.budget: 4 (before: 2); "
        "search.settings: 40 (before: 20).",
        "The question itself was changed after a look (search.budget: 4 (before: 2)): the error "
        "rate of 5 % does not hold for decisions made with knowledge of earlier results.",
    ]
    # It stands beside the verdict, on the first screen.
    assert verdict_note(summary) == growth_sentences(summary)[-1]


def test_authors_settings_alone_are_not_compared(tmp_path: Path):
    folder = build(tmp_path / "run", {"ns_gan": same(10, 1), "vae": same(30, 1)})
    summary = summarise(folder)[0]
    assert verdict_sentence(summary).startswith("Models are not ranked: only the")
    assert how_sure(summary) == []


def test_the_rerun_verdict_compares_settings(tmp_path: Path):
    runs = {"ns_gan": same(10, 4), "vae": same(30, 4)}
    fresh = {
        (name, "fashion_mnist", 0): [Run([(v + 0.1 * k, v + 0.1 * k)]) for k in range(6)]
        for name, v in (("ns_gan", 10), ("vae", 30))
    }
    folder = build(tmp_path / "run", runs, again=fresh, reruns={"best": 1, "seeds": 6})
    summary = summarise(folder)[0]
    methods, tuned = answers(summary)
    assert (methods.title, tuned.title) == ("As methods", "As tuned")
    assert methods.text == verdict_sentence(summary)
    assert str(tuned) == (
        "As tuned (the setting that each search chose, 6 fresh seeds; a claim needs 10): NS GAN's "
        "chosen setting is better than that of VAE."
    )
    assert rerun_sentence(summary) == (
        "Chosen settings, 6 fresh seeds of each: VAE with its authors' setting is significantly "
        "worse than another setting (95 %); NS GAN with its authors' setting is not (a screening "
        "only: a claim needs 10 seeds). This says nothing about the models, because the choice of "
        "a setting is a single draw: in simulated studies of two identical models, each searched "
        "with 20 settings, 10 seeds told the chosen settings apart in 65 to 71 % of cases."
    )


def test_too_few_reruns_are_said_to_be_too_few(tmp_path: Path):
    runs = {"ns_gan": same(10, 4), "vae": same(30, 4)}
    fresh = {(name, "fashion_mnist", 0): same(20, 3) for name in runs}
    folder = build(tmp_path / "run", runs, again=fresh, reruns={"best": 1, "seeds": 3})
    assert "needs at least 5 seeds" in rerun_sentence(summarise(folder)[0])


def test_missing_reruns_are_missing(tmp_path: Path):
    runs = {"ns_gan": same(10, 4), "vae": [*same(30, 3), None]}
    fresh = {("ns_gan", "fashion_mnist", 0): [*same(20, 2), None]}
    folder = build(tmp_path / "run", runs, again=fresh, reruns={"best": 1, "seeds": 3})
    # Three re-runs of each of two models are planned; those of VAE can't be named yet.
    assert progress(summarise(folder)[0]) == (
        "7 of 8 trials of the search have results. Incomplete: VAE 3 of 4. 2 of 6 re-runs have "
        "results (they are chosen once the search has ended)."
    )


def test_labels_are_moved_apart_as_little_as_needed():
    assert spread([0.5, 0.1, 0.52], 0.1, 0, 1) == pytest.approx([0.46, 0.1, 0.56])
    assert spread([0.99, 0.99, 0.0], 0.1, 0, 1) == pytest.approx([0.9, 1.0, 0.0])
    assert spread([0.3, 0.3, 0.3], 0.6, 0, 1) == pytest.approx([0.0, 0.6, 1.2])  # no room
    assert spread([], 0.1, 0, 1) == []


def reran(path: Path, levels: dict[str, float], seeds: int = 10, shift: float = 0.1):
    """Models by the level of their chosen setting, run again with so many seeds."""
    runs = {name: same(level, 4) for name, level in levels.items()}
    fresh = {
        (name, "fashion_mnist", 0): [
            Run([(v, v)]) for k in range(seeds) for v in [level + shift * k]
        ]
        for name, level in levels.items()
    }
    folder = build(path, runs, again=fresh, reruns={"best": 1, "seeds": seeds})
    return summarise(folder)[0]


def test_tuned_models_have_one_sentence(tmp_path: Path):
    best = reran(tmp_path / "best", {"ns_gan": 10, "vae": 30, "wgan": 50})
    assert tuned_sentence(best) == "NS GAN's chosen setting is better than those of the other two."
    tied = reran(tmp_path / "tied", {"ns_gan": 10, "vae": 10.05, "wgan": 50})
    assert tuned_sentence(tied) == (
        "The settings of NS GAN and VAE are not shown to be worse than any other; that of WGAN is."
    )
    alike = reran(tmp_path / "alike", {"ns_gan": 10, "vae": 10.05})
    assert tuned_sentence(alike) == "No two of the chosen settings can be told apart."
    few = reran(tmp_path / "few", {"ns_gan": 10, "vae": 30}, seeds=3)
    assert tuned_sentence(few) == ""
    assert [answer.title for answer in answers(few)] == [""]


def changed(path: Path, levels: dict[str, float]):
    """The same, every model against NS GAN."""
    runs = {name: same(level, 1) for name, level in levels.items()}
    fresh = {
        (name, "fashion_mnist", 0): [Run([(v, v)]) for k in range(10) for v in [level + 0.1 * k]]
        for name, level in levels.items()
    }
    run = made(runs, again=fresh, reruns={"best": 1, "seeds": 10, "base_seeds": 10})
    for model in run.study["models"]:
        if model["name"] != "ns_gan":
            model["against"] = "ns_gan"
    return summarise(written(path, run))[0]


def test_changes_have_one_sentence(tmp_path: Path):
    worse = changed(tmp_path / "worse", {"ns_gan": 10, "vae": 30, "wgan": 50, "lsgan": 10.02})
    assert effect_sentence(worse) == (
        "Two of 3 changes (each compared with the model without it) are shown to be worse (VAE and "
        "WGAN); none is shown to be better."
    )
    assert verdict_sentence(worse) == effect_sentence(worse)
    compared, certainty, able = map(str, how_sure(worse))
    assert compared == (
        "Compared: settings, not models: the authors' setting of each, 10 fresh seeds."
    )
    assert certainty == (
        "Certainty: 95 %, jointly over 3 comparisons. An effect that is not shown may still exist."
    )
    assert "would have shown a gain of" in able
    both = changed(tmp_path / "both", {"ns_gan": 10, "vae": 30, "wgan": 5})
    assert effect_sentence(both) == (
        "One of 2 changes (each compared with the model without it) is shown to be better (WGAN), "
        "and one is shown to be worse (VAE)."
    )
    assert how_sure(both)[1].text == "95 %, jointly over 2 comparisons."
    none = changed(tmp_path / "none", {"ns_gan": 10, "vae": 10.02, "wgan": 10.01})
    assert effect_sentence(none) == (
        "None of 2 changes (each compared with the model without it) is shown to make a difference."
    )
    assert effect_sentence(changed(tmp_path / "one", {"ns_gan": 10, "vae": 30})) == (
        "VAE is shown to be worse than NS GAN."
    )


def test_cost_and_failures_have_a_line_each(tmp_path: Path):
    failed = Run(status="diverged", reason="nan", flops=1_000_000_000, seconds=2.0)
    runs = {"ns_gan": [Run([(9, 9)], flops=4_000_000_000)] * 4, "vae": [Run([(8, 8)]), failed] * 2}
    summary = summarise(build(tmp_path / "run", runs))[0]
    # 4 x 4 + 2 x 2 + 2 x 1 = 22 GFLOPs and 6 x 4 + 2 x 2 = 28 s in 8 trials.
    assert cost_sentence(summary) == (
        "8 trials, 28.0 s of training, 22.0 GFLOPs; a trial took 2.00 GFLOPs (VAE) to 4.00 GFLOPs "
        "(NS GAN)."
    )
    # Random settings: 3 of NS GAN, and 3 of VAE of which 2 failed.
    assert failures_sentence(summary).startswith(
        "2 of 6 runs of random settings failed (33 %; 95 %"
    )
    assert failures_sentence(summary).endswith(", over draws of settings): VAE 2.")
    assert [line.name for line in observed(summary)] == ["Cost", "Failures"]
    assert [flops(n) for n in (1.65e14, 2e9, 3e6, 1.2e18)] == [
        *("165 TFLOPs", "2.00 GFLOPs", "0.0030 GFLOPs", "1.20 EFLOPs")
    ]


def test_a_verdict_that_is_too_long_is_told_by_numbers_and_stands_below(tmp_path: Path):
    # Twelve models a third apart each: many of the 66 pairs are decided, in many clauses.
    chance = random.Random(3)
    runs = {
        f"model_{k}": [
            Run([(v, v)])
            for _ in range(21)
            for v in [20 * 1.15**k * math.exp(chance.gauss(0, 0.5))]
        ]
        for k in range(12)
    }
    summary = summarise(build(tmp_path / "run", runs))[0]
    full, short = verdict_sentence(summary), short_verdict(summary)
    assert len(full) > 240
    verdict = summary.verdict
    best = listed(list(verdict.unbeaten))
    rest = count_in_words(len(verdict.beaten))
    assert short == (
        f"{best} are not shown to be worse than any other; each of the other {rest} is worse than "
        "at least one."
    )
    assert answers(summary)[0].text == short
    first = first_screen(summary, [], tmp_path, "data")
    assert first.more[0] == full
    few = summarise(build(tmp_path / "few", apart(10)))[0]
    assert short_verdict(few) == verdict_sentence(few)
