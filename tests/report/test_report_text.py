from dataclasses import replace
from pathlib import Path

import pytest

from coequal.analysis.summary import summarise
from coequal.report.style import spread
from coequal.report.terminal import verdict_lines
from coequal.report.verdict_text import (
    anytime_sentence,
    facts,
    growth_sentences,
    how_sure,
    needed_text,
    progress,
    rerun_sentence,
    takes_sentence,
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
        "No model is shown to be worse than another. No ranking is possible: with 3 settings each, "
        "the smallest attainable p-value is 0.25; 28 pairs of models require 0.0018."
    )
    assert takes_sentence(summary) == (
        "A verdict takes 11 settings of each model or more (search.settings: 11)."
    )


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
    assert facts(summary)[0] == (
        "The lowest test FD of a setting chosen on validation is 10, by NS GAN with the "
        "authors' setting; the runner-up, VAE, has 100 (10 times as high)."
    )


def test_undecided_is_not_called_equal(tmp_path: Path):
    runs = {
        "vae": [Run([(value, value)]) for value in range(1, 22, 2)],
        "ns_gan": [Run([(value, value)]) for value in range(2, 23, 2)],
    }
    runs["vae"][3], runs["ns_gan"][3] = Run([(99, 99)]), Run([(1, 1)])
    summary = summarise(build(tmp_path / "run", runs))[0]
    assert verdict_sentence(summary) == (
        "Neither NS GAN nor VAE is shown to be better, and they are not shown to be equivalent "
        "within 10 %."
    )
    assert verdict_note(summary) == (
        "A pair that is not decided may be equal or not: neither was shown."
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
    assert takes_sentence(summary) == ""


def test_an_unfinished_study_says_what_is_missing_and_judges_nothing(unfinished: RunFolder):
    summary = summarise(unfinished)[0]
    assert progress(summary) == (
        "3 of 8 trials of the search have results. Incomplete: NS GAN 2 of 4 and VAE 1 of 4."
    )
    assert verdict_sentence(summary) == (
        "Nothing is judged before the first look, at 3 settings of each model."
    )
    assert "95 %" not in " ".join(
        [verdict_sentence(summary), verdict_note(summary), *how_sure(summary)]
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
        "Nothing is judged before the first look, at 20 settings of each model."
    )
    # 18 of 18 won: B(18.5, 0.5) / B(0.5, 0.5) * 2^18 = 34,653 > 20.
    assert anytime_sentence(summary) == (
        "Valid at any time, of one run of one random setting (bets on signs, with an error of 5 % "
        "of their own over all pairs): NS GAN is better than VAE."
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
        "So far: BEGAN is worse than the other two; nothing else is decided yet."
    )
    sure = how_sure(summary)
    assert "What a look has decided stands; the next look is at 40 settings." in sure[1]
    assert sure[1].startswith("Look 1 of 2, at 20 of 40 settings: normal score")
    assert "95 %" not in " ".join(sure)
    assert (
        "Models without an open pair trained no further. Of 40 settings each, this saved 20 of "
        "BEGAN; no other model was given them."
    ) in sure
    assert takes_sentence(summary) == ""  # the study goes on by itself


def test_a_budget_that_cannot_be_judged_says_what_it_takes(tmp_path: Path):
    folder = build(tmp_path / "run", apart(20), search={"budget": 4})
    assert (
        "The declared budget of 4 can't be judged with 20 settings: that takes 40 "
        "(search.settings: 40). Judged is a budget of 2."
    ) in how_sure(summarise(folder)[0])


def test_a_difference_that_matters_is_declared_in_the_metrics_units(tmp_path: Path):
    folder = build(tmp_path / "run", uneven((1.9, 0.5, 1.4, 1.2)), equivalence={"difference": 0.5})
    summary = summarise(folder)[0]
    assert "not shown to be equivalent within 0.5." in verdict_sentence(summary)
    assert any("typical scores" in line and "apart" in line for line in how_sure(summary))
    assert not any("no difference that matters" in line for line in how_sure(summary))


def test_nothing_and_only_failures_have_words(tmp_path: Path):
    empty = summarise(build(tmp_path / "empty", {"ns_gan": [None], "vae": [None]}))[0]
    assert verdict_sentence(empty) == "There are no results yet."
    assert facts(empty) == []
    failed = summarise(build(tmp_path / "failed", {"ns_gan": [Run(status="failed")]}))[0]
    assert "nothing to compare" in verdict_sentence(failed)
    assert facts(failed)[0] == "No trial has a score."


def test_the_table_shows_every_model_and_its_failures(small: RunFolder):
    lines = verdict_lines(summarise(small))
    assert [line.split() for line in lines[-2:]] == [
        ["NS", "GAN", "3/3", "35", "41", "1/3"],
        ["VAE", "3/3", "–", "diverged", "3/3"],
    ]


def test_no_line_is_wider_than_a_hundred_columns(tmp_path: Path):
    runs = {"a" * 150: [Run([(1, 1)])], "b " * 80: [Run([(2, 2)]), None]}
    folder = build(tmp_path / "run", runs, data=("one", "two"))
    lines = verdict_lines(summarise(folder))
    assert max(len(line) for line in lines) <= 100
    assert "== two ==" in lines


def test_the_terminal_says_the_reruns_too(tmp_path: Path):
    fresh = {("ns_gan", "fashion_mnist", 0): [*same(12, 9), Run(status="failed")]}
    runs = {"ns_gan": same(10, 4)}
    folder = build(tmp_path / "run", runs, again=fresh, reruns={"best": 1, "seeds": 10})
    lines = verdict_lines(summarise(folder))
    assert lines[-2].endswith("re-runs")
    # Ten runs, nine at 12 and one failure: the median leads.
    assert lines[-1].endswith("median 12, 1/10 failed")


def test_how_sure_names_what_is_compared_and_the_smallest_difference(tmp_path: Path):
    first, second, third = how_sure(summarise(build(tmp_path / "run", apart(20)))[0])
    assert first == (
        "We compare the best of 2 random settings of each model, chosen by validation, with the "
        "score of the search's own run, which is slightly too good, over 20 settings each."
    )
    assert second == (
        "One look, at 20 settings: normal score of P on the logit scale, paired by setting, "
        "Bonferroni over all pairs; at 95 %, jointly over 1 pair."
    )
    assert third.startswith("With the spread of these searches, the last look (at 20 settings)")
    assert "times as high as the other with a probability of 80 %" in third
    few = how_sure(summarise(build(tmp_path / "few", apart(10)))[0])
    assert (
        few[0] == "We compare one run of one random setting of each model, over 10 settings each."
    )


def test_fresh_seeds_of_the_best_settings_are_named(tmp_path: Path):
    # The best quarter of 20 settings, 1 to 5, trained once more.
    again = {
        (name, "fashion_mnist", number): same(base, 1)
        for name, base in (("vae", 110), ("ns_gan", 20))
        for number in range(1, 6)
    }
    folder = build(tmp_path / "run", apart(20), again=again, search={"retrain": 0.25})
    assert how_sure(summarise(folder)[0])[0] == (
        "We compare the best of 2 random settings of each model, chosen by validation, trained "
        "once more with a fresh seed (as the best 25 % of each model's settings were), over 20 "
        "settings each."
    )


def uneven(factors: tuple[float, ...], count: int = 20) -> dict[str, list[Run | None]]:
    """Two models; the second scores that many times the first, by turns, on the same setting."""
    scores = [10 * 1.1**k for k in range(count + 1)]
    return {
        "vae": [Run([(v, v)]) for v in scores],
        "ns_gan": [Run([(w, w)]) for k, v in enumerate(scores) for w in [v * factors[k % 4]]],
    }


def test_what_it_would_take_names_the_nearest_pair(tmp_path: Path):
    summary = summarise(build(tmp_path / "run", uneven((1.9, 0.5, 1.4, 1.2))))[0]
    sentence = takes_sentence(summary)
    assert sentence.startswith("Nearest to a decision is ")
    assert sentence.endswith(
        " settings each; the study's most is 20, by search.settings or the last of search.looks."
    )
    # The same scores for both, and a margin that no interval of 20 settings lies in but this: 0.
    twins = uneven((1.0,) * 4)
    same_scores = summarise(build(tmp_path / "twins", twins, equivalence={"difference": 1e-9}))[0]
    assert verdict_sentence(same_scores).endswith("are equivalent within 1e-09.")


def test_a_number_of_settings_that_nobody_trains_is_a_bound():
    assert needed_text(40, 40) == "about 40 settings each"
    assert needed_text(4000, 40) == (
        "about 4,000 settings each; the study's most is 40, by search.settings or the last of "
        "search.looks"
    )
    assert needed_text(4001, 40).startswith("more than 4,000 settings each; ")


def test_changes_are_compared_with_their_base_alone(tmp_path: Path):
    run = made(apart(20, lsgan=[Run([(50 + k, 50 + k)]) for k in range(21)]))
    for model in run.study["models"]:
        if model["name"] != "vae":
            model["against"] = "vae"
    summary = summarise(written(tmp_path / "run", run))[0]
    assert verdict_sentence(summary) == "Compared with VAE, NS GAN and LSGAN are better."
    assert "jointly over 2 pairs" in how_sure(summary)[1]


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
        "The question itself was changed after a look (search.budget: 4 (before: 2)): the error of "
        "5 % is not kept for what was decided with knowledge of earlier results.",
    ]


