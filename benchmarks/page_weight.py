"""How heavy is the page of a large study, and how long does a browser take to open and scroll it?
A made-up study (see `synthetic_run`) of 5 datasets x 12 models x 100 settings, by default."""

import os
import time
from argparse import ArgumentParser, Namespace
from datetime import UTC, datetime
from pathlib import Path
from shutil import which
from statistics import median
from tempfile import TemporaryDirectory

from playwright.sync_api import Browser, sync_playwright

from coequal.reporting.page import write_report
from coequal.results.folder import RunFolder

from synthetic_run import DATA, MODELS, Size, generate

SCROLLED = """
() => new Promise((done) => {
  const start = performance.now();
  let frames = 0, at = 0;
  const step = () => {
    frames += 1;
    at += innerHeight;
    scrollTo(0, at);
    if (at < document.documentElement.scrollHeight) requestAnimationFrame(step);
    else done([performance.now() - start, frames, document.documentElement.scrollHeight]);
  };
  requestAnimationFrame(step);
})
"""
"""Scrolls to the end by one screen a frame."""


def main() -> None:
    given = arguments()
    print(f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC, {os.cpu_count()} cores")
    print(f"load average at the start: {os.getloadavg()[0]:.1f}\n")
    with TemporaryDirectory(prefix="coequal-page-") as place:
        path = given.run or Path(place) / "run"
        if not (path / "study.json").exists():
            generate(path, size(given))
        begun = time.perf_counter()
        page = write_report(RunFolder(path))
        print(f"{size(given).trials:,} trials; page written in {time.perf_counter() - begun:.0f} s")
        print(f"index.html: {page.stat().st_size / 1e6:.2f} MB")
        browse(page, given.rounds)


def browse(page: Path, rounds: int) -> None:
    """Open and scroll the page in the machine's Chromium; medians over the rounds."""
    program = which("chromium") or which("chromium-browser") or which("google-chrome")
    if program is None:
        raise SystemExit("no chromium on PATH")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=["--no-sandbox"])
        for width, height in ((1280, 900), (400, 800)):
            times = [one_visit(browser, page, width, height) for _ in range(rounds)]
            opened, scrolled, frames, tall = (median(values) for values in zip(*times, strict=True))
            print(
                f"{width} px: opened in {opened:.2f} s, {tall:,.0f} px scrolled to the end in "
                f"{scrolled:.2f} s ({frames:.0f} frames); both {opened + scrolled:.2f} s"
            )
        browser.close()


def one_visit(
    browser: Browser, page: Path, width: int, height: int
) -> tuple[float, float, float, float]:
    """Seconds to open (load and the first frame after it) and to scroll, frames, and height."""
    tab = browser.new_page(viewport={"width": width, "height": height})
    begun = time.perf_counter()
    tab.goto(page.resolve().as_uri())
    tab.evaluate("() => new Promise((done) => requestAnimationFrame(() => done(0)))")
    opened = time.perf_counter() - begun
    milliseconds, frames, tall = tab.evaluate(SCROLLED)
    tab.close()
    return opened, milliseconds / 1000, frames, tall


def size(given: Namespace) -> Size:
    """What is asked for."""
    return Size(
        settings=given.settings,
        checkpoints=5,
        metrics=4,
        data=DATA[: given.data],
        models=MODELS[: given.models],
        images=24,
    )


def arguments() -> Namespace:
    parser = ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=int, default=5)
    parser.add_argument("--models", type=int, default=12)
    parser.add_argument("--settings", type=int, default=100)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--run", type=Path, help="keep the made-up run here, or take that one")
    return parser.parse_args()


if __name__ == "__main__":
    main()
