import io
import re
import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from coequal.analysis.summary import summarise
from coequal.reporting.image_grids import Row, sample_rows, sheet
from coequal.reporting.page import write_report
from coequal.reporting.style import COLOURS, ON_DARK, colour, marker, spread, wants_log
from coequal.results.folder import RunFolder

from fabricated_run import Run, build


class Reader(HTMLParser):
    """Collects ids and addresses, and checks that elements are closed."""

    VOID = frozenset({"meta", "img", "path", "use", "br", "rect", "line", "input"})

    def __init__(self) -> None:
        super().__init__()
        self.ids: list[str] = []
        self.addresses: list[str] = []
        self.files: list[str] = []
        self.tags: list[str] = []
        self.open: list[str] = []

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        if tag not in self.VOID:
            self.open.append(tag)
        for name, value in attrs:
            if name == "id":
                self.ids.append(value)
            if tag == "a" and name == "href" and not value.startswith("#"):
                self.files.append(value)
            elif name in {"src", "href", "xlink:href"}:
                self.addresses.append(value)

    def handle_startendtag(self, tag, attrs):
        self.handle_starttag(tag, attrs)
        if tag not in self.VOID:
            self.open.pop()

    def handle_endtag(self, tag):
        if tag not in self.VOID:
            assert self.open.pop() == tag


def read(page: Path) -> Reader:
    reader = Reader()
    reader.feed(page.read_text())
    assert reader.open == []
    return reader


def text_of(page: Path) -> str:
    return re.sub(r"\s+", " ", re.sub(r"<[^>]*>", " ", page.read_text()))


def page_of(folder: RunFolder) -> Path:
    return folder.path / "report" / "index.html"


def contents(folder: RunFolder) -> dict[str, bytes]:
    files = sorted((folder.path / "report").rglob("*"))
    return {str(path): path.read_bytes() for path in files if path.is_file()}


def test_the_same_results_give_the_same_bytes(everything: RunFolder):
    first = contents(everything)
    write_report(everything)
    assert contents(everything) == first
    names = {Path(name).name for name in first}
    assert {"index.html", "report.md", "fashion_mnist-distribution.svg"} <= names
    assert {"best_and_reruns.csv", "fashion_mnist-best_and_reruns.tex"} <= names
    assert not any(re.search(rb"20\d\d-\d\d-\d\d", found) for found in first.values())  # no date


def test_the_page_fetches_nothing(everything: RunFolder):
    page = page_of(everything)
    reader = read(page)
    assert all(address.startswith(("#", "data:image/png;")) for address in reader.addresses)
    assert not {"link", "iframe", "object", "embed"} & set(reader.tags)
    data = '<script type="application/json" id="trials">'
    assert set(re.findall(r"<script[^>]*>", page.read_text())) == {"<script>", data}  # our own
    assert not re.search(r"@import|url\((?!#)", page.read_text())
    assert not re.search(r"fetch\(|XMLHttpRequest|import\(", page.read_text())
    assert page.stat().st_size < 5e6


def test_ids_are_unique_and_references_have_a_target(everything: RunFolder):
    reader = read(page_of(everything))
    assert len(reader.ids) == len(set(reader.ids))
    targets = {address[1:] for address in reader.addresses if address.startswith("#")}
    assert targets <= set(reader.ids)


def test_every_file_beside_the_page_is_there_and_no_shown_table_lacks_its_own(
    everything: RunFolder,
):
    report = everything.path / "report"
    files = read(page_of(everything)).files
    assert all((report / file).is_file() for file in files)
    assert {str(path.relative_to(report)) for path in report.glob("tables/*.tex")} <= set(files)
    drawn = {str(path.relative_to(report)) for path in report.glob("figures/*.svg")}
    assert {file for file in drawn if "_narrow" not in file} <= set(files)  # copies for telephones
    assert {str(path.relative_to(report)) for path in report.glob("tables/*.csv")} == {
        file for file in files if file.endswith(".csv")
    }


def test_everything_is_escaped(tmp_path: Path):
    bad = "<script>alert('x')</script>"
    runs = {bad: [Run([(1, 1)]), Run(status="failed", reason=bad)]}
    folder = build(
        tmp_path / "run", runs, source=f"study: {bad}", study=bad, question=bad, protocol=bad
    )
    page = write_report(folder)
    assert read(page).tags.count("script") == 3
    assert "&lt;script&gt;alert(" in page.read_text()
    assert "\\u003cscript>alert(" in page.read_text()  # in the table of trials
    assert "<script>" not in (folder.path / "report" / "report.md").read_text()


def test_the_numbers_of_the_page(reported: RunFolder):
    text = text_of(page_of(reported))
    # Best after the search, failures and interval, oracle, and how far the chosen one is from it.
    assert "NS GAN 35 setting 1 1/3 6–79 % 30 5" in text
    assert "VAE failed 3/3 44–100 % – –" in text
    # Settings, chosen, last, best by validation, authors', median.
    assert "NS GAN 3 1 35 33 step 200 41 35" in text
    assert "VAE 3 – failed – diverged failed" in text
    assert "step 120: the loss is not finite" in text
    assert "BatchNorm mode for the measured images is &#39;running&#39;" in text
    assert "study: made_up # as written" in text


