"""The vendor's fixed window as seen from here: when may the next request leave?

The API allows so many requests in a window that starts with the first of them, and tells after each how many are
left and in how many seconds the window ends (https://docs.withpersona.com/rate-limiting). What it counts is shared
with every other program in the environment, and what it tells is seconds old when it arrives, so this model keeps
to the cautious side of both:

* A request in flight is taken as not yet counted in the numbers that are known.
* The end of a window is taken as late as its whole seconds allow.
* Before the first answer, and after a refusal, a single request goes ahead to learn the numbers.

Times are seconds on any monotonic clock; the model has none of its own.
"""

from __future__ import annotations

import math

from persona_cases.protocol.quota import WindowReading

# A request that goes ahead to learn the numbers may hang; the others do not wait for it longer than this.
_SCOUT_PATIENCE = 1.0
# The waits that the vendor advises after refusals that do not say how long.
_FIRST_BACKOFF, _LONGEST_BACKOFF = 5.0, 40.0


class RateWindow:
    """A mutable model of one rate limit. Every method takes `now`; none waits.

    Args:
        limit: requests a window, until the server says otherwise.
        period: seconds a window, which the server never says.
    """

    def __init__(self, limit: int, period: float) -> None:
        self.limit = limit
        self.period = period
        self.in_flight = 0
        self._remaining = limit
        self._ends: float | None = None
        self._cool_until = -math.inf
        self._refusals = 0
        self._confirmed = False
        self._last_departure = -math.inf

    @property
    def remaining(self) -> int:
        """How many more requests may leave in this window, as far as is known."""
        return max(0, self._remaining - self.in_flight)

    def seconds_left(self, now: float) -> float | None:
        """Return the seconds until the window ends at the latest, or None if none is known to be open."""
        return None if self._ends is None else max(0.0, self._ends - now)

    def delay(self, now: float) -> float:
        """Return the seconds until a request may leave: 0 for at once, infinity for "after the next answer"."""
        if now < self._cool_until:
            return self._cool_until - now
        self._roll(now)
        if not self._confirmed and self.in_flight:
            return max(0.0, self._last_departure + _SCOUT_PATIENCE - now)
        if self._remaining > self.in_flight:
            return 0.0
        return math.inf if self._ends is None else self._ends - now

    def depart(self, now: float) -> None:
        """Count a request that leaves."""
        self.in_flight += 1
        self._last_departure = now

    def arrive(self, now: float, departed: float, reading: WindowReading | None, *, answered: bool) -> None:
        """Take in the end of a request.

        Args:
            now: the time.
            departed: when the request left.
            reading: what the answer said about the window, if it did.
            answered: whether there was an answer that was not a refusal by the rate limit.
        """
        self.in_flight -= 1
        if answered:
            self._refusals = 0
        if reading is None:
            self._count_unseen(now, answered=answered)
        else:
            self._take_in(now, departed, reading)

    def refuse(self, now: float, departed: float, reading: WindowReading | None) -> None:
        """Take in a refusal: nobody sends before the window that refused has ended, whoever else succeeds."""
        self.arrive(now, departed, reading, answered=False)
        self._refusals += 1
        if reading is None:
            wait = min(_LONGEST_BACKOFF, _FIRST_BACKOFF * 2.0 ** min(self._refusals - 1, 10))
        else:
            wait = self._latest_end(reading)
        self._cool_until = max(self._cool_until, now + wait)
        self._confirmed = False

    def _roll(self, now: float) -> None:
        if self._ends is not None and now >= self._ends:
            self._ends, self._remaining = None, self.limit

    def _count_unseen(self, now: float, *, answered: bool) -> None:
        self._remaining -= 1
        if self._ends is None:
            self._ends = now + self.period
        # A server that answers without the numbers is taken at the configured limit.
        self._confirmed = self._confirmed or answered

    def _take_in(self, now: float, departed: float, reading: WindowReading) -> None:
        ends = now + self._latest_end(reading)
        another_window = self._ends is None or departed + reading.reset - 1 > self._ends
        self._confirmed = True
        self.limit = max(1, reading.limit)
        if another_window or self._ends is None:
            self._remaining, self._ends = reading.remaining, ends
        else:
            # Answers overtake each other, and two limits may report in turn: the lesser number is the safe one.
            self._remaining = min(self._remaining, reading.remaining)
            self._ends = min(self._ends, ends)

    def _latest_end(self, reading: WindowReading) -> float:
        # Whole seconds may have been rounded down, but no window has more than its period left.
        upper = reading.reset + 1.0
        return min(upper, self.period) if reading.reset <= self.period else upper
