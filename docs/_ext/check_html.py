"""Looks through the finished site: every link within it goes to a file and an anchor that exist,
and no page takes anything from the network."""

from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

from sphinx.application import Sphinx
from sphinx.util import logging

logger = logging.getLogger(__name__)

TAKEN = {("script", "src"), ("img", "src"), ("link", "href"), ("source", "src"), ("iframe", "src")}


class Page(HTMLParser):
    """What a page of HTML defines and refers to.

    Attributes:
        anchors: ids and names.
        links: `href` and `src` as they are written.
        taken: those that a browser loads with the page.
    """

    def __init__(self, text: str) -> None:
        super().__init__()
        self.anchors: set[str] = set()
        self.links: set[str] = set()
        self.taken: set[str] = set()
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note the attributes of a tag."""
        values = {name: value for name, value in attrs if value}
        self.anchors |= {values[key] for key in ("id", "name") if key in values}
        self.links |= {values[key] for key in ("href", "src") if key in values}
        self.taken |= {values[k] for k in ("href", "src") if (tag, k) in TAKEN and k in values}

    handle_startendtag = handle_starttag


def problems(folder: Path) -> list[str]:
    """What is wrong with the links of a folder of HTML pages, a sentence each.

    Args:
        folder: of the site; pages in it may refer to any file in it.
    """
    pages = {path: Page(path.read_text("utf-8")) for path in sorted(folder.rglob("*.html"))}
    found = []
    for path, page in pages.items():
        name = path.relative_to(folder).as_posix()
        for link in sorted(page.links):
            parts = urlsplit(link)
            if parts.scheme or parts.netloc:
                if link in page.taken and parts.scheme != "data":
                    found.append(f"{name}: loads {link} from the network")
                continue
            target = (path.parent / unquote(parts.path)).resolve() if parts.path else path
            if target.is_dir():
                target /= "index.html"
            if not target.exists():
                found.append(f"{name}: no file for the link {link}")
            elif parts.fragment and target in pages:
                anchors = pages[target].anchors
                if not {parts.fragment, unquote(parts.fragment)} & {*anchors, "top"}:
                    found.append(f"{name}: no anchor for the link {link}")
    return found


def _check(app: Sphinx, error: Exception | None) -> None:
    if error is None and app.builder.name == "html":
        for problem in problems(Path(app.outdir)):
            logger.warning(problem)


def setup(app: Sphinx) -> dict[str, bool]:
    """Connect the extension, after all that writes files."""
    app.connect("build-finished", _check, priority=900)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
