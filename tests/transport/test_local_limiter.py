"""The limiter of one process, in an event loop whose time passes at once."""

import asyncio
import selectors
from collections.abc import Awaitable, Callable, Coroutine
from contextlib import closing
from datetime import timedelta
from typing import Any

import attrs
import pytest

from persona_cases import ClientStateError, InvalidArgumentError, RateLimitError
from persona_cases.limits import Feedback, LocalLimiter, QuotaLimiter, WindowReading
from persona_cases.transport.limits.limiter import LimiterState, Permit


class _Jumping(selectors.DefaultSelector):
    """Lets the time pass for which nothing would happen."""

    now = 0.0

    def select(self, timeout: float | None = None) -> Any:
        assert timeout is not None, "everybody waits, and nothing will ever happen"
        # A loop runs what is due within its clock's resolution: real time would have passed by then.
        self.now += timeout + 1e-6 if timeout > 0 else 0.0
        return super().select(0)


class _Loop(asyncio.SelectorEventLoop):
    def __init__(self) -> None:
        self._jumping = _Jumping()
        super().__init__(self._jumping)

    def time(self) -> float:
        return self._jumping.now


def run(main: Coroutine[Any, Any, Any]) -> Any:
    with asyncio.Runner(loop_factory=_Loop) as runner:
        return runner.run(main)


def now() -> float:
    return asyncio.get_running_loop().time()


