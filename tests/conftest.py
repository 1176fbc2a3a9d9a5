"""What all tests share: one thread, and nothing from the user's own folders."""

import threading
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import hypothesis
import pytest
import torch

from coequal.reporting.style import STYLE

from browser import browser, visit

__all__ = ["browser", "visit"]  # fixtures of all tests

# The same examples at each run, however slow the machine; `--hypothesis-profile=default` draws
# new ones.
hypothesis.settings.register_profile("repeatable", derandomize=True, deadline=None)
hypothesis.settings.load_profile("repeatable")


@pytest.fixture(autouse=True, scope="session")
def _one_thread() -> None:
    torch.set_num_threads(1)


@pytest.fixture(autouse=True, scope="session")
def _own_cache(tmp_path_factory: pytest.TempPathFactory, worker_id: str) -> None:
    patch = pytest.MonkeyPatch()
    patch.setenv("COEQUAL_OFFLINE", "1")  # no test asks the network
    patch.setenv("COEQUAL_CACHE", str(tmp_path_factory.getbasetemp() / "cache"))
    patch.setenv("HF_HOME", str(tmp_path_factory.getbasetemp() / "hub"))


class _Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *message: object) -> None:
        pass


@pytest.fixture
def served(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[Path, str]]:
    """A folder, and the address under which a server on this machine offers what is in it."""
    monkeypatch.delenv("COEQUAL_OFFLINE")
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    folder = tmp_path / "served"
    folder.mkdir()
    with ThreadingHTTPServer(("127.0.0.1", 0), partial(_Quiet, directory=folder)) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        yield folder, f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


@pytest.fixture(autouse=True, scope="session")
def pdf_fonts() -> Iterator[object]:
    """Letters in PDFs are outlines: subsets of TrueType fonts take a third of a report's time. What
    reports have outside of the tests is yielded."""
    own = STYLE["pdf.fonttype"]
    STYLE["pdf.fonttype"] = 3
    yield own
    STYLE["pdf.fonttype"] = own


@pytest.fixture
def repository() -> Path:
    return Path(__file__).parent.parent
