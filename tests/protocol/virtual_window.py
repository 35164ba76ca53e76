"""The vendor's fixed window in virtual time, and requests that leave as early as a `RateWindow` allows."""

import heapq
import math
from collections.abc import Callable
from itertools import count
from random import Random

import attrs

from persona_cases.protocol.limit_headers import WindowReading
from persona_cases.protocol.window import Feedback, RateWindow


@attrs.define
class Counter:
    """A fixed window that opens with its first request, as the vendor describes it."""

    limit: int
    period: float
    rounding: Callable[[float], int]
    ends: float = -math.inf
    used: int = 0
    windows: list[int] = attrs.field(factory=list)

    def roll(self, now: float) -> None:
        if now >= self.ends:
            self.ends, self.used = now + self.period, 0
            self.windows.append(0)

    def spend(self) -> None:
        self.used += 1
        self.windows[-1] += 1

    def reading(self, now: float) -> WindowReading:
        return WindowReading(self.limit, self.limit - self.used, max(0, self.rounding(round(self.ends - now, 6))))


@attrs.define
class Server:
    """All the limits that a request counts against; it tells of the one that has the least left."""

    counters: list[Counter]
    refused: int = 0

    def answer(self, now: float) -> tuple[bool, WindowReading]:
        for counter in self.counters:
            counter.roll(now)
        full = [counter for counter in self.counters if counter.used >= counter.limit]
        if full:
            return False, full[0].reading(now)
        for counter in self.counters:
            counter.spend()
        return True, min(self.counters, key=lambda each: each.limit - each.used).reading(now)


@attrs.define
class World:
    """Requests that leave as early as a window allows, in virtual time."""

    window: RateWindow
    server: Server
    latency: Callable[[], float]
    losses: Callable[[], str] = lambda: ""
    pace: tuple[float, float] | None = None
    each_event: Callable[["World"], None] = lambda _: None
    began: float = 0.0
    now: float = attrs.field(init=False)
    done: int = 0
    refused: int = 0
    in_flight: int = 0
    waiting: int = 0
    level: float = 0.0
    level_at: float = 0.0
    departures: list[float] = attrs.field(factory=list)
    events: list[tuple[float, int, Callable[[], None]]] = attrs.field(factory=list)
    order: count = attrs.field(factory=count)

    def __attrs_post_init__(self) -> None:
        self.now = self.level_at = self.began

    def at(self, time: float, event: Callable[[], None]) -> None:
        heapq.heappush(self.events, (time, next(self.order), event))

    def run(self, requests: int) -> float:
        """Send until so many were answered; return the seconds until the last answer came."""
        self.waiting = requests
        while self.waiting or self.in_flight:
            self.each_event(self)
            self.window.advance(self.now)
            delay = max(self.window.delay(self.now), self._pace_delay()) if self.waiting else math.inf
            if delay <= 0:
                self._send()
            elif self.events and self.events[0][0] <= self.now + delay:
                self.now, _, event = heapq.heappop(self.events)
                event()
            else:
                assert delay < math.inf, "nobody would ever send again"
                self.now += delay
        return self.now - self.began

    def _pace_delay(self) -> float:
        if self.pace is None:
            return 0.0
        burst, rate = self.pace
        self.level = max(0.0, self.level - (self.now - self.level_at) * rate)
        self.level_at = self.now
        return 0.0 if self.level + 1 <= burst + 1e-6 else (self.level + 1 - burst) / rate

    def _send(self) -> None:
        departed = self.now
        self.departures.append(departed)
        self.level += 1
        self.window.depart(departed)
        self.waiting -= 1
        self.in_flight += 1
        loss = self.losses()
        if loss == "request":
            self.at(self.now + self.latency(), lambda: self._hear(departed, loss, allowed=False, reading=None))
        else:
            self.at(self.now + self.latency(), lambda: self._reach(departed, loss))

    def _reach(self, departed: float, loss: str) -> None:
        allowed, reading = self.server.answer(self.now)
        self.at(self.now + self.latency(), lambda: self._hear(departed, loss, allowed=allowed, reading=reading))

    def _hear(self, departed: float, loss: str, *, allowed: bool, reading: WindowReading | None) -> None:
        self.in_flight -= 1
        self.done += 1
        if loss in {"request", "answer"}:
            self.window.settle(self.now, departed, Feedback())
            return
        reading = None if loss == "headers" else reading
        if allowed:
            self.window.settle(self.now, departed, Feedback(reading=reading, answered=True))
        else:
            self.refused += 1
            self.waiting += 1
            self.window.settle(self.now, departed, Feedback(reading=reading, answered=True, refused=True))


def within(slowest: float, seed: int) -> Callable[[], float]:
    random = Random(seed)
    return lambda: random.uniform(0, slowest)
