"""Two trials side by side."""

import re

import numpy as np
import pytest

from coequal.files import write_npz
from coequal.health.signals import NAMES, Signals
from coequal.results.folder import CURVES, SIGNALS
from coequal.serve.comparison import compare
from coequal.serve.side import find_trials

from fabricated_run import Run, build

# The error of the difference of 30 ± 3 and 26 ± 4 is 5: 4 is within two of them. 26 ± 4 and 50 ± 3
# differ by 24, more than two times 5.
NEAR = (Run([(30, 30)], error=3.0), Run([(26, 26)], error=4.0))
FAR = (Run([(50, 50)], error=3.0), Run([(60, 60)], "diverged", "step 7: nan"))


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    folder = build(tmp_path_factory.mktemp("compare") / "run", {"ns_gan": NEAR, "vae": FAR})
    steps = np.arange(1.0, 51.0, dtype=np.float32)
    for trial in folder.plan()[:2]:
        place = folder.trial_folder(trial.id)
        write_npz(place / CURVES, {"step": steps, "generator": steps, "discriminator": 1 / steps})
        values = np.full((6, len(NAMES)), np.nan)
        values[:, 0] = 25 * np.arange(1, 7)
        values[:, NAMES.index("nearest")] = 0.5
        Signals(values, np.zeros((6, 0)), np.zeros(0), {}).save(place / SIGNALS)
        (place / "log.txt").write_text("begins\n")
    return folder


@pytest.fixture(scope="module")
def ids(run):
    return {(t.model, t.setting): t.id for t in run.plan()}


@pytest.fixture(scope="module")
def visitor(open_site, run):
    return open_site(run.path)


def cells(table, name):
    return [cell for cell in table.rows if cell[0].text == name]


def compared(run, first, second):
    return compare(run, *find_trials(run, (first, second)))


def test_only_settings_that_differ_are_in_the_table(run, ids):
    found = compared(run, ids["ns_gan", 0], ids["vae", 0])
    assert [row[0].text for row in found.different.rows] == ["model", "objective"]
    assert dict(found.same)["learning rate"] == "0.0001"
    other = compared(run, ids["ns_gan", 0], ids["ns_gan", 1])
    names = [row[0].text for row in other.different.rows]
    assert "learning rate" in names
    assert "model" not in names
    same = compared(run, ids["ns_gan", 0], ids["ns_gan", 0])
    assert same.different is None


def test_scores_have_errors_and_only_a_clear_difference_is_marked(run, ids):
    near = compared(run, ids["ns_gan", 0], ids["ns_gan", 1])
    row = next(row for row in near.scores.rows if row[0].small == "test")
    assert [cell.text for cell in row] == ["FD", "30.0 ± 3.0", "26.0 ± 4.0", "+4.0 ± 5.0"]
    assert not any(cell.strong for cell in row)
    assert near.sentence == (
        "FD on test images: 30.0 ± 3.0 for A, 26.0 ± 4.0 for B: the two cannot be told apart."
    )
    far = compared(run, ids["ns_gan", 1], ids["vae", 0])
    row = next(row for row in far.scores.rows if row[0].small == "test")
    assert [cell.text for cell in row] == ["FD", "26.0 ± 4.0", "50.0 ± 3.0", "−24.0 ± 5.0"]
    assert [cell.strong for cell in row] == [False, True, False, False]
    assert far.sentence == (
        "FD on test images: 26.0 ± 4.0 for A, 50.0 ± 3.0 for B: A scores better. Whether its model "
        "is better is for the report to say."
    )


def test_a_failed_trial_has_its_last_values_and_no_verdict(run, ids):
    found = compared(run, ids["ns_gan", 0], ids["vae", 1])
    assert found.sentence == ""
    assert dict(found.sides[1].facts)["Outcome"] == "diverged: step 7: nan"
    assert [heading.small for heading in found.scores.headings[1:3]] == [
        "at step 100",
        "at step 100, no final score",
    ]


def test_numbers_of_two_protocols_are_not_compared(run, ids, monkeypatch):
    found = compared(run, ids["ns_gan", 0], ids["vae", 0])
    a, b = found.sides
    changed = b.result.checkpoints[-1].measurements[1]
    object.__setattr__(b.judged.measurements[1], "protocol", "another way")
    assert changed.protocol != "another way"
    from coequal.serve.comparison import _scores, _sentence

    table = _scores(a, b, run.metrics(), "fd")
    row = next(row for row in table.rows if row[0].small == "test")
    assert row[3].text == "–"
    assert any("measured in two ways" in note and "another way" in note for note in table.notes)
    assert _sentence(a, b, run.rule()) == ""


def test_an_id_may_be_abbreviated_as_long_as_it_is_one_trials(run, ids):
    key = ids["vae", 1]
    assert [trial.id for trial in find_trials(run, (key[:8].upper(), key))] == [key, key]
    for start in ("", "zzz"):
        with pytest.raises(LookupError, match="no trial of this run has an id"):
            find_trials(run, (key, start))
    starts = [key[0] for key in ids.values()]
    shared = next((s for s in starts if starts.count(s) > 1), None)
    if shared is not None:
        with pytest.raises(LookupError, match="trials have an id that begins with"):
            find_trials(run, (shared, key))


def test_the_page_has_samples_curves_and_logs_of_both(visitor, ids):
    a, b = ids["ns_gan", 0], ids["ns_gan", 1]
    answer = visitor.get(f"/run/compare?a={a[:7]}&b={b}")
    assert answer.status_code == 200
    text = answer.text
    assert "NS GAN, the authors&#39; setting and NS GAN, setting 1" in text
    assert text.count("data:image/png;base64,") == 3  # real images and a row each
    for panel in ("FD, validation", "loss of the generator", "collapsed below 0.02"):
        assert panel in text
    for key in (a, b):
        link = f"trials/{key[:2]}/{key}/log.txt"
        assert f'href="{link}"' in text
        assert visitor.get(f"/run/{link}").text == "begins\n"
    assert f'value="{a}"' in text  # in full
    assert "4 trials are suggested" in text


def test_the_form_offers_every_trial_with_its_outcome(visitor, ids):
    text = visitor.get("/run/compare").text
    offered = dict(re.findall(r'<option value="(\w+)">(.*?)</option>', text))
    assert offered[ids["ns_gan", 0]] == "NS GAN, the authors&#39; setting: FD 30"
    assert offered[ids["vae", 1]] == "VAE, setting 1: diverged"
    assert 'href="/run/compare"' in visitor.page("/run/report/").text


def test_an_id_that_is_none_is_said_beside_the_form(visitor):
    answer = visitor.get("/run/compare?a=%3Cscript%3E&b=1")
    assert answer.status_code == 200
    assert "No trial of this run has an id that begins with “&lt;script&gt;”." in answer.text
    assert 'value="&lt;script&gt;"' in answer.text
