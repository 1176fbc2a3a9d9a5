import csv
import io
import json
import math
import re
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import pytest

from coequal.analysis.summary import summaries, summarise
from coequal.checkpoints import Checkpoints
from coequal.reporting.evidence import (
    hyperparameters,
    instrument,
    matrix,
    pairs,
    sensitivity,
    variance,
    verdict,
)
from coequal.reporting.evidence.pairs import over_budgets
from coequal.reporting.markdown import plain
from coequal.reporting.page import write_report
from coequal.reporting.paper.write import write_paper
from coequal.reporting.table import Column, csv_record, tabulate, within
from coequal.results.folder import RunFolder
from coequal.results.instrument_file import write_instrument

from fabricated_run import METRICS, Run, build, made, same


def tables_of(folder: RunFolder) -> dict[str, list[dict[str, str]]]:
    found = (folder.path / "report" / "tables").glob("*.csv")
    return {path.stem: list(csv.DictReader(io.StringIO(path.read_text()))) for path in found}


def test_tables_hold_ten_digits(reported: RunFolder):
    rows = tables_of(reported)
    assert rows["best_and_reruns"][0]["search_test"] == "35.0"
    assert rows["search"][0]["chosen_test_last"] == "35.0"
    # Random settings 1 to 3: 35, a failure at the cap of 800, and 30.
    assert float(rows["search"][0]["mean_test_failures_at_cap"]) == pytest.approx(865 / 3)
    assert rows["search"][1]["median_test"] == "failed"
    assert float(rows["budget_curves"][0]["expected_best"]) == pytest.approx(865 / 3, rel=1e-9)
    # n = 1 of 3 is beyond n/B = 0.19; the last row is what the whole search observed.
    assert [row["note"].split(",")[0] for row in rows["budget_curves"][:2]] == [
        "the interval's better end is the metric's bound",
        "observed",
    ]
    assert [row["setting"] for row in rows["failures"]] == ["2", "0", "1", "2", "3"]
    assert [row["unbeaten"] for row in rows["verdict"]] == ["1", "1"]


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
        ["0.333", "33%", "0.167"],
    ]
    third = {"test": 1 / 3, "test_low": 0.25, "test_high": 0.5, "unseen": True, "half": 1 / 6}
    assert table.records == [third, dict.fromkeys(third) | {"unseen": False}]
    assert csv_record(table.records[0])["test"] == "0.3333333333"
    assert csv_record(table.records[1])["test_low"] == ""
    assert csv_record({"median": math.inf})["median"] == "failed"


def test_every_shown_table_is_a_csv_and_latex_too(reported: RunFolder, tmp_path: Path):
    page = (reported.path / "report" / "index.html").read_text()
    tables = reported.path / "report" / "tables"
    found = sorted(tables.glob("*.tex"))
    assert len(found) >= 4
    for path in found:
        assert (tables / f"{path.stem.removeprefix('fashion_mnist-')}.csv").exists()
        title = re.search(r"\\caption\{(.*), fashion", path.read_text())
        assert title is not None
        assert title[1].replace("'", "&#39;") in page
    # A paper's folder stands alone, and holds the same.
    paper = write_paper(reported, into=tmp_path / "paper") / "tables"
    assert [path.name for path in sorted(paper.glob("*.tex"))] == [path.name for path in found]
    for path in found:
        assert (paper / path.name).read_bytes() == path.read_bytes()


def test_markdown_is_escaped():
    assert plain("a|b *c* <d> _e_") == r"a\|b \*c\* \<d\> \_e\_"


def test_the_markdown_report_holds_the_same_tables(reported: RunFolder):
    text = (reported.path / "report" / "report.md").read_text()
    assert "# made\\_up" in text
    assert "**No ranking is possible:" in text
    assert "| NS GAN | **35** (setting 1) | 1/3 (6–79 %) | 30 | 5 |" in text
    linked = re.findall(r"\]\((figures/[^)]*)\)", text)
    assert linked
    assert all((reported.path / "report" / name).exists() for name in linked)
    width = {line.count("|") for line in text.splitlines() if line.startswith("| NS GAN | **35")}
    assert width == {6}


