"""What a study gives a paper: main table, figures, methods, references, and a document of all."""

import re
import shutil
from pathlib import Path

import pytest

from coequal import api
from coequal.analysis.summary import summarise
from coequal.reporting.paper.bibliography import Citations
from coequal.reporting.paper.main_table import main_tables
from coequal.reporting.paper.methods import methods
from coequal.reporting.paper.write import FIRST_LINE, write_paper
from coequal.results.archived_trials import unpack_trials
from coequal.results.folder import RunFolder

from fabricated_run import NS_GAN, VAE, Run, build, made, same, written
from typesetting import document, typeset

PUBLISHED = ("one_hour", "do_tricks_help", "how_good_is_my_gan", "triangles_one_hour")


def cells(folder: RunFolder) -> list[list[str]]:
    (table,) = main_tables(summarise(folder))
    return [[cell.text for cell in row] for row in table.table.rows]


def bold(folder: RunFolder) -> list[list[str]]:
    return [
        [row[0].text for row in table.table.rows if any(cell.strong for cell in row)]
        for table in main_tables(summarise(folder))
    ]


def caption(folder: RunFolder) -> str:
    return main_tables(summarise(folder))[0].caption


def apart(*bases: int, count: int = 20) -> dict[str, list[Run | None]]:
    """Models whose every random setting beats every one of the next; the authors' first."""
    names = ("ns_gan", "vae", "wgan")
    return {
        name: [Run([(base * (1 + k / 100), base * (1 + k / 100))]) for k in range(count + 1)]
        for name, base in zip(names, bases, strict=False)
    }


def test_bold_is_who_was_not_beaten(tmp_path: Path):
    folder = build(tmp_path / "run", apart(10, 100))
    assert [row[0] for row in cells(folder)] == ["NS GAN", "VAE"]
    assert bold(folder) == [["NS GAN"]]
    text = caption(folder)
    assert "Bold: not shown to be worse than another model (at 95 % jointly over 1 pair)" in text
    assert "Geometric mean for the best of 2 random settings" in text
    assert [row[2:] for row in cells(folder)] == [["20", "0/20"], ["20", "0/20"]]
    # Two models that no test separates share the bold, and it is said that this is not equality.
    close = build(tmp_path / "close", apart(10, 11, 100))
    assert bold(close) == [["NS GAN", "VAE"]] or bold(close) == [["NS GAN"]]


def test_nothing_decided_nothing_bold(tmp_path: Path):
    values = {"ns_gan": (20, 30, 40, 50, 60), "vae": (40, 50, 60, 20, 30)}
    runs = {name: [Run([(v[k % 5], v[k % 5])]) for k in range(21)] for name, v in values.items()}
    folder = build(tmp_path / "run", runs)
    assert bold(folder) == [[]]
    assert caption(folder).endswith(
        "No model was shown to be worse than another, so nothing is bold."
    )


def test_single_runs_have_their_own_error_and_no_verdict(tmp_path: Path):
    runs = {"ns_gan": [Run([(70, 72)], error=1.26)], "vae": [Run([(80, 83)], error=0.31)]}
    folder = build(tmp_path / "run", runs)
    assert cells(folder) == [
        ["NS GAN", "72.0 ± 1.3", "1", "0/1"],
        ["VAE", "83.00 ± 0.31", "1", "0/1"],
    ]
    assert bold(folder) == [[]]
    assert "Single runs cannot show a difference, so nothing is bold" in caption(folder)


def test_reruns_have_mean_and_standard_deviation(tmp_path: Path):
    # 40, 44: mean 42, sd 2.83; of ten, five of each: 2.108.
    fresh = {
        ("ns_gan", "fashion_mnist", 0): same(40, 5) + same(44, 5),
        ("vae", "fashion_mnist", 0): same(400, 5) + same(440, 5),
    }
    runs = {"ns_gan": same(41, 1), "vae": same(410, 1)}
    folder = build(tmp_path / "run", runs, again=fresh, reruns={"best": 1, "seeds": 10})
    assert cells(folder)[0] == ["NS GAN", "42.0 ± 2.1", "10", "0/10"]
    assert cells(folder)[1] == ["VAE", "420 ± 21", "10", "0/10"]
    assert bold(folder) == [["NS GAN"]]
    assert "Mean ± standard deviation over n runs of the chosen setting" in caption(folder)


def test_changes_have_a_table_for_each_base(tmp_path: Path):
    names = ("ns_gan", "better", "worse", "like")
    values = {"ns_gan": 100, "better": 50, "worse": 200, "like": 101}
    fresh = {
        (name, "fashion_mnist", 0): [Run([(v + k, v + k)]) for k in range(10)]
        for name, v in values.items()
    }
    run = made(
        {name: same(values[name], 1) for name in names},
        again=fresh,
        reruns={"best": 1, "seeds": 10, "base_seeds": 10},
    )
    for model in run.study["models"][1:]:
        model["against"] = "ns_gan"
    folder = written(tmp_path / "run", run)
    (table,) = main_tables(summarise(folder))
    assert table.name == "main-ns_gan"
    rows = [[cell.text for cell in row] for row in table.table.rows]
    assert [row[0] for row in rows] == ["better", "like", "worse†"]
    # Median ratios of 50 .. 59 and 200 .. 209 to 100 .. 109: about 0.52 and 1.96, and intervals
    # less than 10 % wide to each side.
    assert [row[1] for row in rows] == ["−47.9", "+1.0", "+95.7"]
    assert bold(folder) == [["better"]]
    assert "NS GAN (104.5 ± 3.0, mean ± standard deviation over 10 runs)" in table.caption
    assert table.caption.endswith("Bold: shown to be better. †: shown to be worse.")


