"""A model of the vendor's counter for one limit: how many requests its window has left, and when it ends.

Responses report the end of a window in whole seconds. They do not say whether these were rounded up or down, what
happened while the response was on its way, or, if responses overtook each other, which window they mean. So the model
keeps times as intervals that hold the true one in every case, and responses narrow them:

* A window that is reported to end in `reset` seconds ends between `departed + reset - 1` and `arrived + reset + 1`.
* It had begun when a response about it arrives, and ends no later than the longest possible period after that.
* Only the first request of a window leaves all but one, so the window began after that request departed, and lasts as
  long as its response reports. That is the configured period if it agrees. Otherwise the seconds count as rounded up,
  until a 429 response shows that they are not.
* In one window the number left only falls: once it rises, the window before has ended.

The length of a window is learned from these bounds alone, and unlearned when a response contradicts it.
"""

from __future__ import annotations

import math

import msgspec

from persona_cases.protocol.limit_headers import WindowReading

# Below this, requests by other clients during one of ours count as none.
_NEGLIGIBLE = 0.01
# Sums of times are not exact.
_ROUNDING = 1e-6
# The most of a window that is left unsent because other clients may have used it meanwhile.
_MOST_HELD_BACK = 0.1


class WindowCounter(msgspec.Struct, kw_only=True):
    """A mutable model of one limit's window; all of it is plain data.

    Attributes:
        limit: requests per window.
        period: seconds per window, as configured.
        longest: the most seconds that a window can last; None if unknown.
        shortest: the fewest seconds that a window can last.
        most: the most seconds that a response reported to be left of a window.
        reported: whether any response reported this limit.
        rounds_down: whether a 429 response showed that more than `reset` seconds can be left.
        before: the latest time at which the window before can have ended; None if unknown.
        opened_after: the earliest time at which the window can have begun; None if unknown.
        opened_by: the latest time at which it can have begun; None if nothing shows that it is open.
        ends_after: the earliest time at which it can end; None if nothing shows that it is open.
        ends_by: the latest time at which it can end; None if it need not be open.
        least: the least number left that was reported in this window; None if none was.
        told_at: when that report arrived.
        unseen: the end times of our requests that this number may not include.
        ours: how many of our requests the window may include, counting those in flight.
        foreign_rate: requests per second of other clients, as seen in earlier windows.
    """

    limit: int
    period: float
    longest: float | None
    shortest: float = 0.0
    most: int = 0
    reported: bool = False
    rounds_down: bool = False
    before: float | None = None
    opened_after: float | None = None
    opened_by: float | None = None
    ends_after: float | None = None
    ends_by: float | None = None
    least: int | None = None
    told_at: float | None = None
    unseen: list[float] = msgspec.field(default_factory=list[float])
    ours: int = 0
    foreign_rate: float = 0.0

    # ---- queries -----------------------------------------------------------------------------------------------------

    def left(self, in_flight: int, reserve: int) -> int:
        """Return how many requests may still leave; below zero if more left than seems allowed."""
        told = self.limit if self.least is None else self.least
        return told - len(self.unseen) - in_flight - (reserve if reserve < self.limit else self.limit - 1)

    def has_room(self, in_flight: int, reserve: int) -> bool:
        """Whether requests are left, and no other client is known to take them."""
        if self.foreign_rate or (self.least is not None and self.least + self.ours < self.limit):
            return False
        return self.left(in_flight, reserve) > 0

    def delay(self, now: float, in_flight: int, reserve: int, *, latency: float, patience: float) -> float:
        """Return the seconds until a request may leave.

        Args:
            now: the time.
            in_flight: how many requests are in flight.
            reserve: how many to leave to others.
            latency: seconds that a response takes.
            patience: seconds for which to wait for the response to the last request, if that is needed.
        """
        left = self.left(in_flight, reserve)
        uncertain = self._foreign_meanwhile(latency)
        held_back = 0 if self.ends_by is None else min(uncertain, int(self.limit * _MOST_HELD_BACK)) - reserve
        if left <= max(0, held_back):
            return math.inf if self.ends_by is None else max(0.0, self.ends_by - now)
        return patience if left <= uncertain else 0.0

    def _foreign_meanwhile(self, latency: float) -> int:
        """Return how many requests other clients may send while one of ours is in flight."""
        rate = max(self.foreign_rate, self._foreign_rate_here)
        if not rate:
            return 0
        expected = rate * latency
        return math.ceil(expected + math.sqrt(expected)) if expected > _NEGLIGIBLE else 0

    def _foreign(self) -> int:
        """Return how many requests of other clients the window includes, as far as reports show; 0 or less for none."""
        return 0 if self.least is None else self.limit - self.least - self.ours

    @property
    def _foreign_rate_here(self) -> float:
        foreign = self._foreign()
        if foreign <= 0 or self.told_at is None or self.ends_by is None:
            return 0.0
        opened = self.ends_by - self.most - 1 if self.opened_after is None else self.opened_after
        return foreign / max(1.0, self.told_at - opened)

    # ---- changes -----------------------------------------------------------------------------------------------------

    def begin_next(self, in_flight: int) -> None:
        """Close the window because it has ended."""
        since = self.ends_by if self.ends_after is None else self.ends_after
        self.before = self.ends_by
        self._renew(self.ends_after, in_flight)
        self.unseen = [time for time in self.unseen if since is None or time > since]
        if self.unseen:
            self.ends_by = self._latest_end(self.unseen[-1])

    def miss(self, now: float, departed: float, *, answered: bool) -> None:
        """Count a request that ended without a report of this limit.

        Args:
            now: the time.
            departed: when it left.
            answered: whether it certainly was counted.
        """
        self.unseen.append(now)
        if self.ends_after is None:
            # A lost request need not have opened a window. If none of them did, the last one bounds its end.
            self.ends_by = self._latest_end(now)
            if answered:
                self.opened_by, self.ends_after = now, departed + (self.shortest if self.reported else self.period)

    def take_in(self, now: float, departed: float, reading: WindowReading, in_flight: int) -> None:
        """Process the report of a response.

        Args:
            now: the time.
            departed: when its request left.
            reading: what it reports.
            in_flight: how many other requests are in flight.
        """
        if not self._is_only_a_number(now, departed, reading):
            if not self._turn_to_another(now, departed, reading, in_flight):
                self.miss(now, departed, answered=False)
                return
            self._bound(now, departed, reading)
        # The least number includes all requests whose responses reported one. Of the others, this report includes those
        # that had ended before its request left.
        if self.unseen:
            self.unseen = [time for time in self.unseen if time > departed]
        if self.least is None or reading.remaining < self.least:
            self.least, self.told_at = reading.remaining, now

    def close(self, in_flight: int) -> None:
        """Close the window because nothing shows that it is still open."""
        self._renew(self.opened_after, in_flight)
        self.unseen = []

    def contradict(self, departed: float) -> None:
        """Process a 429 response: if the window seemed to have ended when the request departed, it had not."""
        if self.least is None and (self.before is None or departed >= self.before):
            self.rounds_down = self.rounds_down or self.before is not None
            self.longest = self.before = self.opened_after = None

    def _start_over(self, reading: WindowReading) -> None:
        """Forget all that was learned from responses."""
        self.longest = self.period if reading.reset <= self.period else None
        self.shortest, self.most, self.reported, self.before = 0.0, 0, True, None
        self._renew(None, self.ours)

    def _is_news(self, departed: float) -> bool:
        """Whether a request left after the last report had arrived."""
        return self.told_at is not None and departed >= self.told_at

    def _is_only_a_number(self, now: float, departed: float, reading: WindowReading) -> bool:
        """Whether a report shows nothing new about the open window but the number left, as nearly every report does."""
        ends_after, ends_by, longest, reset = self.ends_after, self.ends_by, self.longest, reading.reset
        if ends_after is None or ends_by is None or longest is None or not self.reported:
            return False
        earliest = departed + reset - 1
        return (
            earliest <= ends_after
            and now <= ends_after
            and now + longest >= ends_by
            and now + (reset + 1) >= ends_by
            and reset <= self.most
            and reset - 1 <= longest
            and reading.remaining != self.limit - 1
            and (self.opened_after is None or departed >= self.opened_after)
            and (self.before is None or departed >= self.before or earliest > self.before)
            and (self.least is None or reading.remaining <= self.least or not self._is_news(departed))
        )

    def _turn_to_another(self, now: float, departed: float, reading: WindowReading, in_flight: int) -> bool:
        """Move to the window that a report means, or return False because it means an earlier one."""
        ended = self.ends_after is not None and now + reading.reset + 1 < self.ends_after
        is_next = self._is_next(departed, reading)
        # No window fits both the earlier reports and this one.
        absurd = (
            (self.longest is not None and reading.reset - 1 > self.longest)
            or (ended and self._is_news(departed))
            or (is_next and self.ends_after is not None and now < self.ends_after)
        )
        if absurd or not self.reported:
            self._start_over(reading)
        elif self._is_past(departed, reading, ended=ended):
            return False
        elif is_next:
            self._learn_end(now)
            self.before = now
            self._renew(self.ends_after, in_flight + 1)
        return True

    def _is_past(self, departed: float, reading: WindowReading, *, ended: bool) -> bool:
        if self.opened_after is not None and departed < self.opened_after:
            return True
        if self.before is not None and departed < self.before:
            return departed + reading.reset - 1 <= self.before
        return ended

    def _is_next(self, departed: float, reading: WindowReading) -> bool:
        if self.ends_by is None or self.ends_after is None:
            return False
        if departed + reading.reset - 1 > self.ends_by:
            return True
        return self.least is not None and reading.remaining > self.least and self._is_news(departed)

    def _learn_end(self, now: float) -> None:
        if self.ends_after is not None and self.ends_by is not None and now >= self.ends_after:
            self.ends_by = min(self.ends_by, now)
            self._learn_period()

    def _learn_length(self, reset: int) -> None:
        agrees = reset - 1 < self.period <= reset + 1
        length = self.period if agrees else float(reset + self.rounds_down)
        self.longest = length if self.longest is None else min(self.longest, length)

    def _learn_period(self) -> None:
        if self.opened_after is not None and self.ends_by is not None:
            # A counter that was reset, as by a restart of the server, looks like the end of a window.
            longest = max(self.most, self.ends_by - self.opened_after)
            self.longest = longest if self.longest is None else min(self.longest, longest)
        if self.opened_by is not None and self.ends_after is not None:
            self.shortest = max(self.shortest, self.ends_after - self.opened_by)

    def _renew(self, opened_after: float | None, in_flight: int) -> None:
        self.foreign_rate = max(self.foreign_rate / 2, self._foreign_rate_here)
        self.opened_after, self.opened_by = opened_after, None
        self.ends_after = self.ends_by = None
        self.least = self.told_at = None
        self.ours = in_flight

    def _bound(self, now: float, departed: float, reading: WindowReading) -> None:
        is_first = reading.remaining == self.limit - 1
        if is_first and self.limit > 1:  # With a limit of 1, none is left after any request.
            self._learn_length(reading.reset)
        if reading.reset > self.most:
            self.most = reading.reset
            self.shortest = max(self.shortest, self.most - 1.0)
        longest = math.inf if self.longest is None else self.longest
        earliest, latest = departed + max(0, reading.reset - 1), now + _ROUNDING + min(longest, reading.reset + 1.0)
        if self.ends_after is None or self.ends_by is None:
            self.ends_after, self.ends_by, self.opened_by = earliest, latest, now
        elif now <= self.ends_after or now + reading.reset + 1 < self.ends_after + self.shortest:
            if not is_first and earliest <= self.ends_after and latest >= self.ends_by:
                return
            self.ends_after, self.ends_by = max(self.ends_after, earliest), min(self.ends_by, latest)
        else:
            # It may be this window or the next one.
            newest = self.least is None or self._is_news(departed)
            self.ends_by = latest if newest else max(self.ends_by, latest)
            return
        if is_first:
            self.opened_after = departed
        self._learn_period()

    def _latest_end(self, since: float) -> float:
        return since + _ROUNDING + (self.period if self.longest is None else self.longest)
