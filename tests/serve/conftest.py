"""A site over made-up runs, asked without a network."""

import asyncio
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import pytest
from starlette.types import ASGIApp

from coequal.results.folder import RunFolder
from coequal.serve.server import application
from coequal.serve.site import Site

from fabricated_run import NS_GAN, VAE, build

BASE = "http://127.0.0.1:8765"


class Visitor:
    """A browser without a screen: it keeps cookies and follows no redirect."""

    def __init__(self, app: ASGIApp, base: str = BASE) -> None:
        self.app, self.base, self.cookies = app, base, httpx.Cookies()

    def get(self, path: str, method: str = "GET", **headers: str) -> httpx.Response:
        async def ask() -> httpx.Response:
            transport = httpx.ASGITransport(app=self.app)
            async with httpx.AsyncClient(
                transport=transport, base_url=self.base, cookies=self.cookies
            ) as client:
                answer = await client.request(method, path, headers=headers)
                self.cookies = client.cookies
                return answer

        return asyncio.run(ask())

    def page(self, path: str) -> httpx.Response:
        """A page once it has been rendered."""
        for _ in range(600):
            answer = self.get(path)
            if 'data-version=""' not in answer.text:
                return answer
            time.sleep(0.1)
        raise AssertionError(f"{path} was not rendered within a minute: {answer.text}")


Open = Callable[..., Visitor]


@pytest.fixture(scope="module")
def open_site() -> Iterator[Open]:
    """Opens a site over a folder; further options are those of `application`."""
    sites = []

    def opened(root: Path, base: str = BASE, **options: object) -> Visitor:
        site = Site(root)
        sites.append(site)
        settings = {"loopback": True, "token": None, "port": 8765, **options}
        return Visitor(application(site, **settings), base)

    yield opened
    for site in sites:
        site.close()


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> RunFolder:
    """A run of two models, all of whose trials have ended."""
    place = tmp_path_factory.mktemp("finished") / "one"
    return build(place, {"ns_gan": NS_GAN, "vae": VAE}, study="one", question="Which one?")
