"""Write every kind of page from the published results, and take pictures of them in a browser.

`make pages` writes runs/pages/: the published results with their reports, a training, scores, and
`shots/` with each page at three widths, light and dark. With --docs the small pictures of
docs/images/pages are made anew.
"""

import shutil
import subprocess
import sys
from argparse import ArgumentParser, Namespace
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from PIL import Image
from playwright.sync_api import Browser, sync_playwright

from coequal.results.archived_trials import unpack_trials
from coequal.results.folder import RunFolder
from coequal.results.results_csv import write_tables

HERE = Path(__file__).resolve().parents[1]
COMMAND = str(Path(sys.executable).with_name("coequal"))
PUBLISHED = HERE / "docs" / "results"
PICTURES = HERE / "docs" / "images" / "pages"
SIZES = {400: 800, 1280: 900, 1920: 1080}  # of the window, in pixels
SCHEMES = ("light", "dark")
SHOWN = ((1280, "light"), (400, "dark"))  # what docs have of each page
SHOWN_WIDTH = 800  # of a picture in docs, in pixels, at the most
COLOURS = 128  # of a picture in docs


def main() -> None:
    """See above."""
    given = arguments()
    out = given.out
    out.mkdir(parents=True, exist_ok=True)
    pages = {name: page.resolve().as_uri() for name, page in written(out).items()}
    with served(out) as address, browser() as chromium:
        pages["serve"] = address
        pages["two_trials"] = two_trials(address, out / "one_hour")
        for name, page in pages.items():
            if given.only and name not in given.only:
                continue
            for width, height in SIZES.items():
                for scheme in SCHEMES:
                    shot = out / "shots" / f"{name}-{width}-{scheme}.png"
                    tall = photograph(chromium, page, shot, width, height, scheme)
                    print(f"{name}: {width} px {scheme}, {tall:,} px tall, {shot}", flush=True)
                    if given.docs and (width, scheme) in SHOWN:
                        smaller(shot, PICTURES / shot.name)


def written(out: Path) -> dict[str, Path]:
    """Every page that is a file, by a short name; what is there already is made again, but for the
    trainings."""
    pages = {
        place.name: study(place, out / place.name)
        for place in sorted(PUBLISHED.iterdir())
        if place.is_dir()
    }
    scores = []
    for model, place in (("ns_gan", out / "training"), ("vae", out / "training_vae")):
        coequal("train", model, "--data", "fashion_mnist", "--steps", "1000", "--out", place)
        scores.append(out / f"score_{model}.html")
        coequal(
            *("score", "--real", "fashion_mnist:test", "--fake", f"{place}:{model}"),
            *("--samples", "2500", "--page", scores[-1]),
            *("--out", scores[-1].with_suffix(".json")),
        )
    compared = out / "compare.html"
    coequal("compare", *(page.with_suffix(".json") for page in scores), "--page", compared)
    known = out / "manifold"
    coequal(
        *("manifold", "--real", "triangles:test", "--fake", "squares:test", "--no-train"),
        *("--count", "256", "--out", known),
    )
    return pages | {
        "training": out / "training" / "index.html",
        "score": scores[0],
        "compare": compared,
        "manifold": known / "index.html",
    }


def two_trials(address: str, run: Path) -> str:
    """The address of the comparison of two trials of a run that kept samples."""
    a, b = sorted(place.parent.name for place in run.glob("trials/*/*/samples"))[:2]
    return f"{address}{run.name}/compare?a={a}&b={b}"


def study(published: Path, place: Path) -> Path:
    """The report of a published result, whose trials are unpacked into a run's folder."""
    shutil.rmtree(place, ignore_errors=True)
    unpack_trials(published, place)
    write_tables(RunFolder(place))
    coequal("report", place)
    return place / "report" / "index.html"


def coequal(*words: object) -> None:
    """Run the command."""
    print("coequal", *words, flush=True)
    command = [COMMAND, *map(str, words)]
    subprocess.run(command, check=True)


@contextmanager
def served(out: Path) -> Iterator[str]:
    """The address at which `coequal serve` shows the folder."""
    command = [COMMAND, "serve", str(out), "--port", "0"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        try:
            yield process.stdout.readline().split()[-1]
        finally:
            process.terminate()


@contextmanager
def browser() -> Iterator[Browser]:
    """The machine's Chromium."""
    program = shutil.which("chromium") or shutil.which("google-chrome")
    if program is None:
        raise SystemExit("no chromium on PATH; on Debian: apt-get install chromium")
    with sync_playwright() as playwright:
        opened = playwright.chromium.launch(executable_path=program, args=["--no-sandbox"])
        yield opened
        opened.close()


def photograph(
    chromium: Browser, page: str, shot: Path, width: int, height: int, scheme: str
) -> int:
    """Save the first screen of a page, and the whole of it beside; the page's height in pixels.

    Raises:
        SystemExit: the page has an error in its script, or is wider than the window.
    """
    tab = chromium.new_page(viewport={"width": width, "height": height}, color_scheme=scheme)
    errors: list[str] = []
    tab.on("pageerror", lambda error: errors.append(str(error)))
    tab.goto(page)
    tab.wait_for_timeout(200)
    wide, tall = tab.evaluate(
        "() => [document.documentElement.scrollWidth, document.documentElement.scrollHeight]"
    )
    tab.screenshot(path=shot)
    tab.screenshot(path=shot.with_name(f"{shot.stem}-whole.png"), full_page=True)
    tab.close()
    if errors or wide > width:
        raise SystemExit(f"{page} at {width} px: {'; '.join(errors) or f'{wide} px wide'}")
    return int(tall)


def smaller(shot: Path, picture: Path) -> None:
    """Save a screenshot for the docs: no wider than `SHOWN_WIDTH`, in few colours."""
    with Image.open(shot) as full:
        image = full.convert("RGB")
    if image.width > SHOWN_WIDTH:
        height = round(image.height * SHOWN_WIDTH / image.width)
        image = image.resize((SHOWN_WIDTH, height), Image.Resampling.LANCZOS)
    picture.parent.mkdir(parents=True, exist_ok=True)
    # By coverage, as the median cut leaves pages that are mostly grey no other colour.
    image.quantize(COLOURS, Image.Quantize.MAXCOVERAGE).save(picture, optimize=True)


def arguments() -> Namespace:
    """What is asked for."""
    parser = ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, default=Path("runs/pages"))
    parser.add_argument("--only", nargs="*", help="pictures of these pages alone")
    parser.add_argument("--docs", action="store_true", help="write docs/images/pages anew")
    return parser.parse_args()


if __name__ == "__main__":
    main()
