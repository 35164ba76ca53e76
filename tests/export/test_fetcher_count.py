"""How many fetchers an export gets."""

from __future__ import annotations

import attrs
import pytest
from spooling import fetchers_of, lines_of
from worlds import YEAR, World, moments_of

from persona_cases.errors import ConnectionFailedError, RequestTimeoutError
from persona_cases.export.ranges.collector import collect
from persona_cases.export.ranges.fetcher_count import MOST_FETCHERS, WORTH_WAITING, FetcherCount, Stopwatch
from persona_cases.export.spool.checkpoint import Description
from persona_cases.export.spool.spool import Spool
from persona_cases.limits import LimiterState
from persona_cases.testing import Simulator

PLENTY = moments_of([(0, YEAR, 3_000)])


def limit(remaining, requests=300):
    return LimiterState(
        limit=requests,
        remaining=remaining,
        in_flight=0,
        waiting=0,
        reserve=0,
        resets_in=60.0,
        cooling_for=0.0,
        shared=False,
    )


@pytest.mark.parametrize(
    ("waiting", "size"),
    [(0.0, 1), (-0.001, 1), (WORTH_WAITING, 1), (WORTH_WAITING * 3.5, 3), (0.05, 25), (1.0, MOST_FETCHERS)],
)
def test_there_are_as_many_fetchers_as_find_time_to_fetch(waiting, size):
    fetchers = FetcherCount()
    fetchers.observe(waiting + 0.004, 0.004)
    fetchers.grow(1_000, 200, None, first=False)
    assert fetchers.size == size


def test_what_counts_is_the_quickest_page():
    fetchers = FetcherCount()
    for seconds in (0.3, 0.012, 0.1):
        fetchers.observe(seconds, 0.002)
    fetchers.grow(1_000, 200, None, first=False)
    assert fetchers.size == 5


@pytest.mark.parametrize(
    ("fetchers", "waiting", "settled"),
    [
        (FetcherCount(), 1.99 * WORTH_WAITING, True),
        (FetcherCount(), 2.01 * WORTH_WAITING, False),
        (FetcherCount(size=2), 0.0, False),
        (FetcherCount(most=9, worth_waiting=0), 0.0, False),
        (FetcherCount(most=1), 1.0, True),
    ],
)
def test_what_is_settled_stays_so(fetchers, waiting, settled):
    fetchers.observe(waiting, 0.0)
    assert fetchers.settled is settled
    before = fetchers.size
    fetchers.observe(10.0, 0.0)
    fetchers.grow(1_000, 200, None, first=False)
    assert (fetchers.size == before == 1) is settled


def test_one_fetcher_that_is_left_may_be_enough():
    fetchers = FetcherCount(size=2)
    fetchers.back_off(0)
    fetchers.observe(0.0, 0.0)
    assert fetchers.settled


def test_more_work_than_the_limit_feeds_gets_no_more_fetchers():
    fetchers = FetcherCount()
    fetchers.observe(0.15, 0.0)
    fetchers.grow(1_000, 200, limit(100), first=False)
    assert fetchers.size == 1
    fetchers.grow(50, 10, limit(100), first=False)
    assert fetchers.size == 10
    fetchers.make_room(90, limit(100))
    assert fetchers.size == 5
    fetchers.make_room(50, limit(100))
    assert fetchers.size == 5


def test_waiting_does_not_decide_where_it_is_not_to():
    fetchers = FetcherCount(most=9, worth_waiting=0)
    fetchers.observe(0.004, 0.004)
    fetchers.grow(1_000, 200, None, first=False)
    assert fetchers.size == 9


@pytest.mark.parametrize(("pages", "size"), [(1, 1), (2, 1), (10, 5), (11, 6), (24, 12), (1_000, 12)])
def test_before_anything_is_known_few_pages_are_worth_a_fetcher(pages, size):
    fetchers = FetcherCount()
    fetchers.observe(1.0, 0.0)
    fetchers.grow(pages, 40, None, first=True)
    assert fetchers.size == size


def test_no_calm_raises_the_number_above_the_most():
    fetchers = FetcherCount(most=2, worth_waiting=0)
    for _ in range(1_000):
        fetchers.observe(0.1, 0.0)
    fetchers.grow(1_000, 200, None, first=False)
    assert (fetchers.ceiling, fetchers.size) == (2, 2)


