"""An open page follows its run, in headless Chromium."""

import threading
import time
from contextlib import contextmanager

import pytest
import uvicorn

from coequal.results.result_file import write_result
from coequal.serve.server import application, listen
from coequal.serve.site import Site

from fabricated_run import NS_GAN, Run, made, written


@contextmanager
def answering(root):
    """A real server; gives its address."""
    site = Site(root)
    with listen("127.0.0.1", 0) as listening:
        app = application(site, loopback=True, token=None, port=listening.port)
        config = uvicorn.Config(app, log_level="warning", lifespan="off")
        server = uvicorn.Server(config)
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listening.socket]})
        thread.start()
        try:
            yield listening.url(None)
        finally:
            server.should_exit = True
            thread.join()
            site.close()


@pytest.fixture
def growing(tmp_path, monkeypatch):
    """The address of a run that lacks one result, the run, and that result."""
    for name, value in (("state.PAUSE_SECONDS", 0.0), ("state.PATIENCE", 0)):
        monkeypatch.setattr(f"coequal.serve.{name}", value)
    for name, value in (("live_page.PAUSE_SECONDS", 0.0), ("live_page.SHARE", 0)):
        monkeypatch.setattr(f"coequal.serve.{name}", value)
    monkeypatch.setattr("coequal.serve.site.QUIET_SECONDS", 0.2)
    monkeypatch.setattr("coequal.serve.site.AGAIN_SECONDS", 0.2)
    runs = {"ns_gan": NS_GAN, "vae": (Run([(70, 71)]), Run([(80, 81)]), Run([(75, 76)]), NS_GAN[0])}
    whole = made(runs)
    result = whole.results.pop(list(whole.results)[-1])
    run = written(tmp_path / "run", whole)
    with answering(run.path) as address:
        yield address, run, result


def until_rendered(page):
    page.locator("#live:not([data-version=''])").wait_for(timeout=60_000)


def until_new(page):
    """Until the page shows all results. `wait_for_function` calls eval, which our pages forbid."""
    page.locator("text=Not finished.").wait_for(state="detached", timeout=60_000)
    page.locator("main footer, main h2").first.wait_for()


def add(run, result):
    write_result(run.trial_folder(result.trial.id), result)


def test_an_open_page_shows_a_new_result_where_the_reader_was(growing, visit):
    address, run, result = growing
    page = visit(f"{address}run/report/")
    until_rendered(page)
    assert "7 of 8 trials ended" in page.inner_text("#live")
    assert page.locator("text=Not finished.").count() == 1
    page.evaluate("document.querySelectorAll('details').forEach((d) => { d.open = true; })")
    name = page.locator("main details summary").first.inner_text()
    head = page.locator("main th.sortable:visible").nth(1)
    head.click()
    head.click()
    assert head.get_attribute("aria-sort") == "descending"
    page.get_by_role("button", name="VAE", exact=True).click()
    page.locator("[data-kind=is]").first.select_option("diverged")
    page.evaluate("document.activeElement.blur()")
    page.evaluate(
        "const mark = document.querySelectorAll('main h3')[3];"
        "scrollTo(0, scrollY + mark.getBoundingClientRect().top - 20)"
    )
    before = page.locator("main h3").nth(3)
    title, top = before.inner_text(), before.bounding_box()["y"]
    add(run, result)
    until_new(page)
    assert "8 of 8 trials ended" in page.inner_text("#live")
    found = page.get_by_role("heading", name=title, exact=True).first
    for _ in range(2):  # also after the browser's own restoring of a position is on again
        assert abs(found.bounding_box()["y"] - top) < 3
        page.wait_for_timeout(1200)
    opened = page.locator("main details", has=page.locator("summary", has_text=name)).first
    assert opened.evaluate("element => element.open")
    vae = page.get_by_role("button", name="VAE", exact=True)
    assert vae.get_attribute("aria-pressed") == "true"
    assert page.locator("[data-kind=is]").first.input_value() == "diverged"
    again = page.locator("main th.sortable:visible").nth(1)
    assert again.get_attribute("aria-sort") == "descending"
    assert page.locator("#live:not([data-next])").count() == 1  # it asks no more


def test_somebody_who_reads_a_selected_line_is_asked_first(growing, visit):
    address, run, result = growing
    page = visit(f"{address}run/report/")
    until_rendered(page)
    page.evaluate("getSelection().selectAllChildren(document.querySelector('main h1'))")
    add(run, result)
    offer = page.get_by_role("button", name="New results: show them")
    offer.wait_for(timeout=60_000)
    assert page.locator("text=Not finished.").count() == 1
    offer.click()
    until_new(page)


def test_without_scripts_a_page_is_whole(growing, visit):
    address, _, _ = growing
    page = visit(f"{address}run/report/", scripts=False)
    for _ in range(300):
        if page.locator("text=Not finished.").count():
            break
        time.sleep(0.2)
        page.reload()
    assert page.locator("main figure").count() > 3
    assert "7 of 8 trials ended" in page.inner_text("#live")


def test_a_server_that_has_stopped_is_said_and_the_page_stays(tmp_path, visit, monkeypatch):
    monkeypatch.setattr("coequal.serve.site.LIST_SECONDS", 0.2)
    written(tmp_path / "runs" / "one", made({"ns_gan": NS_GAN[:1]}))
    with answering(tmp_path / "runs") as address:
        page = visit(address)
        page.route("**/version*", lambda route: route.fulfill(body="no JSON"))
        page.locator("#live.gone").wait_for(timeout=10_000)
        assert "The server does not answer" in page.inner_text("#live")
        assert page.locator("main table").count() == 1
