"""Cases that cannot be decoded, in an export: named, or set aside so that the rest is exported."""

from __future__ import annotations

import attrs
import msgspec
import pytest
from spooling import fetchers_of, lines_of, put_together
from worlds import YEAR, World, moments_of

from persona_cases import Q
from persona_cases.errors import ConnectionFailedError, DecodeError
from persona_cases.export.ranges.collector import collect
from persona_cases.export.ranges.turned_source import TurnedSource
from persona_cases.export.spool.checkpoint import Description
from persona_cases.export.spool.spool import Spool
from persona_cases.models.decoding.raw_page import RawPage
from persona_cases.models.decoding.undecodable import UndecodableCase
from persona_cases.resources.exporting.list_source import ListSource
from persona_cases.resources.exporting.search_source import SearchSource
from persona_cases.testing import Fault, Simulator

ASKED = Description({}, "1.0")
MOMENTS = moments_of([(0, YEAR, 3_000)])
HEADLESS = b'{"type":"case","id":"case_%d","attributes":{"created_at":null}}'


@attrs.define
class Poisoned(World):
    """A world in which some cases have no creation time, and some are no JSON."""

    headless: frozenset[int] = frozenset()
    broken: frozenset[int] = frozenset()

    def page(self, time_range, after):
        return self.poisoned(super().page(time_range, after))

    async def pages_together(self, parts):
        async for page in super().pages_together(parts):
            yield self.poisoned(page)

    async def far_end(self):
        return self.poisoned(await super().far_end())

    def poisoned(self, page):
        numbers = [int(page.id(index).removeprefix("case_")) for index in range(len(page))]
        kept = [index for index, number in enumerate(numbers) if number not in self.broken]
        lines = [HEADLESS % numbers[index] if numbers[index] in self.headless else page.lines[index] for index in kept]
        aside = [
            UndecodableCase(b'{"id":"case_%d",' % number, DecodeError("not JSON", case_id=f"case_{number}"))
            for number in numbers
            if number in self.broken
        ]
        return RawPage(lines, page.next_cursor, aside=aside)

    @property
    def rest(self):
        bad = self.headless | self.broken
        return [line for number, line in enumerate(self.lines) if number not in bad]

    @property
    def bad(self):
        return {HEADLESS % number for number in self.headless - self.broken} | {
            b'{"id":"case_%d",' % each for each in self.broken
        }


BAD = [
    {"headless": frozenset({0, 99, 100, 1_500, 2_999})},
    {"broken": frozenset({0, 7, 1_234, 2_999})},
    {"headless": frozenset(range(0, 3_000, 100)), "broken": frozenset(range(150, 420))},
]


@pytest.mark.parametrize("fetchers", [1, 9])
@pytest.mark.parametrize("bad", BAD)
async def test_what_cannot_be_decoded_is_set_aside_once_and_the_rest_is_exported(tmp_path, bad, fetchers):
    world = Poisoned(MOMENTS, **bad)
    with Spool(tmp_path / "cases.jsonl", ASKED) as spool:
        await collect(world, spool, fetchers=fetchers_of(fetchers), set_aside=True)
        kept, aside = lines_of(spool), list(spool.aside())
        put_together(spool)
    assert kept == world.rest
    assert len(aside) == len(world.bad)
    assert set(aside) == world.bad
    assert (tmp_path / "cases.jsonl").read_bytes().splitlines() == world.rest


@pytest.mark.parametrize("bad", BAD)
@pytest.mark.parametrize("fetchers", [1, 9])
async def test_a_run_that_was_interrupted_loses_none_of_them_and_has_none_twice(tmp_path, bad, fetchers):
    world, runs = Poisoned(MOMENTS, **bad), 0
    while True:
        runs += 1
        stop = world.requests + 5

        def fail(number, stop=stop):
            if number >= stop:
                raise ConnectionFailedError("lost")

        world.before = fail
        with Spool(tmp_path / "cases.jsonl", ASKED) as spool:
            try:
                await collect(world, spool, fetchers=fetchers_of(fetchers), set_aside=True)
            except ConnectionFailedError:
                continue
            assert lines_of(spool) == world.rest
            assert sorted(spool.aside()) == sorted(world.bad)
            break
    assert runs > 3