def test_an_unfinished_study_says_so(unfinished: RunFolder, tmp_path: Path):
    assert caption(unfinished).startswith("Preliminary: 3 of 8 runs have ended.")
    study = unfinished.study()
    assert "The study is not finished" in methods(summarise(unfinished), study, Citations())
    place = write_paper(unfinished, into=tmp_path / "paper")
    assert typeset(place, "main", bibliography=True) == []


def test_a_study_without_results_gives_a_document(tmp_path: Path):
    folder = build(tmp_path / "run", {"ns_gan": [None, None], "vae": [None, None]})
    place = write_paper(folder)
    assert place == folder.path / "report" / "paper"
    assert typeset(place, "main", bibliography=True) == []


def test_data_sets_stand_side_by_side(everything: RunFolder, tmp_path: Path):
    (table,) = main_tables(summarise(everything))
    assert [(heading.text, heading.small) for heading in table.table.headings] == [
        ("Model", ""),
        ("test FD", "fashion_mnist"),
        ("failed", "fashion_mnist"),
        ("test FD", "digits"),
        ("failed", "digits"),
    ]
    assert " n = 11 everywhere." in table.caption
    place = write_paper(everything, into=tmp_path / "paper")
    assert typeset(place, "main", bibliography=True) == []
    tables = sorted((place / "tables").glob("*.tex"))
    assert len(tables) > 12
    assert typeset(tmp_path, document(tmp_path, tables)) == []


def test_the_same_results_give_the_same_bytes(small: RunFolder, tmp_path: Path):
    first, second = (write_paper(small, into=tmp_path / name) for name in ("a", "b"))
    names = sorted(path.relative_to(first) for path in first.rglob("*") if path.is_file())
    assert len(names) > 10
    for name in names:
        assert (first / name).read_bytes() == (second / name).read_bytes(), name


def test_another_folder_is_not_written_over(small: RunFolder, tmp_path: Path):
    place = tmp_path / "mine"
    place.mkdir()
    (place / "main.tex").write_text("\\documentclass{article}")
    with pytest.raises(FileExistsError, match="was not written by `coequal paper`"):
        api.paper(small.path, into=place)
    written = api.paper(small.path, into=tmp_path / "new")
    assert (written / "main.tex").read_text().startswith(FIRST_LINE)
    assert api.paper(small.path, into=written) == written


@pytest.mark.filterwarnings("ignore:Glyph")  # DejaVu Sans lacks it, in every figure
def test_hostile_names_are_set(tmp_path: Path):
    names = ["100 % \\real {GAN}_2", "ä & 漢 ~ $x$ #1 ^", "a" * 60]
    runs = {name: [*NS_GAN] if k else [*VAE] for k, name in enumerate(names)}
    folder = build(tmp_path / "run", runs, study="%_\\{漢}ä", question="Is {x} < 50 % of $y_1$?")
    place = write_paper(folder)
    assert typeset(place, "main", bibliography=True) == []
    assert "[U+6F22]" in (place / "table.tex").read_text()
    assert "source-" in (place / "references.bib").read_text()  # sources without a record


@pytest.fixture(scope="module", params=PUBLISHED)
def published(tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest) -> Path:
    """The paper of a published study."""
    source = request.config.rootpath / "docs" / "results" / request.param
    place = tmp_path_factory.mktemp("published") / request.param
    unpack_trials(source, place)
    shutil.rmtree(place / "report")
    return write_paper(RunFolder(place))


def test_the_paper_of_a_published_study_is_set(published: Path):
    assert typeset(published, "main", bibliography=True) == []


def test_every_table_of_a_published_study_fits_a_page(published: Path, tmp_path: Path):
    tables = sorted((published / "tables").glob("*.tex"))
    assert len(tables) >= 5
    assert typeset(tmp_path, document(tmp_path, tables)) == []


def test_the_main_table_of_a_published_study_fits_one_column(published: Path):
    text = (published / "table.tex").read_text()
    assert r"\begin{table}" in text
    assert r"\begin{table*}" not in text
    for row in re.findall(r"\\begin\{tabular\}(.*)", text):
        widths = [float(found) for found in re.findall(r"p\{([\d.]+)pt\}", row)]
        assert sum(widths) + 6 * (len(widths) - 1) <= 238.5


def test_everything_that_is_cited_has_a_record(published: Path):
    cited = re.findall(r"\\cite\{([^}]*)\}", (published / "methods.tex").read_text())
    keys = {key for found in cited for key in found.split(",")}
    entries = re.findall(r"^@\w+\{([^,]+),", (published / "references.bib").read_text(), re.M)
    assert keys == set(entries)
    assert not any(key.startswith("source-") for key in keys)
