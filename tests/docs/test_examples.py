"""The programs in `examples/`, each as its reader would use it."""

from __future__ import annotations

import asyncio
import importlib.util
import json
import shutil
import sys
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from types import ModuleType

import aiohttp
import pytest
import uvicorn
from aiohttp.test_utils import TestClient, TestServer

from persona_cases import PersonaClient, Q
from persona_cases.testing import Simulator
from persona_cases.webhooks import sign

EXAMPLES = Path(__file__).parents[2] / "examples"


def load(name: str) -> ModuleType:
    spec = importlib.util.spec_from_file_location(name, EXAMPLES / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    # Pydantic looks for the module of a generic model there.
    module = sys.modules[name] = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
async def account(monkeypatch):
    """An account with cases of the past two years."""
    async with Simulator(cases=500, seed=7, epoch=datetime.now(UTC)) as simulator:
        monkeypatch.setenv("PERSONA_API_KEY", simulator.api_key)
        monkeypatch.setenv("PERSONA_BASE_URL", simulator.base_url)
        yield simulator


async def test_search(account, capsys):
    await load("search").main()
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 10
    assert all(line.startswith("case_") and " open " in line and " low " not in line for line in lines)


async def test_export(account, tmp_path, capsys):
    example, target = load("export"), tmp_path / "recent.jsonl"
    assert await example.main(str(target)) == 0
    exported = {json.loads(line)["id"] for line in target.read_bytes().splitlines()}
    async with PersonaClient() as persona:
        recent = Q.created_at.in_last(days=30)
        assert exported == {case.id async for case in persona.cases.list() if recent.matches(case)}
    assert 0 < len(exported) < 500
    assert f"{len(exported)} cases in " in capsys.readouterr().out
    assert await example.main(str(tmp_path)) == 1
    assert "export failed" in capsys.readouterr().err


@asynccontextmanager
async def serving(app):
    """A real server for an application; gives its URL."""
    server = uvicorn.Server(uvicorn.Config(app, host="127.0.0.1", port=0, log_level="error"))
    running = asyncio.create_task(server.serve())
    while not server.started:
        assert not running.done()
        await asyncio.sleep(0.01)
    host, port = server.servers[0].sockets[0].getsockname()
    try:
        yield f"http://{host}:{port}"
    finally:
        server.should_exit = True
        await running


async def test_fastapi_app(account):
    async with serving(load("fastapi_app").app) as url, aiohttp.ClientSession(url) as web:
        async with web.get("/cases.ndjson", params={"where": "status == 'open'"}) as streamed:
            assert streamed.content_type == "application/x-ndjson"
            cases = [json.loads(line) async for line in streamed.content]
        assert {case["attributes"]["status"] for case in cases} == {"open"}
        assert len(cases) > 100
        async with web.get("/cases", params={"where": "status == 'open'"}) as paged:
            page = await paged.json()
        assert [case["id"] for case in page["items"]] == [case["id"] for case in cases[:20]]
        async with web.get("/cases", params={"where": "status == 'open'", "cursor": page["next_cursor"]}) as paged:
            assert [case["id"] for case in (await paged.json())["items"]] == [case["id"] for case in cases[20:40]]
        async with web.get(f"/cases/{cases[0]['id']}") as shown:
            assert (await shown.json()).keys() == {"id", "status", "created_at", "tags", "fields"}
        async with web.get("/cases/case_nope") as missing:
            assert missing.status == 404
        async with web.get("/cases", params={"where": "statuss == 'open'"}) as refused:
            assert refused.status == 422
        async with web.get("/ready") as probed:
            assert (await probed.json())["ready"] is True


async def test_starlette_app(account):
    async with serving(load("starlette_app").app) as url, aiohttp.ClientSession(url) as web:
        async with web.get("/search", params={"where": "status == 'open'"}) as streamed:
            cases = [json.loads(line) async for line in streamed.content]
        assert {case["attributes"]["status"] for case in cases} == {"open"}
        async with web.get(f"/cases/{cases[0]['id']}") as shown:
            assert (await shown.json()).keys() == {"id", "status", "tags"}
        for where, status in (("status ==", 422), ("fields.ssn == '1'", 422)):
            async with web.get("/search", params={"where": where}) as refused:
                assert refused.status == status
        async with web.get("/ready") as probed:
            assert (await probed.json())["ready"] is True


async def test_aiohttp_app(account, monkeypatch, capsys):
    monkeypatch.setenv("PERSONA_WEBHOOK_SECRET", "wbhsec_test")
    told = {"name": "case.created", "created-at": "2026-01-01T09:00:00Z"}
    body = json.dumps({"data": {"type": "event", "id": "evt_1", "attributes": told}}).encode()
    async with TestClient(TestServer(load("aiohttp_app").make_app())) as web:
        async with web.get("/open.ndjson") as streamed:
            cases = [json.loads(line) async for line in streamed.content]
        assert {case["attributes"]["status"] for case in cases} == {"open"}
        async with web.get(f"/cases/{cases[0]['id']}") as shown:
            assert (await shown.json())["status"] == "open"
        async with web.get("/cases/case_nope") as missing:
            assert missing.status == 404
        headers = {"Persona-Signature": sign(body, "wbhsec_test")}
        async with web.post("/webhooks/persona", data=body, headers=headers) as taken:
            assert taken.status == 204
        async with web.get("/ready") as probed:
            assert probed.status == 200
    assert capsys.readouterr().out == "case.created\n"


def test_every_example_is_run():
    # The one of Dask has a file of tests of its own.
    run_here = {"search", "export", "fastapi_app", "starlette_app", "aiohttp_app", "shared_limit"}
    assert {path.stem for path in EXAMPLES.glob("*.py")} == run_here | {"dask_export"}


@pytest.mark.skipif(shutil.which("redis-server") is None, reason="redis-server is not installed")
async def test_shared_limit(capfd):
    assert await load("shared_limit").main() == 0
    assert "3 processes sent 45 requests; 0 were refused." in capfd.readouterr().out
