"""Who may read the site: names of the machine, a token, and what a browser may do with a page."""

import base64
import hashlib
import re
import secrets
from collections.abc import Iterator
from functools import cache
from http.cookies import CookieError, SimpleCookie
from importlib.resources import files
from urllib.parse import parse_qsl, quote, urlencode

from starlette.datastructures import MutableHeaders
from starlette.responses import PlainTextResponse, RedirectResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

LOOPBACK_NAMES = ("localhost", "127.0.0.1", "[::1]")
TOKEN = "token"
COOKIE_SECONDS = 7 * 24 * 3600
SCRIPT_FOLDERS = (("coequal.reporting", "templates"), ("coequal.serve", "templates"))

HEADERS = {
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "referrer-policy": "no-referrer",
    "cross-origin-resource-policy": "same-origin",
    "cross-origin-opener-policy": "same-origin",
    "cache-control": "no-cache, private",
}
"""Of every answer."""

NONE = "'none'"
FILE_POLICY = "default-src 'none'; style-src 'unsafe-inline'; img-src data:; sandbox"
"""Of whatever is no page: an SVG file could hold a script."""


class Protection:
    """Answers only who may read, and says in every answer what a browser may do with it.

    Args:
        app: the site.
        hosts: names by which it may be called; None: by any. A page of somebody else whose name
            suddenly means this machine is refused by that (DNS rebinding).
        token: that a visitor must have; None: none is needed.
        cookie: the name of the cookie that keeps the token after the first visit.
    """

    def __init__(
        self, app: ASGIApp, hosts: tuple[str, ...] | None, token: str | None, cookie: str
    ) -> None:
        self.app, self.hosts, self.token, self.cookie = app, hosts, token, cookie

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request."""
        if scope["type"] != "http":
            if scope["type"] == "lifespan":
                await self.app(scope, receive, send)
            return

        async def send_protected(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in HEADERS.items():
                    headers[name] = value
                headers.setdefault("content-security-policy", FILE_POLICY)
            await send(message)

        refusal = self._refusal(scope)
        await (refusal or self.app)(scope, receive, send_protected)

    def _refusal(self, scope: Scope) -> Response | None:
        headers = {name.decode("latin-1"): value for name, value in scope["headers"]}
        host = headers.get("host", b"").decode("latin-1")
        if self.hosts is not None and host_name(host) not in self.hosts:
            text = f"this site answers on {', '.join(self.hosts)}, not as '{host}'\n"
            return PlainTextResponse(text, 403)
        if self.token is None:
            return None
        query = parse_qsl(scope["query_string"].decode("latin-1"), keep_blank_values=True)
        if any(name == TOKEN and self._right(value) for name, value in query):
            return self._let_in(scope["path"], [(n, v) for n, v in query if n != TOKEN])
        if self._right(_cookie(headers.get("cookie", b""), self.cookie)):
            return None
        text = "open the address that `coequal serve` printed, including its token\n"
        return PlainTextResponse(text, 401)

    def _right(self, given: str) -> bool:
        """Whether this is the token; how long that takes does not tell how much of it is right."""
        assert self.token is not None
        return secrets.compare_digest(given.encode(), self.token.encode())

    def _let_in(self, path: str, query: list[tuple[str, str]]) -> Response:
        """Keep the token in a cookie, and go on at the same address without it."""
        where = quote(path) if not path.startswith("//") else "/"
        answer = RedirectResponse(f"{where}?{urlencode(query)}" if query else where, 303)
        assert self.token is not None
        answer.set_cookie(
            self.cookie, self.token, max_age=COOKIE_SECONDS, httponly=True, samesite="lax"
        )
        return answer


def host_name(host: str) -> str:
    """The name in a Host header, without its port, in small letters."""
    return re.sub(r":\d*$", "", host).lower()


def _cookie(header: bytes, name: str) -> str:
    try:
        found = SimpleCookie(header.decode("latin-1")).get(name)
    except CookieError:
        return ""
    return "" if found is None else found.value


def page_policy(html: str) -> str:
    """The Content-Security-Policy of one of our pages: it may run the scripts that come with
    coequal, by their hashes, and no others.

    Args:
        html: the page.
    """
    hashes = " ".join(f"'{_hash(script)}'" for script in scripts(html) if ours(script))
    return (
        "default-src 'none'; img-src 'self' data:; style-src 'unsafe-inline'; "
        f"script-src {hashes or NONE}; connect-src 'self'; form-action 'self'; "
        "base-uri 'none'; frame-ancestors 'none'"
    )


def scripts(html: str) -> Iterator[str]:
    """The inline scripts of a page that a browser would run; data in a script element is none."""
    for attributes, text in re.findall(
        r"<script\b([^>]*)>(.*?)</script>", html, re.DOTALL | re.IGNORECASE
    ):
        if not re.search(r"\btype\s*=", attributes, re.IGNORECASE):
            yield text


def ours(script: str) -> bool:
    """Whether a script is one file of coequal's, or several of them one after another."""
    rest = script.strip()
    for known in _known_scripts():
        rest = rest.replace(known, "")
    return not rest.strip()


@cache
def _known_scripts() -> tuple[str, ...]:
    """The scripts that come with coequal, the longest first."""
    folders = [files(package) / name for package, name in SCRIPT_FOLDERS]
    listed = [entry for folder in folders for entry in folder.iterdir()]
    texts = [e.read_text(encoding="utf-8").strip() for e in listed if e.name.endswith(".js")]
    return tuple(sorted(texts, key=len, reverse=True))


def _hash(script: str) -> str:
    return "sha256-" + base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