@pytest.mark.parametrize("bad", [{"headless": frozenset({99})}, {"broken": frozenset({1_234})}])
async def test_otherwise_the_error_names_the_case(tmp_path, bad):
    world = Poisoned(MOMENTS, **bad)
    with Spool(tmp_path / "cases.jsonl", ASKED) as spool, pytest.raises(DecodeError) as caught:
        await collect(world, spool, fetchers=fetchers_of())
    [number] = bad.get("headless") or bad["broken"]
    assert caught.value.case_id == f"case_{number}"
    with Spool(tmp_path / "cases.jsonl", ASKED) as spool:
        await collect(world, spool, fetchers=fetchers_of(), set_aside=True)
        assert lines_of(spool) == world.rest
        assert set(spool.aside()) == world.bad


def poisoning(id_, value):
    """A fault that puts a value into a custom field of one case, wherever it is answered."""

    def alter(answer):
        start = answer.body.find(b'"id":"%b"' % id_.encode())
        found = answer.body.find(b'"fields":{', start)
        if start < 0 or found < 0:
            return answer
        place = found + len(b'"fields":{')
        note = b'"poison":{"type":"string","value":%b}' % value
        comma = b"" if answer.body[place : place + 1] == b"}" else b","
        return type(answer)(answer.status, answer.headers, answer.body[:place] + note + comma + answer.body[place:])

    return Fault(name="poison", applied=True, alter=alter)


@pytest.fixture
async def sim():
    async with Simulator(cases=400) as simulator:
        yield simulator


SOURCES = {
    "one search": lambda api: SearchSource(api=api, max_searches=1),
    "several searches": lambda api: SearchSource(
        api=api,
        where=Q.any_of(Q.status.eq(s) & ~Q.fields.priority.eq("no") for s in ("open", "closed")),
        max_searches=16,
    ),
    "the list": lambda api: TurnedSource(ListSource.of(api, None)),
    "the list, decided here": lambda api: TurnedSource(ListSource.of(api, ~Q.fields.poison.eq("x"))),
}


@pytest.mark.parametrize("value", [b"1e400", b"7" * 5_000, rb'"\ud800"'])
@pytest.mark.parametrize("source", SOURCES)
async def test_a_value_that_only_python_cannot_take_stops_no_export_of_lines(sim, make_api, tmp_path, source, value):
    id_ = next(id_ for id_, case in sim.store.cases.items() if case.status == "open")
    sim.faults.add(poisoning(id_, value))
    chosen = SOURCES[source](await make_api(sim))
    decides = source.endswith("decided here")
    with Spool(tmp_path / "cases.jsonl", ASKED, backward=chosen.backward) as spool:
        await collect(chosen, spool, set_aside=decides)
        lines, aside = lines_of(spool), list(spool.aside())
    found = aside if decides else lines
    assert sum(value in line for line in found) == 1
    assert len(aside) == decides
    if "several" not in source:
        assert len(lines) + len(aside) == 400


async def test_a_page_of_cases_names_the_one_that_is_to_blame(sim, make_client):
    id_ = list(sim.store.cases)[250]
    sim.faults.add(poisoning(id_, b"1e400"))
    with pytest.raises(DecodeError) as caught:
        await make_client(sim).cases.list().collect()
    assert caught.value.case_id == id_
    assert caught.value.cursor
    assert caught.value.request_id


@pytest.mark.parametrize("consistency", ["search", "fresh"])
async def test_an_export_sets_aside_cases_without_an_id_at_both_ends_of_a_page(sim, make_client, tmp_path, consistency):
    ids = [case.id for case in await make_client(sim).cases.search(sort=Q.created_at.asc()).collect()]
    ends = {ids[place] for at in range(0, len(ids), 100) for place in (at, at + 99)}

    def without_ids(answer):
        body = answer.body
        for id_ in ends:
            body = body.replace(b'"id":"%b"' % id_.encode(), b'"id":null')
        return type(answer)(answer.status, answer.headers, body)

    sim.faults.add(Fault(name="without ids", applied=True, alter=without_ids))
    report = await make_client(sim).cases.export(
        to=tmp_path / "cases.jsonl", undecodable="set_aside", consistency=consistency
    )
    lines = (tmp_path / "cases.jsonl").read_bytes().splitlines()
    assert [msgspec.json.decode(line)["id"] for line in lines] == [each for each in ids if each not in ends]
    assert report.rejected == len(ends) == 8
