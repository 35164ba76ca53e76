"""What made an exported file, in a file beside it."""

from __future__ import annotations

import json
from importlib.metadata import version

import pytest

from persona_cases import InvalidArgumentError, Q, RetryPolicy, ServerError
from persona_cases.testing import Fault

pytestmark = pytest.mark.persona_simulator(cases=300)
OPEN = Q.status.eq("open")


@pytest.mark.parametrize(
    "how",
    [
        {},
        {"consistency": "fresh"},
        {"format": "csv", "compression": "gzip"},
        {"sort": Q.updated_at.desc()},
        {"limit": 20},
        {"attachments": "files"},
    ],
    ids=["lines", "fresh", "table", "order", "limit", "attachments"],
)
async def test_it_tells_the_query_the_versions_the_snapshot_and_the_counts(persona_client, tmp_path, monkeypatch, how):
    monkeypatch.chdir(tmp_path)
    done = await persona_client.cases.export(OPEN, to="x.jsonl", manifest=True, **how)
    told = json.loads((tmp_path / "x.jsonl.manifest.json").read_bytes())
    assert told["file"] == "x.jsonl"
    assert told["where"] == OPEN.to_dict()
    assert told["library"] == f"persona-cases {version('persona-cases')}"
    plain = done.to_dict()
    assert {name: told[name] for name in ("cases", "size", "rejected", "snapshot_at", "attachments")} == {
        name: plain[name] for name in ("cases", "size", "rejected", "snapshot_at", "attachments")
    }
    assert told["size"] == (tmp_path / "x.jsonl").stat().st_size
    assert told["cases"] == done.cases > 0
    assert sorted(path.name for path in tmp_path.iterdir() if path.is_file()) == ["x.jsonl", "x.jsonl.manifest.json"]


async def test_without_it_there_is_none(persona_client, tmp_path):
    await persona_client.cases.export(to=tmp_path / "x.jsonl")
    assert [path.name for path in tmp_path.iterdir()] == ["x.jsonl"]


async def test_a_resumed_export_tells_the_snapshot_and_the_query_of_its_first_run(
    persona_simulator, persona_client, tmp_path
):
    async def run():
        where = Q.created_at.in_last(days=36_500)
        return await persona_client.with_options(retry=RetryPolicy(attempts=1)).cases.export(
            where, to=tmp_path / "x.jsonl", manifest=True
        )

    rule = persona_simulator.faults.add(Fault.status(500), nth=4)
    with pytest.raises(ServerError):
        await run()
    assert not (tmp_path / "x.jsonl.manifest.json").exists()
    persona_simulator.faults.remove(rule)
    first = next(iter(persona_simulator.requests)).json()["query"]
    done = await run()
    assert done.resumed
    told = json.loads((tmp_path / "x.jsonl.manifest.json").read_bytes())
    assert told["snapshot_at"] == done.to_dict()["snapshot_at"]
    assert told["where"] == first


async def test_it_is_as_private_as_the_file(persona_client, tmp_path):
    output = tmp_path / "x.jsonl"
    output.touch()
    output.chmod(0o600)
    await persona_client.cases.export(to=output, manifest=True)
    assert (tmp_path / "x.jsonl.manifest.json").stat().st_mode & 0o777 == 0o600


async def test_what_cannot_be_written_is_refused_before_the_first_request(persona_simulator, persona_client, tmp_path):
    (tmp_path / "x.jsonl.manifest.json").mkdir()
    with pytest.raises(InvalidArgumentError, match="is a directory"):
        await persona_client.cases.export(to=tmp_path / "x.jsonl", manifest=True)
    with pytest.raises(InvalidArgumentError, match="manifest"):
        await persona_client.cases.export(to=tmp_path / "x.jsonl", manifest="yes")
    assert not persona_simulator.requests
