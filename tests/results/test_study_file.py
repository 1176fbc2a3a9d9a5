"""study.json in its present form and the one before."""

import json

import pytest

from coequal.results.folder import RunFolder
from coequal.results.study_file import converted


def _old(path, study):
    path.mkdir(exist_ok=True)
    (path / "study.json").write_text(json.dumps({"schema": 2, "study": study}))
    return RunFolder(path)


def test_a_study_keeps_its_looks_and_comparisons(tmp_path):
    folder, study = RunFolder(tmp_path / "run"), {"study": "s", "models": [{"name": "a"}]}
    folder.begin("", study, [], {}, [(20, 0.02), (40, 0.03)], comparisons=28)
    written = json.loads((folder.path / "study.json").read_text())
    assert written["schema"] == 3
    assert folder.study() == study
    assert folder.looks() == ((20, 0.02), (40, 0.03))
    assert folder.comparisons() == 28


@pytest.mark.parametrize(
    ("models", "pairs"),
    [
        ([{"name": name} for name in "abcd"], 6),  # 4 * 3 / 2
        ([{"name": "a"}, *({"name": name, "against": "a"} for name in "bcd")], 3),
        ([{"name": "a"}], 0),
    ],
)
def test_a_study_of_one_look_spends_all_of_its_error_there(tmp_path, models, pairs):
    folder = RunFolder(tmp_path / "run")
    folder.begin("", {"search": {"settings": 20}, "models": models}, [], {})
    ((settings, level),) = folder.looks()
    assert settings == 20
    assert level == pytest.approx(0.05)
    assert folder.comparisons() == pairs


def test_a_study_of_the_form_before_is_read(tmp_path):
    folder = _old(tmp_path / "run", {"study": "s", "models": [{"name": "a"}, {"name": "b"}]})
    assert folder.study()["study"] == "s"
    assert folder.comparisons() == 1


def test_the_form_before_counted_the_authors_setting(tmp_path):
    before = {
        "study": "s",
        "search": {"space": "wide", "settings": 20},
        "reruns": {"best": 1, "seeds": 10},
    }
    after = converted(before)
    assert after["search"] == {
        "space": "wide",
        "settings": 19,
        "budget": 2,
        "retrain": 0.0,
        "looks": [19],
        "spending": "obrien_fleming",
    }
    assert after["reruns"] == {"best": 1, "seeds": 10, "base_seeds": 10}
    assert before["search"]["settings"] == 20  # what was given is left as it was


def test_the_form_before_with_the_authors_setting_alone_has_no_look(tmp_path):
    after = converted({"search": {"settings": 1}})
    assert (after["search"]["settings"], after["search"]["looks"]) == (0, [])


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('{"schema": 4, "study": {}}', "has schema 4; this version reads 2 and 3"),
        ('{"schema": 3, "study": {}}', r"can't be read \('looks'\)"),
        ('{"schema": 3', "can't be read"),
        ("[]", "can't be read"),
    ],
)
def test_what_is_no_study_is_refused(tmp_path, text, message):
    (tmp_path / "study.json").write_text(text)
    with pytest.raises(ValueError, match=message):
        RunFolder(tmp_path).study()
