"""The programs in `examples/`, each as its reader would use it."""

from __future__ import annotations

import importlib.util
import json
import shutil
import sys
from collections import Counter
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import ModuleType

import aiohttp
import pytest
from aiohttp.test_utils import TestClient, TestServer
from served_apps import serving

from persona_cases import PersonaClient, Q
from persona_cases.testing import Fault, Simulator
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


async def test_webhook_receiver(account, monkeypatch, capsys):
    monkeypatch.setenv("PERSONA_WEBHOOK_SECRETS", "wbhsec_new wbhsec_old")
    missed = account.store.create_case("KYC")
    example = load("webhook_receiver")
    async with serving(example.app) as url, aiohttp.ClientSession(url) as web:
        assert example.cases[missed.id].status == "open"
        account.webhooks.deliver_to(f"{url}/webhooks/persona", secret="wbhsec_old")
        with account.webhooks.reordered():
            account.store.update_case(missed.id, tags=("vip",), updated_at=datetime(2030, 1, 1, tzinfo=UTC))
            account.store.update_case(missed.id, status="approved", updated_at=datetime(2030, 1, 2, tzinfo=UTC))
        assert await account.webhooks.drain(60)
        async with web.get(f"/cases/{missed.id}/status") as told:
            assert await told.json() == {"status": "approved"}
        async with web.get("/cases/case_nope/status") as told:
            assert await told.json() == {"status": None}
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == f"case.created {missed.id} open"
    assert not any("case.updated-tags" in line for line in lines)


async def test_sla_watcher(account, capsys, monkeypatch):
    example, now = load("sla_watcher"), datetime.now(UTC)
    soon = account.store.create_case("KYC", sla_expires_at=now + timedelta(minutes=30), assignee_id="a@example.com")
    account.store.create_case("KYC", sla_expires_at=now + timedelta(hours=3))
    account.store.create_case("KYC", sla_expires_at=now + timedelta(minutes=20), resolved_at=now)
    looks = []

    async def sleep(_):
        looks.append(capsys.readouterr())
        match len(looks):
            case 1:
                account.store.update_case(soon.id, sla_expires_at=now + timedelta(minutes=50))
            case 2:
                account.faults.add(Fault.status(401))
            case 4:
                raise KeyboardInterrupt

    monkeypatch.setattr(example.asyncio, "sleep", sleep)
    with pytest.raises(KeyboardInterrupt):
        await example.main()
    first, second, refused, _ = looks
    assert f"{soon.name}: 30 minutes left, assigned to a@example.com" in first.out
    assert f"{soon.name}: 50 minutes left" in second.out
    assert second.out.count("\n") == 1
    assert refused.out == ""
    assert refused.err.startswith("could not look: ")


async def test_retag_cases(account, tmp_path, capsys):
    example, tagged = load("retag_cases"), account.store.create_case("KYC", tags=("vip", "second-review"))
    account.store.create_case("KYC", status="escalated", tags=("vip",))
    account.store.update_case(tagged.id, status="escalated")
    escalated = [case for case in account.store.cases.values() if case.status == "escalated"]
    others = {case.id: case.tags for case in escalated if "second-review" not in case.tags}
    journal = str(tmp_path / "retag.journal")
    assert await example.main("status == 'escalated'", "second-review", "escalated", journal) == 0
    assert account.store.cases[tagged.id].tags == ("vip", "escalated")
    assert all(account.store.cases[case_id].tags == tags for case_id, tags in others.items())
    changed = len(escalated) - len(others)
    assert f"{changed} retagged, {len(others)} without the tag, 0 failed" in capsys.readouterr().out
    assert await example.main("statuss == 1", "a", "b", journal) == 1
    assert "stopped: " in capsys.readouterr().err


async def test_nightly_export(account, tmp_path, capsys):
    pytest.importorskip("pyarrow", reason="comes with the extra `parquet`")
    for package in ("duckdb", "matplotlib"):
        pytest.importorskip(package, reason="is no dependency of the library")
    example = load("nightly_export")
    assert await example.main(str(tmp_path)) == 0
    counts = Counter(case.status for case in account.store.cases.values())
    shown = capsys.readouterr().out.splitlines()
    assert {line for line in shown if line.split(":")[0] in counts} == {f"{name}: {n}" for name, n in counts.items()}
    waiting = sum(case.resolved_at is None for case in account.store.cases.values())
    oldest = min(case.created_at for case in account.store.cases.values() if case.resolved_at is None)
    total = len(account.store.cases)
    assert shown[-2] == f"{waiting} of {total} are not resolved; the oldest was created on {oldest[:10]}"
    picture = Path(shown[-1].removeprefix("cases per week: "))
    assert picture.read_bytes().startswith(b"\x89PNG")
    assert await example.main(str(tmp_path / "nowhere")) == 1
    assert "export failed" in capsys.readouterr().err


def test_every_example_is_run():
    # The one of Dask has a file of tests of its own.
    run_here = {name.removeprefix("test_") for name in globals() if name.startswith("test_")} - {"every_example_is_run"}
    assert {path.stem for path in EXAMPLES.glob("*.py")} == run_here | {"dask_export"}


@pytest.mark.skipif(shutil.which("redis-server") is None, reason="redis-server is not installed")
async def test_shared_limit(capfd):
    assert await load("shared_limit").main() == 0
    assert "3 processes sent 45 requests; 0 got a 429 response." in capfd.readouterr().out
