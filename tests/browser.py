"""Pages in headless Chromium, for tests that click, hover and look. Skipped where there is none."""

import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

NAMES = ("chromium", "chromium-browser", "google-chrome")
VARIABLE = "COEQUAL_CHROMIUM"  # the path of another one
WIDTHS = (400, 1280, 1920)

Visit = Callable[..., "Page"]


@pytest.fixture(scope="module")
def browser() -> Iterator["Browser"]:
    """Chromium without a window. It lives for one module of tests, because `asyncio.run` raises in
    the thread of a running Playwright, and other modules may call it."""
    found = os.environ.get(VARIABLE) or next(filter(None, map(shutil.which, NAMES)), None)
    if found is None:
        pytest.skip(f"no Chromium here (none of {', '.join(NAMES)}, and no {VARIABLE})")
    playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    with playwright.sync_playwright() as started:
        launched = started.chromium.launch(executable_path=found)
        yield launched
        launched.close()


@pytest.fixture
def visit(browser: "Browser") -> Iterator[Visit]:
    """Opens pages. The test fails if one of them writes an error to the console, raises one, or
    asks for something that it doesn't get.

    The call takes `page` (a file or an address), `width` and `height` of the window in pixels,
    `dark` for the dark colour scheme, `scripts=False` for a browser without JavaScript, and further
    options of Playwright's `Browser.new_context`.
    """
    errors: list[str] = []
    contexts = []

    def open_page(
        page: Path | str,
        *,
        width: int = 1280,
        height: int = 900,
        dark: bool = False,
        scripts: bool = True,
        **options: object,
    ) -> "Page":
        context = browser.new_context(
            viewport={"width": width, "height": height},
            color_scheme="dark" if dark else "light",
            java_script_enabled=scripts,
            **options,
        )
        contexts.append(context)
        opened = context.new_page()
        opened.set_default_timeout(5000)
        opened.on("console", lambda said: errors.append(said.text) if said.type == "error" else 0)
        opened.on("pageerror", lambda error: errors.append(str(error)))
        opened.on("requestfailed", lambda asked: errors.append(f"no answer from {asked.url}"))
        opened.goto(page.resolve().as_uri() if isinstance(page, Path) else page)
        return opened

    yield open_page
    for context in contexts:
        context.close()
    assert errors == []
