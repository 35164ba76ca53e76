"""Exports to a binary stream: every page at once, whole lines, and nothing that needs a file."""

from __future__ import annotations

import csv
import gzip
import io
import os
import sys

import pytest

from persona_cases import InvalidArgumentError, Q
from persona_cases.errors import BadRequestError
from persona_cases.testing import Fault, Simulator


@pytest.fixture
async def sim():
    async with Simulator(cases=260) as simulator:
        yield simulator


class Wire(io.RawIOBase):
    """A stream without a buffer, which takes a few bytes at a time."""

    def __init__(self, most):
        super().__init__()
        self.data, self.most = bytearray(), most

    def writable(self):
        return True

    def write(self, data):
        taken = bytes(data[: self.most])
        self.data += taken
        return len(taken)


class Writer:
    """The least that a stream can be."""

    def __init__(self):
        self.pieces = []

    def write(self, data):
        self.pieces.append(data)


async def oldest_first(client, where=None):
    return [case.raw_line async for case in client.cases.search(where, sort=Q.created_at.asc())]


async def test_lines_go_to_a_stream_page_by_page(sim, make_client):
    client, stream, told = make_client(sim), Writer(), []
    done = await client.cases.export(to=stream, on_progress=told.append)
    lines = await oldest_first(client)
    assert b"".join(stream.pieces).splitlines() == lines
    assert len(stream.pieces) == done.pages == 3
    assert all(piece.endswith(b"\n") for piece in stream.pieces)
    assert (done.cases, done.size, done.fetchers) == (260, sum(map(len, stream.pieces)), (3,))
    assert [each.cases for each in told] == [100, 200, 260]


async def test_a_stream_stays_open(sim, make_client):
    stream = io.BytesIO(b"before\n")
    stream.seek(0, os.SEEK_END)
    await make_client(sim).cases.export(Q.status.eq("open"), to=stream, limit=3, sort=Q.updated_at.desc())
    assert stream.getvalue().startswith(b"before\n{")
    assert len(stream.getvalue().splitlines()) == 4


async def test_a_stream_that_takes_a_few_bytes_gets_all_of_them(sim, make_client):
    client, wire = make_client(sim), Wire(most=1_000)
    await client.cases.export(to=wire)
    assert bytes(wire.data).splitlines() == await oldest_first(client)


async def test_a_stream_that_would_block_ends_the_export(sim, make_client):
    class Full(Wire):
        def write(self, data):
            return None

    with pytest.raises(BlockingIOError):
        await make_client(sim).cases.export(to=Full(most=0))


async def test_a_format_and_a_compression_can_be_chosen(sim, make_client):
    client = make_client(sim)
    table, packed = io.BytesIO(), io.BytesIO()
    await client.cases.export(to=table, format="csv", only=["status"])
    rows = list(csv.reader(io.StringIO(table.getvalue().decode())))
    assert (rows[0], len(rows)) == (["id", "status"], 261)
    await client.cases.export(to=packed, compression="gzip")
    assert gzip.decompress(packed.getvalue()).splitlines() == await oldest_first(client)


async def test_what_was_written_before_a_failure_is_whole_lines(sim, make_client):
    client, stream = make_client(sim), io.BytesIO()
    lines = await oldest_first(client)
    sim.faults.add(Fault.status(400), nth=2)
    with pytest.raises(BadRequestError):
        await client.cases.export(to=stream)
    assert stream.getvalue() == b"".join(line + b"\n" for line in lines[:100])


async def test_attachments_are_downloaded_beside_a_stream(sim, make_client, tmp_path):
    stream = io.BytesIO()
    done = await make_client(sim).cases.export(to=stream, attachments=tmp_path / "files")
    assert done.attachments.files > 20
    assert len(stream.getvalue().splitlines()) == 260


@pytest.mark.parametrize(
    ("stream", "settings", "match"),
    [
        (io.BytesIO, {"format": "parquet"}, "parquet needs a seekable file: pass a path"),
        (io.BytesIO, {"format": "sqlite"}, "sqlite needs a seekable file: pass a path"),
        (io.BytesIO, {"format": "xml"}, "format must be one of"),
        (io.BytesIO, {"manifest": True}, "manifest=True writes a file beside the output"),
        (io.BytesIO, {"undecodable": "set_aside"}, "writes a file beside the output: pass a path"),
        (io.BytesIO, {"consistency": "fresh"}, "consistency='fresh' needs a file"),
        (io.BytesIO, {"limit": -1}, "limit must be"),
        (io.StringIO, {}, "a text stream cannot take bytes: pass its buffer"),
        (lambda: sys.stdout, {}, "a text stream cannot take bytes: pass its buffer"),
        (lambda: io.BufferedReader(io.BytesIO()), {}, "closed or read-only"),
        (object, {}, "to must be a path"),
        (lambda: Writer, {}, "to must be a path, a binary stream, or a sink"),
        (type("Attribute", (), {"write": 5}), {}, "to must be a path, a binary stream, or a sink"),
    ],
)
async def test_what_a_stream_cannot_do_is_refused_before_the_first_request(sim, make_client, stream, settings, match):
    with pytest.raises(InvalidArgumentError, match=match):
        await make_client(sim).cases.export(**{"to": stream(), **settings})
    assert len(sim.requests) == 0


async def test_streams_that_cannot_be_written_to_are_refused(sim, make_client):
    closed = io.BytesIO()
    closed.close()

    class Asynchronous:
        async def write(self, data):
            raise AssertionError

    for stream, match in ((closed, "closed or read-only"), (Asynchronous(), "not a coroutine")):
        with pytest.raises(InvalidArgumentError, match=match):
            await make_client(sim).cases.export(to=stream)
    assert len(sim.requests) == 0