@attrs.define
class Vendor:
    """A fixed window that opens with its first request, behind a line that takes some time."""

    limit: int = 300
    period: float = 60.0
    latency: float = 0.05
    ends: float = -1.0
    used: int = 0
    received: list[float] = attrs.field(factory=list)
    refused: int = 0
    most_at_once: int = 0
    at_once: int = 0

    async def send(self) -> Feedback:
        self.at_once += 1
        self.most_at_once = max(self.most_at_once, self.at_once)
        try:
            await asyncio.sleep(self.latency / 2)
            feedback = self._answer()
            await asyncio.sleep(self.latency / 2)
        finally:
            self.at_once -= 1
        return feedback

    def _answer(self) -> Feedback:
        if now() >= self.ends:
            self.ends, self.used = now() + self.period, 0
        self.received.append(now())
        refused = self.used >= self.limit
        self.refused += refused
        self.used += not refused
        reset = -int(-round(self.ends - now(), 6) // 1)
        return Feedback(
            reading=WindowReading(self.limit, self.limit - self.used, reset), answered=not refused, refused=refused
        )


def limiter_of(vendor: Vendor, **settings: Any) -> LocalLimiter:
    return LocalLimiter(**{"limit": vendor.limit, "period": vendor.period, **settings}, clock=now)


async def request(limiter: LocalLimiter, vendor: Vendor, max_wait: float | None = None) -> None:
    permit, feedback = await limiter.acquire(max_wait), Feedback()
    try:
        feedback = await vendor.send()
    finally:
        await limiter.settle(permit, feedback)


async def use_up(limiter: LocalLimiter, vendor: Vendor) -> None:
    await asyncio.gather(*(request(limiter, vendor) for _ in range(vendor.limit)))


def test_a_burst_is_spread_and_stays_within_the_window():
    async def main() -> None:
        vendor = Vendor()
        limiter = limiter_of(vendor)
        await asyncio.gather(*(request(limiter, vendor) for _ in range(700)))
        assert vendor.refused == 0
        first = vendor.received[0]
        assert len([time for time in vendor.received if time < first + 0.05]) == 1, "the scout is alone"
        assert len([time for time in vendor.received if time < first + 0.1]) <= 31 + 50 * vendor.latency
        # A tenth of the budget at once, and 50 a second from then on.
        assert vendor.most_at_once <= 30 + 50 * vendor.latency + 1
        assert vendor.received[299] <= first + 6.1, "the whole budget goes early"
        assert first + 60 <= vendor.received[300] <= first + 60.2
        assert vendor.received[699] <= first + 2 * 60.2 + 6.1

    run(main())


@pytest.mark.parametrize("limit", [10, 100, 300, 700, 5000])
def test_a_tenth_of_the_budget_leaves_at_once_and_little_more(limit):
    async def main() -> None:
        limiter, sent = LocalLimiter(limit, clock=now), []

        async def one() -> None:
            await limiter.acquire()
            sent.append(now())

        for left in (1, 2, 3):
            # Whatever turns these leave over are as old as can be.
            permit = await limiter.acquire()
            await limiter.settle(permit, Feedback(reading=WindowReading(limit, limit - left, 60), answered=True))
            await asyncio.sleep(7)
        began, burst = now(), limit // 10
        await asyncio.gather(*(one() for _ in range(limit // 2)))
        assert burst <= sent.count(began) <= burst * 1.1
        spread = began + 6 * (limit // 2 - burst * 1.1) / limit
        assert sent[-1] >= spread - 0.01
        assert limit // 2 == burst * 5 == len(sent)

    run(main())


def test_permits_are_given_in_the_order_in_which_they_were_asked_for():
    async def main() -> None:
        vendor, served = Vendor(limit=20, period=6.0), []
        limiter = limiter_of(vendor)

        async def one(number: int) -> None:
            permit = await limiter.acquire(1000.0 if number % 3 else None)
            served.append(number)
            await limiter.settle(permit, await vendor.send())

        await asyncio.gather(*(one(number) for number in range(70)))
        assert served == list(range(70))

    run(main())


async def _behind_the_scout(limiter: LocalLimiter, vendor: Vendor) -> None:
    """The gate is shut until the first answer."""


async def _window_used_up(limiter: LocalLimiter, vendor: Vendor) -> None:
    """The gate is shut until the window ends."""
    await use_up(limiter, vendor)


async def _bucket_full(limiter: LocalLimiter, vendor: Vendor) -> None:
    """The pace allows no more at this moment."""
    await request(limiter, vendor)
    await asyncio.gather(*(request(limiter, vendor) for _ in range(2)))


async def _refused_meanwhile(limiter: LocalLimiter, vendor: Vendor) -> None:
    """A refusal shuts the gate while the first in line waits for the pace."""
    await _bucket_full(limiter, vendor)
    permit = await limiter.acquire()

    async def refuse() -> None:
        await asyncio.sleep(0.01)
        await limiter.settle(permit, Feedback(reading=WindowReading(20, 0, 3), refused=True))

    asyncio.get_running_loop().create_task(refuse(), name="refusal")


PLACES = [_behind_the_scout, _window_used_up, _bucket_full, _refused_meanwhile]
MOMENTS = [0.0, 0.0001, 0.01, 0.04, 0.06, 0.3, 1.0, 4.0, 7.0]


async def _cancel(task: asyncio.Task[None], steps: int, after: float) -> None:
    await asyncio.sleep(after)
    for _ in range(steps):
        await asyncio.sleep(0)
    task.cancel()


async def _line_up(limiter: LocalLimiter, vendor: Vendor, victim: Callable[[], Awaitable[None]], at: int) -> None:
    line = [asyncio.create_task(request(limiter, vendor)) for _ in range(at)]
    line.append(asyncio.ensure_future(victim()))
    line += [asyncio.create_task(request(limiter, vendor)) for _ in range(8 - at)]
    results = await asyncio.gather(*line, return_exceptions=True)
    failures = [each for number, each in enumerate(results) if number != at and each is not None]
    assert not failures


async def _nothing_left(limiter: LocalLimiter, vendor: Vendor) -> None:
    await asyncio.sleep(10)
    assert (limiter.state.waiting, limiter.state.in_flight) == (0, 0)
    assert asyncio.all_tasks() == {asyncio.current_task()}
    async with asyncio.timeout(20):
        await use_up(limiter, vendor)
    assert vendor.refused == 0


@pytest.mark.parametrize("at", [0, 1, 7])
@pytest.mark.parametrize("place", PLACES, ids=lambda place: place.__name__)
def test_a_cancelled_call_takes_nothing_with_it(place, at):
    async def main(steps: int, after: float) -> None:
        vendor = Vendor(limit=20, period=6.0)
        limiter = limiter_of(vendor)
        await place(limiter, vendor)

        async def victim() -> None:
            task = asyncio.create_task(request(limiter, vendor))
            asyncio.get_running_loop().create_task(_cancel(task, steps, after))
            await asyncio.gather(task, return_exceptions=True)

        await _line_up(limiter, vendor, victim, at)
        await _nothing_left(limiter, vendor)

    for after in MOMENTS:
        for steps in range(6):
            run(main(steps, after))


@pytest.mark.parametrize("at", [0, 1, 7])
@pytest.mark.parametrize("place", PLACES, ids=lambda place: place.__name__)
def test_a_call_that_times_out_takes_nothing_with_it(place, at):
    async def main(after: float, max_wait: float | None) -> None:
        vendor = Vendor(limit=20, period=6.0)
        limiter = limiter_of(vendor)
        await place(limiter, vendor)

        async def victim() -> None:
            try:
                async with asyncio.timeout(after):
                    await request(limiter, vendor, max_wait)
            except (TimeoutError, RateLimitError):
                return

        await _line_up(limiter, vendor, victim, at)
        await _nothing_left(limiter, vendor)

    for after in MOMENTS:
        run(main(after, None))
        run(main(100.0, after))
        # Both at the same moment.
        run(main(after, after))


def test_a_wait_that_is_known_to_be_too_long_is_refused_at_once():
    async def main() -> None:
        vendor = Vendor(limit=5, period=10.0)
        limiter = limiter_of(vendor)
        await use_up(limiter, vendor)
        began = now()
        with pytest.raises(RateLimitError, match=r"wait of 9\.\d s .* max_wait") as caught:
            await limiter.acquire(5.0)
        assert now() == began
        assert 9 < caught.value.retry_after < 10
        await request(limiter, vendor, 10.0)

    run(main())


def test_a_wait_that_turns_out_too_long_ends_in_time():
    async def main() -> None:
        vendor = Vendor(limit=5, period=10.0)
        limiter = limiter_of(vendor)
        line = asyncio.gather(*(request(limiter, vendor) for _ in range(9)))
        await asyncio.sleep(0)
        with pytest.raises(RateLimitError, match="longer than max_wait"):
            await limiter.acquire(3.0)
        assert now() <= 3.001
        await line
        assert limiter.state.waiting == 0

    run(main())


def test_who_may_not_wait_at_all_is_served_or_refused_at_once():
    async def main() -> None:
        vendor = Vendor(limit=5, period=10.0)
        limiter = limiter_of(vendor)
        await request(limiter, vendor, 0)
        await asyncio.sleep(1)
        await request(limiter, vendor, 0)
        await asyncio.gather(*(request(limiter, vendor) for _ in range(3)))
        began = now()
        with pytest.raises(RateLimitError):
            await limiter.acquire(0)
        assert now() == began

    run(main())


def test_an_impatient_call_does_not_hold_up_the_patient_ones():
    async def main() -> None:
        vendor = Vendor(limit=5, period=10.0)
        limiter = limiter_of(vendor)
        await asyncio.gather(*(request(limiter, vendor) for _ in range(4)))
        calls = [request(limiter, vendor, 2.0 if number % 2 else None) for number in range(8)]
        results = await asyncio.gather(*calls, return_exceptions=True)
        assert [type(each) for each in results if each is not None] == [RateLimitError] * 4
        assert (vendor.refused, len(vendor.received)) == (0, 8)

    run(main())


def test_no_success_lifts_a_cool_down():
    async def main() -> None:
        vendor = Vendor(limit=50, period=10.0)
        limiter = limiter_of(vendor)
        await request(limiter, vendor)
        late, refused = await limiter.acquire(), await limiter.acquire()
        await limiter.settle(refused, Feedback(reading=WindowReading(50, 0, 4), refused=True))
        waiting = asyncio.create_task(request(limiter, vendor))
        await asyncio.sleep(0.5)
        await limiter.settle(late, Feedback(reading=WindowReading(50, 40, 4), answered=True))
        assert limiter.state.cooling_for == pytest.approx(4.5)
        began = now()
        await waiting
        assert now() - began >= 4.5

    run(main())


def test_the_reserve_of_each_window_is_left_to_others():
    async def main() -> None:
        vendor = Vendor(limit=10, period=6.0)
        limiter = limiter_of(vendor, reserve=4)
        await asyncio.gather(*(request(limiter, vendor) for _ in range(15)))
        began = vendor.received[0]
        assert [sum(began + 6 * k <= time < began + 6 * (k + 1) for time in vendor.received) for k in range(3)] == [
            6,
            6,
            3,
        ]

    run(main())


def test_its_state_is_what_it_knows():
    async def main() -> None:
        vendor = Vendor(limit=8, period=10.0)
        limiter = limiter_of(vendor, limit=300, reserve=2)
        nothing = LimiterState(
            limit=300,
            remaining=298,
            in_flight=0,
            waiting=0,
            reserve=2,
            resets_in=None,
            cooling_for=0.0,
            shared=False,
        )
        assert limiter.state == nothing
        permit = await limiter.acquire()
        assert limiter.state == attrs.evolve(nothing, remaining=297, in_flight=1)
        await limiter.settle(permit, await vendor.send())
        assert limiter.state == attrs.evolve(nothing, limit=8, remaining=5, resets_in=limiter.seconds_left)
        assert 9 < limiter.seconds_left <= 11
        assert (limiter.limit, limiter.remaining) == (8, 5)
        line = asyncio.gather(*(request(limiter, vendor) for _ in range(8)))
        await asyncio.sleep(2)
        assert (limiter.state.waiting, limiter.state.remaining) == (3, 0)
        await line
        assert limiter.state.waiting == 0

    run(main())


def test_two_limits_told_in_turn_do_not_open_the_bucket_again_and_again():
    async def main() -> None:
        limiter, sent = LocalLimiter(clock=now), []
        for number in range(60):
            permit: Permit = await limiter.acquire()
            sent.append(now())
            limit = (300, 100)[number % 2]
            reading = WindowReading(limit, limit - number - 1, 60)
            await limiter.settle(permit, Feedback(reading=reading, answered=True))
        # A tenth of the lower limit at once, and the rest of it within 6 seconds.
        assert len([time for time in sent if time == 0]) <= 45
        assert sent[-1] > 0.5

    run(main())


def test_it_serves_one_event_loop_after_another():
    vendor_time = 0.0
    limiter = LocalLimiter(limit=10, period=6.0, clock=lambda: vendor_time + now())
    statuses = []

    async def main() -> float:
        vendor = Vendor(limit=10, period=6.0)
        await asyncio.gather(*(request(limiter, vendor) for _ in range(15)))
        statuses.append((vendor.refused, limiter.state.waiting, limiter.state.in_flight))
        await asyncio.sleep(20)
        return now()

    for _ in range(3):
        vendor_time += run(main())
    assert statuses == [(0, 0, 0)] * 3


@pytest.mark.parametrize(
    "settings", [{"limit": 0}, {"limit": 1.5}, {"period": 0}, {"reserve": -1}, {"limit": 5, "reserve": 5}]
)
def test_numbers_out_of_range_are_refused(settings):
    with pytest.raises(InvalidArgumentError, match=list(settings)[-1]):
        LocalLimiter(**settings)


@pytest.mark.parametrize("kind", [LocalLimiter, QuotaLimiter])
async def test_two_running_loops_cannot_share_a_limiter(kind):
    limiter = kind()
    await limiter.settle(await limiter.acquire(), Feedback())

    def elsewhere():
        asyncio.run(limiter.acquire())

    with pytest.raises(ClientStateError, match="another event loop"):
        await asyncio.to_thread(elsewhere)
    assert (limiter.state.waiting, limiter.state.in_flight) == (0, 0)


async def test_durations_are_numbers_or_timedeltas():
    limiter = LocalLimiter(limit=10, period=timedelta(minutes=1))
    assert repr(limiter) == "LocalLimiter(limit=10, period=60)"
    assert repr(QuotaLimiter(timedelta(seconds=30))) == "QuotaLimiter(limit=untold, period=30)"
    await limiter.settle(await limiter.acquire(timedelta(seconds=1)), Feedback(refused=True, retry_after=30))
    for patience in (timedelta(seconds=1), 1, 0):
        with pytest.raises(RateLimitError, match="longer than max_wait"):
            await limiter.acquire(patience)
    with pytest.raises(InvalidArgumentError, match="max_wait"):
        await limiter.acquire(-1)
    assert limiter.state.waiting == 0


def test_a_call_of_an_abandoned_loop_does_not_upset_who_waits_in_the_next_one():
    limiter = LocalLimiter(limit=1, period=3600)

    async def wait() -> asyncio.Task:
        if not limiter.state.in_flight:
            await limiter.acquire()
        task = asyncio.ensure_future(limiter.acquire())
        await asyncio.sleep(0)
        return task

    with closing(asyncio.new_event_loop()) as first, closing(asyncio.new_event_loop()) as second:
        left = first.run_until_complete(wait())
        heir = second.run_until_complete(wait())
        assert limiter.state.waiting == 1
        for loop, task in ((first, left), (second, heir)):
            task.cancel()
            loop.run_until_complete(asyncio.wait([task]))
            assert limiter.state.waiting == (loop is first)
