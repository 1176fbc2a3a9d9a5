"""A search of hundreds of settings: everything counts, and the page says what it does not list."""

import csv
import math
import random
import re
from pathlib import Path

import pytest

from coequal.reporting.axes import RASTER_FROM_SETTINGS
from coequal.reporting.evidence.failures import MAX_ROWS
from coequal.reporting.page import write_report
from coequal.results.folder import RunFolder

from fabricated_run import Run, build

SETTINGS, FAILED = 520, 260
assert SETTINGS > RASTER_FROM_SETTINGS
assert 2 * FAILED > MAX_ROWS


@pytest.fixture(scope="module")
def large(tmp_path_factory: pytest.TempPathFactory) -> RunFolder:
    """Two models of 520 settings, every other one failed."""
    chance = random.Random(1)

    def runs(level: float) -> list[Run]:
        found = []
        for number in range(SETTINGS):
            test = level * math.exp(chance.gauss(0, 0.4))
            failed = number % 2 == 1
            values = [(2 * test, 2.1 * test), (test, 1.05 * test)]
            found.append(Run(values[:1], "diverged", "nan") if failed else Run(values))
        return found

    folder = build(
        tmp_path_factory.mktemp("large") / "run", {"ns_gan": runs(60.0), "vae": runs(75.0)}
    )
    write_report(folder)
    return folder


def test_every_setting_is_drawn_in_a_small_file(large):
    svg = (large.path / "report" / "figures" / "fashion_mnist-distribution.svg").read_text()
    assert len(svg) < 200_000
    assert "<image" in svg
    # Besides the ticks: two stars and two rings of the authors' and the chosen settings.
    assert len(re.findall("<use ", svg)) < 40


def test_failures_are_counted_all_and_listed_in_part(large):
    page = (large.path / "report" / "index.html").read_text()
    assert (
        f"The first {MAX_ROWS} of {2 * FAILED} are shown, equally many of each model; all are in "
        "tables/failures.csv."
    ) in page
    listed = re.findall(r'<td class="words">diverged</td>', page)
    assert len(listed) == MAX_ROWS
    assert f"{2 * FAILED} of {2 * (SETTINGS - 1):,} runs of random settings failed" in page
    assert len(rows(large, "failures")) == 2 * FAILED


def test_the_page_says_what_was_computed_in_another_way(large, reported):
    page = (large.path / "report" / "index.html").read_text()
    assert "with more than 200 settings of a model some numbers are approximated" in page
    small = (reported.path / "report" / "index.html").read_text()
    assert "computed in another way" not in small
    budgets = {int(row["settings"]) for row in rows(large, "ranks")}
    assert (len(budgets), max(budgets)) == (100, (SETTINGS - 1) // 2)


def rows(folder: RunFolder, name: str) -> list[dict[str, str]]:
    path: Path = folder.path / "report" / "tables" / f"{name}.csv"
    with path.open() as file:
        return list(csv.DictReader(file))