def apart(count: int) -> dict[str, list[Run]]:
    """Two models: every random setting of one beats every one of the other."""
    return {
        "vae": [Run([(100 + k, 100 + k)]) for k in range(count + 1)],
        "ns_gan": [Run([(10 + k, 10 + k)]) for k in range(count + 1)],
    }


def test_every_pair_has_its_numbers_the_better_model_first(tmp_path: Path):
    summary = summarise(build(tmp_path / "run", apart(20)))[0]
    table = pairs.table(summary)
    assert table is not None
    (row,) = table.rows
    assert [cell.text for cell in row[:3]] == ["NS GAN", "VAE", "better"]
    # Completely apart, and shared draws: every swap brings the two nearer to each other.
    assert row[3].text == "1.00"
    (record,) = table.records
    assert (record["model"], record["against"], record["look"]) == ("ns_gan", "vae", 1)
    assert (record["settings"], record["budget"]) == (20, 2)
    assert (record["wins"], record["losses"]) == (20, 0)
    assert record["level"] == pytest.approx(0.05)
    assert record["settings_needed"] is None
    # Best of 2 of 11 .. 30 against that of 101 .. 120: a ratio somewhat above 0.1.
    assert 0.1 < record["ratio_low"] < record["ratio"] < record["ratio_high"] < 0.25
    assert record["probability_better_low"] > 0.5


def test_an_undecided_pair_says_what_it_takes(tmp_path: Path):
    # By turns 2.5, 0.7, 1.6 and 0.9 times the score of the other on the same setting.
    scores = [10 * 1.1**k for k in range(21)]
    runs = {
        "a": [Run([(v, v)]) for v in scores],
        "b": [
            Run([(w, w)]) for k, v in enumerate(scores) for w in [v * (2.5, 0.7, 1.6, 0.9)[k % 4]]
        ],
    }
    summary = summarise(build(tmp_path / "run", runs))[0]
    table = pairs.table(summary)
    assert table is not None
    (record,) = table.records
    assert record["outcome"] == "undecided"
    assert record["settings_needed"] > 20
    cell = table.rows[0][6]
    assert record["settings_needed"] == 464
    assert cell.text == "about 460"  # two figures
    assert "(this study trains at most 20)" in pairs.how_to_read(summary)


def test_the_matrix_has_every_pair_both_ways(tmp_path: Path):
    three = apart(20) | {"began": [Run([(1000 + k, 1000 + k)]) for k in range(21)]}
    summary = summarise(build(tmp_path / "run", three))[0]
    table = matrix.table(summary)
    assert table is not None
    assert [[cell.text for cell in row] for row in table.rows] == [
        ["NS GAN", "·", "1.00", "1.00"],
        ["VAE", "0.00", "·", "1.00"],
        ["BEGAN", "0.00", "0.00", "·"],
    ]
    assert [cell.small for cell in table.rows[1][1:]] == ["worse", "", "better"]
    assert matrix.table(summarise(build(tmp_path / "two", apart(20)))[0]) is None


def test_every_pair_is_compared_at_every_budget(tmp_path: Path):
    first = Run([(9, 9)])  # the authors' setting is in no comparison
    crossed = {
        "vae": [first, Run([(1, 1)]), Run([(4, 4)])],
        "ns_gan": [first, Run([(2, 2)]), Run([(3, 3)])],
    }
    # 1 beats 2 and 3, 4 beats neither: 2 of 4. With two settings nothing is said beyond n = 1.
    (row,) = over_budgets(summarise(build(tmp_path / "crossed", crossed))[0])
    assert (row["settings"], row["probability_better"]) == (1, 0.5)
    rows = over_budgets(summarise(build(tmp_path / "apart", apart(6)))[0])
    assert [row["settings"] for row in rows] == [1, 2, 3]
    assert {row["probability_better"] for row in rows} == {0.0}


