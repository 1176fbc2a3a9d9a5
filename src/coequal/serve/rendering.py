"""How pages are made of templates, and what is added to those of a run."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from markupsafe import Markup
from starlette.responses import HTMLResponse, Response

from coequal.reporting.style import COLOURS, ON_DARK, variable, variables
from coequal.reporting.templating import template
from coequal.serve.protection import page_policy


@dataclass(frozen=True)
class Bar:
    """The bar above a page, and what its script needs to know.

    Attributes:
        version: of the page as it was sent.
        address: at which its script asks whether there is another one; empty: nowhere.
        next: after how many seconds it asks; None: never.
        state: the text of the bar.
        links: to other pages, by their names.
    """

    version: str
    address: str
    next: int | None
    state: Markup
    links: Mapping[str, str]


def render(name: str, **values: Any) -> str:
    """One of the site's templates, in the report's style."""
    return template(name, "coequal.serve").render(
        colour=variable,
        on_light=Markup(variables(COLOURS)),
        on_dark=Markup(variables(ON_DARK)),
        **values,
    )


def with_bar(html: str, bar: Bar) -> str:
    """A page with the bar at its top, and the script that follows the run.

    Args:
        html: the page, as it would be written into a file.
        bar: that is added.
    """
    style = render("live.css.jinja")
    above = render("live.html.jinja", bar=bar)
    script = f"<script>\n{render('live.js')}</script>\n"
    html = html.replace("</head>", f"<style>\n{style}</style>\n</head>", 1)
    html = re.sub(r"<main[^>]*>", lambda main: f"{main[0]}\n{above}", html, count=1)
    before, end, after = html.rpartition("</body>")
    return f"{before}{script}{end}{after}"


def page_response(html: str, status: int = 200) -> Response:
    """A page, with the scripts that it may run."""
    return HTMLResponse(html, status, {"content-security-policy": page_policy(html)})


def message(heading: str, text: str, status: int) -> Response:
    """A page that says why there is none."""
    return page_response(render("message.html.jinja", heading=heading, text=text), status)
