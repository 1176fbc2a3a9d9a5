"""How a reader finds the way on the page: contents, headings with links, what is folded."""

import re
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import pytest

from coequal.analysis.summary import summarise
from coequal.reporting.caveats_text import protocols
from coequal.reporting.glossary import glossed
from coequal.reporting.page import write_report
from coequal.results.folder import RunFolder

from browser import Visit, browser, visit
from fabricated_run import NS_GAN, Run, build

__all__ = ["browser", "visit"]  # fixtures


class Outline(HTMLParser):
    """Collects the ids of headings and of what is folded, links of the contents and permalinks."""

    def __init__(self, page: Path) -> None:
        super().__init__()
        self.inside: list[str] = []  # the classes of the elements that are open
        self.contents: list[str] = []
        self.permalinks: list[str] = []
        self.pieces: list[tuple[str, bool]] = []  # the id of each, and whether it is unfolded
        self.open = False
        self.feed(page.read_text())

    def handle_starttag(self, tag, attrs):
        known = dict(attrs)
        style = known.get("class") or ""
        if tag == "nav":
            self.inside.append(style)
        if tag == "a" and "contents" in self.inside:
            self.contents.append(known["href"][1:])
        if style == "permalink":
            assert known["aria-label"].startswith("Link to: ")
            self.permalinks.append(known["href"][1:])
        if tag == "details":
            self.open = "open" in known
        if style == "inside":
            self.pieces.append((known["id"], self.open))

    def handle_endtag(self, tag):
        if tag == "nav":
            self.inside.pop()


def page_of(folder: RunFolder) -> Path:
    return folder.path / "report" / "index.html"


def test_the_contents_list_every_piece_and_every_heading(everything: RunFolder):
    page = page_of(everything)
    outline = Outline(page)
    ids = re.findall(r' id="([^"]*)"', page.read_text())
    assert set(outline.contents) <= set(ids)
    assert len(outline.contents) == len(set(outline.contents)) > 40  # on two datasets
    pieces = {piece for piece, _ in outline.pieces}
    assert {"digits-distribution", "fashion_mnist-pairs", "all-transfer"} <= pieces
    assert pieces <= set(outline.contents)
    # Each piece and each second heading has a link of its own.
    headings = set(re.findall(r'(?:<h2 id="|<section [^>]*id=")([^"]*)"', page.read_text()))
    assert page.read_text().count("<h2") == len(headings) > 10
    assert pieces | headings <= set(outline.permalinks)


def test_what_answers_the_question_is_unfolded(everything: RunFolder):
    unfolded = {piece for piece, unfolded in Outline(page_of(everything)).pieces if unfolded}
    assert {"fashion_mnist-matrix", "fashion_mnist-best_and_reruns"} <= unfolded
    assert {"fashion_mnist-pairs", "fashion_mnist-ranks"}.isdisjoint(unfolded)


def test_long_reading_help_is_folded(everything: RunFolder):
    text = page_of(everything).read_text()
    captions = re.findall(r'id="[^"]*">\s*<p class="read">(.*?)</p>', text, flags=re.DOTALL)
    assert len(captions) > 40
    plain = [re.sub("<[^>]*>", "", caption) for caption in captions]
    assert [caption for caption in plain if caption[-1] != "." or len(caption) > 250] == []
    assert text.count("<summary>How to read this</summary>") > 20


@pytest.mark.parametrize("scripts", [True, False])
def test_a_link_unfolds_what_it_points_into(everything: RunFolder, visit: Visit, scripts: bool):
    expect = pytest.importorskip("playwright.sync_api").expect
    page = visit(page_of(everything), scripts=scripts)
    place = page.locator("#digits-ranks")  # folded, in a dataset that is folded
    assert not place.is_visible()
    page.goto(page_of(everything).resolve().as_uri() + "#digits-ranks")
    place.wait_for(state="visible")
    expect(page.locator("summary", has_text="Rank against budget").last).to_be_in_viewport()


def test_the_contents_stand_at_the_side_or_folded_at_the_top(everything: RunFolder, visit: Visit):
    wide = visit(page_of(everything), width=1280)
    link = wide.locator(".contents a[href='#fashion_mnist-pairs']")
    assert link.is_visible()
    link.click()
    wide.wait_for_selector(".contents a[href='#fashion_mnist-pairs'][aria-current]")
    narrow = visit(page_of(everything), width=400)
    link = narrow.locator(".contents a[href='#fashion_mnist-pairs']")
    assert not link.is_visible()
    narrow.locator(".contents > details > summary").click()
    assert link.is_visible()


def test_everything_is_unfolded_for_print(everything: RunFolder, visit: Visit):
    page = visit(page_of(everything), scripts=False)
    hidden = page.locator("#digits-ranks svg")
    assert not hidden.is_visible()
    assert page.locator(".contents").is_visible()
    page.emulate_media(media="print")
    assert hidden.is_visible()
    assert not page.locator(".contents").is_visible()


def test_a_piece_with_nothing_to_show_is_one_line(tmp_path: Path):
    runs = {"ns_gan": [NS_GAN[0]], "vae": [Run([(50, 50)])]}
    text = write_report(build(tmp_path / "run", runs)).read_text()
    assert text.count("None of the 2 trials of the search failed.") == 1


def test_words_are_links_to_the_glossary_at_their_first_use():
    text = glossed("The cap & the IQM of 3 settings; the cap of a re-run, a pre-setting.")
    assert text == (
        'The <a class="word" href="#word-cap">cap</a> &amp; the '
        '<a class="word" href="#word-iqm">IQM</a> of 3 '
        '<a class="word" href="#word-setting">settings</a>; the cap of a '
        '<a class="word" href="#word-re-run">re-run</a>, a pre-setting.'
    )


def test_a_protocol_stands_once_with_what_it_holds_for(everything: RunFolder):
    summary = summarise(everything)[0]
    one = {
        "fd": {"test": "p", "validation": "q"},
        "f1": {"test": "p"},
        "x": {"test": "p", "y": "q"},
    }
    assert protocols(replace(summary, protocols=one)) == [
        ("FD, F1 and x on test", "p"),
        ("FD on validation; x on y", "q"),
    ]


def test_a_figure_says_in_numbers_what_it_shows(reported: RunFolder):
    page = page_of(reported).read_text()
    labels = re.findall(r'<div class="chart" role="img" aria-label="([^"]*)"', page)
    # Random settings of NS GAN: 35, one that failed, and 30. All of VAE's failed.
    assert (
        "Distribution of FD over settings: NS GAN median 35, chosen 35, 1 of 3 failed; "
        "VAE all 4 failed."
    ) in labels
    assert all(re.search(r"\d", label) for label in labels if "Settings against" not in label)
