"""Collecting: every case once, in order, the same bytes whatever happens on the way."""

from __future__ import annotations

import asyncio
import itertools
from datetime import UTC, datetime, timedelta

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from spooling import fetchers_of
from worlds import MOMENTS, YEAR, World, moments_of

from persona_cases import PaginationError, Q, RetryPolicy, ServerError
from persona_cases.errors import Answered, BadRequestError, ConnectionFailedError, DecodeError
from persona_cases.export.progress import RunProgress
from persona_cases.export.ranges.collector import collect
from persona_cases.export.ranges.fetcher_count import Stopwatch
from persona_cases.export.ranges.time_range import TimeRange
from persona_cases.export.spool.checkpoint import Description
from persona_cases.export.spool.spool import Spool
from persona_cases.models.decoding.raw_page import RawPage
from persona_cases.query import SearchLimits
from persona_cases.resources.exporting.search_source import SearchSource
from persona_cases.testing import Fault, Simulator

ASKED = Description({}, "1.0")
UNIFORM = moments_of([(0, YEAR, 3_000), (YEAR // 2, 0, 250)])
START = datetime(2025, 1, 1, tzinfo=UTC)


async def collected(source, directory, **settings):
    """The lines that a run to the end gives, and its progress."""
    with Spool(directory / "cases.jsonl", ASKED) as spool:
        done = await collect(source, spool, **{"fetchers": fetchers_of(), **settings})
        lines = [each for batch in spool.batches() for each in batch]
        spool.remove()
    return lines, done


def source_of(api, where=None, **settings):
    return SearchSource(api=api, where=where, **{"max_searches": 16, **settings})


async def in_order(client, where=None):
    return [case.raw_line async for case in client.cases.search(where, sort=Q.created_at.asc())]


# ---- cases in memory -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("fetchers", [1, 2, 7, 16])
async def test_the_cases_are_the_same_whatever_the_number_of_fetchers(tmp_path, fetchers):
    world = World(UNIFORM)
    lines, done = await collected(world, tmp_path, fetchers=fetchers_of(fetchers))
    assert lines == world.lines
    assert (done.so_far.cases, done.fetched) == (len(UNIFORM), world.requests)
    assert len(done.pages_by_fetcher) <= fetchers
    assert done.so_far.pages == done.fetched - 1
    assert world.most_running <= max(2, fetchers)


@settings(max_examples=25)  # Each waits for the disk.
@given(moments=MOMENTS, fetchers=st.integers(1, 16), size=st.sampled_from([20, 100]), empty=st.sets(st.integers(0, 50)))
def test_any_cases_are_collected(tmp_path_factory, moments, fetchers, size, empty):
    world = World(moments, size=size, empty_at=frozenset(empty))
    lines, _ = asyncio.run(collected(world, tmp_path_factory.mktemp("any"), fetchers=fetchers_of(fetchers)))
    assert lines == world.lines


async def test_what_is_left_of_ranges_is_asked_for_as_one_where_that_is_possible(tmp_path):
    requests = {}
    for joins in (True, False):
        world = World(moments_of([(0, YEAR, 8_000)]), joins=joins)
        lines, _ = await collected(world, tmp_path, fetchers=fetchers_of(16))
        assert lines == world.lines
        assert bool(world.asked_together) == joins
        requests[joins] = world.requests
    assert requests[True] < requests[False]


async def test_no_cases_take_one_request_and_are_an_export_too(tmp_path):
    world = World([])
    lines, done = await collected(world, tmp_path)
    assert (lines, done.so_far.cases, world.requests) == ([], 0, 1)


async def test_cases_on_one_page_take_one_request(tmp_path):
    world = World(moments_of([(0, YEAR, 100)]))
    lines, done = await collected(world, tmp_path)
    assert lines == world.lines
    assert (world.requests, done.so_far.pages) == (1, 1)


async def test_cases_created_after_the_start_are_left_out(tmp_path):
    world = World(moments_of([(0, YEAR, 3_000)]))
    there = world.lines

    def grow(number):
        if number > 2:
            world.moments.append(2 * YEAR + number)

    world.before = grow
    lines, _ = await collected(world, tmp_path, fetchers=fetchers_of(7))
    assert lines == there
    assert len(world.moments) > len(there)


async def test_the_error_of_a_fetcher_comes_through_and_the_rest_is_kept(tmp_path):
    world, lost = World(UNIFORM), ConnectionFailedError("lost")

    def fail(number):
        if number >= 20:
            raise lost

    world.before = fail
    tasks = asyncio.all_tasks()
    with Spool(tmp_path / "cases.jsonl", ASKED) as spool, pytest.raises(ConnectionFailedError) as raised:
        await collect(world, spool, fetchers=fetchers_of(7))
    assert raised.value is lost
    assert asyncio.all_tasks() == tasks
    assert world.running == 0
    again = World(UNIFORM)
    with Spool(tmp_path / "cases.jsonl", ASKED) as spool:
        kept = sum(each.cases for each in spool.ranges.all)
        await collect(again, spool, fetchers=fetchers_of(7))
        assert [each for batch in spool.batches() for each in batch] == world.lines
    assert kept > 800


async def test_a_cancelled_run_can_be_gone_on_from(tmp_path):
    world = World(UNIFORM)

    async def hang(number):
        if number >= 15:
            await asyncio.sleep(60)

    world.before = hang
    with Spool(tmp_path / "cases.jsonl", ASKED) as spool:
        run = asyncio.create_task(collect(world, spool, fetchers=fetchers_of(5)))
        while world.requests < 19:
            await asyncio.sleep(0.001)
        run.cancel()
        with pytest.raises(asyncio.CancelledError):
            await run
    assert world.running == 0
    assert asyncio.all_tasks() == {asyncio.current_task()}
    world.before = None
    before = world.requests
    lines, _ = await collected(world, tmp_path, fetchers=fetchers_of(3))
    assert lines == world.lines
    assert world.requests - before <= 33 - 12 + 5


@pytest.mark.parametrize("rounds", [16, 24, 48, 96])
def test_an_export_in_a_task_of_a_loop_that_ends_loses_nothing(tmp_path, rounds):
    async def wait(_):
        # Five pages one after the other, as eight fetchers need at least, do not fit.
        for _ in range(rounds // 4):
            await asyncio.sleep(0)

    async def begin():
        task = asyncio.ensure_future(collected(World(UNIFORM, before=wait), tmp_path, fetchers=fetchers_of(8)))
        for _ in range(rounds):
            await asyncio.sleep(0)
        # `asyncio.run` cancels all tasks now, also those that nobody but the export knows of.
        return task.result()[0] if task.done() else None

    interrupted = 0
    while (lines := asyncio.run(begin())) is None:
        interrupted += 1
        assert interrupted < 300
    assert interrupted > 0
    assert lines == World(UNIFORM).lines


async def test_a_server_that_refuses_several_ranges_at_once_is_asked_for_each(tmp_path):
    class Narrow(World):
        refused = 0

        async def pages_together(self, parts):
            self.refused += 1
            raise BadRequestError(status=400)
            yield RawPage(())

    world = Narrow(moments_of([(0, YEAR, 8_000)]))
    lines, _ = await collected(world, tmp_path, fetchers=fetchers_of(16))
    assert lines == world.lines
    assert 0 < world.refused <= 16


class Refusing(World):
    """A world in which the first page of several ranges ends in something that is no case."""

    refusing = True

    async def pages_together(self, parts):
        async for page in super().pages_together(parts):
            if self.refusing and len(page) > 3:
                self.refusing = False
                lines = [*page.lines[:-1], b'{"type":"case","id":"case_1","attributes":{}}']
                yield RawPage(lines, page.next_cursor, call=Answered("POST", "/cases/search", 2, 0.5, "req_1"))
            else:
                yield page


async def test_a_page_of_several_ranges_that_is_refused_loses_none_of_its_cases(tmp_path):
    moments = sorted(number * number % 9_973_001 for number in range(4_000))
    world = Refusing(moments)
    with Spool(tmp_path / "cases.jsonl", ASKED) as spool, pytest.raises(DecodeError) as caught:
        await collect(world, spool, fetchers=fetchers_of())
    assert (caught.value.method, caught.value.attempts, caught.value.request_id) == ("POST", 2, "req_1")
    lines, done = await collected(world, tmp_path)
    assert lines == world.lines
    assert done.so_far.cases == len(moments)


async def test_a_crowd_is_not_taken_again_when_it_is_gone_on_with(tmp_path):
    moments = sorted([*range(0, 1_000_000, 400), *[500_200] * 2_600, *range(900_000, 1_000_000, 100)])
    for stop in range(8, 48, 4):
        world = World(moments)

        def fail(number, stop=stop):
            if number >= stop:
                raise ConnectionFailedError("lost")

        world.before = fail
        output = tmp_path / str(stop)
        output.mkdir()
        with Spool(output / "cases.jsonl", ASKED) as spool, pytest.raises(ConnectionFailedError):
            await collect(world, spool, fetchers=fetchers_of(9))
        world.before = None
        lines, _ = await collected(world, output, fetchers=fetchers_of(9))
        assert lines == world.lines


@pytest.mark.parametrize("passing", [1.0, 0.0])
async def test_progress_is_told_after_commits_now_and_then_and_ends_with_all(tmp_path, passing):
    world, seen, readings = World(UNIFORM), [], itertools.count()
    stopwatch = Stopwatch(wall=lambda: passing * next(readings), busy=lambda: 0.0)
    progress = RunProgress(on_progress=seen.append)
    await collected(world, tmp_path, fetchers=fetchers_of(4), progress=progress, stopwatch=stopwatch)
    assert [each.cases for each in seen] == sorted(each.cases for each in seen)
    assert (seen[-1].cases, seen[-1].pages_left) == (len(UNIFORM), 0)
    assert seen[-1].size == sum(len(each) + 1 for each in world.lines)
    if passing:
        assert any(each.pages_left for each in seen[1:])
    else:
        assert len(seen) == 2


async def test_a_disk_that_is_full_ends_the_run(tmp_path, monkeypatch):
    monkeypatch.setattr("os.write", lambda *_: (_ for _ in ()).throw(OSError(28, "No space left on device")))
    with Spool(tmp_path / "cases.jsonl", ASKED) as spool, pytest.raises(OSError, match="No space left"):
        await collect(World(UNIFORM), spool, fetchers=fetchers_of(4))
    monkeypatch.undo()
    lines, _ = await collected(World(UNIFORM), tmp_path)
    assert len(lines) == len(UNIFORM)


async def test_what_is_no_case_is_refused(tmp_path):
    class Broken(World):
        def page(self, part, after):
            page = super().page(part, after)
            return RawPage([*page.lines[:-1], b'{"type":"case","id":"case_1","attributes":{}}'], page.next_cursor)

    with Spool(tmp_path / "cases.jsonl", ASKED) as spool, pytest.raises(DecodeError, match="creation time"):
        await collect(Broken(UNIFORM), spool, fetchers=fetchers_of())


# ---- against the simulator -----------------------------------------------------------------------------------------


@pytest.fixture
async def sim():
    async with Simulator(cases=1_500) as simulator:
        yield simulator


QUERIES = [
    None,
    Q.status.eq("open"),
    Q.status.eq("open") | Q.fields.priority.eq("high"),
    Q.created_at.gte(START) & ~Q.fields.priority.eq("low"),
    Q.any_of(Q.status.eq(each) & Q.fields.priority.eq("high") for each in ("open", "approved")),
    Q.status.eq("open") & Q.status.eq("closed"),
]


@pytest.mark.parametrize("where", QUERIES, ids=range(len(QUERIES)))
async def test_any_query_is_collected_as_a_walk_finds_it(sim, make_api, make_client, tmp_path, where):
    api = await make_api(sim)
    lines, _ = await collected(source_of(api, where), tmp_path)
    assert lines == await in_order(make_client(sim), where)


async def test_a_query_of_several_searches_is_gone_on_from(make_api, make_client, tmp_path):
    statuses = ("open", "pending", "approved", "declined", "in_review", "escalated")
    where = Q.any_of(Q.status.eq(each) & ~Q.fields.priority.eq("low") for each in statuses)
    async with Simulator(cases=1_500, limits=SearchLimits(max_clauses=4)) as sim:
        api = await make_api(sim, retry=RetryPolicy(attempts=1))
        narrow, cases = SearchLimits(max_clauses=4), make_client(sim).cases
        assert "searches, run side by side" in cases.search(where, search_limits=narrow).explain()
        source = source_of(api, where, limits=narrow)
        expected = [case.raw_line async for case in cases.search(where, sort=Q.created_at.asc(), search_limits=narrow)]
        sim.requests.clear()
        sim.faults.add(Fault.status(500), nth=9, times=1)
        with Spool(tmp_path / "cases.jsonl", ASKED) as spool, pytest.raises(ServerError):
            await collect(source, spool, fetchers=fetchers_of())
        lines, _ = await collected(source, tmp_path)
    assert lines == expected
    assert len(lines) > 200


async def test_ranges_are_one_search_if_the_expression_leaves_room_for_them(sim, make_api):
    some = [TimeRange(0, 1_000), TimeRange(2_000, 3_000), TimeRange(5_000, 6_000)]
    api = await make_api(sim)
    for where in (None, Q.status.eq("open"), Q.status.eq("open") & ~Q.fields.priority.eq("low")):
        assert source_of(api, where).together(some) is not None
    wide = Q.any_of(Q.status.eq(str(number)) & Q.fields.priority.eq(str(number)) for number in range(12))
    assert source_of(api, wide).together(some) is None


async def test_a_fieldset_is_kept_to_and_has_the_creation_time(sim, make_api, tmp_path):
    lines, _ = await collected(source_of(await make_api(sim), only=("status",)), tmp_path)
    assert len(lines) == 1_500
    assert {tuple(sorted(msgspec.json.decode(each)["attributes"])) for each in lines} == {("created_at", "status")}


async def test_cases_of_equal_time_across_pages_come_once(make_api, make_client, tmp_path):
    async with Simulator(cases=0) as sim:
        for minute in range(3):
            for _ in range(250):
                sim.store.create_case(created_at=START + timedelta(minutes=minute))
        api = await make_api(sim)
        lines, _ = await collected(source_of(api), tmp_path)
        assert lines == await in_order(make_client(sim))
        assert len(set(lines)) == 750


async def test_what_happens_meanwhile_makes_no_case_come_twice(sim, make_api, tmp_path):
    api, before = await make_api(sim), set(sim.store.cases)
    ids = sorted(before)

    def happen(progress):
        for number in range(5):
            sim.store.create_case(created_at=START + timedelta(days=400 + progress.pages, seconds=number))
            sim.store.update_case(ids.pop(), status="closed")
            sim.store.redact_case(ids.pop())

    lines, _ = await collected(source_of(api), tmp_path, progress=RunProgress(on_progress=happen))
    found = [msgspec.json.decode(each) for each in lines]
    times = [each["attributes"]["created_at"] for each in found]
    assert {each["id"] for each in found} == before
    assert len(found) == len(before)
    assert times == sorted(times)


async def test_faults_on_the_way_change_nothing(sim, make_api, make_client, tmp_path):
    api = await make_api(sim, retry=RetryPolicy(base=0, attempts=12))
    expected = await in_order(make_client(sim))
    sim.faults.add(Fault.status(503), probability=0.2)
    sim.faults.add(Fault.torn(1_000), probability=0.2)
    sim.faults.add(Fault.rate_limited(1), nth=8, times=1)
    lines, _ = await collected(source_of(api), tmp_path)
    assert lines == expected
    assert sum(request.fault is not None for request in sim.requests) > 2


async def test_a_rate_limit_is_kept_to_with_few_fetchers(make_api, tmp_path):
    async with Simulator(cases=1_000, rate_limit="10/1") as sim:
        api = await make_api(sim)
        lines, done = await collected(source_of(api), tmp_path)
    assert len(lines) == 1_000
    assert all(request.status == 200 for request in sim.requests)
    assert len(sim.requests) == done.fetched <= 10 + 4


async def test_a_repeated_cursor_ends_the_run(sim, make_api, make_client, tmp_path):
    first = (await make_client(sim).cases.search(sort=Q.created_at.asc())).next_cursor

    def loop(answer):
        document = msgspec.json.decode(answer.body)
        document["links"]["next"] = f"/api/v1/cases/search?page%5Bafter%5D={first}"
        return type(answer)(answer.status, answer.headers, msgspec.json.encode(document))

    sim.faults.add(Fault(name="loop", applied=True, alter=loop))
    with Spool(tmp_path / "cases.jsonl", ASKED) as spool, pytest.raises(PaginationError):
        await collect(source_of(await make_api(sim)), spool, fetchers=fetchers_of(1))


async def test_cases_on_several_lines_are_put_on_one(sim, make_api, make_client, tmp_path):
    api = await make_api(sim)
    expected = await in_order(make_client(sim))

    def spread(answer):
        return type(answer)(answer.status, answer.headers, msgspec.json.format(answer.body, indent=2))

    sim.faults.add(Fault(name="pretty", applied=True, alter=spread))
    lines, _ = await collected(source_of(api), tmp_path)
    assert [msgspec.json.decode(each) for each in lines] == [msgspec.json.decode(each) for each in expected]
    assert all(b"\n" not in each for each in lines)
