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
BRIGHTEST = {1: 100, 2: 105, 3: 160, 4: 102}  # of the pictures of a seed
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


def number_in(pattern: str, text: str) -> float:
    found = re.search(pattern, text)
    assert found, pattern
    return float(found[1].replace(",", "").replace("−", "-"))


@pytest.fixture(scope="module")
def folders(tmp_path_factory) -> Path:
    place = tmp_path_factory.mktemp("pictures")
    folder(place / "real", 120, 1)
    folder(place / "one", 60, 2, "<i>{}&amp;")
    folder(place / "two", 60, 3)
    folder(place / "three", 60, 4)
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
        value = number_in(r'<div class="value"><div>([-−\d.,]+)', row)
        assert one["standard_error"] > 0
        assert value == pytest.approx(one["value"], abs=one["standard_error"])
        real = found["floor"]["metrics"][name]
        told = number_in(r"[Rr]eal data:? ([-−\d.,]*\d)", row)
        assert told == pytest.approx(real["value"], abs=real["standard_error"])
    # The interval of precision is Wilson's own, and stands beside its value.
    low, high = found["metrics"]["precision"]["interval"]
    shown = re.search(r"95 %: ([\d.]+) to ([\d.]+)", rows[2])
    assert [float(shown[1]), float(shown[2])] == pytest.approx([low, high], abs=0.001)


def test_images_take_room_below_their_heading(folders, tmp_path):
    path = tmp_path / "page.html"
    coequal.score(real=folders / "real", fake=folders / "one", encoder="pixels", page=path)
    text = read(path)
    assert '<div class="pictures' in text
    # The drawings that figures share stand outside the flow, in an SVG; images do not.
    assert re.findall(r"^(\S*)\.pictures \{[^}]*position: absolute", text, re.MULTILINE) == ["svg"]


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
        fake={name: folders / name for name in ("one", "two", "three")},
        encoder="pixels",
        page=path,
    )
    text = read(path)
    rows = re.findall(r'<li class="metric">(.*?)</li>', text, re.DOTALL)
    first = next(iter(found["pairs"][0]["metrics"]))
    assert rows[0].count('<div class="value">') == 1
    assert rows[0].count("<div><span") == 3
    table = text.partition('id="differences"')[2].partition('id="how"')[0]
    assert found["pairs"][0]["metrics"][first]["shown"] == "first"
    assert "one is better" in table
    assert "Holm&#39;s correction over all pairs of generators" in table
    assert "FD: " in text
    assert "not shown to be worse than any other" in text
    assert text.count('class="near pixelated"') >= 3


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


@pytest.fixture(scope="module")
def saved(tmp_path_factory) -> Path:
    place = tmp_path_factory.mktemp("saved")
    kinds = {"near": FAKE - 0.4, "far": FAKE + 3, "few": FAKE[:100]}
    for name, fake in kinds.items():
        found = coequal.score(real=REAL, fake=fake, floor=True)
        (place / f"{name}.json").write_text(json.dumps(found))
    return place


def test_saved_scores_are_compared_in_words(saved, tmp_path):
    path = tmp_path / "page.html"
    found = coequal.compare([saved / f"{name}.json" for name in ("near", "far")], page=path)
    (pair,) = found["pairs"]
    assert pair["metrics"]["fd"]["shown"] == "first"
    text = read(path)
    assert "near is better in FD, " in text
    assert "near is better</td>" in text
    assert text.count('<li class="metric">') == len(pair["metrics"])  # both on one line
    assert record_of(text)["pairs"] == found["pairs"]


def test_scores_that_were_measured_otherwise_have_a_line_of_their_own_and_the_reason(
    saved, tmp_path
):
    path = tmp_path / "page.html"
    names = ("near", "far", "few")
    found = coequal.compare([saved / f"{name}.json" for name in names], page=path)
    refused = [pair for pair in found["pairs"] if "refusal" in pair]
    assert [(one["first"], one["second"]) for one in refused] == [("near", "few"), ("far", "few")]
    text = read(path)
    assert "near and few are not comparable." in text
    assert "number of fake images: 120 and 100" in text
    assert "2 of 3 pairs are not comparable." in text
    assert text.count('<li class="metric">') == 2 * len(found["pairs"][0]["metrics"])
    with pytest.raises(ValueError, match="near and few: not comparable"):
        coequal.compare([saved / "near.json", saved / "few.json"], page=path)
    assert "near and few are not comparable." in read(path)


def test_p_values_of_more_than_two_saved_scores_are_corrected(saved, tmp_path):
    other = tmp_path / "other.json"
    other.write_text(json.dumps(coequal.score(real=REAL, fake=FAKE + 0.1)))
    found = coequal.compare([saved / "near.json", saved / "far.json", other])
    values = sorted(pair["metrics"]["fd"]["p_value"] for pair in found["pairs"])
    corrected = sorted(pair["metrics"]["fd"]["p_corrected"] for pair in found["pairs"])
    # Holm: the smallest of three times 3, the next times 2, the last as it is, and never less than
    # one before it.
    assert corrected[0] == pytest.approx(min(1, 3 * values[0]))
    assert corrected[2] == pytest.approx(min(1, max(3 * values[0], 2 * values[1], values[2])))


@pytest.mark.parametrize("dark", [False, True])
@pytest.mark.parametrize("width", [400, 1280])
def test_no_page_scrolls_sideways_and_the_first_screen_has_the_answer(visit, pages, width, dark):
    for path in pages:
        page = visit(path, width=width, dark=dark)
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        places = page.evaluate(
            "['.missing', '.verdict', '.metric'].map(name => document.querySelector(name))"
            ".filter(found => found).map(found => found.getBoundingClientRect().top)"
        )
        assert places == sorted(places)  # warnings first
        assert places[-1] < 800
        beyond = page.evaluate("""
            [...document.querySelectorAll('.line .point')].filter(point => {
              const [box, line] = [point, point.parentElement].map(e => e.getBoundingClientRect());
              return box.left < line.left || box.right > line.right;
            }).length""")
        assert beyond == 0


@pytest.fixture(scope="module")
def pages(folders, saved, tmp_path_factory) -> list[Path]:
    place = tmp_path_factory.mktemp("pages")
    real = folders / "real"
    one = place / "one.html"
    coequal.score(real=real, fake=folders / "one", encoder="pixels", page=one)
    several = place / "several.html"
    fakes = {name: folders / name for name in ("one", "two", "three")}
    coequal.score(real=real, fake=fakes, encoder="pixels", page=several)
    compared = place / "compared.html"
    coequal.compare([saved / "near.json", saved / "far.json"], page=compared)
    return [one, several, compared]


def test_what_a_generator_draws_has_no_command_and_the_record_says_how(tmp_path):
    path = tmp_path / "page.html"
    images = np.random.default_rng(5).integers(0, 100, (80, 1, 4, 4), dtype=np.uint8)
    coequal.score(
        real=images[:40],
        fake=lambda n: images[40 : 40 + n],
        samples=40,
        page=path,
        encoder="pixels",
    )
    text = read(path)
    assert "The images came from Python, so no command line reproduces this" in text
    assert len(re.findall('alt="generated image ', text)) > 0