def test_a_model_has_its_verdict_its_whole_searches_and_its_authors_setting(tmp_path: Path):
    table = verdict.table(summarise(build(tmp_path / "run", apart(20)))[0])
    assert table is not None
    best, worst = table.rows
    assert [cell.text for cell in best[:3]] == ["NS GAN", "not beaten", "20"]
    assert [cell.text for cell in worst[:2]] == ["VAE", "beaten by NS GAN"]
    assert worst[1].small == "look 1 of 1"
    # Ten searches of two settings of 11 .. 30, the first the better: 11, 13, .., 29; mean 20,
    # variance 4 (10^2 - 1) / 12 * 10/9 = 36.67.
    assert (best[3].text, best[3].small) == ("20.0 ± 6.1", "10 searches")
    # The authors' setting scores 10, better than all 20: p = 2 / 21.
    assert (best[4].text, best[4].small) == ("10", "rank 1 of 21, p = 0.095")
    first, second = table.records
    assert (first["unbeaten"], first["beaten_by"], first["settings_saved"]) == (1, None, 0)
    assert (second["unbeaten"], second["beaten_by"], second["beaten_at_look"]) == (0, "ns_gan", 1)


def test_the_verdict_is_a_file_for_programs(tmp_path: Path):
    folder = build(tmp_path / "run", apart(20))
    write_report(folder)
    found = json.loads((folder.path / "report" / "verdict.json").read_text())
    (data,) = found["data_sets"]
    assert data["sentence"] == "NS GAN is better than VAE."
    assert (data["finished"], data["budget"], data["margin"]) == (True, 2, 1.1)
    assert data["looks"] == [{"settings": 20, "level": pytest.approx(0.05)}]
    (pair,) = data["pairs"]
    assert (pair["model"], pair["against"], pair["outcome"]) == ("ns_gan", "vae", "better")
    assert pair["probability_better_low"] > 0.5
    assert [model["beaten_by"] for model in data["models"]] == [None, "ns_gan"]
    assert found["over_data_sets"] == {"sentence": "", "pairs": []}


def test_more_is_better_turns_differences_round(tmp_path: Path):
    # Coverage: 0.5 to 0.7 against 0.1 to 0.3. The better model has the higher one.
    runs = {
        name: [Run([(v, v)]) for v in [base + k / 100 for k in range(21)]]
        for name, base in (("vae", 0.1), ("ns_gan", 0.5))
    }
    run = made(runs, select={"metric": "coverage", "split": "validation", "checkpoint": "last"})
    for result in run.results.values():
        point = result.checkpoints[0]
        renamed = [replace(m, metric="coverage") for m in point.measurements]
        run.results[result.trial.id] = replace(
            result, checkpoints=Checkpoints.of([replace(point, measurements=tuple(renamed))])
        )
    references = {"fashion_mnist": {"cap": {"coverage": 0.0}, "floor": {"coverage": 1.0}}}
    (summary,) = summaries(run.study, run.plan, run.results, references, METRICS)
    table = pairs.table(summary)
    assert table is not None
    (record,) = table.records
    assert (record["model"], record["outcome"]) == ("ns_gan", "better")
    assert record["difference"] == pytest.approx(0.4)
    assert record["difference_low"] <= record["difference"] <= record["difference_high"]
    assert [heading.text for heading in table.headings][4] == "Difference"


def test_a_hyper_parameter_that_decides_everything_is_found(tmp_path: Path):
    # The lower the learning rate the better, so the best lie at the low end of its range.
    def run(k: int) -> Run:
        rate = 1e-5 * 1000 ** (k / 30)
        settings = {"learning_rate": rate, "beta1": (7 * k % 30) / 30}
        settings |= {"batch_norm": k % 2 == 0, "discriminator_per_generator": 1}
        return Run([(10 + k, 10 + k)], settings=settings)

    runs = {"ns_gan": [Run([(99, 99)]), *(run(k) for k in range(30))]}
    summary = summarise(build(tmp_path / "run", runs))[0]
    table = sensitivity.table(summary)
    assert table is not None
    first = [cell.text for cell in table.rows[0]]
    assert first[:2] == ["NS GAN", "learning rate"]
    assert first[4] == "lower"
    assert table.rows[0][5].flag == "range may be too narrow"
    place = hyperparameters.table(summary)
    assert place is not None
    # The best setting drawn is the lowest rate, 1e-5, at the very end.
    column = [heading.text for heading in place.headings].index("learning rate")
    assert place.rows[0][column].flag == "near the low end"


