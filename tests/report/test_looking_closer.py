"""The page in a browser: hover, keyboard, touch, highlight, filter, samples, sorting."""

import io
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from coequal.reporting.page import write_report
from coequal.results.folder import RunFolder

from browser import WIDTHS, Visit
from fabricated_run import NS_GAN, Run, build

CHART = "#fashion_mnist-distribution .chart"


def page_of(folder: RunFolder) -> Path:
    return folder.path / "report" / "index.html"


@pytest.fixture(scope="module")
def pair(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """NS GAN with a failure, a VAE, and three fresh seeds of NS GAN's setting 1."""
    vae = [Run([(70 + k, 72 + k), (66 + k, 67 + k)]) for k in range(9)]
    again = {("ns_gan", "fashion_mnist", 1): [Run([(30, value)]) for value in (33, 36, 34)]}
    path = tmp_path_factory.mktemp("pair") / "run"
    runs = {"ns_gan": NS_GAN, "vae": vae}
    return write_report(build(path, runs, again=again, reruns={"best": 1, "seeds": 3}))


@pytest.fixture
def look(visit: Visit) -> Visit:
    """Opens a page with everything on it unfolded."""

    def unfolded(path: Path, **options):
        page = visit(path, **options)
        page.evaluate("for (const d of document.querySelectorAll('main details')) d.open = true")
        return page

    return unfolded


def dim(page, selector: str) -> list[bool]:
    """Whether each of these elements, or what holds it, is dimmed."""
    return page.eval_on_selector_all(selector, "(all) => all.map((e) => !!e.closest('.dim'))")


def row_of(page, model: str, setting: int) -> int:
    """The row of a setting's own run in the page's table of trials."""
    table = 'JSON.parse(document.getElementById("trials").textContent)'
    same = f"t.models[t.model[k]] === {model!r} && t.setting[k] === {setting} && !t.repeat[k]"
    return page.evaluate(
        f"(() => {{ const t = {table}; return t.id.length / 16 && "
        f"t.model.findIndex((_, k) => {same}); }})()"
    )


def dot(page, row: int):
    """Where the dot of a trial is in the figure of all settings, in pixels of the window."""
    return page.evaluate(
        """([chart, row]) => {
          for (const group of document.querySelectorAll(`${chart} [data-t]`)) {
            const rows = group.dataset.t.split(" ").flatMap((run) => {
              const [a, b = a] = run.split("-").map(Number);
              return Array.from({ length: b - a + 1 }, (_, k) => a + k);
            });
            const uses = group.querySelectorAll("use");
            if (!rows.includes(row) || uses.length !== rows.length) continue;
            const shape = uses[rows.indexOf(row)];
            shape.scrollIntoView({ block: "center", inline: "center", behavior: "instant" });
            const box = shape.getBoundingClientRect();
            return { x: box.x + box.width / 2, y: box.y + box.height / 2 };
          }
        }""",
        [CHART, row],
    )


def test_a_dot_tells_its_trial_when_the_pointer_is_on_it(pair: Path, look: Visit):
    page = look(pair)
    card = page.locator(".card")
    assert not card.is_visible()
    row = row_of(page, "NS GAN", 3)
    place = dot(page, row)
    page.mouse.move(place["x"] + 3, place["y"])
    text = card.inner_text()
    assert text.startswith("NS GAN")
    assert "setting 3" in text
    assert "test FD 30, validation 32" in text  # of its last checkpoint
    assert "learning rate" in text
    trial = next(
        t for t in RunFolder(pair.parent.parent).plan() if (t.model, t.setting) == ("ns_gan", 3)
    )
    assert f"trials/{trial.id[:2]}/{trial.id}/log.txt" in text
    # Its samples are in the page; it is emphasised in every figure that shows it.
    assert card.locator("img").count() == 1
    assert page.locator(".chart:has(.now)").count() > 1
    page.mouse.move(place["x"] + 300, place["y"] - 400)
    assert not card.is_visible()


def test_a_failure_says_what_happened_and_where_its_samples_lie(pair: Path, look: Visit):
    page = look(pair)
    place = dot(page, row_of(page, "NS GAN", 2))
    page.mouse.move(place["x"], place["y"])
    assert "diverged: step 120: the loss is not finite" in page.locator(".card").inner_text()


def test_figures_are_used_by_keyboard(pair: Path, look: Visit):
    page = look(pair)
    chart = page.locator(CHART)
    chart.focus()
    assert page.evaluate("getComputedStyle(document.activeElement).outlineStyle") == "solid"
    seen = []
    for _ in range(4):
        page.keyboard.press("ArrowRight")
        seen.append(page.locator(".said").inner_text())
    assert len(set(seen)) == 4  # every press goes on to another mark, which is read out
    page.keyboard.press("ArrowLeft")
    assert page.locator(".said").inner_text() == seen[2]
    page.keyboard.press("Enter")  # the card stays, and its button has the focus
    name = page.evaluate("document.activeElement.textContent")
    assert seen[2].startswith(name)
    page.keyboard.press("Enter")
    assert page.locator(".closer-state").inner_text() == name
    page.keyboard.press("Escape")
    assert not page.locator(".card").is_visible()
    assert chart.evaluate("(chart) => chart === document.activeElement")
    assert page.locator(".closer-state").inner_text() == name
    page.keyboard.press("Escape")
    page.wait_for_function("document.querySelector('.closer-state').textContent === ''")


def test_every_figure_is_one_tab_stop_with_a_name(pair: Path, look: Visit):
    page = look(pair)
    figures = page.locator("[role=application]")
    assert figures.count() > 4
    assert all(figure.get_attribute("aria-label") for figure in figures.all())
    assert page.locator("svg [tabindex]").count() == 0


def test_a_model_is_highlighted_in_all_figures_and_tables(pair: Path, look: Visit):
    page = look(pair)
    page.locator(".closer summary").click()
    page.get_by_role("button", name="VAE", exact=True).click()
    shown = page.eval_on_selector_all(
        "svg [data-m]", "(all) => all.map((e) => [e.dataset.m[0], e.classList.contains('dim')])"
    )
    assert {model for model, _ in shown} == {"0", "1"}
    assert all(hidden == (model == "0") for model, hidden in shown)
    rows = page.eval_on_selector_all(
        "tbody tr:has(> th[data-m])",
        "(all) => all.map((e) => [e.innerText, e.classList.contains('dim')])",
    )
    assert len(rows) > 4
    assert all(hidden == text.startswith("NS GAN") for text, hidden in rows)
    assert dim(page, ".samples div") == [False, True, False]  # real images, NS GAN, VAE
    assert page.locator(".closer-state").inner_text() == "VAE"
    page.keyboard.press("Escape")
    page.wait_for_function("!document.querySelector('.dim')")


def test_settings_are_filtered_by_value_and_outcome(pair: Path, look: Visit):
    page = look(pair)
    page.locator(".closer summary").click()
    page.get_by_label("outcome").select_option("diverged")
    # Of 4 settings of NS GAN, 9 of the VAE and three fresh seeds one diverged.
    assert page.locator(".closer-state").inner_text() == "1 of 16 runs"
    dots = dim(page, f"{CHART} [data-t] use")
    assert (len(dots), dots.count(False)) == (15, 1)  # thirteen, one ring each; its cross
    page.get_by_label("outcome").select_option("")
    rates = page.evaluate("JSON.parse(document.getElementById('trials').textContent).values.beta1")
    page.get_by_label("beta1 from").fill("0.5")
    page.get_by_label("beta1 to").fill("0.7")
    inside = sum(0.5 <= rate <= 0.7 for rate in rates)
    assert 0 < inside < 16
    assert page.locator(".closer-state").inner_text() == f"{inside} of 16 runs"
    page.get_by_label("batch norm").select_option("false")
    page.get_by_role("button", name="Clear all").click()
    page.wait_for_function("document.querySelector('.closer-state').textContent === ''")
    assert page.get_by_label("beta1 from").input_value() == ""


def test_samples_are_browsed_and_follow_the_highlight(pair: Path, look: Visit):
    page = look(pair)
    strip = page.locator('.browse figure[data-t]:has-text("Setting 1")').first
    assert strip.is_visible()
    assert strip.locator("img").evaluate("(image) => image.naturalWidth") == 8 * 28 + 7
    assert "step 300, test FD 35" in strip.inner_text()
    page.locator(".closer summary").click()
    page.get_by_role("button", name="VAE", exact=True).click()
    assert not strip.is_visible()


def test_figures_are_used_by_touch(pair: Path, look: Visit):
    page = look(pair, width=400, height=800, has_touch=True, is_mobile=True)
    place = dot(page, row_of(page, "NS GAN", 1))
    page.touchscreen.tap(place["x"], place["y"])
    box = page.locator(".card").bounding_box()
    assert box["x"] >= 0
    assert box["x"] + box["width"] <= 400
    page.locator(".card button").tap()
    assert page.locator(".closer-state").inner_text() == "NS GAN"
    page.touchscreen.tap(200, 5)
    assert not page.locator(".card").is_visible()


def test_a_table_is_sorted_by_click_and_key(pair: Path, look: Visit):
    page = look(pair)
    table = page.locator("table:has(tbody tr:nth-child(2))").first
    head = table.locator("thead th").first
    first = lambda: table.locator("tbody th").first.inner_text()  # noqa: E731
    head.click()
    assert head.get_attribute("aria-sort") == "ascending"
    before = first()
    head.press("Enter")
    assert head.get_attribute("aria-sort") == "descending"
    assert first() != before


def test_without_scripts_everything_is_there_and_nothing_that_needs_them(pair: Path, visit: Visit):
    page = visit(pair, scripts=False)
    assert not page.locator(".closer").is_visible()
    assert not page.locator(".card").is_visible()
    assert page.locator(CHART).is_visible()
    page.locator(".browse summary", has_text="NS GAN").click()
    assert page.locator(".browse figure[data-t]").first.is_visible()


def test_nothing_moves_for_those_who_want_it_so(pair: Path, look: Visit):
    get = f"getComputedStyle(document.querySelector('{CHART} use')).transitionDuration"
    assert look(pair).evaluate(get) == "0.12s"
    assert look(pair, reduced_motion="reduce").evaluate(get) == "0s"


def test_of_many_models_the_highlighted_have_a_colour(tmp_path: Path, look: Visit):
    runs = {f"m{k}": [Run([(9, 20 + k)])] for k in range(14)}
    page = look(write_report(build(tmp_path / "run", runs)))
    page.locator(".closer summary").click()
    shape = page.locator('.lead .wide [data-m^="5 "]').first
    muted = "(shape) => getComputedStyle(shape).getPropertyValue('--muted').trim()"
    before = shape.evaluate(muted)
    page.get_by_role("button", name="m5", exact=True).click()
    assert shape.evaluate(muted) == page.evaluate(
        "getComputedStyle(document.documentElement).getPropertyValue('--m0').trim()"
    )
    page.get_by_role("button", name="m5", exact=True).click()
    assert shape.evaluate(muted) == before


@pytest.mark.parametrize("dark", [False, True])
@pytest.mark.parametrize("width", WIDTHS)
def test_the_page_is_drawn(pair: Path, look: Visit, tmp_path: Path, width: int, dark: bool):
    page = look(pair, width=width, dark=dark)
    page.locator(".closer summary").click()
    page.get_by_role("button", name="VAE", exact=True).click()
    place = dot(page, row_of(page, "VAE", 1))
    page.mouse.move(place["x"], place["y"])
    assert page.locator(".card").is_visible()
    page.wait_for_timeout(150)  # dimming takes 0.12 s
    picture = page.screenshot(path=tmp_path / f"{width}-{'dark' if dark else 'light'}.png")
    pixels = np.asarray(Image.open(io.BytesIO(picture)).convert("L"), dtype=float)
    assert pixels.shape == (900, width)
    assert (pixels.mean() < 60) == dark
    assert pixels.std() > 10
    assert page.evaluate("document.documentElement.scrollWidth") <= width
