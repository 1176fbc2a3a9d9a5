"""What is answered at which address: the list, the pages of runs, their files."""

import math
import shutil
import time
from dataclasses import replace

import pytest

from coequal import api
from coequal.files import write_json
from coequal.reporting.page import write_report
from coequal.results.folder import RunFolder
from coequal.results.result_file import write_result
from coequal.serve.live_page import LivePage
from coequal.serve.run_list import RunRow, select_rows
from coequal.serve.state import RunState, Watched, read_state

from fabricated_run import NS_GAN, VAE, Run, build, made, written


def contents(folder):
    """Every file with its bytes and the time of its last change."""
    return {
        path.relative_to(folder): (path.read_bytes(), path.stat().st_mtime_ns)
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


@pytest.fixture(scope="module")
def many(tmp_path_factory):
    """A folder with runs at several depths, and things that are none."""
    root = tmp_path_factory.mktemp("many")
    build(root / "one", {"ns_gan": NS_GAN, "vae": VAE}, study="one", question="Which one?")
    waiting = build(root / "group" / "two", {"wgan": (NS_GAN[0], None)}, study="two")
    write_report(waiting)
    (root / "broken").mkdir()
    (root / "broken" / "study.json").write_text("{")
    (root / "foreign").mkdir()
    (root / "foreign" / "a.txt").write_text("hello")
    return root


@pytest.fixture(scope="module")
def visitor(open_site, many):
    return open_site(many)


def test_the_list_shows_each_run_with_its_question_progress_and_verdict(visitor):
    text = visitor.get("/").text
    assert "2 runs" in text
    assert "Which one?" in text
    assert "8 of 8" in text
    assert "1 of 2" in text
    assert "Only WGAN has results, so there is nothing to compare it with." in text  # its report's
    assert 'href="/group/two/"' in text


def test_what_is_broken_or_foreign_is_named_and_not_a_traceback(visitor):
    text = visitor.get("/").text
    assert "none has a study.json" in text
    assert "study.json can&#39;t be read" in text
    answer = visitor.get("/broken/")
    assert answer.status_code == 500
    assert "can&#39;t be read" in answer.text
    assert "Traceback" not in answer.text


def test_a_search_is_a_form_without_scripts(visitor):
    found = visitor.get("/?q=WGAN").text  # a model's title
    assert "1 of 2 runs" in found
    assert "Which one?" not in found
    assert 'value="WGAN"' in found
    nothing = visitor.get("/?q=nobody").text
    assert "No run has “nobody”" in nothing


def row(name, changed, share, words=""):
    nothing = {"to": "", "question": "", "progress": "", "counts": "", "verdict": ""}
    return RunRow(
        address=name, study=name, share=share, busy=False, changed=changed, words=words, **nothing
    )


def test_rows_are_found_by_every_word_and_sorted_by_a_column():
    rows = [row("b", 2.0, 0.5, "x y"), row("a", 3.0, None, "y"), row("c", 1.0, 1.0, "x z")]
    order = {
        "study": "abc",
        "-study": "cba",
        "progress": "abc",  # one that is not known comes first
        "-progress": "cba",
        "changed": "cba",
        "-changed": "abc",
        "nonsense": "abc",  # as by default: what has changed last comes first
    }
    for sort, names in order.items():
        assert "".join(found.study for found in select_rows(rows, "", sort)) == names
    assert [found.study for found in select_rows(rows, "x Y", "study")] == ["b"]


def test_the_list_is_sorted_by_links(visitor):
    text = visitor.get("/?sort=study&q=o").text
    assert text.index(">one</a>") < text.index(">two</a>")
    assert 'href="/?sort=-study&amp;q=o"' in text
    turned = visitor.get("/?sort=-study").text
    assert turned.index(">two</a>") < turned.index(">one</a>")


def test_a_run_leads_to_the_page_that_report_writes(visitor, many, tmp_path):
    assert visitor.get("/one").headers["location"] == "/one/"
    assert visitor.get("/one/").headers["location"] == "/one/report/"
    answer = visitor.page("/one/report/")
    assert answer.status_code == 200
    write_report(RunFolder(many / "one"), into=tmp_path / "r")
    page = (tmp_path / "r" / "index.html").read_text()
    for part in page.partition("<body>")[2].partition("</body>")[0].split("\n"):
        assert part in answer.text
    assert "8 of 8 trials ended, 5 of them failed, the run is over." in answer.text


def test_files_that_the_page_links_to_are_there_and_no_others(visitor, many):
    run = RunFolder(many / "one")
    visitor.page("/one/report/")
    figure = visitor.get("/one/report/figures/fashion_mnist-distribution.svg")
    assert figure.status_code == 200
    assert figure.headers["content-type"] == "image/svg+xml"
    assert "sandbox" in figure.headers["content-security-policy"]
    table = visitor.get("/one/report/tables/verdict.csv")
    assert table.status_code == 200
    assert table.headers["content-type"].startswith("text/plain")
    (trial, *_) = run.planned()
    log = run.trial_folder(trial) / "log.txt"
    log.write_text("begins\n")
    address = f"/one/trials/{trial[:2]}/{trial}"
    assert visitor.get(f"{address}/log.txt").text == "begins\n"
    for hidden in (
        *(f"{address}/result.json", f"{address}/", f"/one/trials/{trial[:2]}", "/one/study.json"),
        *("/one/report/figures/", "/one/report/figures", "/one/references/fashion_mnist.npy"),
        *("/foreign/a.txt", "/foreign/", "/one/.lock", "/one/plan.json"),
    ):
        assert visitor.get(hidden).status_code == 404


@pytest.mark.parametrize(
    "path",
    [
        "/one/report/../../../foreign/a.txt",
        "/one/report/..%2f..%2f..%2fforeign/a.txt",
        "/one/report/%2e%2e/%2e%2e/study.json",
        "/one/report//etc/passwd",
        "/one/report/%2fetc/passwd",
        "/one/../foreign/a.txt",
        "/../foreign/a.txt",
        "/one/trials/../../foreign/log.txt",
        "/one/report/figures/..%5c..%5cverdict.json",
        "/one/report/figures/%00",
    ],
)
def test_no_address_leads_out_of_a_run(visitor, path):
    visitor.page("/one/report/")
    answer = visitor.get(path)
    assert answer.status_code in (404, 307)
    assert "hello" not in answer.text


def test_a_link_in_a_run_leads_nowhere_else(open_site, tmp_path):
    run = build(tmp_path / "run", {"ns_gan": NS_GAN})
    secret = tmp_path / "secret.txt"
    secret.write_text("secret")
    (trial, *_) = run.planned()
    (run.trial_folder(trial) / "log.txt").symlink_to(secret)
    (run.path / "results.csv").symlink_to(secret)
    visitor = open_site(run.path)
    assert visitor.get(f"/run/trials/{trial[:2]}/{trial}/log.txt").status_code == 404
    assert visitor.get("/run/results.csv").status_code == 404


def test_serving_a_run_writes_nothing_into_it(open_site, finished):
    before = contents(finished.path)
    visitor = open_site(finished.path)
    assert visitor.get("/").headers["location"] == "/one/"
    visitor.page("/one/report/")
    visitor.get("/one/version?page=report")
    assert contents(finished.path) == before


def test_a_coordinator_may_begin_while_a_run_is_served(open_site, finished):
    visitor = open_site(finished.path)
    visitor.page("/one/report/")
    with finished.lock():
        time.sleep(1.6)
        assert "running" in visitor.get("/one/version?page=report").json()["state"]
    time.sleep(1.6)
    assert "the run is over" in visitor.get("/one/version?page=report").json()["state"]


def test_a_new_result_makes_another_page_and_the_end_stops_asking(open_site, tmp_path, monkeypatch):
    monkeypatch.setattr("coequal.serve.state.PAUSE_SECONDS", 0.0)
    monkeypatch.setattr("coequal.serve.state.PATIENCE", 0)
    monkeypatch.setattr("coequal.serve.live_page.PAUSE_SECONDS", 0.0)
    monkeypatch.setattr("coequal.serve.live_page.SHARE", 0)
    whole = made({"ns_gan": NS_GAN[:2], "vae": (Run([(70, 71)]), Run([(80, 81)]))})
    last = list(whole.results)[-1]
    result = whole.results.pop(last)
    run = written(tmp_path / "run", whole)
    visitor = open_site(run.path)
    text = visitor.page("/run/report/").text
    assert "3 of 4 trials ended, it is not running now." in text
    assert "Not finished." in text
    first = visitor.get("/run/version?page=report").json()
    assert f'data-version="{first["version"]}"' in text
    assert first["next"] is not None
    write_result(run.trial_folder(last), result)
    for _ in range(300):
        now = visitor.get("/run/version?page=report").json()
        if now["version"] != first["version"]:
            break
        time.sleep(0.1)
    assert now["version"] != first["version"]
    assert "4 of 4 trials ended, the run is over." in now["state"]
    assert now["next"] is None
    assert "Not finished." not in visitor.get("/run/report/").text


def test_a_result_that_cannot_be_read_is_said_and_the_last_page_stays(
    open_site, tmp_path, monkeypatch
):
    monkeypatch.setattr("coequal.serve.state.PAUSE_SECONDS", 0.0)
    monkeypatch.setattr("coequal.serve.state.PATIENCE", 0)
    monkeypatch.setattr("coequal.serve.live_page.PAUSE_SECONDS", 0.0)
    monkeypatch.setattr("coequal.serve.live_page.SHARE", 0)
    run = build(tmp_path / "run", {"ns_gan": (*NS_GAN[:2], None)})
    visitor = open_site(run.path)
    visitor.page("/run/report/")
    (trial, *_) = run.planned()
    (run.trial_folder(trial) / "result.json").write_text("{}")
    for _ in range(100):
        state = visitor.get("/run/version?page=report").json()["state"]
        if "could not be rendered again" in state:
            break
        time.sleep(0.1)
    assert "The page could not be rendered again" in state
    assert "is not a result" in state
    assert "NS GAN" in visitor.get("/run/report/").text


def test_a_pack_is_served_like_its_run(open_site, tmp_path):
    run = build(tmp_path / "mine", {"ns_gan": NS_GAN}, study="mine")
    write_report(run)
    (tmp_path / "packs").mkdir()
    api.pack(run.path, tmp_path / "packs" / "mine.zip")
    visitor = open_site(tmp_path / "packs")
    listed = visitor.get("/").text
    assert "a pack" in listed
    assert "Only NS GAN has results" in listed
    assert "NS GAN" in visitor.page("/mine.zip/report/").text
    shutil.rmtree(run.path)
    assert visitor.get("/mine.zip/report/").status_code == 200


def state(version):
    return RunState(1, 0, 0, (), False, version, 0.0)


def test_one_page_is_rendered_at_a_time_and_again_only_after_a_pause(tmp_path):
    rendered = []

    def render(place):
        rendered.append(place)
        (place / "file.txt").write_text(str(len(rendered)))
        time.sleep(0.05)
        return f"page {len(rendered)}"

    page = LivePage(render, tmp_path)
    page.follow(state("a"))
    page.follow(state("b"))  # one is being rendered
    page.wait(10)
    assert page.rendered.html == "page 1"
    assert page.current(state("a"))
    page.follow(state("a"))  # nothing is new
    page.follow(state("b"))  # and for a moment nothing is rendered
    page.wait(10)
    assert len(rendered) == 1
    page._ended = -math.inf
    page.follow(state("b"))
    page.wait(10)
    assert page.rendered.html == "page 2"
    assert [path.name for path in tmp_path.iterdir()] == ["2"]


def test_the_last_state_of_a_run_does_not_wait_for_long(tmp_path, monkeypatch):
    monkeypatch.setattr("coequal.serve.live_page.PAUSE_SECONDS", 0.0)
    monkeypatch.setattr("coequal.serve.live_page.SHARE", 10**6)
    page = LivePage(lambda place: time.sleep(0.01) or "page", tmp_path)
    page.follow(state("a"))
    page.wait(10)
    page.follow(state("b"))
    page.wait(10)
    assert page.rendered.version == "a"
    page.follow(replace(state("b"), done=1))
    page.wait(10)
    assert page.rendered.version == "b"


def test_the_version_of_a_run_changes_with_its_results_and_not_with_its_progress(tmp_path):
    run = build(tmp_path / "run", {"ns_gan": (NS_GAN[0], None)})
    first = read_state(run)
    assert (first.planned, first.ended, first.over) == (2, 1, False)
    waiting = next(trial for trial in run.plan() if run.result(trial.id) is None)
    place = run.trial_folder(waiting.id)
    with run.lock():
        write_json(place / "progress.json", {"share": 0.5, "text": "step 3", "verdict": ""})
        write_json(place / "trial.json", waiting.as_dict())
        busy = read_state(run)
    assert busy.version == first.version
    assert [row["text"] for row in busy.running] == ["step 3"]


def test_a_run_that_is_over_is_not_counted_again_until_something_changes(tmp_path, monkeypatch):
    monkeypatch.setattr("coequal.serve.state.PAUSE_SECONDS", 0.0)
    monkeypatch.setattr("coequal.serve.state.PATIENCE", 0)
    run = build(tmp_path / "run", {"ns_gan": NS_GAN[:1]})
    watched = Watched(lambda: run)
    first = watched.state()
    assert first.over
    assert watched.state() is first
    write_json(run.path / "references.json", {})
    assert watched.state().version != first.version
    with run.lock():
        assert watched.state().busy
