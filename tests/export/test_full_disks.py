"""A full disk: the error leaves no frames with cases in them, wherever an export wrote."""

from __future__ import annotations

import errno
import io
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from persona_cases import Q
from persona_cases.export.sinks import AtomicFile
from persona_cases.testing import Simulator

SECRET = "a very personal note"


class Full(io.BytesIO):
    def write(self, _data):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def frames_of(error: BaseException) -> Iterator[tuple[str, object]]:
    """The locals of all frames of the library behind an error."""
    waiting, seen = [error], set()
    while waiting:
        one = waiting.pop()
        seen.add(id(one))
        traceback = one.__traceback__
        while traceback is not None:
            if "/tests/" not in traceback.tb_frame.f_code.co_filename:
                yield from traceback.tb_frame.f_locals.items()
            traceback = traceback.tb_next
        waiting += [each for each in (one.__cause__, one.__context__) if each is not None and id(each) not in seen]


def holds_case(value: object) -> bool:
    if isinstance(value, (bytes, bytearray, memoryview)):
        return SECRET.encode() in bytes(value)
    if isinstance(value, (list, tuple)):
        return any(map(holds_case, value))
    if isinstance(value, dict):
        return any(map(holds_case, value.values()))
    return SECRET in repr(value)


@pytest.fixture
async def sim():
    async with Simulator(cases=0) as simulator:
        for _ in range(120):
            simulator.store.create_case(fields={"notes": SECRET})
        yield simulator


def full(*_args, **_settings):
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


@pytest.mark.parametrize(
    "settings",
    [
        {"to": "x.jsonl"},
        {"to": "x.csv"},
        {"to": "x.jsonl", "limit": 110},
        {"to": "x.csv", "sort": Q.updated_at.asc()},
        {"to": "x.jsonl.gz"},
        {"to": Full()},
    ],
    ids=["ranges", "table", "in order", "sorted table", "compressed", "stream"],
)
async def test_an_error_of_the_disk_shows_no_case(sim, make_client, monkeypatch, tmp_path, settings):
    monkeypatch.chdir(tmp_path)
    if settings == {"to": "x.jsonl"}:
        monkeypatch.setattr("os.write", full)
    monkeypatch.setattr(AtomicFile, "write", full)
    with pytest.raises(OSError, match=os.strerror(errno.ENOSPC)) as caught:
        await make_client(sim).cases.export(**settings)
    monkeypatch.undo()
    assert [name for name, value in frames_of(caught.value) if holds_case(value)] == []
    assert not Path(tmp_path / "x.jsonl").exists()
