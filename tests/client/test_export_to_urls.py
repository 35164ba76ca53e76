"""Exports to URLs of file stores, by fsspec: whole files or none, and nothing lost if the upload fails."""

from __future__ import annotations

import asyncio
import json
import sqlite3
import sys
import tempfile
from contextlib import closing

import fsspec
import pytest
from fsspec.implementations.memory import MemoryFileSystem

from persona_cases import InvalidArgumentError, Q
from persona_cases.errors import BadRequestError
from persona_cases.testing import Fault, Simulator


class UnwillingStore(MemoryFileSystem):
    """A store that takes no file."""

    protocol = "unwilling"

    def put_file(self, *_, **__):
        raise self.refusal


fsspec.register_implementation("unwilling", UnwillingStore)


@pytest.fixture
async def simulator():
    async with Simulator(cases=130) as simulator:
        yield simulator


@pytest.fixture
def persona(simulator, make_client):
    return make_client(simulator)


@pytest.fixture(autouse=True)
def store():
    """The files of `memory://`, which all tests of a process share."""
    MemoryFileSystem.store.clear()
    return MemoryFileSystem.store


@pytest.fixture
def temporary(tmp_path, monkeypatch):
    """The directory of temporary files."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    return tmp_path


async def test_a_file_at_a_url_is_as_one_on_this_machine(persona, tmp_path, store, temporary):
    for name in ("cases.jsonl", "cases.jsonl.gz", "cases.csv", "cases.parquet", "cases.db"):
        done = await persona.cases.export(to=tmp_path / name)
        remote = await persona.cases.export(to=f"memory://bucket/{name}")
        assert remote.cases == done.cases > 0
        there = store[f"/bucket/{name}"].getvalue()
        if name.endswith(".db"):  # It says when it was made.
            copy = tmp_path / "copy.db"
            copy.write_bytes(there)
            with closing(sqlite3.connect(copy)) as database:
                assert database.execute("SELECT count(*) FROM cases").fetchone() == (done.cases,)
        elif name.endswith(".parquet"):
            assert there[:4] == there[-4:] == b"PAR1"
        else:
            assert there == (tmp_path / name).read_bytes()
    assert not [each for each in temporary.iterdir() if each.is_dir()]


async def test_what_is_beside_a_file_is_uploaded_before_it(persona, store):
    await persona.cases.export(to="memory://cases.jsonl", manifest=True)
    assert list(store) == ["/cases.jsonl.manifest.json", "/cases.jsonl"]
    assert json.loads(store["/cases.jsonl.manifest.json"].getvalue())["file"] == "cases.jsonl"


async def test_a_file_url_is_a_path(persona, tmp_path):
    path = tmp_path / "cases.csv"
    done = await persona.cases.export(to=path.as_uri(), restart=True, resume_max_age=60)
    assert done.cases == len(path.read_text().splitlines()) - 1


async def test_an_order_and_a_limit_work_as_well(persona, store):
    await persona.cases.export(to="memory://few.jsonl", sort=Q.created_at.desc(), limit=3)
    assert len(store["/few.jsonl"].getvalue().splitlines()) == 3


@pytest.mark.parametrize("given", [{"restart": True}, {"resume_max_age": 60}, {"overwrite": True}])
async def test_what_has_no_effect_is_refused(persona, simulator, given):
    with pytest.raises(InvalidArgumentError, match=f"{next(iter(given))} has no effect .*leave it out"):
        await persona.cases.export(to="memory://cases.db", **given)
    assert not simulator.requests


@pytest.mark.parametrize(
    ("url", "why"),
    [
        ("https://files.example/cases.jsonl", "cannot be uploaded by http"),
        ("nowhere://cases.jsonl", "cannot open a file store"),
        ("memory://", "names no file"),
        ("memory://bucket/", "names no file"),
        ("memory://cases.xml", "unsupported file extension"),
        ("memory://cases.csv.zip", "unsupported file extension"),
    ],
)
async def test_urls_that_cannot_be_written_are_refused_before_the_first_request(
    persona, simulator, temporary, url, why
):
    with pytest.raises(InvalidArgumentError, match=why):
        await persona.cases.export(to=url)
    assert not simulator.requests
    assert not list(temporary.iterdir())


async def test_a_missing_package_is_named(persona, monkeypatch):
    monkeypatch.setitem(sys.modules, "fsspec.core", None)
    with pytest.raises(InvalidArgumentError, match=r"pip install 'persona-cases\[fsspec\]'"):
        await persona.cases.export(to="memory://cases.jsonl")


async def test_the_missing_package_of_a_store_is_named(persona, monkeypatch):
    monkeypatch.setitem(sys.modules, "gcsfs", None)
    with pytest.raises(InvalidArgumentError, match="gcsfs"):
        await persona.cases.export(to="gs://bucket/cases.jsonl")


async def test_an_export_that_fails_leaves_nothing(persona, simulator, store, temporary):
    simulator.faults.add(Fault.status(400), nth=2)
    with pytest.raises(BadRequestError):
        await persona.cases.export(to="memory://cases.jsonl")
    assert not store
    assert not list(temporary.iterdir())


@pytest.mark.parametrize(
    ("refusal", "reason"),
    [
        (PermissionError(13, "s3://user:secret@bucket"), "Permission denied"),
        (RuntimeError("s3://user:secret@bucket"), "RuntimeError"),
    ],
)
async def test_the_file_is_kept_if_the_upload_fails(persona, temporary, monkeypatch, refusal, reason):
    monkeypatch.setattr(UnwillingStore, "refusal", refusal, raising=False)
    with pytest.raises(OSError, match=rf"the upload failed \({reason}\): the file is kept in ") as caught:
        await persona.cases.export(to="unwilling://cases.jsonl")
    assert "secret" not in str(caught.value)
    assert caught.value.__context__ is None
    [directory] = temporary.iterdir()
    assert str(directory) in str(caught.value)
    assert directory.stat().st_mode & 0o777 == 0o700
    assert (directory / "cases.jsonl").read_bytes().count(b"\n") > 0


async def test_nothing_is_kept_if_the_upload_is_cancelled(persona, temporary, monkeypatch):
    loop = asyncio.get_running_loop()
    task = asyncio.ensure_future(persona.cases.export(to="unwilling://cases.jsonl"))

    def put_file(*_, **__):
        asyncio.run_coroutine_threadsafe(cancel(), loop).result()
        raise RuntimeError

    async def cancel():
        task.cancel()

    monkeypatch.setattr(UnwillingStore, "put_file", put_file)
    with pytest.raises(asyncio.CancelledError):
        await task
    assert not list(temporary.iterdir())


async def test_other_files_have_to_be_on_this_machine(persona, simulator, tmp_path):
    url = "memory://somewhere"
    calls = [
        lambda: persona.cases.export(to=tmp_path / "cases.jsonl", attachments=url),
        lambda: persona.cases.change_many([], lambda case: None, journal=url),
        lambda: persona.cases.sync(to=f"{url}.db"),
    ]
    for call in calls:
        with pytest.raises(InvalidArgumentError, match="on this machine"):
            await call()
    assert not simulator.requests
    assert not list(tmp_path.iterdir())