def test_an_unfinished_study_is_drawn_with_what_there_is(unfinished: RunFolder):
    page = write_report(unfinished)
    text = text_of(page)
    assert "Not finished. fashion_mnist: 3 of 8 trials of the search have results." in text
    # NS GAN: the authors' setting and one that was drawn; VAE: the authors'.
    assert (
        "No model has more than 1 drawn setting with a result; a curve over the number of settings "
        "needs 4."
    ) in text


def test_a_study_without_results_has_a_page(tmp_path: Path):
    page = write_report(build(tmp_path / "run", {"ns_gan": [None], "vae": [None]}))
    assert "0 of 2 trials of the search have results" in text_of(page)
    assert "<svg" not in page.read_text()


def test_a_study_in_which_everything_failed_has_a_page(tmp_path: Path):
    failed = Run(status="failed", reason="out of memory")
    page = write_report(build(tmp_path / "run", {"ns_gan": [failed, failed], "vae": [failed] * 2}))
    assert "out of memory" in text_of(page)
    assert "Over training" not in text_of(page)  # nothing to draw


def test_every_data_set_has_a_section(everything: RunFolder):
    page = page_of(everything)
    assert {"fashion_mnist", "digits"} <= set(read(page).ids)
    assert (everything.path / "report" / "figures" / "digits-distribution.pdf").exists()
    assert page.read_text().count('<details class="more">') == 1  # the first one is open


def test_real_images_come_first_then_the_chosen_settings(small: RunFolder):
    rows = sample_rows(small, summarise(small)[0])
    assert [row.title for row in rows] == ["Real images", "NS GAN"]
    chosen = summarise(small)[0].models[0].chosen
    assert chosen is not None
    kept = small.samples(chosen.trial, 300)
    assert kept is not None
    np.testing.assert_array_equal(rows[1].images, kept[:16])


@pytest.mark.parametrize(("channels", "mode"), [(1, "L"), (3, "RGB")])
def test_images_keep_their_pixels(channels: int, mode: str):
    images = np.zeros((2, channels, 28, 28), dtype=np.uint8)
    images[1, :, 0, 0] = 200
    row = Row("a", "b", images)
    assert row.strip.mode == mode
    assert row.strip.size == ((28 + 1 + 28) * 3, 28 * 3)  # a gap of one pixel, three times as large
    pixels = np.asarray(row.strip).reshape(84, 171, -1)
    assert (pixels[:3, 87:90] == 200).all()  # the second image starts at (28 + 1) * 3
    assert (pixels[:3, 90:] == 0).all()


def test_large_images_are_made_smaller_for_the_page():
    row = Row("a", "b", np.zeros((2, 3, 128, 128), dtype=np.uint8))
    assert row.strip.height == 64


def test_the_sheet_holds_all_rows():
    rows = [Row("a", "b", np.full((2, 1, 28, 28), level, dtype=np.uint8)) for level in (10, 250)]
    picture = Image.open(io.BytesIO(sheet(rows)))
    assert picture.size == (210 + 57 * 2 + 8, 2 * (56 + 6) + 6)


def test_figures_follow_the_page_from_light_to_dark(everything: RunFolder):
    page = page_of(everything).read_text()
    svg = "".join(re.findall(r"<svg.*?</svg>", page, flags=re.DOTALL))
    # Every colour of a figure is one of the page's variables, which the dark page sets anew.
    assert not re.search(r"#[0-9a-f]{6}", svg)
    used = set(re.findall(r"var\(--([a-z0-9]+)\)", svg))
    dark = page[page.index("prefers-color-scheme: dark") :][:1200]
    assert {"ink", "card", "m0", "m1"} <= used
    assert all(f"--{name}:" in dark for name in used)
    assert len(set(ON_DARK)) == len(COLOURS)
    figures = everything.path / "report" / "figures"
    kept = (figures / "fashion_mnist-distribution.svg").read_text()
    assert "var(--" not in kept  # a file stands alone


def test_every_table_can_be_sorted_and_read_without_it(everything: RunFolder):
    page = page_of(everything).read_text()
    tables = re.findall(r"<table\b.*?</table>", page, flags=re.DOTALL)
    assert len(tables) > 5
    assert all("<thead><tr><th" in table and "<tbody>" in table for table in tables)
    # 45.99 is sorted by what it is, not by its letters.
    assert re.search(r'data-sort="\d+\.\d{6,}"', page)


def test_labels_are_moved_apart_and_no_further():
    assert spread([0.1, 0.9], 0.1, 0, 1) == [0.1, 0.9]
    # Two at 0.5 move by half a gap each; order and the third are kept.
    assert spread([0.5, 0.5, 0.9], 0.1, 0, 1) == pytest.approx([0.45, 0.55, 0.9])
    assert spread([1.0, 1.0], 0.1, 0, 1) == pytest.approx([0.9, 1.0])
    assert spread([0.0, 0.0], 0.1, 0, 1) == pytest.approx([0.0, 0.1])


def test_a_logarithmic_axis_needs_positive_values_far_apart():
    assert wants_log([10, 80])
    assert not wants_log([10, 79])
    assert not wants_log([-1, 100])
    assert not wants_log([])


def test_a_model_keeps_its_look_and_no_two_share_one():
    looks = {(colour(index), marker(index)) for index in range(40)}
    assert len(looks) == 40
    assert colour(0) == COLOURS[0]


def test_the_report_needs_no_torch():
    modules = "coequal.reporting.page, coequal.reporting.terminal"
    code = f"import sys, {modules}; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
