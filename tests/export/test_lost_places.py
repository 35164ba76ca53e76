"""Cursors that a server does not know any more, and servers that do not keep to the order they were asked for."""

from __future__ import annotations

import attrs
import pytest
from msgspec.structs import replace
from spooling import fetchers_of, lines_of
from worlds import YEAR, World, line, moments_of

from persona_cases import RetryPolicy
from persona_cases.errors import APIError, ConnectionFailedError, PaginationError
from persona_cases.export.ranges.collector import collect
from persona_cases.export.ranges.fetched_ranges import FetchedRanges
from persona_cases.export.spool.checkpoint import Description
from persona_cases.export.spool.spool import Spool
from persona_cases.models.decoding.raw_page import RawPage
from persona_cases.testing import Fault, Simulator

ASKED = Description({}, "1.0")
PLAIN = moments_of([(0, YEAR, 2_000)])
CROWD = moments_of([(0, YEAR, 2_000), (YEAR // 2, 0, 250)])


@attrs.define
class Forgetful(World):
    """A server that does not know some cursors, and refuses them or begins with the first page.

    Attributes:
        unknown: these cursors; None for all.
        status: how they are refused; None if the walk begins anew.
    """

    unknown: frozenset[str | None] | None = frozenset()
    status: int | None = 404

    def page(self, time_range, after):
        if after is not None and (self.unknown is None or after in self.unknown):
            if self.status is not None:
                raise APIError(status=self.status)
            after = None
        return super().page(time_range, after)


async def interrupted(tmp_path, moments, fetchers):
    """Let an export be interrupted; return the cursors that its resume begins with."""
    world = World(moments)

    def fail(number):
        if number >= 12:
            raise ConnectionFailedError("lost")

    world.before = fail
    with Spool(tmp_path / "cases.jsonl", ASKED) as spool, pytest.raises(ConnectionFailedError):
        await collect(world, spool, fetchers=fetchers_of(fetchers))
    with Spool(tmp_path / "cases.jsonl", ASKED) as spool:
        return frozenset(each.cursor for each in spool.ranges.open)


@pytest.mark.parametrize("fetchers", [1, 5])
@pytest.mark.parametrize("status", [400, 404, 410, 422, None])
@pytest.mark.parametrize("moments", [PLAIN, CROWD], ids=["plain", "crowd"])
async def test_an_export_whose_cursors_are_unknown_at_its_resume_asks_by_time(tmp_path, moments, status, fetchers):
    unknown = await interrupted(tmp_path, moments, fetchers)
    assert unknown != {None}
    world = Forgetful(moments, unknown=unknown, status=status)
    with Spool(tmp_path / "cases.jsonl", ASKED) as spool:
        await collect(world, spool, fetchers=fetchers_of(fetchers))
        assert lines_of(spool) == world.lines


async def test_a_server_that_knows_no_cursor_at_all_is_asked_by_time_again_and_again(tmp_path):
    world = Forgetful(PLAIN, unknown=None)
    with Spool(tmp_path / "cases.jsonl", ASKED) as spool:
        await collect(world, spool, fetchers=fetchers_of(3))
        assert lines_of(spool) == world.lines


async def test_where_the_time_does_not_tell_the_place_the_error_comes_through(tmp_path):
    world = Forgetful(moments_of([(0, 0, 2_000)]), unknown=None)
    with Spool(tmp_path / "cases.jsonl", ASKED) as spool, pytest.raises(APIError):
        await collect(world, spool, fetchers=fetchers_of(3))
    assert world.requests < 20


@pytest.mark.parametrize("consistency", ["search", "fresh"])
async def test_a_case_that_is_deleted_while_an_export_waits_stops_nothing(make_client, tmp_path, consistency):
    output = tmp_path / "cases.jsonl"
    async with Simulator(cases=900) as sim:
        client = make_client(sim, retry=RetryPolicy(attempts=1))
        sim.faults.add(Fault.status(500), nth=7)
        with pytest.raises(APIError):
            await client.cases.export(to=output, consistency=consistency)
        with_cursor = [request.params["page[after]"] for request in sim.requests if "page[after]" in request.params]
        for id_ in set(with_cursor):
            sim.store.remove_case(id_)
        sim.faults.clear()
        await client.cases.export(to=output, consistency=consistency)
        lines = output.read_bytes().splitlines()
        assert {case.id async for case in client.cases.search()} <= set(map(_id, lines))
        assert len(set(map(_id, lines))) == len(lines)


def _id(line):
    return line.split(b'"id":"', 1)[1].split(b'"', 1)[0].decode()


# ---- the order -----------------------------------------------------------------------------------------------------


@attrs.define
class Stubborn(World):
    """A server that sends the oldest cases whatever the direction is."""

    async def far_end(self):
        return replace(self.page_of_everything(), next_cursor=None)

    def page_of_everything(self):
        return RawPage([line(number, moment) for number, moment in enumerate(self.moments[: self.size])], "x")


async def test_a_server_that_ignores_the_direction_is_found_out(tmp_path):
    with Spool(tmp_path / "cases.jsonl", ASKED) as spool, pytest.raises(PaginationError, match="direction"):
        await collect(Stubborn(PLAIN), spool, fetchers=fetchers_of(3))


async def test_where_both_ends_look_alike_everything_is_walked(tmp_path):
    # Of so many cases of one moment, nobody can tell whether they are the oldest or the newest ones.
    world = Stubborn(moments_of([(0, 0, 150), (50, YEAR, 700)]))
    with Spool(tmp_path / "cases.jsonl", ASKED) as spool:
        await collect(world, spool, fetchers=fetchers_of(3))
        assert lines_of(spool) == world.lines


def of(*moments, cursor=None):
    return RawPage([line(number, moment) for number, moment in enumerate(moments)], cursor)


def bounded(first, far_end):
    ranges = FetchedRanges.from_first(first, None)
    ranges.all[0].take(first)
    ranges.bound(far_end, first.moment(len(first) - 1), open_end=False)
    return ranges


@pytest.mark.parametrize(("until", "high"), [(None, 4), (2, 4), (9, 10)])
def test_before_the_end_is_known_nothing_behind_the_estimate_is_left_out(until, high):
    [whole] = FetchedRanges.from_first(of(1, 2, 3, cursor="x"), until).all
    assert (whole.low, whole.high, whole.open_end) == (1, high, True)


def test_the_only_page_has_the_end():
    ranges = FetchedRanges.from_first(of(1, 2, 3), 9)
    [whole] = ranges.all
    assert (whole.low, whole.high, whole.open_end) == (1, 4, False)
    whole.take(of(1, 2, 3))
    ranges.bound(of(9, 8), 3, open_end=False)
    assert (whole.high, whole.done) == (4, True)


@pytest.mark.parametrize(
    ("first", "far_end"),
    [
        (of(1, 2, 3, cursor="x"), of(1, 2, 3)),
        (of(1, 2, 3, cursor="x"), of(9, 7, 8)),
        (of(5, 6, 7, cursor="x"), of(6, 5)),
        (of(5, 6, 7, cursor="x"), of(4, 3)),
    ],
)
def test_ends_that_cannot_be_right_are_refused(first, far_end):
    with pytest.raises(PaginationError, match="direction"):
        bounded(first, far_end)


@pytest.mark.parametrize(
    ("first", "far_end", "high", "open_end"),
    [
        (of(1, 2, 3, cursor="x"), of(9, 8, 3), 10, False),
        (of(1, 1, 1, cursor="x"), of(1, 1, 1), 2, True),
        (of(1, 2, 3, cursor="x"), of(), 4, True),
    ],
)
def test_the_ends_of_an_export(first, far_end, high, open_end):
    [whole] = bounded(first, far_end).all
    assert (whole.low, whole.high, whole.open_end) == (1, high, open_end)


async def test_pages_without_a_new_case_end_an_export(tmp_path, monkeypatch):
    monkeypatch.setattr("persona_cases.export.ranges.collector.MOST_EMPTY_PAGES", 40)

    class Endless(World):
        rounds = 0

        def page(self, time_range, after):
            self.rounds += 1
            if after is None or not after.startswith("r"):
                page = super().page(time_range, None)
                return page.between(range(len(page)), "r1")
            return RawPage([], f"r{self.rounds}")

    world = Endless(PLAIN[:150])
    with Spool(tmp_path / "cases.jsonl", ASKED) as spool, pytest.raises(PaginationError, match="without a new case"):
        await collect(world, spool, fetchers=fetchers_of(1))
    assert world.requests < 60