def test_what_the_instrument_adds_stands_beside_the_shares(tmp_path: Path):
    runs = {name: [Run([(v, v)]) for v in (80, 100, 125)] for name in ("ns_gan", "wgan")}
    folder = build(tmp_path / "run", runs)
    assert instrument.table(summarise(folder)[0]) is None
    e = math.e
    by_encoder = [[1.0, 1.0], [1.0, e**0.2]]  # the other encoder moves the second model alone
    by_half = [[[1.0, e**0.04]], [[1.0, e**0.04]]]  # both alike: 0.02 for all test images
    values = {
        "trials": ["a", "b"],
        "models": ["ns_gan", "wgan"],
        "encoders": ["one", "other"],
        "images": 5000,
        "test_images": 10000,
        "numbers": {"fd": {"by_encoder": by_encoder, "by_half": by_half}},
    }
    write_instrument(folder, "fashion_mnist", values)
    (summary,) = summarise(folder)
    table = instrument.table(summary)
    assert table is not None
    encoder, test = table.records
    # Less its mean the second network is +-0.1, 0.05 from the mean of both by either encoder:
    # 4 * 0.05^2 = 0.01.
    assert encoder["specific_variance"] == pytest.approx(0.01)
    assert encoder["network_variance"] is None
    assert encoder["swapped"] == 1  # they were equal
    # The random settings of both models differ by log 1.25: 0.2231^2 / 2 = 0.0249 within models.
    assert encoder["share"] == pytest.approx(0.01 / 0.0249, rel=1e-3)
    assert test["shared_variance"] == pytest.approx(0.02**2)
    assert (test["specific_variance"], test["swapped"]) == (pytest.approx(0, abs=1e-12), None)
    shown = [[cell.text for cell in row] for row in table.rows]
    assert shown[0][:6] == ["FD", "encoder", "0 %", "10 %", "–", "10 %"]
    assert shown[1][:3] == ["FD", "test images", "2.0 %"]
    page = write_report(folder)
    assert "Variation due to encoder and test images" in page.read_text()
    # A number that no test image enters has no row for them.
    values["numbers"] = {"fd": {"by_encoder": by_encoder, "by_half": [[[2.0, 2.0]]] * 2}}
    write_instrument(folder, "fashion_mnist", values)
    table = instrument.table(summarise(folder)[0])
    assert table is not None
    assert [row["source"] for row in table.records] == ["encoder"]


def test_without_the_models_variance_the_instruments_is_no_fraction(tmp_path: Path):
    # One random setting of each model, and fresh seeds: only the seed's variance is known.
    runs = {name: [Run([(v, v)]) for v in (80, 100)] for name in ("ns_gan", "wgan")}
    fresh = {(name, "fashion_mnist", 1): same(90, 2) + same(110, 2) for name in runs}
    folder = build(tmp_path / "run", runs, again=fresh, reruns={"best": 1, "seeds": 4})
    by_encoder = [[1.0, 1.0], [1.0, 2.0]]
    values = {"models": ["ns_gan", "wgan"], "images": 5000, "test_images": 10000}
    values["numbers"] = {"fd": {"by_encoder": by_encoder, "by_half": [[[1.0, 2.0]]] * 2}}
    write_instrument(folder, "fashion_mnist", values)
    table = instrument.table(summarise(folder)[0])
    assert table is not None
    assert [row["share"] for row in table.records] == [None, None]


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
    assert list(shares) == ["evaluation", "seed", "hyperparameters", "model"]
    assert math.fsum(float(value) for value in shares.values()) == pytest.approx(1)
    # Standard errors of 1 % of the score: 0.01 ** 2 on the log scale.
    evaluation = next(row for row in table.records if row["source"] == "evaluation")
    assert float(evaluation["variance"]) == pytest.approx(1e-4)


def test_what_is_refused_is_refused_in_words(tmp_path: Path):
    few = {"a": [Run([(10 + k, 10 + k)]) for k in range(4)], "b": same(30, 2) + same(5, 2)}
    page = write_report(build(tmp_path / "run", few)).read_text()
    assert "The study plans no re-runs" in page
    assert "needs at least 10 drawn settings" in page
    # 2^(1-3) = 0.25; of two models 0.05 takes 2^(1-6) = 0.031.
    assert "a verdict needs at least 6 settings of each model" in page
