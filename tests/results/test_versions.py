"""What is known of a study's earlier versions: the error that they spent, and what they lack."""

import pytest

from coequal.results.folder import RunFolder
from coequal.results.versions import PlannedTrials, changes, complete_settings, looks_taken
from results.conftest import METRICS, STUDY, made_result, made_trial, store

LOOKS = ((2, 0.01), (4, 0.04))


def trials(**settings: int):
    """The authors' setting and so many drawn ones of each model."""
    return [made_trial(model, k) for model, count in settings.items() for k in range(count + 1)]


@pytest.mark.parametrize(
    ("settings", "taken"),
    [
        ({"ns_gan": 0, "vae": 0}, 0),  # the authors' settings are no draw
        ({"ns_gan": 2, "vae": 1}, 0),
        ({"ns_gan": 2, "vae": 2}, 1),
        ({"ns_gan": 3, "vae": 2}, 1),
        ({"ns_gan": 4, "vae": 2}, 2),  # vae was beaten at the first look and trained no further
        ({"ns_gan": 4, "vae": 3}, 1),
        ({"ns_gan": 4, "vae": 4}, 2),
    ],
)
def test_looks_have_been_taken_when_all_that_trained_on_have_their_settings(settings, taken):
    assert looks_taken(LOOKS, trials(**settings)) == LOOKS[:taken]


def test_complete_settings_are_those_of_the_model_with_the_fewest():
    assert complete_settings(trials(ns_gan=4, vae=3)) == 3
    some = [trial for trial in trials(ns_gan=4) if trial.setting != 2]
    assert complete_settings(some) == 1
    assert complete_settings([]) == 0


def _study(settings: int, looks: list[int], models: tuple[str, ...] = ("ns_gan", "vae")):
    search = {"settings": settings, "looks": looks, "spending": "pocock"}
    return {**STUDY, "models": [{"name": name} for name in models], "search": search}


def _judged(path, settings: int = 2) -> RunFolder:
    """Two looks were planned, at 2 and 4 settings, and the first was taken."""
    folder, first = RunFolder(path), trials(ns_gan=settings, vae=settings)
    folder.begin("study: first\n", _study(4, [2, 4]), first, METRICS)
    for trial in first:
        store(folder, made_result(trial, 3.0))
    return folder


def test_looks_taken_keep_their_level_and_the_rest_goes_to_the_later_ones(tmp_path):
    folder = _judged(tmp_path / "run")
    first, second = folder.looks()
    # Pocock's function: .05 ln(1 + (e - 1) / 2) = .0310 at half of the settings, the rest later.
    assert first[1] == pytest.approx(0.0310, abs=1e-4)
    assert first[1] + second[1] == pytest.approx(0.05)
    folder.begin("study: second\n", _study(8, [4, 8]), trials(ns_gan=8, vae=8), METRICS)
    assert folder.looks()[0] == first  # taken, though the new file does not name it
    assert [settings for settings, _ in folder.looks()] == [2, 4, 8]
    assert sum(level for _, level in folder.looks()) == pytest.approx(0.05)
    assert folder.versions()[1].looks == (first,)
    assert folder.versions()[1].settings == 2


def test_error_that_was_spent_stays_spent_while_a_new_model_catches_up(tmp_path):
    folder = _judged(tmp_path / "run")
    first = folder.looks()[0]
    three = ("ns_gan", "vae", "wgan")
    named = trials(ns_gan=4, vae=4, wgan=4)
    folder.begin("study: second\n", _study(4, [2, 4], three), named, METRICS)
    assert folder.comparisons() == 3
    # wgan has no result: by what lies there the look of this version has not been taken.
    store(folder, made_result(made_trial("wgan", 1), 3.0))
    folder.begin("study: third\n", _study(4, [4]), trials(ns_gan=4, vae=4), METRICS)
    assert folder.looks()[0] == first
    assert sum(level for _, level in folder.looks()) == pytest.approx(0.05)
    assert folder.comparisons() == 3  # it never falls


def test_what_a_study_would_be_here_is_known_before_it_begins(tmp_path):
    folder, more = _judged(tmp_path / "run"), _study(8, [4, 8])
    before = (folder.path / "study.json").read_bytes()
    planned = folder.next_version(more)
    assert (folder.path / "study.json").read_bytes() == before
    folder.begin("study: second\n", more, trials(ns_gan=8, vae=8), METRICS)
    assert (planned.looks, planned.comparisons) == (folder.looks(), folder.comparisons())
    assert len(planned.looks) == 3
    assert folder.next_version(more) == planned
    assert len(RunFolder(tmp_path / "none").next_version(more).looks) == 2


def test_error_that_was_spent_stays_spent_with_fewer_settings(tmp_path):
    folder = _judged(tmp_path / "run")
    first = folder.looks()[0]
    folder.begin("", _study(1, [1]), trials(ns_gan=1, vae=1), METRICS)
    assert folder.looks() == (first,)  # nothing is judged at 1 setting after it was seen at 2
    folder.begin("", _study(4, [3, 4]), trials(ns_gan=4, vae=4), METRICS)
    assert [settings for settings, _ in folder.looks()] == [2, 3, 4]
    assert folder.looks()[0] == first
    assert sum(level for _, level in folder.looks()) == pytest.approx(0.05)


def test_after_the_last_look_nothing_is_left_to_spend(tmp_path):
    folder = _judged(tmp_path / "run", settings=4)
    both = folder.looks()
    folder.begin("study: more\n", _study(8, [8]), trials(ns_gan=8, vae=8), METRICS)
    assert folder.looks() == both


def test_what_changed_is_said_in_words():
    before = _study(4, [2, 4]) | {
        "models": [{"name": "a", "settings": {"beta1": 0.5}}, {"name": "b"}]
    }
    after = before | {
        "study": "a longer title",
        "data": ["digits", "letters"],
        "models": [{"name": "c"}, {"name": "a", "settings": {"beta1": 0.9}}],
        "search": before["search"] | {"budget": 4},
    }
    assert changes(before, after) == [
        "model c added",
        "model b removed",
        "model a: settings.beta1: 0.9 (before: 0.5)",
        "dataset letters added",
        "study: a longer title (before: made_up)",
        "search.budget: 4 (before: nothing)",
    ]
    assert changes(before, before) == []


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"model": "wgan"}, "model wgan is not part of the study"),
        ({"data": "letters"}, "dataset letters is not part of the study"),
        ({"setting": 7}, "a setting that the study does not train, or not yet"),
        ({"repeat": 3}, "a seed that the study does not train, or not yet"),
        ({"training": {"budget": {"discriminator_steps": 30}}}, "another budget"),
        ({"evaluation": {"encoder": "classifier"}, "seed": 4}, "another encoder, seed"),
        ({"settings": {"learning_rate": 1.0}}, "another settings of the model"),
    ],
)
def test_why_a_trial_is_no_part_of_a_plan(change, reason):
    from dataclasses import replace

    plan = PlannedTrials(trials(ns_gan=2))
    assert plan.why_not(replace(made_trial("ns_gan", 1), **change)) == reason
