import csv
import io
import math
import re
from pathlib import Path
from types import SimpleNamespace

import pytest

from coequal.analysis.summary import summarise
from coequal.report.evidence import chances, defeats, hyperparameters, power, sensitivity, variance
from coequal.report.evidence.chances import chances_over_budgets
from coequal.report.latex import escape, latex
from coequal.report.markdown import plain
from coequal.report.page import write_report
from coequal.report.table import Cell, Column, Heading, Table, exact, tabulate, within
from coequal.results.folder import RunFolder

from fabricated_run import Run, build


def tables_of(folder: RunFolder) -> dict[str, list[dict[str, str]]]:
    found = (folder.path / "report" / "tables").glob("*.csv")
    return {path.stem: list(csv.DictReader(io.StringIO(path.read_text()))) for path in found}


def test_tables_hold_full_precision(reported: RunFolder):
    rows = tables_of(reported)
    assert rows["best_and_reruns"][0]["search_test"] == "35.0"
    assert rows["search"][0]["chosen_test_last"] == "35.0"
    assert rows["search"][0]["mean_test_failures_at_cap"] == "226.5"
    assert rows["search"][1]["median_test"] == "failed"
    assert float(rows["budget_curves"][1]["expected_best"]) == pytest.approx(206 / 6, rel=1e-14)
    # n = 1 and 2 of 4 are beyond n/B = 0.19; the last row is what the whole search observed.
    assert [row["note"].split(",")[0] for row in rows["budget_curves"][:3]] == [
        *["the interval's better end is the metric's bound"] * 2,
        "observed",
    ]
    assert [row["setting"] for row in rows["failures"]] == ["2", "0", "1", "2", "3"]
    assert [row["first_tier"] for row in rows["verdict"]] == ["1", "1"]


def test_one_column_gives_the_cell_and_the_record():
    best = SimpleNamespace(chosen=SimpleNamespace(test=1 / 3, ends=(0.25, 0.5)))
    none = SimpleNamespace(chosen=None)
    columns = [
        Column("test", "chosen.test", "Best", ends="chosen.ends"),
        Column("", "chosen.test", "Per cent", show=".0%"),
        Column("unseen", lambda row: row is best),
        *within("chosen", Column("half", lambda chosen: chosen.test / 2, "Half")),
    ]
    table = tabulate(columns, [best, none], shown=[none, best])
    assert [heading.text for heading in table.headings] == ["Best", "Per cent", "Half"]
    assert [[cell.text for cell in row] for row in table.rows] == [
        ["–", "–", "–"],
        ["0.3333", "33%", "0.1667"],
    ]
    third = {"test": 1 / 3, "test_low": 0.25, "test_high": 0.5, "unseen": True, "half": 1 / 6}
    assert table.records == [third, dict.fromkeys(third) | {"unseen": False}]
    assert exact(table.records[0])["test"] == "0.3333333333333333"
    assert exact(table.records[1])["test_low"] == ""
    assert exact({"median": math.inf})["median"] == "failed"


def test_every_shown_table_is_a_csv_and_latex_too(reported: RunFolder):
    page = (reported.path / "report" / "index.html").read_text()
    tables = reported.path / "report" / "tables"
    for path in tables.glob("fashion_mnist-*.tex"):
        assert (tables / f"{path.stem.removeprefix('fashion_mnist-')}.csv").exists()
        text = path.read_text()
        assert text.count(r"\begin{table}") == text.count(r"\end{tabular}") == 1
        title = re.search(r"\\caption\{([^.]*)\.", text)
        assert title is not None
        assert title[1].replace("'", "&#39;") in page
    assert len(list(tables.glob("*.tex"))) >= 4


def test_latex_is_escaped():
    assert escape("50 % of a_b & {c} #1 $x$ ~ ^ \\") == (
        r"50 \% of a\_b \& \{c\} \#1 \$x\$ \textasciitilde{} \textasciicircum{} \textbackslash{}"
    )
    assert escape("3 ± 1 × 2–4") == r"3 $\pm$ 1 $\times$ 2--4"
    row = [Cell("A_1"), Cell("3.1 ± 0.2", "9 of 10", mark="*", strong=True)]
    table = Table([Heading("Model"), Heading("FD")], [row])
    lines = latex(table, "Best & worst", "Read it.", "digits:t").splitlines()
    assert r"\caption{Best \& worst. Read it.}" in lines
    assert lines[-4] == (
        r"A\_1 & \textbf{3.1 $\pm$ 0.2\textsuperscript{*}} {\footnotesize (9 of 10)} \\"
    )
    assert r"\begin{tabular}{lr}" in lines


def test_markdown_is_escaped():
    assert plain("a|b *c* <d> _e_") == r"a\|b \*c\* \<d\> \_e\_"


def test_the_markdown_report_holds_the_same_tables(reported: RunFolder):
    text = (reported.path / "report" / "report.md").read_text()
    assert "# made\\_up" in text
    assert "**No model was shown to be beaten, at 95 %.**" in text
    assert "| NS GAN | **35.00** (setting 1) | 1/4 (5–70 %) | 30.00 | 5.00 |" in text
    linked = re.findall(r"\]\((figures/[^)]*)\)", text)
    assert linked
    assert all((reported.path / "report" / name).exists() for name in linked)
    width = {line.count("|") for line in text.splitlines() if line.startswith("| NS GAN | **35")}
    assert width == {6}


