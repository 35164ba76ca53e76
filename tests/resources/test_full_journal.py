"""A journal on a disk that fills up."""

from __future__ import annotations

import errno
import os

import pytest

from persona_cases.changes import AddTag
from persona_cases.limits import LocalLimiter
from persona_cases.resources.changing import journal_file
from persona_cases.testing import Simulator


@pytest.fixture
async def sim():
    async with Simulator(cases=24, seed=4) as simulator:
        yield simulator


@pytest.fixture
def persona(sim, make_client):
    return make_client(sim, limiter=LocalLimiter(100_000))


@pytest.fixture
def journal(tmp_path):
    return tmp_path / "x.journal"


async def test_a_full_disk_ends_the_run_before_more_is_written(sim, persona, journal, monkeypatch):
    times, write_whole = iter(range(100)), journal_file.write_whole

    def fill(descriptor, data):
        if next(times) > 3:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        write_whole(descriptor, data)

    monkeypatch.setattr(journal_file, "write_whole", fill)
    with pytest.raises(OSError, match="No space left") as caught:
        await persona.cases.change_many(list(sim.store.cases), AddTag("x"), journal=journal, concurrency=1)
    assert "rows have ended" in caught.value.__notes__[0]
    monkeypatch.undo()
    report = await persona.cases.change_many(list(sim.store.cases), AddTag("x"), journal=journal)
    assert (report.changed, len(sim.requests.matching("POST"))) == (24, 24)
