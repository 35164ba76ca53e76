"""A model of the vendor's fixed window, which decides when the next request may leave.

The API allows a number of requests in a window that begins with the first of them. Each response reports how many are
left and in how many seconds the window ends (https://docs.withpersona.com/rate-limiting). Every other program in the
environment spends the same budget, and a report is old when it arrives, so the model is cautious on both counts:

* A request in flight counts as not yet included in the reported numbers.
* A window ends as late as it can.
* One request goes ahead to learn the numbers, at the start of a window and after a 429 response.
* While other clients use the same window, the last requests leave one by one, and as many requests as those clients may
  send during one of ours are left to them.
* A key may have a limit of its own in addition to that of its environment, and a response reports the one that is
  nearer to exhaustion. The model keeps both while they last, and the stricter one decides.

`advance`, `depart` and `settle` change the model; all other methods only report its state as of the last `advance`.
Times are seconds on any monotonic clock.
"""

from __future__ import annotations

from bisect import bisect

import msgspec

from persona_cases.protocol.limit_headers import WindowReading
from persona_cases.protocol.window_counter import WindowCounter
from persona_cases.surface import publish

# How long others wait for the request that goes ahead, which may hang.
_SCOUT_PATIENCE = 1.0
# After this many responses in a row without the numbers, the server seems to report none.
_RESPONSES_WITHOUT_NUMBERS = 3
# The waits that the vendor advises after 429 responses without a duration.
_FIRST_BACKOFF, _LONGEST_BACKOFF = 5.0, 40.0
# A report beyond these is ignored, because it would stop everything or allow everything.
_LARGEST_LIMIT, _LONGEST_RESET = 1_000_000, 3600
# The limit of a key and the limit of its environment.
_MOST_COUNTERS = 2
_WEIGHT_OF_LATEST = 0.2


class Feedback(msgspec.Struct, frozen=True):
    """How a permitted request ended, as far as the rate limit is concerned.

    Attributes:
        reading: the response's report about the window; None if there was none.
        answered: whether any response arrived.
        refused: whether it was a 429 response for the rate limit.
        retry_after: the seconds in the `Retry-After` of a 429 response; None without one.
        sent: False if the request was abandoned before anything was sent.
    """

    reading: WindowReading | None = None
    answered: bool = False
    refused: bool = False
    retry_after: float | None = None
    sent: bool = True


def believable(reading: WindowReading | None) -> WindowReading | None:
    """Return a plausible report; None if the limit is 0, more is left than the limit, or the window lasts hours."""
    if reading is None or not 1 <= reading.limit <= _LARGEST_LIMIT:
        return None
    return reading if reading.remaining <= reading.limit and reading.reset <= _LONGEST_RESET else None


