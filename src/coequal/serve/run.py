"""One run of the site: its folder, its state and its pages."""

from collections.abc import Sequence
from contextlib import ExitStack
from functools import cached_property
from pathlib import Path
from threading import Lock
from typing import Any, Literal

from coequal.analysis.summary import summarise
from coequal.health import Health
from coequal.health.signals import Signals
from coequal.reporting.page import write_summaries
from coequal.reporting.trial_page.page import PAGE, read_run, training_page
from coequal.results.archived_trials import has_archived_trials
from coequal.results.folder import RunFolder
from coequal.results.pack import opened
from coequal.results.result_file import RESULT
from coequal.results.run_results import results_on_disk
from coequal.serve.live_page import LivePage
from coequal.serve.state import RunState, Watched, written_after
from coequal.serve.unreadable import readable

PageKind = Literal["report", "training"]

OWN_FILES = ("progress.gif", "samples.png", "results.csv")
"""Of the run's folder: what the page of a training links to."""


class ServedRun:
    """A run that the site shows.

    Args:
        address: its path below the served folder.
        path: of its folder or pack, absolute.
        scratch: a folder for what is rendered of it.

    Attributes:
        address: as given.
        path: as given.
    """

    def __init__(self, address: str, path: Path, scratch: Path) -> None:
        self.address, self.path, self._scratch = address, path, scratch
        self._lock, self._stack = Lock(), ExitStack()
        self._folder: RunFolder | None = None
        self._watched = Watched(self.folder)
        self._pages: dict[PageKind, LivePage] = {}

    @cached_property
    def closed(self) -> bool:
        """Whether it lies in a file that has to be unpacked: nothing of it changes any more."""
        return self.path.is_file() or has_archived_trials(self.path)

    @property
    def unpacked(self) -> bool:
        """Whether it has been opened."""
        return self._folder is not None

    def folder(self) -> RunFolder:
        """The run's folder; a pack is unpacked, once.

        Raises:
            OSError, ValueError: it is no run, or can't be read; the message says why.
        """
        with self._lock:
            if self._folder is None:
                self._folder = self._stack.enter_context(opened(self.path))
            return self._folder

    def study(self) -> dict[str, Any]:
        """The study with every default filled in.

        Raises:
            Unreadable: it can't be read.
        """
        with readable():
            return self.folder().study()

    def close(self) -> None:
        """Delete what was unpacked."""
        self._stack.close()

    def state(self) -> RunState:
        """How far the run is; see `coequal.serve.state.Watched`.

        Raises:
            Unreadable: that can't be read.
        """
        with readable():
            return self._watched.state()

    def is_training(self, state: RunState) -> bool:
        """Whether it is a training: one trial, whose budget counts discriminator steps."""
        if state.planned != 1:
            return False
        with readable():
            (trial,) = self.folder().plan()
        return "discriminator_steps" in (trial.training.get("budget") or {})

    def page(self, kind: PageKind) -> LivePage:
        """One of its pages."""
        with self._lock:
            if kind not in self._pages:
                render = self._report if kind == "report" else self._training
                self._pages[kind] = LivePage(render, self._scratch / kind)
            return self._pages[kind]

    def rendered_report(self) -> Path | None:
        """The folder of the report as it was rendered last; None before that."""
        page = self._pages.get("report")
        return page.rendered.place if page and page.rendered else None

    def _report(self, into: Path) -> str:
        """The page that `coequal report` writes, written beside the run."""
        folder = self.folder()
        summaries = summarise(folder, results=results_on_disk(folder))
        return write_summaries(folder, summaries, into).read_text(encoding="utf-8")

    def _training(self, into: Path) -> str:
        """The page that `coequal train` has written at its end; before that, the same page of what
        there is so far."""
        folder = self.folder()
        (trial,) = folder.plan()
        page = folder.path / PAGE
        if written_after(page, folder.trial_folder(trial.id) / RESULT):
            return page.read_text(encoding="utf-8")
        watched: tuple[Health | None, Signals | None] = (None, None)
        if folder.pack is None and folder.result(trial.id) is None:
            # It needs torch, which takes seconds to import.
            from coequal.inspection.diagnosis import watched_so_far

            watched = watched_so_far(folder, trial)
        run = read_run(folder, trial, folder.rule().metric, None, watched)
        return training_page(folder, run, None)

    def file(self, parts: Sequence[str]) -> Path | None:
        """A file that a page of the run links to; None if there is none, or if it is none of those
        that may be seen.

        Args:
            parts: of its address below that of the run.
        """
        if parts[:1] == ["report"]:
            base = self.rendered_report()
            parts = parts[1:]
        else:
            base = self.folder().path
            log = len(parts) == 4 and parts[0] == "trials" and parts[3] == "log.txt"
            if not log and tuple(parts) not in {(name,) for name in OWN_FILES}:
                return None
        if base is None or not parts or any(part.startswith(".") or "\0" in part for part in parts):
            return None
        path = base.joinpath(*parts).resolve()
        inside = path.is_relative_to(base.resolve())  # also not through a link
        return path if inside and path.is_file() else None
