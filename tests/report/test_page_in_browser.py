"""The report's page in a browser."""

from pathlib import Path

import pytest

from coequal.results.folder import RunFolder

from browser import WIDTHS, Visit


def page_of(folder: RunFolder) -> Path:
    return folder.path / "report" / "index.html"


@pytest.mark.parametrize("dark", [False, True])
@pytest.mark.parametrize("width", WIDTHS)
def test_the_page_does_not_scroll_sideways(
    everything: RunFolder, visit: Visit, width: int, dark: bool
):
    page = visit(page_of(everything), width=width, dark=dark)
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    assert page.locator("main svg").count() > 5