class RateWindow(msgspec.Struct, kw_only=True):
    """A mutable model of one rate limit.

    The attributes are its whole state and plain data: msgspec converts it to JSON and back.

    Attributes:
        limit: requests per window; as configured until a response reports it.
        period: seconds per window, as configured. No response reports it, but several let it be learned.
        reserve: how many requests of each window to leave to others.
        in_flight: requests that left and have not ended.
        cool_until: when the cooldown after a 429 response ends; None without one.
        refusals: 429 responses since the last success.
        unread: responses in a row without the numbers.
        confirmed: whether the numbers of this window were reported since the last 429 response, or the server seems to
            report none.
        last_departure: when the last request left; None before the first.
        latency: seconds that a response takes, on average.
        slowest: the most seconds that a response took.
        endings: when requests ended that may have overlapped one still in flight.
        counters: the limits that responses report, each with its window.
    """

    limit: int
    period: float
    reserve: int = 0
    in_flight: int = 0
    cool_until: float | None = None
    refusals: int = 0
    unread: int = 0
    confirmed: bool = False
    last_departure: float | None = None
    latency: float = 0.0
    slowest: float = 0.0
    endings: list[float] = msgspec.field(default_factory=list[float])
    counters: list[WindowCounter] = msgspec.field(default_factory=list[WindowCounter])

    def __post_init__(self) -> None:
        if not self.counters:
            self.counters.append(WindowCounter(limit=self.limit, period=self.period, longest=self.period))

    # ---- queries -----------------------------------------------------------------------------------------------------

    @property
    def remaining(self) -> int:
        """How many more requests may leave in this window, as far as is known."""
        return max(0, min(each.left(self.in_flight, self.reserve) for each in self._in_force()))

    def seconds_left(self, now: float) -> float | None:
        """Return the seconds until the window ends at the latest, or None if none is known to be open."""
        strictest = min(self._in_force(), key=lambda each: each.left(self.in_flight, self.reserve))
        return None if strictest.ends_by is None else max(0.0, strictest.ends_by - now)

    def cooling_for(self, now: float) -> float:
        """Return the seconds that are left of the cooldown; 0 without one."""
        return 0.0 if self.cool_until is None else max(0.0, self.cool_until - now)

    def delay(self, now: float) -> float:
        """Return the seconds until a request may leave: 0 for now, infinity for "after the next response"."""
        if self.cool_until is not None and (cooling := self.cooling_for(now)) > 0:
            return cooling
        in_flight, reserve = self.in_flight, self.reserve
        if not self.confirmed and (patience := self._patience(now)) > 0:
            return patience
        wait = 0.0
        for each in self.counters:
            if not each.has_room(in_flight, reserve) and each in self._in_force():
                patience = self._patience(now)
                wait = max(wait, each.delay(now, in_flight, reserve, latency=self.latency, patience=patience))
        return wait

    # ---- changes -----------------------------------------------------------------------------------------------------

    def advance(self, now: float) -> None:
        """Close the windows that have ended."""
        for each in self.counters:
            if each.ends_by is not None and now >= each.ends_by:
                each.begin_next(self.in_flight)
                self.confirmed = self.unread >= _RESPONSES_WITHOUT_NUMBERS

    def depart(self, now: float) -> None:
        """Count a request that leaves."""
        self.in_flight += 1
        self.last_departure = now
        for each in self.counters:
            each.ours += 1

    def settle(self, now: float, departed: float, feedback: Feedback) -> None:
        """Learn from the end of a request; `departed` is when it left.

        After a 429 response of the rate limit, nobody sends before its window has ended, whoever else succeeds.
        """
        if not feedback.sent:
            self._withdraw()
            return
        reading = believable(feedback.reading)
        if feedback.refused:
            for each in self.counters:
                each.contradict(departed)
        self.in_flight -= 1
        answered = feedback.answered and not feedback.refused
        if answered:
            self.refusals = 0
        if reading is None:
            self._miss(now, departed, answered=answered)
        else:
            self._take_in(now, departed, reading, answered=answered)
        if self.in_flight:
            # Those that cannot overlap any more come first.
            del self.endings[: bisect(self.endings, now - self.slowest)]
            self.endings.append(now)
        else:
            self.endings.clear()
        if feedback.refused:
            self._cool_down(now, reading, feedback.retry_after)

    def _withdraw(self) -> None:
        self.in_flight -= 1
        for each in self.counters:
            each.ours -= 1

    def _miss(self, now: float, departed: float, *, answered: bool) -> None:
        """Count a request that ended without the numbers."""
        self.unread += answered
        self.confirmed = self.confirmed or self.unread >= _RESPONSES_WITHOUT_NUMBERS
        for each in self._in_force():
            each.miss(now, departed, answered=answered)
        self._follow_limits()

    def _take_in(self, now: float, departed: float, reading: WindowReading, *, answered: bool) -> None:
        """Take in what a response reports."""
        self.unread, self.confirmed = 0, True
        took = now - departed
        self.latency += (took - self.latency) * (_WEIGHT_OF_LATEST if self.slowest else 1.0)
        self.slowest = max(self.slowest, took)
        # Nearly every report is about the first counter and an open window, and needs no search.
        reported = self.counters[0]
        if reported.limit != reading.limit or reported.ends_by is None:
            reported = self._counter(departed, reading)
        reported.take_in(now, departed, reading, self.in_flight)
        if len(self.counters) == 1:
            self.limit = reading.limit
            return
        for each in self.counters:
            if each is reported:
                continue
            if each.least is None:
                each.close(self.in_flight)
            else:
                each.miss(now, departed, answered=answered)
        self._follow_limits()

    def _follow_limits(self) -> None:
        self.limit = min((each.limit for each in self._in_force() if each.reported), default=self.limit)

    def _cool_down(self, now: float, reading: WindowReading | None, retry_after: float | None) -> None:
        self.refusals += 1
        if reading is None:
            wait = min(_LONGEST_BACKOFF, _FIRST_BACKOFF * 2.0 ** min(self.refusals - 1, 10))
            if retry_after is not None:
                # If a second 429 response follows the advised wait, the advice is not enough.
                wait = retry_after if self.refusals == 1 else max(wait, retry_after)
        else:
            wait = reading.reset + 1.0
        self.cool_until = now + max(wait, self.cooling_for(now))
        self.confirmed = False

    # ---- how ---------------------------------------------------------------------------------------------------------

    def _patience(self, now: float) -> float:
        """Return the seconds for which to wait for the response to the last request."""
        if not self.in_flight or self.last_departure is None:
            return 0.0
        return max(0.0, self.last_departure + _SCOUT_PATIENCE - now)

    def _in_force(self) -> list[WindowCounter]:
        # A response reports the limit that is nearer to its end: one not reported in this window is further from it.
        counters = self.counters
        return counters if len(counters) == 1 else [each for each in counters if each.ends_by is not None] or counters

    def _counter(self, departed: float, reading: WindowReading) -> WindowCounter:
        """Return the counter of the limit that a response reports."""
        for counter in self.counters:
            if counter.limit == reading.limit or not counter.reported:
                counter.limit = reading.limit
                break
        else:
            counter = WindowCounter(limit=reading.limit, period=self.period, longest=self.period)
            self.counters = [*self.counters, counter][-_MOST_COUNTERS:]
        if counter.ends_by is None:
            counter.unseen = [time for time in self.endings if time > departed]
            counter.ours = self.in_flight + 1
        return counter


publish("persona_cases.limits", Feedback)
