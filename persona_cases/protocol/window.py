"""The vendor's fixed window as seen from here: when may the next request leave?

The API allows so many requests in a window that starts with the first of them, and tells after each how many are
left and in how many seconds the window ends (https://docs.withpersona.com/rate-limiting). What it counts is shared
with every other program in the environment, and what it tells is old when it arrives, so this model keeps to the
cautious side of both:

* A request in flight is taken as not yet counted in the numbers that are known.
* The end of a window is taken as late as it can be.
* At the beginning of a window, and after a refusal, a single request goes ahead to learn the numbers.
* While strangers use up the same window, the last requests leave one by one, and as many as strangers may use during
  one request are left to them.
* A key may have a limit of its own besides that of its environment, and an answer tells of the one that is nearer to
  its end. Both are kept while they last, and the stricter one decides.

Times are seconds on any monotonic clock; the model has none of its own.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import attrs

from persona_cases.protocol.limit_headers import WindowReading
from persona_cases.protocol.window_counter import WindowCounter

# A request that goes ahead to learn the numbers may hang; the others do not wait for it longer than this.
_SCOUT_PATIENCE = 1.0
# So many answers in a row without the numbers, and the server is taken for one that never tells them.
_ANSWERS_WITHOUT_NUMBERS = 3
# The waits that the vendor advises after refusals that do not say how long.
_FIRST_BACKOFF, _LONGEST_BACKOFF = 5.0, 40.0
# An answer that tells of anything beyond is not believed: it would stop everything, or allow everything.
_LARGEST_LIMIT, _LONGEST_RESET = 1_000_000, 3600
# The limit of a key and the limit of its environment.
_MOST_COUNTERS = 2
_WEIGHT_OF_LATEST = 0.2


def believable(reading: WindowReading | None) -> WindowReading | None:
    """Return what an answer says if that can be true; None for a limit of 0, more left than that, or hours to go."""
    if reading is None or not 1 <= reading.limit <= _LARGEST_LIMIT:
        return None
    return reading if reading.remaining <= reading.limit and reading.reset <= _LONGEST_RESET else None


def _read_counters(counters: Iterable[WindowCounter | Mapping[str, Any]]) -> list[WindowCounter]:
    return [each if isinstance(each, WindowCounter) else WindowCounter(**each) for each in counters]


# What reads the counters is for whoever makes one; run at every assignment, it would cost more than the rest.
@attrs.define(on_setattr=attrs.setters.NO_OP)
class RateWindow:
    """A mutable model of one rate limit. Every method takes `now`; none waits.

    The attributes are its whole state, and plain data: `RateWindow(**attrs.asdict(window))` is the same window.

    Attributes:
        limit: requests a window; until an answer tells, as configured.
        period: seconds a window, which no answer tells: what to go by until it can be told from several.
        reserve: how many requests of each window to leave to others.
        in_flight: requests that left and have not ended.
        cool_until: before when nobody sends; None if there was no refusal.
        refusals: how many refusals came since the last success.
        unread: how many answers in a row did not tell the numbers.
        confirmed: whether the numbers of this window were told, or the server seems to tell none; not after a refusal.
        last_departure: when the last request left; None before the first.
        latency: seconds that an answer takes, on average.
        slowest: the most seconds that an answer took.
        endings: when requests ended that may have been under way at the same time as one that still is.
        counters: the limits that answers tell of, each with its window.
    """

    limit: int
    period: float
    reserve: int = attrs.field(default=0, kw_only=True)
    in_flight: int = attrs.field(default=0, kw_only=True)
    cool_until: float | None = attrs.field(default=None, kw_only=True)
    refusals: int = attrs.field(default=0, kw_only=True)
    unread: int = attrs.field(default=0, kw_only=True)
    confirmed: bool = attrs.field(default=False, kw_only=True)
    last_departure: float | None = attrs.field(default=None, kw_only=True)
    latency: float = attrs.field(default=0.0, kw_only=True)
    slowest: float = attrs.field(default=0.0, kw_only=True)
    endings: list[float] = attrs.field(factory=list[float], kw_only=True)
    counters: list[WindowCounter] = attrs.field(factory=list[WindowCounter], converter=_read_counters, kw_only=True)

    def __attrs_post_init__(self) -> None:
        if not self.counters:
            self.counters.append(WindowCounter(limit=self.limit, period=self.period, longest=self.period))

    @property
    def remaining(self) -> int:
        """How many more requests may leave in this window, as far as is known."""
        return max(0, min(each.left(self.in_flight, self.reserve) for each in self._in_force))

    def seconds_left(self, now: float) -> float | None:
        """Return the seconds until the window ends at the latest, or None if none is known to be open."""
        strictest = min(self._in_force, key=lambda each: each.left(self.in_flight, self.reserve))
        return None if strictest.ends_by is None else max(0.0, strictest.ends_by - now)

    def cooling_for(self, now: float) -> float:
        """Return the seconds for which nobody sends because of a refusal; 0 if there is no such wait."""
        return 0.0 if self.cool_until is None else max(0.0, self.cool_until - now)

    def delay(self, now: float) -> float:
        """Return the seconds until a request may leave: 0 for at once, infinity for "after the next answer"."""
        if (cooling := self.cooling_for(now)) > 0:
            return cooling
        self._roll(now)
        patience = self._patience(now)
        if not self.confirmed and patience > 0:
            return patience
        return max(
            each.delay(now, self.in_flight, self.reserve, latency=self.latency, patience=patience)
            for each in self._in_force
        )

    def depart(self, now: float) -> None:
        """Count a request that leaves."""
        self.in_flight += 1
        self.last_departure = now
        for each in self.counters:
            each.ours += 1

    def arrive(self, now: float, departed: float, reading: WindowReading | None, *, answered: bool) -> None:
        """Take in the end of a request.

        Args:
            now: the time.
            departed: when the request left.
            reading: what the answer said about the window, if it did.
            answered: whether there was an answer that was not a refusal by the rate limit.
        """
        reading = believable(reading)
        self.in_flight -= 1
        if answered:
            self.refusals = 0
        self.unread = 0 if reading is not None else self.unread + answered
        self.confirmed = self.confirmed or reading is not None or self.unread >= _ANSWERS_WITHOUT_NUMBERS
        if reading is not None:
            self._time(now - departed)
        in_force = self._in_force
        told = None if reading is None else self._counter(departed, reading)
        for each in self.counters:
            if each is told and reading is not None:
                each.take_in(now, departed, reading, self.in_flight)
            elif told is not None and each.least is None:
                each.close(self.in_flight)
            elif each in in_force:
                each.miss(now, departed, answered=answered)
        recent = [time for time in self.endings if time > now - self.slowest]
        self.endings = [*recent, now] if self.in_flight else []
        self.limit = min((each.limit for each in self._in_force if each.reported), default=self.limit)

    def withdraw(self) -> None:
        """Take back a request that was counted and never sent."""
        self.in_flight -= 1
        for each in self.counters:
            each.ours -= 1

    def refuse(
        self, now: float, departed: float, reading: WindowReading | None, *, retry_after: float | None = None
    ) -> None:
        """Take in a refusal: nobody sends before the window that refused has ended, whoever else succeeds.

        Args:
            now: the time.
            departed: when the request left.
            reading: what the answer said about the window, if it did.
            retry_after: the seconds that its `Retry-After` asks for; it counts where the window is not told.
        """
        for each in self.counters:
            each.contradict(departed, self.in_flight)
        self.arrive(now, departed, reading, answered=False)
        self.refusals += 1
        reading = believable(reading)
        if reading is None:
            wait = min(_LONGEST_BACKOFF, _FIRST_BACKOFF * 2.0 ** min(self.refusals - 1, 10))
            if retry_after is not None:
                # Whoever is told to come back and is refused again need not believe it a second time.
                wait = retry_after if self.refusals == 1 else max(wait, retry_after)
        else:
            wait = reading.reset + 1.0
        self.cool_until = now + max(wait, self.cooling_for(now))
        self.confirmed = False

    def _patience(self, now: float) -> float:
        """Return the seconds for which to wait for the answer to the last request."""
        if not self.in_flight or self.last_departure is None:
            return 0.0
        return max(0.0, self.last_departure + _SCOUT_PATIENCE - now)

    @property
    def _in_force(self) -> list[WindowCounter]:
        # An answer tells of the limit that is nearer to its end: what was not told in this window is further from it.
        return [each for each in self.counters if each.ends_by is not None] or self.counters

    def _roll(self, now: float) -> None:
        for each in self.counters:
            if each.roll(now, self.in_flight):
                self.confirmed = self.unread >= _ANSWERS_WITHOUT_NUMBERS

    def _time(self, took: float) -> None:
        self.latency += (took - self.latency) * (_WEIGHT_OF_LATEST if self.slowest else 1.0)
        self.slowest = max(self.slowest, took)

    def _counter(self, departed: float, reading: WindowReading) -> WindowCounter:
        """Return the counter of the limit that an answer tells of."""
        known = [each for each in self.counters if each.limit == reading.limit or not each.reported]
        if known:
            counter = known[0]
            counter.limit = reading.limit
        else:
            counter = WindowCounter(limit=reading.limit, period=self.period, longest=self.period)
            self.counters = [*self.counters, counter][-_MOST_COUNTERS:]
        if counter.ends_by is None:
            counter.unseen = [time for time in self.endings if time > departed]
            counter.ours = self.in_flight + 1
        return counter
