"""Every argument of an export has an effect, or is refused before the first request."""

from __future__ import annotations

import inspect
import io

import pytest

from persona_cases import Cases, InvalidArgumentError, Q
from persona_cases.export import Column, ColumnKind, ColumnType
from persona_cases.testing import Simulator


@pytest.fixture
async def sim():
    async with Simulator(cases=3) as simulator:
        yield simulator


class Kept(list[bytes]):
    def write(self, cases):
        self.extend(cases)

    def commit(self):
        pass

    def discard(self):
        pass


WAYS = {
    "lines": lambda path: {"to": path / "cases.jsonl"},
    "table": lambda path: {"to": path / "cases.csv"},
    "ordered": lambda path: {"to": path / "cases.jsonl", "sort": Q.created_at.desc()},
    "limited": lambda path: {"to": path / "cases.jsonl", "limit": 2},
    "stream": lambda _: {"to": io.BytesIO()},
    "sink": lambda _: {"to": Kept()},
}
FILES = {"lines", "table", "ordered", "limited"}
RESUMABLE = {"lines", "table"}

# By argument: a value that is not the default, and the exports on which it has an effect.
EFFECTS = {
    "where": (Q.status.eq("open"), set(WAYS)),
    "sort": (Q.created_at.asc(), set(WAYS)),
    "only": (["status"], set(WAYS)),
    "limit": (2, set(WAYS)),
    "on_progress": (lambda _: None, set(WAYS)),
    "format": ("jsonl", FILES | {"stream"}),
    "compression": ("none", FILES | {"stream"}),
    "columns": ([Column("fields.priority", ColumnType(ColumnKind.JSON))], {"table"}),
    "column_style": ("snake", {"table"}),
    "raw": (True, {"table"}),
    "max_searches": (3, set(WAYS)),
    "restart": (True, RESUMABLE),
    "resume_max_age": (21_600, RESUMABLE),
    "overwrite": (True, FILES),
    "consistency": ("fresh", RESUMABLE),
    "attachments": ("files", set(WAYS)),
    "undecodable": ("set_aside", FILES),
    "manifest": (True, FILES),
}


def test_every_argument_is_in_the_table():
    assert set(inspect.signature(Cases.export).parameters) - {"self", "to"} == set(EFFECTS)


@pytest.mark.parametrize("argument", EFFECTS)
async def test_an_argument_has_an_effect_or_is_refused(sim, make_client, tmp_path, argument):
    client, (value, effective) = make_client(sim), EFFECTS[argument]
    if argument == "attachments":
        value = tmp_path / value
    for way, settings in WAYS.items():
        sim.requests.clear()
        export = client.cases.export(**{**settings(tmp_path), argument: value})
        if way in effective:
            assert (await export).cases > 0, way
            continue
        with pytest.raises(InvalidArgumentError, match=rf"{argument}.*(leave (it|them) out|pass a path)"):
            await export
        assert not sim.requests, way
