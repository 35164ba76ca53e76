"""How applications start and stop: several at a time, again, and in several processes that share a limit."""

from __future__ import annotations

import asyncio
import os
import re
import subprocess
import sys
from collections import Counter
from pathlib import Path
from urllib.parse import urlsplit

import pytest

pytest.importorskip("fastapi", reason="comes with the extra `fastapi`")
import aiohttp
from aiohttp import web
from fastapi import FastAPI
from fastapi.testclient import TestClient
from transport.redis_server import RedisServer

from persona_cases.integrations.aiohttp import persona_context
from persona_cases.integrations.fastapi import PersonaDep, add_error_handlers, persona_lifespan
from persona_cases.limits import LocalLimiter

HERE = Path(__file__).parent


def make_app(server, **options) -> FastAPI:
    app = FastAPI(lifespan=persona_lifespan(api_key=server.api_key, base_url=server.base_url, **options))
    add_error_handlers(app)

    @app.get("/cases/{case_id}")
    async def show(case_id: str, persona: PersonaDep) -> str | None:
        return (await persona.cases.get(case_id)).status

    return app


def test_test_clients_side_by_side_and_one_after_the_other(persona_server):
    case_id, status = next((case.id, case.status) for case in persona_server.store.cases.values())
    apps = [make_app(persona_server) for _ in range(2)]
    with TestClient(apps[0]) as one, TestClient(apps[0]) as same, TestClient(apps[1]) as other:
        for client in (one, same, other, one):
            assert client.get(f"/cases/{case_id}").json() == status
    with TestClient(apps[0]) as again:
        assert again.get(f"/cases/{case_id}").json() == status
    # Without its lifespan, an application has no client, and not one that is closed.
    assert TestClient(apps[0]).get(f"/cases/{case_id}").status_code == 503


async def test_an_inner_start_leaves_the_outer_client_in_place(persona_server):
    app = make_app(persona_server)
    async with app.router.lifespan_context(app):
        outer = app.state.persona
        async with app.router.lifespan_context(app):
            assert app.state.persona is not outer
        assert app.state.persona is outer
        await outer.cases.list(limit=1)


async def test_what_belongs_to_the_loop_is_made_and_closed_with_the_application(persona_server):
    sessions, limiters = [], []

    def session() -> aiohttp.ClientSession:
        sessions.append(aiohttp.ClientSession())
        return sessions[-1]

    def limiter() -> LocalLimiter:
        limiters.append(LocalLimiter(7))
        return limiters[-1]

    app = make_app(persona_server, session=session, limiter=limiter)
    assert sessions == limiters == []
    for number in (1, 2):
        async with app.router.lifespan_context(app):
            assert app.state.persona.limiter is limiters[-1]
            await app.state.persona.cases.list(limit=1)
            assert not sessions[-1].closed
        assert sessions[-1].closed
        assert len(sessions) == len(limiters) == number
    site = web.Application()
    site.cleanup_ctx.append(
        persona_context(api_key=persona_server.api_key, base_url=persona_server.base_url, session=session)
    )
    runner = web.AppRunner(site)
    await runner.setup()
    assert (len(sessions), sessions[-1].closed) == (3, False)
    await runner.cleanup()
    assert sessions[-1].closed


async def until_it_listens(url):
    """Uvicorn tells of its start just before it listens."""
    while True:
        try:
            _, writer = await asyncio.open_connection(url.hostname, url.port)
        except ConnectionRefusedError:
            await asyncio.sleep(0.01)
        else:
            writer.close()
            return


@pytest.mark.persona_server(cases=3, rate_limit="30/60")
async def test_two_workers_of_uvicorn_share_one_limit(persona_env, tmp_path):
    redis = RedisServer(tmp_path)
    redis.start()
    command = [
        sys.executable,
        "-m",
        "uvicorn",
        "two_workers:app",
        "--workers",
        "2",
        "--port",
        "0",
        "--app-dir",
        str(HERE),
    ]
    uvicorn = subprocess.Popen(command, stderr=subprocess.PIPE, text=True, env={**os.environ, "REDIS_URL": redis.url})
    try:
        told = ""
        while told.count("Application startup complete") < 2:
            line = await asyncio.to_thread(uvicorn.stderr.readline)
            assert line, f"uvicorn did not start: {told}"
            told += line
        url = re.search(r"http://[\d.:]+", told)[0]
        await until_it_listens(urlsplit(url))
        case_id = next(iter(persona_env.store.cases))
        statuses: Counter[int] = Counter()
        workers = set()

        async def ask() -> None:
            # A connection of its own for each request: any worker may accept it.
            async with aiohttp.ClientSession() as browser, browser.get(f"{url}/worker/{case_id}") as response:
                statuses[response.status] += 1
                if response.status == 200:
                    workers.add(await response.json())
                else:
                    assert 1 <= int(response.headers["Retry-After"]) <= 60

        await asyncio.gather(*(ask() for _ in range(45)))
        assert statuses == {200: 30, 429: 15}
        assert len(workers) <= 2
        assert {request.status for request in persona_env.requests} == {200}
    finally:
        uvicorn.terminate()
        await asyncio.to_thread(uvicorn.communicate)
        redis.kill()
