"""The page of a score: every number of the record, for every kind of input, in one file."""

import html
import json
import re
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import coequal

RNG = np.random.default_rng(0)
REAL = RNG.standard_normal((120, 6)).astype(np.float32)
FAKE = RNG.standard_normal((120, 6)).astype(np.float32) + 0.5
BRIGHTEST = {1: 100, 2: 105, 3: 160}  # of the pictures of a seed
VOID = {"meta", "img", "link", "br", "path", "use", "input"}


class Page(HTMLParser):
    """Reads a page, and fails where an element is closed that is not open."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.addresses: list[str] = []
        self.feed(text)
        assert not self.open

    def handle_starttag(self, tag, attrs):
        if tag not in VOID:
            self.open.append(tag)
        self.addresses += [value for key, value in attrs if key in ("src", "href") and value]

    def handle_startendtag(self, tag, attrs):
        pass

    def handle_endtag(self, tag):
        if tag not in VOID:
            assert self.open.pop() == tag


def read(path: Path) -> str:
    text = path.read_text(encoding="utf-8")
    page = Page(text)
    assert all(one.startswith(("data:image/png", "#")) for one in page.addresses)
    assert "http" not in re.sub(r'(xmlns(:\w+)?|rdf:\w+)="[^"]*"', "", text)
    return text


def folder(path: Path, count: int, seed: int, name: str = "{}") -> Path:
    path.mkdir()
    rng = np.random.default_rng(seed)
    for index in range(count):
        pixels = rng.integers(0, BRIGHTEST[seed], (4, 4, 3), dtype=np.uint8)
        Image.fromarray(pixels).save(path / f"{name.format(index)}.png")
    return path


def record_of(text: str) -> dict:
    found = re.search(r'<pre id="json">(.*?)</pre>', text, re.DOTALL)
    assert found
    return json.loads(html.unescape(found[1]))


@pytest.fixture(scope="module")
def folders(tmp_path_factory) -> Path:
    place = tmp_path_factory.mktemp("pictures")
    folder(place / "real", 120, 1)
    folder(place / "one", 60, 2, "<i>{}&amp;")
    folder(place / "two", 60, 3)
    return place


def test_a_page_has_every_number_with_its_interval_and_both_ends(folders, tmp_path):
    path = tmp_path / "page.html"
    found = coequal.score(
        real=folders / "real",
        fake=folders / "one",
        metrics=["fd", "precision", "density"],
        encoder="pixels",
        page=path,
    )
    text = read(path)
    assert {**found, "date": 0, "seconds": 0} == {**record_of(text), "date": 0, "seconds": 0}
    assert found["floor"]["noise"].keys() == found["metrics"].keys()
    rows = re.findall(r'<li class="metric">(.*?)</li>', text, re.DOTALL)
    assert len(rows) == len(found["metrics"])
    for row, (name, one) in zip(rows, found["metrics"].items(), strict=True):
        value = float(re.search(r'<div class="value"><div>([-\d.,]+)', row)[1].replace(",", ""))
        assert one["standard_error"] > 0
        assert value == pytest.approx(one["value"], abs=one["standard_error"])
        real = found["floor"]["metrics"][name]
        told = float(re.search(r"real data ([-\d.,]+)|Real data: ([-\d.,]+)", row)[1])
        assert told == pytest.approx(real["value"], abs=real["standard_error"])
    # The interval of precision is Wilson's own, and stands beside its value.
    low, high = found["metrics"]["precision"]["interval"]
    shown = re.search(r"95 %: ([\d.]+) to ([\d.]+)", rows[2])
    assert [float(shown[1]), float(shown[2])] == pytest.approx([low, high], abs=0.001)


def test_names_of_files_are_text_and_not_markup(folders, tmp_path):
    path = tmp_path / "page.html"
    coequal.score(real=folders / "real", fake=folders / "one", encoder="pixels", page=path)
    text = read(path)
    assert "<i>" not in text.replace('<i class="', "")
    assert "&lt;i&gt;" in text
    assert "&amp;amp;.png" in text


def test_the_same_scores_give_the_same_bytes(folders, tmp_path):
    pages = []
    for turn in range(2):
        path = tmp_path / f"{turn}" / "page.html"
        path.parent.mkdir()
        coequal.score(real=folders / "real", fake=folders / "one", encoder="pixels", page=path)
        pages.append(path.read_bytes().replace(str(path).encode(), b""))
    assert pages[0] == pages[1]


def test_several_sets_stand_side_by_side_with_corrected_p_values(folders, tmp_path):
    path = tmp_path / "page.html"
    found = coequal.score(
        real=folders / "real",
        fake={"one": folders / "one", "two": folders / "two"},
        encoder="pixels",
        page=path,
    )
    text = read(path)
    rows = re.findall(r'<li class="metric">(.*?)</li>', text, re.DOTALL)
    first = next(iter(found["pairs"][0]["metrics"]))
    assert rows[0].count('<div class="value">') == 1
    assert rows[0].count("<div><span") == 2
    table = text.partition('id="differences"')[2].partition('id="how"')[0]
    assert found["pairs"][0]["metrics"][first]["shown"] == "first"
    assert "one is better" in table
    assert "Holm&#39;s correction over all pairs of generators" in table
    assert text.count('class="near pixelated"') >= 2


@pytest.mark.parametrize("kind", ["features", "statistics", "real statistics"])
def test_what_can_not_be_shown_is_said(kind, tmp_path):
    path, stats = tmp_path / "page.html", tmp_path / "stats.npz"
    np.savez(stats, mu=REAL.mean(0), sigma=np.cov(REAL.T))
    real = REAL if kind == "features" else stats
    found = coequal.score(real=real, fake=stats if kind == "statistics" else FAKE, page=path)
    text = read(path)
    assert "<img" not in text
    if kind == "features":
        assert "What noise scores needs images; features were given." in text
        assert "noise" not in found["floor"]
        assert "curve" in found["page"]
    else:
        assert "floor" not in found
        assert "What real data and noise score needs real images or features." in text


def test_a_page_is_refused_before_anything_is_measured(tmp_path):
    with pytest.raises(ValueError, match=r"a page is a \.html, not page\.pdf"):
        coequal.score(real="gone", fake=FAKE, page=tmp_path / "page.pdf")
    (tmp_path / "file").write_text("")
    with pytest.raises(NotADirectoryError):
        coequal.score(real="gone", fake=FAKE, page=tmp_path / "file" / "page.html")