def test_authors_settings_alone_are_not_compared(tmp_path: Path):
    folder = build(tmp_path / "run", {"ns_gan": same(10, 1), "vae": same(30, 1)})
    summary = summarise(folder)[0]
    assert verdict_sentence(summary).startswith("Only the authors' settings were trained")
    assert how_sure(summary) == []


def test_the_rerun_verdict_compares_settings(tmp_path: Path):
    runs = {"ns_gan": same(10, 4), "vae": same(30, 4)}
    fresh = {
        (name, "fashion_mnist", 0): [Run([(v + 0.1 * k, v + 0.1 * k)]) for k in range(6)]
        for name, v in (("ns_gan", 10), ("vae", 30))
    }
    folder = build(tmp_path / "run", runs, again=fresh, reruns={"best": 1, "seeds": 6})
    assert rerun_sentence(summarise(folder)[0]) == (
        "Chosen settings, 6 fresh seeds of each: VAE with its authors' setting was shown to be "
        "worse than another setting, at 95 %; NS GAN with its authors' setting was not (a "
        "screening only: a claim takes 10 seeds). This says nothing about the models: the choice "
        "of a setting is one draw, and of two identical models, each searched with 20 settings, 10 "
        "seeds told the chosen settings apart in 65 to 71 % of simulated studies."
    )


def test_too_few_reruns_are_said_to_be_too_few(tmp_path: Path):
    runs = {"ns_gan": same(10, 4), "vae": same(30, 4)}
    fresh = {(name, "fashion_mnist", 0): same(20, 3) for name in runs}
    folder = build(tmp_path / "run", runs, again=fresh, reruns={"best": 1, "seeds": 3})
    assert "takes 5 seeds or more" in rerun_sentence(summarise(folder)[0])


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
