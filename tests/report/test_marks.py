"""What the dots of figures stand for, the page's table of trials, and its samples."""

import json
import re
from pathlib import Path

import numpy as np
import pytest
from matplotlib.figure import Figure

from coequal.analysis.summary import summarise
from coequal.reporting import marks, sample_browser
from coequal.reporting.page import write_report
from coequal.reporting.sample_browser import sample_strips, without_strips
from coequal.reporting.style import as_marked_svg, as_svg, inline
from coequal.reporting.trial_table import TrialTable, for_script
from coequal.results.folder import RunFolder, samples_path

from fabricated_run import NS_GAN, Run, build


def test_a_dot_says_its_trial_on_the_page_and_a_file_says_nothing(small: RunFolder):
    model = summarise(small)[0].models[0]
    figure = Figure()
    (dots,) = figure.add_subplot().plot([1, 2, 3, 4], [1, np.nan, 3, 4], "o")
    marks.show_trials(dots, model.tried)  # settings 0 to 3; the second has no point to be seen at
    svg = as_marked_svg(figure)
    assert b"trials" not in as_svg(figure)
    page = marks.numbered(inline(svg, "a"), {t.trial: 7 + k for k, t in enumerate(model.tried)})
    assert ' data-t="7 9-10"' in page
    group = re.search(r'<g data-t="7 9-10".*?</g>\s*</g>', page, flags=re.DOTALL)
    assert group is not None
    assert group[0].count("<use") == 3


def test_a_trial_that_the_table_lacks_is_not_marked(small: RunFolder):
    tried = summarise(small)[0].models[0].tried
    html = f'<g data-trials="{tried[0].trial},{tried[1].trial}">'
    assert marks.numbered(html, {tried[0].trial: 0}) == "<g>"


def test_a_model_is_shown_with_its_chosen_trial(small: RunFolder):
    ns_gan, vae = summarise(small)[0].models  # of the VAE all have failed
    figure = Figure()
    axes = figure.add_subplot()
    marks.show_model(axes.text(0, 0, "NS GAN"), ns_gan)
    marks.show_model(axes.text(0, 1, "VAE"), vae)
    page = marks.numbered(inline(as_marked_svg(figure), "a"), {ns_gan.chosen.trial: 5})
    assert re.findall(r'data-m="[^"]*"', page) == ['data-m="0 5"', 'data-m="1 -1"']


def test_the_table_holds_every_trial_that_has_a_result(small: RunFolder):
    table = TrialTable(summarise(small))
    stored = json.loads(table.json())
    # NS GAN: the authors' setting and three random ones, of which the second diverged; so the VAE.
    assert stored["model"] == [0, 0, 0, 0, 1, 1, 1, 1]
    assert stored["setting"] == [0, 1, 2, 3, 0, 1, 2, 3]
    assert stored["test"][:4] == [41, 35, None, 30]
    assert stored["validation"][:4] == [40, 31, None, 32]
    assert [stored["statuses"][k] for k in stored["status"][:4]] == ["done"] * 2 + [
        "diverged",
        "done",
    ]
    assert stored["reason"]["2"] == "step 120: the loss is not finite"
    assert len(stored["id"]) == 8 * 16
    assert stored["id"][16:32] == table.listed[1].trial.trial
    # discriminator_per_generator is 1 in all of them, so nobody filters by it.
    assert list(stored["values"]) == ["batch_norm", "beta1", "learning_rate"]


def test_what_only_some_models_have_is_empty_for_the_others(tmp_path: Path):
    runs = {
        "ns_gan": [Run([(1, 1)], settings={"lr": 0.1}), Run([(1, 1)], settings={"lr": 0.1})],
        "wgan": [Run([(1, 1)], settings={"lr": 0.1, "clip": c}) for c in (0.5, 0.25)],
    }
    table = TrialTable(summarise(build(tmp_path / "run", runs)))
    assert json.loads(table.json())["values"] == {"clip": [None, None, 0.5, 0.25]}
    (clip,) = table.hyperparameters
    assert clip.choices == (0.25, 0.5)  # two values: to be picked from


def test_many_numbers_are_filtered_by_their_range(tmp_path: Path):
    runs = {"ns_gan": [Run([(1, 1)], settings={"lr": k / 10}) for k in range(1, 9)]}
    (lr,) = TrialTable(summarise(build(tmp_path / "run", runs))).hyperparameters
    assert (lr.choices, lr.low, lr.high) == ((), 0.1, 0.8)


def test_no_text_ends_the_script_element():
    text = for_script({"a": "</script><!--"})
    assert "<" not in text
    assert json.loads(text) == {"a": "</script><!--"}


def with_samples(path: Path) -> RunFolder:
    """NS GAN, chosen setting 1, with samples at every checkpoint of every setting."""
    folder = build(path, {"ns_gan": NS_GAN})
    for trial in folder.plan():
        for step in (100, 200, 300):
            target = samples_path(folder.trial_folder(trial.id), step)
            target.parent.mkdir(parents=True, exist_ok=True)
            np.save(target, np.full((9, 1, 28, 28), 50 * trial.setting + step // 10, np.uint8))
    return folder


def test_samples_are_wanted_in_this_order(tmp_path: Path):
    folder = with_samples(tmp_path / "run")
    strips = sample_strips(folder, summarise(folder)).strips
    # Chosen on validation: setting 1 (31 against 40 and 32), where it is judged, then its other
    # checkpoints; the authors'; then the others by validation where they are judged, of the one
    # that failed at step 120 its last; then their other checkpoints.
    assert [(s.trial.number, s.step) for s in strips] == [
        *((1, 300), (1, 100), (1, 200), (0, 300), (0, 100), (0, 200)),
        *((3, 300), (2, 100), (3, 100), (3, 200)),
    ]


def test_the_page_takes_as_many_samples_as_it_has_room_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    folder = with_samples(tmp_path / "run")
    whole = write_report(folder).read_text()
    rest, strips = without_strips(whole)
    assert len(strips) == 10 + 1  # and the real images
    assert rest.count('class="strip"') == 0
    first = sample_strips(folder, summarise(folder)).strips[0]
    room = len(first.uri) + sample_browser.MARKUP_BYTES
    monkeypatch.setattr(sample_browser, "STRIPS_BYTES", room - 1)
    table = TrialTable(summarise(folder))
    found = sample_strips(folder, table.datasets)
    assert found.html(table, room).count("data-trials") == 1
    assert found.html(table, room - 1) == ""


def test_points_are_dots_in_a_square():
    points = np.array([[0.001, 0.999], [0.999, 0.001]], dtype=np.float32)[:, :, None, None]
    picture = sample_browser._counts(points)
    dark = np.argwhere(picture < 255)
    # (x, y) = (0, 1) is at the top left, (1, 0) at the bottom right.
    assert dark.tolist() == [[0, 0], [63, 63]]
