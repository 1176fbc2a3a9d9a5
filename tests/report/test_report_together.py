"""Several datasets: transfer, everything normalised, and how large the page becomes."""

from pathlib import Path

import pytest

from coequal.analysis.across_datasets import normalised_scores, study_summary
from coequal.analysis.summary import summaries, summarise
from coequal.analysis.transfer import transfers
from coequal.reporting.evidence import overall_pairs, transfer
from coequal.reporting.page import write_pages, write_report
from coequal.reporting.terminal import verdict_lines
from coequal.reporting.verdict_text import joint_sentence
from coequal.results.folder import RunFolder

from fabricated_run import METRICS, Run, build, same
from fabricated_study import TITLES, whole_study

TWO = {
    "one": {"ns_gan": [*same(20, 1), *same(10, 1), *same(30, 1)]},
    "two": {"ns_gan": [*same(40, 1), *same(60, 1), *same(30, 1)]},
}
"""Setting 1 is the best of dataset one, setting 2 of two."""


def moved(path: Path, *, reruns: int = 0):
    fresh = {("ns_gan", "two", 1): same(66, 3), ("ns_gan", "one", 2): [*same(33, 2), None]}
    if reruns:
        home = [Run(status="failed"), *same(33, 3)]  # the middle two of four are 33
        fresh |= {("ns_gan", "one", 1): same(11, 4), ("ns_gan", "two", 2): home}
    return build(
        path,
        TWO["one"],
        data=("one", "two"),
        per_data=TWO,
        again=fresh,
        transfer={"seeds": 3},
        reruns={"best": 1, "seeds": reruns},
    )


def test_the_best_setting_of_one_data_set_on_the_other(tmp_path: Path):
    folder = moved(tmp_path / "run", reruns=4)
    found = {
        (t.source, t.target): t for t in transfers(summarise(folder), folder.study())["ns_gan"]
    }
    assert [found[key].setting for key in (("one", "two"), ("two", "one"))] == [1, 2]
    assert found["one", "two"].iqm == pytest.approx(66)
    # On dataset two its own best setting gives 33 with fresh seeds: twice as good.
    assert found["one", "two"].ratio == pytest.approx(2)
    assert len(found["two", "one"].runs) == 2
    assert found["one", "one"].iqm == pytest.approx(11)


def test_without_reruns_the_searchs_own_run_stands_in(tmp_path: Path):
    folder = moved(tmp_path / "run")
    both = summarise(folder)
    table = transfer.table(study_summary(both, folder.study()))
    assert table is not None
    assert [[cell.text for cell in row[1:]] for row in table.rows] == [
        ["one", "(10)", "66"],
        ["two", "33", "(30)"],
    ]


def test_a_missing_transfer_is_said_at_the_top(tmp_path: Path):
    page = write_report(moved(tmp_path / "run", reruns=4)).read_text()
    assert "Transfer: 5 of 6 runs have results." in page
    assert page.index("Transfer: 5 of 6") < page.index("<h2")


def test_all_data_sets_weigh_the_same_once_normalised(tmp_path: Path):
    # On both datasets scores of 200 and 600 of a cap of 800: normalised 0.75 and 0.25.
    runs = {"ns_gan": same(200, 8), "vae": same(600, 8)}
    folder = build(tmp_path / "run", runs, data=("one", "two"))
    found = normalised_scores(summarise(folder), folder.study())
    assert found is not None
    assert {name: mean.value for name, mean in found.means.items()} == pytest.approx(
        {"ns_gan": 0.75, "vae": 0.25}
    )
    assert found.kind == "all settings of the search"


def test_one_statement_holds_over_all_data_sets(tmp_path: Path):
    # On both datasets every setting of the one beats every setting of the other.
    runs = {
        "vae": [Run([(100 + k, 100 + k)]) for k in range(21)],
        "ns_gan": [Run([(10 + k, 10 + k)]) for k in range(21)],
    }
    folder = build(tmp_path / "run", runs, data=("one", "two"))
    both = summarise(folder)
    sentence = "Over the two datasets, NS GAN is better than VAE (at 95 %, jointly over 1 pair)."
    assert joint_sentence(both) == sentence
    assert verdict_lines(both, 100)[0] == sentence
    page = write_report(folder).read_text()
    assert page.index(sentence) < page.index("More on certainty and method")
    (row,) = overall_pairs.table(study_summary(both, folder.study())).records
    assert (row["probability_better"], row["shown"]) == (0.0, 1)
    assert (row["probability_better_one"], row["probability_better_two"]) == (0.0, 0.0)
    assert joint_sentence(both[:1]) == ""


def test_over_data_sets_nothing_may_be_shown(tmp_path: Path):
    # On dataset two it is the other way round: the mean of P is one half.
    low = [Run([(10 + k, 10 + k)]) for k in range(21)]
    high = [Run([(100 + k, 100 + k)]) for k in range(21)]
    per_data = {"one": {"vae": low, "ns_gan": high}, "two": {"vae": high, "ns_gan": low}}
    folder = build(tmp_path / "run", per_data["one"], data=("one", "two"), per_data=per_data)
    assert joint_sentence(summarise(folder)) == (
        "No two models can be told apart over the two datasets (at 95 %, jointly over 1 pair)."
    )


def test_one_data_set_needs_no_normalising(tmp_path: Path):
    folder = build(tmp_path / "run", {"ns_gan": same(1, 2)})
    assert normalised_scores(summarise(folder), folder.study()) is None


def test_f1_is_drawn_where_it_was_measured(tmp_path: Path):
    runs = {"ns_gan": [Run([(v, v)], f1=[1 / v]) for v in (9, 2, 4, 5, 8)]}
    summary = summarise(build(tmp_path / "run", runs))[0]
    # Mean of 1/2, 1/4, 1/5, 1/8.
    assert summary.f1_curves["ns_gan"].points[0].expected == pytest.approx(0.26875)
    assert summary.f1_curves["ns_gan"].observed == 0.5
    assert [metric.name for metric in summary.other_metrics] == ["precision", "recall", "f1"]


def test_a_finished_study_has_everything_of_the_paper(everything: RunFolder):
    page = (everything.path / "report" / "index.html").read_text()
    for title in (
        "Best FD after the search, and re-runs",
        "Re-runs of the chosen settings",
        "Distribution of FD over settings",
        "Best of n",
        "Transfer",
        "Over training",
        "Best F1 of n",
        "Best within a budget of FLOPs or seconds",
        "Rank against budget",
        "P(A better than B)",
        "Sources of variance",
        "Effect of each hyperparameter",
        "Performance profile",
        "Every metric of the chosen settings",
    ):
        assert f"<h3>{title}</h3>" in page
    assert "Not finished" not in page


@pytest.mark.slow
def test_a_large_study_gives_a_page_that_opens_at_once(tmp_path: Path):
    # One dataset of twelve models and a hundred settings takes less than 0.8 MB, so five of them
    # stay below 4 MB (measured once: 12 models x 5 datasets, without images).
    names = [*TITLES, "a", "b", "c", "d"]
    run = whole_study(models=names, data=("v",), settings=100, seeds=10)
    found = summaries(run.study, run.plan, run.results, run.references, METRICS)
    page = write_pages(tmp_path, run.study, "study: large\n", found, {})
    assert page.stat().st_size < 8e5
