"""A stream of cases to browsers that are slow, or go away, as a server tells the application by ASGI."""

from __future__ import annotations

import asyncio
import contextlib

import pytest

pytest.importorskip("fastapi", reason="comes with the extra `fastapi`")
from fastapi import FastAPI

from persona_cases.integrations.fastapi import ndjson
from persona_cases.testing import Simulator


class Browser:
    """The other end of one request: what it got, and when it takes more or goes away."""

    def __init__(self, spec_version: str) -> None:
        self.scope = {
            "type": "http",
            "asgi": {"version": "3.0", "spec_version": spec_version},
            "http_version": "1.1",
            "method": "GET",
            "path": "/",
            "raw_path": b"/",
            "root_path": "",
            "scheme": "http",
            "headers": [],
            "query_string": b"",
            "client": ("127.0.0.1", 1),
            "server": ("127.0.0.1", 80),
        }
        self.chunks = 0
        self.takes = asyncio.Semaphore(1)
        self.gone = asyncio.Event()
        self._asked = False

    async def receive(self) -> dict[str, object]:
        if not self._asked:
            self._asked = True
            return {"type": "http.request", "body": b"", "more_body": False}
        await self.gone.wait()
        return {"type": "http.disconnect"}

    async def send(self, message: dict[str, object]) -> None:
        if message["type"] != "http.response.body" or not message.get("body"):
            return
        self.chunks += 1
        await self.takes.acquire()
        # Servers of older versions of ASGI take what nobody reads, and tell of the end by `receive` alone.
        if self.gone.is_set() and self.scope["asgi"]["spec_version"] >= "2.4":
            raise OSError("the browser is gone")


@pytest.fixture
async def sim():
    async with Simulator(cases=60, seed=5) as simulator:
        yield simulator


@pytest.fixture
def app(sim, make_client):
    app, client = FastAPI(), make_client(sim)

    @app.get("/")
    async def stream():
        return await ndjson(client.cases.list(page_size=5))

    return app


async def until(condition) -> None:
    async with asyncio.timeout(20):
        while not condition():
            await asyncio.sleep(0.001)


async def settled() -> None:
    """Give whatever might still run the time to send another request."""
    await asyncio.sleep(0.05)


@pytest.mark.parametrize("spec_version", ["2.3", "2.4"])
async def test_a_slow_browser_holds_the_walk_up(app, sim, spec_version):
    browser = Browser(spec_version)
    serving = asyncio.create_task(app(browser.scope, browser.receive, browser.send))
    for taken in range(1, 4):
        await until(lambda taken=taken: browser.chunks == taken + 1)
        await settled()
        # One page waits to be taken, and one more was fetched ahead.
        assert len(sim.requests) <= taken + 2
        browser.takes.release()
    for _ in range(60):
        browser.takes.release()
    await serving
    assert len(sim.requests) == 12


@pytest.mark.parametrize("spec_version", ["2.3", "2.4"])
async def test_a_browser_that_goes_away_ends_the_walk(app, sim, make_client, spec_version):
    browser = Browser(spec_version)
    serving = asyncio.create_task(app(browser.scope, browser.receive, browser.send))
    await until(lambda: browser.chunks == 2)
    browser.gone.set()
    browser.takes.release()
    # Each version of Starlette has an exception of its own for this.
    await asyncio.gather(serving, return_exceptions=True)
    asked = len(sim.requests)
    await settled()
    assert len(sim.requests) == asked <= 4


async def test_a_stream_that_never_begins_ends_the_walk(sim, make_client):
    response = await ndjson(make_client(sim).cases.list(page_size=5))

    async def gone(message):
        raise OSError("the browser is gone")

    browser = Browser("2.4")
    with contextlib.suppress(Exception):
        await response(browser.scope, browser.receive, gone)
    asked = len(sim.requests)
    await settled()
    assert len(sim.requests) == asked <= 2