def apart(count: int) -> dict[str, list[Run]]:
    """Two models: every setting of one beats every setting of the other."""
    return {
        "vae": [Run([(100 + k, 100 + k)]) for k in range(count)],
        "ns_gan": [Run([(10 + k, 10 + k)]) for k in range(count)],
    }


def test_every_pair_has_its_chance_both_ways(tmp_path: Path):
    summary = summarise(build(tmp_path / "run", apart(20)))[0]
    table = chances.table(summary)
    assert table is not None
    # The best comes first; completely apart, so the chance is 1 one way and 0 the other.
    assert [[cell.text for cell in row] for row in table.rows] == [
        ["NS GAN", "·", "1.00"],
        ["VAE", "0.00", "·"],
    ]
    assert table.records[0]["p_a_better"] == 0.0
    assert (table.records[0]["a"], table.records[0]["budget"]) == ("vae", 2)  # 20 // 10


def test_every_pair_is_compared_at_every_budget(tmp_path: Path):
    crossed = {
        "vae": [Run([(1, 1)]), Run([(4, 4)])],
        "ns_gan": [Run([(2, 2)]), Run([(3, 3)])],
    }
    # 1 beats 2 and 3, 4 beats neither: 2 of 4. With two settings nothing is said beyond n = 1.
    (row,) = chances_over_budgets(summarise(build(tmp_path / "crossed", crossed))[0])
    assert (row["settings"], row["probability_better"]) == (1, 0.5)
    rows = chances_over_budgets(summarise(build(tmp_path / "apart", apart(6)))[0])
    assert [row["settings"] for row in rows] == [1, 2, 3]
    assert {row["probability_better"] for row in rows} == {0.0}


def test_defeats_say_by_whom(tmp_path: Path):
    table = defeats.table(summarise(build(tmp_path / "run", apart(20)))[0])
    assert table is not None
    assert [cell.text for cell in table.rows[0][:3]] == ["VAE", "NS GAN", "1.00"]
    assert table.records[0]["beaten_by"] == "ns_gan"


def test_power_is_only_for_the_first_tier(tmp_path: Path):
    assert power.table(summarise(build(tmp_path / "run", apart(20)))[0]) is None
    twins = {name: [Run([(10 + k, 10 + k)]) for k in range(20)] for name in ("a", "b")}
    table = power.table(summarise(build(tmp_path / "twins", twins))[0])
    assert table is not None
    assert [cell.text for cell in table.rows[0]][-1] == "or never"


def test_a_hyper_parameter_that_decides_everything_is_found(tmp_path: Path):
    # The lower the learning rate the better, so the best lie at the low end of its range.
    def run(k: int) -> Run:
        rate = 1e-5 * 1000 ** (k / 30)
        settings = {"learning_rate": rate, "beta1": (7 * k % 30) / 30}
        settings |= {"batch_norm": k % 2 == 0, "discriminator_per_generator": 1}
        return Run([(10 + k, 10 + k)], settings=settings)

    summary = summarise(build(tmp_path / "run", {"ns_gan": [run(k) for k in range(30)]}))[0]
    table = sensitivity.table(summary)
    assert table is not None
    first = [cell.text for cell in table.rows[0]]
    assert first[:2] == ["NS GAN", "learning rate"]
    assert first[4] == "lower"
    assert table.rows[0][5].flag == "range may be too narrow"
    place = hyperparameters.table(summary)
    assert place is not None
    # The best setting drawn is the lowest rate, 1e-5: setting 0, at the very end.
    column = [heading.text for heading in place.headings].index("learning rate")
    assert place.rows[0][column].flag == "near the low end"


def test_shares_of_variance_add_up(tmp_path: Path):
    runs = {
        name: [Run([(v, v)], error=0.01 * v) for v in (base, 2 * base, 3 * base, 4 * base)]
        for name, base in (("ns_gan", 10), ("vae", 11), ("wgan", 40))
    }
    fresh = {
        (name, "fashion_mnist", 0): [Run([(v, v)], error=0.01 * v) for v in (8, 10, 12, 13, 14)]
        for name in runs
    }
    folder = build(tmp_path / "run", runs, again=fresh, reruns={"best": 1, "seeds": 5})
    table = variance.table(summarise(folder)[0])
    assert table is not None
    shares = {row["source"]: row["share"] for row in table.records}
    assert list(shares) == ["evaluation", "seed", "hyper-parameters", "model"]
    assert math.fsum(float(value) for value in shares.values()) == pytest.approx(1)
    # Standard errors of 1 % of the score: 0.01 ** 2 on the log scale.
    evaluation = next(row for row in table.records if row["source"] == "evaluation")
    assert float(evaluation["variance"]) == pytest.approx(1e-4)


def test_what_is_refused_is_refused_in_words(tmp_path: Path):
    twins = {name: [Run([(10 + k, 10 + k)]) for k in range(4)] for name in ("a", "b")}
    page = write_report(build(tmp_path / "run", twins)).read_text()
    assert "the study plans no re-runs" in page
    assert "takes 10 drawn settings or more" in page
    assert "No number of settings that would separate the first tier can be named" in page