@attrs.define
class Clocks:
    """The time in a world of its own, where the first pages take as long as they are said to."""

    seconds: float
    work: float
    now: float = 0.0
    worked: float = 0.0

    def answer(self, _number):
        self.now += self.seconds
        self.worked += self.work

    @property
    def stopwatch(self):
        return Stopwatch(wall=lambda: self.now, busy=lambda: self.worked)


@pytest.mark.parametrize(
    ("seconds", "work", "several"),
    [(0.0, 0.0, False), (0.002, 0.001, False), (5.0, 5.0, False), (0.05, 0.001, True), (9.0, 1.0, True)],
)
async def test_a_server_nearby_is_asked_by_one_fetcher(tmp_path, seconds, work, several):
    clocks, world = Clocks(seconds, work), World(PLENTY)
    world.before = clocks.answer
    with Spool(tmp_path / "cases.jsonl", Description({}, "1.0")) as spool:
        done = await collect(world, spool, stopwatch=clocks.stopwatch)
    assert (len(done.pages_by_fetcher) > 1) == several
    assert done.so_far.cases == 3_000


async def test_an_export_over_a_slow_line_has_several_fetchers(make_client, tmp_path):
    # However busy this machine is: that makes pages slower, never faster.
    async with Simulator(cases=3_000, latency=0.05) as sim:
        done = await make_client(sim).cases.export(to=tmp_path / "cases.jsonl")
    assert len(done.fetchers) > 1
    assert done.cases == 3_000


def grown(size):
    fetchers = FetcherCount(worth_waiting=0)
    fetchers.observe(0.1, 0.0)
    fetchers.rejoin(size)
    return fetchers


def test_a_failure_halves_the_fetchers_once_however_many_of_them_fail():
    fetchers = grown(40)
    assert [fetchers.back_off(0) for _ in range(40)] == [True] * 40
    assert fetchers.size == 20


def test_without_a_page_in_between_one_fetcher_is_left_and_its_failure_is_one_of_the_server():
    fetchers = grown(40)
    assert fetchers.back_off(fetchers.epoch)
    assert fetchers.back_off(fetchers.epoch)
    assert fetchers.size == 1
    assert fetchers.back_off(0)
    assert not fetchers.back_off(fetchers.epoch)


def test_pages_that_come_raise_the_number_again_one_at_a_time():
    fetchers = grown(4)
    fetchers.back_off(fetchers.epoch)
    fetchers.grow(1_000, 200, None, first=False)
    assert fetchers.size == 2
    for _ in range(16):
        fetchers.observe(0.1, 0.0)
    fetchers.grow(1_000, 200, None, first=False)
    assert fetchers.size == 3
    fetchers.rejoin(40)
    assert fetchers.size == 3


def test_a_crew_of_one_never_backs_off():
    fetchers = FetcherCount()
    assert not fetchers.back_off(0)


@attrs.define
class Weak(World):
    """A server that answers so many requests at a time, and lets the others run into a timeout."""

    bears: int = 3
    failed: int = 0

    def check(self, _number):
        if self.running > self.bears:
            self.failed += 1
            raise RequestTimeoutError("no answer")


@pytest.mark.parametrize("bears", [1, 2, 7])
async def test_fewer_fetchers_are_the_answer_to_timeouts(tmp_path, bears):
    world = Weak(PLENTY, bears=bears)
    world.before = world.check
    with Spool(tmp_path / "cases.jsonl", Description({}, "1.0")) as spool:
        done = await collect(world, spool, fetchers=fetchers_of(20))
        assert lines_of(spool) == world.lines
    assert done.so_far.cases == 3_000
    assert 0 < world.failed < 60


async def test_a_server_that_is_gone_ends_the_run_after_a_few_tries(tmp_path):
    world = World(PLENTY)

    def gone(number):
        if number > 15:
            raise ConnectionFailedError("gone")

    world.before = gone
    with Spool(tmp_path / "cases.jsonl", Description({}, "1.0")) as spool, pytest.raises(ConnectionFailedError):
        await collect(world, spool, fetchers=fetchers_of(20))
    assert world.requests < 15 + 20 + 10 + 5


@pytest.mark.parametrize(("pages", "size"), [(0, 1), (1, 4), (30, 4)])
def test_a_failure_leaves_half_of_the_fetchers_or_one_if_no_page_ever_came(pages, size):
    fetchers = FetcherCount(size=8)
    for _ in range(pages):
        fetchers.observe(0.01, 0.001)
    assert fetchers.back_off(0)
    assert fetchers.size == size
