"""The site's content: its runs, and what is answered at which address."""

import mimetypes
import tempfile
import time
from pathlib import Path
from threading import Lock
from typing import Any
from urllib.parse import quote

from markupsafe import Markup
from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response

from coequal.serve.comparison_page import comparison_page
from coequal.serve.live_page import LivePage
from coequal.serve.places import MAX_FOLDERS, find_runs
from coequal.serve.progress_text import state_text
from coequal.serve.rendering import Bar, message, page_response, render, with_bar
from coequal.serve.run import PageKind, ServedRun
from coequal.serve.run_list import DEFAULT_SORT, RunRow, columns, run_row, select_rows
from coequal.serve.state import RunState
from coequal.serve.unreadable import Unreadable

LOOK_SECONDS = 3.0  # between two searches for runs, or so many times as long as one took:
PATIENCE = 10
FIRST_WAIT_SECONDS = 2.0  # that a first request waits for its page
AGAIN_SECONDS = 2  # after which an open page asks again,
QUIET_SECONDS = 10  # and if nobody works on the run,
LIST_SECONDS = 5  # and the list of runs
PLAIN_TEXT = (".csv", ".md", ".tex", ".bib", ".json")


class Site:
    """The runs of a folder, and the pages about them. Used by many threads at once.

    Args:
        root: the served folder, run or pack; an absolute path.

    Raises:
        FileNotFoundError, ValueError: there is nothing to serve.
    """

    def __init__(self, root: Path) -> None:
        self.root, self.places = root, find_runs(root)
        self._scratch = tempfile.TemporaryDirectory(prefix="coequal-", ignore_cleanup_errors=True)
        self._lock, self._next_look = Lock(), 0.0
        self._runs: dict[str, ServedRun] = {}
        self._begun = f"{time.time():.0f}"

    def close(self) -> None:
        """Delete everything that was rendered or unpacked."""
        for run in self._runs.values():
            run.close()
        self._scratch.cleanup()

    @property
    def single(self) -> ServedRun | None:
        """The only run, if the site serves a run itself."""
        one = list(self.places.runs.values()) == [self.root]
        return self.runs()[0] if one else None

    def runs(self) -> list[ServedRun]:
        """Every run, looked for again every few seconds."""
        with self._lock:
            begun = time.monotonic()
            if begun >= self._next_look:
                self.places, now = find_runs(self.root), time.monotonic()
                self._next_look = now + max(LOOK_SECONDS, PATIENCE * (now - begun))
            for address, path in self.places.runs.items():
                if address not in self._runs:
                    scratch = Path(self._scratch.name) / str(len(self._runs))
                    self._runs[address] = ServedRun(address, path, scratch)
            return [self._runs[address] for address in self.places.runs]

    def run_at(self, path: str) -> tuple[ServedRun, str] | None:
        """The run that an address belongs to, and the rest of the address; None if there is none.

        Args:
            path: an address without its first slash.
        """
        for run in self.runs():
            if path == run.address or path.startswith(f"{run.address}/"):
                return run, path[len(run.address) :]
        return None

    # ------------------------------------------------------------------------------ the answers

    def answer(self, request: Request) -> Response:
        """Answer a request."""
        path = request.path_params["path"]
        try:
            if not path:
                single = self.single
                return RedirectResponse(_to(single)) if single else self._list(request)
            if path == "favicon.ico":
                return Response(status_code=204)
            if path == "version":
                return JSONResponse(self._list_state(request))
            found = self.run_at(path)
            if found is None:
                return message(f"There is nothing at /{path}", "This folder has no such run.", 404)
            return self._of_run(*found, request)
        except Unreadable as error:
            return message("This cannot be shown", str(error), 500)

    def _of_run(self, run: ServedRun, rest: str, request: Request) -> Response:
        if rest == "":
            return RedirectResponse(_to(run))
        state = run.state()
        training = run.is_training(state)
        if rest == "/":
            return (
                self._page(run, "training", state)
                if training
                else RedirectResponse(f"{_to(run)}report/")
            )
        if rest in ("/report/", "/report/index.html"):
            return self._page(run, "report", state)
        if rest == "/version":
            asked: PageKind = (
                "training" if request.query_params.get("page") == "training" else "report"
            )
            return JSONResponse(self._page_state(run.page(asked), state))
        if rest == "/compare":
            return self._compare(run, request)
        path = run.file(rest.strip("/").split("/"))
        if path is None:
            return message(
                "There is nothing here", f"No page of {run.address} links to {rest}.", 404
            )
        return file_response(path)

    def _page(self, run: ServedRun, kind: PageKind, state: RunState) -> Response:
        """A page of a run as it was rendered last; a page that waits for it before the first."""
        page = run.page(kind)
        page.follow(state)
        if page.rendered is None:
            page.wait(FIRST_WAIT_SECONDS)
        bar = self._bar(run, kind, state, page)
        if page.rendered is None:
            html = render(
                "waiting.html.jinja",
                title=run.address,
                heading="The page is being rendered",
                text=page.problem or "It appears as soon as it is ready.",
            )
        else:
            html = page.rendered.html
        return page_response(with_bar(html, bar))

    def _compare(self, run: ServedRun, request: Request) -> Response:
        """Two trials of a run side by side, or the form that chooses them."""
        a, b = (request.query_params.get(name, "").strip() for name in ("a", "b"))
        html = comparison_page(run, a, b)
        links = {} if self.single else {"all runs": "/"}
        bar = Bar("", "", None, Markup(""), {**links, "this run": _to(run)})
        return page_response(with_bar(html, bar))

    def _bar(self, run: ServedRun, kind: PageKind, state: RunState, page: LivePage) -> Bar:
        links = {} if self.single else {"all runs": "/"}
        if state.planned > 1:
            links["compare two trials"] = f"{_to(run)}compare"
        if kind == "report" and run.is_training(state):
            links["this training"] = _to(run)
        elif kind == "training":
            links["the full report"] = f"{_to(run)}report/"
        asked = self._page_state(page, state)
        address = f"{_to(run)}version?page={kind}"
        return Bar(asked["version"], address, asked["next"], Markup(asked["state"]), links)

    def _page_state(self, page: LivePage, state: RunState) -> dict[str, Any]:
        """What the script of an open page asks for: the version of the page, the text of its bar,
        and after how many seconds to ask again."""
        page.follow(state)
        number = page.rendered.number if page.rendered else 0
        soon = state.busy or not page.current(state)
        again = AGAIN_SECONDS if soon else None if state.over else QUIET_SECONDS
        return {
            "version": f"{self._begun}-{number}" if number else "",
            "state": render("state.html.jinja", run=state_text(state, page)),
            "next": again,
        }

    # -------------------------------------------------------------------------------- the list

    def _rows(self) -> tuple[list[RunRow], list[tuple[str, str]]]:
        """The rows of all runs, and what is not shown with the reason."""
        rows, refused = [], list(self.places.refused.items())
        for run in self.runs():
            try:
                rows.append(run_row(run))
            except Unreadable as error:
                refused.append((run.address, str(error)))
        return rows, refused

    def _list(self, request: Request) -> Response:
        query = request.query_params.get("q", "").strip()
        sort = request.query_params.get("sort", DEFAULT_SORT)
        rows, refused = self._rows()
        shown = select_rows(rows, query, sort)
        heading = f"{len(shown)} of {len(rows)} runs" if query else f"{len(rows)} runs"
        html = render(
            "runs.html.jinja",
            title=self.root.name or str(self.root),
            heading=heading if len(rows) != 1 or query else "1 run",
            rows=shown,
            columns=columns(query, sort),
            query=query,
            sort=sort,
            default_sort=DEFAULT_SORT,
            refused=refused,
            complete=self.places.complete,
            limit=MAX_FOLDERS,
        )
        asked = self._list_state(request, rows)
        bar = Bar(asked["version"], "/version", LIST_SECONDS, Markup(asked["state"]), {})
        return page_response(with_bar(html, bar))

    def _list_state(self, request: Request, rows: list[RunRow] | None = None) -> dict[str, Any]:
        rows = self._rows()[0] if rows is None else rows
        known = [(row.address, row.progress, row.counts, row.verdict) for row in rows]
        busy = sum(row.busy for row in rows)
        text = "None of them is running." if not busy else f"{busy} of them running now."
        state = {"busy": busy > 0, "progress": text, "now": (), "problems": ()}
        return {
            "version": f"{self._begun}-{hash(tuple(known))}",
            "state": render("state.html.jinja", run=state),
            "next": LIST_SECONDS,
        }


def _to(run: ServedRun) -> str:
    """The address of a run."""
    return f"/{quote(run.address)}/"


def file_response(path: Path) -> Response:
    """A file that a page links to; it may be written to at this moment, so it is read whole."""
    kind = mimetypes.guess_type(path.name)[0] or "application/octet-stream"
    if path.suffix in (".txt", *PLAIN_TEXT):
        kind = "text/plain; charset=utf-8"
    return Response(path.read_bytes(), media_type=kind)
