"""What is known of the vendor's counter for one limit: how many requests its window has left, and when it ends.

Whole seconds say when a window ends, and nobody says whether they were rounded up or down, what happened while the
answer was on its way, or to which window an answer belongs that was overtaken by others. So times are kept as
intervals that hold the true one whatever was the case, and answers narrow them:

* A window that is told to end in `reset` seconds ends between `departed + reset - 1` and `arrived + reset + 1`.
* It had begun when an answer about it arrives, and ends no later than the longest possible period after that.
* The first request of a window is told that all but one are left, so the window began after it departed.
* In one window the number left only falls: once it rises, the window before has ended.

The length of a window is learned from these bounds alone, and unlearned when an answer contradicts it.
"""

from __future__ import annotations

import math

import attrs

from persona_cases.protocol.limit_headers import WindowReading

# A request may leave before the end of the window is certain, if that can save more than this share of the window.
_WORTH_A_CHANCE = 0.05
# So few requests of strangers during one of ours are none.
_NEGLIGIBLE = 0.01
# Sums of times are not exact.
_ROUNDING = 1e-6
# Of a window shared with strangers, at most this share is left unsent because they may have used it meanwhile.
_MOST_HELD_BACK = 0.1


@attrs.define(kw_only=True)
class WindowCounter:
    """A mutable model of one limit's window; all of it is plain data.

    Attributes:
        limit: requests a window.
        period: seconds a window, to go by while no answer has told of it.
        longest: the most seconds that a window can last; None if that is not known.
        shortest: the fewest seconds that a window can last.
        most: the most seconds that were told to be left of a window.
        reported: whether any answer spoke of this limit.
        rounds_down: whether a refusal showed that more than `reset` seconds can be left.
        before: the latest time at which the window before can have ended; None if that is not known.
        opened_after: the earliest time at which the window can have begun; None if that is not known.
        opened_by: the latest time at which it can have begun; None if nothing shows that it is open.
        ends_after: the earliest time at which it can end; None if nothing shows that it is open.
        ends_by: the latest time at which it can end; None if it need not be open.
        least: the least number left that was told in this window; None if none was.
        told_at: when that was heard.
        unseen: when requests of ours ended that this number may not count.
        ours: how many requests of ours the window may count, those in flight included.
        foreign_rate: requests a second of strangers, as seen in earlier windows.
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
    unseen: list[float] = attrs.field(factory=list[float])
    ours: int = 0
    foreign_rate: float = 0.0

    # ---- when may the next one leave ---------------------------------------------------------------------------------

    def left(self, in_flight: int, reserve: int) -> int:
        """Return how many requests may still leave; below zero if more left than seems to be allowed."""
        told = self.limit if self.least is None else self.least
        return told - len(self.unseen) - in_flight - min(reserve, self.limit - 1)

    def delay(self, now: float, in_flight: int, reserve: int, *, latency: float, patience: float) -> float:
        """Return the seconds until a request may leave.

        Args:
            now: the time.
            in_flight: how many requests are under way.
            reserve: how many to leave to others.
            latency: seconds that an answer takes.
            patience: seconds for which to wait for the answer to the last request, if that is needed.
        """
        left = self.left(in_flight, reserve)
        uncertain = self._strangers_meanwhile(latency)
        held_back = 0 if self.ends_by is None else min(uncertain, int(self.limit * _MOST_HELD_BACK)) - reserve
        if left <= max(0, held_back):
            opens = self._opens(in_flight, uncertain)
            return math.inf if opens is None else max(0.0, opens - now)
        return patience if left <= uncertain else 0.0

    def _opens(self, in_flight: int, uncertain: int) -> float | None:
        """Return when to send the first request of the next window.

        That is when this one has surely ended. But where windows are so short that the unknown rounding is a large part
        of them, and the configured period is wrong, a single request leaves when this one has ended if it lasts whole
        seconds and they were not rounded down. If that is refused, it is not tried again; if not, it has shown how long
        windows are.
        """
        if self.opened_by is None or self.opened_after is None or self.ends_after is None or self.ends_by is None:
            return self.ends_by
        whole = self.opened_by + self.most + _ROUNDING
        worth = self.ends_by - whole > _WORTH_A_CHANCE * (self.ends_by - self.opened_by)
        unknown = self.reported and not self.rounds_down and not self.shortest <= self.period <= self.shortest + 2
        own = self.opened_by - self.opened_after < 1 and not uncertain
        # With a limit of 1 the answer would not show in which window it was: none is left in either.
        return whole if worth and unknown and own and not in_flight and self.limit > 1 else self.ends_by

    def _strangers_meanwhile(self, latency: float) -> int:
        """Return how many requests strangers may send while one of ours is under way."""
        expected = max(self.foreign_rate, self._foreign_rate_here) * latency
        return math.ceil(expected + math.sqrt(expected)) if expected > _NEGLIGIBLE else 0

    @property
    def _foreign_rate_here(self) -> float:
        if self.least is None or self.told_at is None or self.ends_by is None:
            return 0.0
        foreign = self.limit - self.least - self.ours
        opened = self.ends_by - self.most - 1 if self.opened_after is None else self.opened_after
        return max(0, foreign) / max(1.0, self.told_at - opened)

    # ---- what happened -----------------------------------------------------------------------------------------------

    def roll(self, now: float, in_flight: int) -> bool:
        """Close the window if it has ended; return whether it has."""
        if self.ends_by is None or now < self.ends_by:
            return False
        since = self.ends_by if self.ends_after is None else self.ends_after
        self.before = self.ends_by
        self._renew(self.ends_after, in_flight)
        self.unseen = [time for time in self.unseen if time > since]
        if self.unseen:
            self.ends_by = self._latest_end(self.unseen[-1], None)
        return True

    def miss(self, now: float, departed: float, *, answered: bool) -> None:
        """Count a request that ended without telling of this limit.

        Args:
            now: the time.
            departed: when it left.
            answered: whether it certainly was counted.
        """
        self.unseen.append(now)
        if self.ends_after is None:
            # A request that was lost need not have opened a window: if none did, the last of them tells its end.
            self.ends_by = self._latest_end(now, None)
            if answered:
                self.opened_by, self.ends_after = now, departed + (self.shortest if self.reported else self.period)

    def take_in(self, now: float, departed: float, reading: WindowReading, in_flight: int) -> None:
        """Take in what an answer says.

        Args:
            now: the time.
            departed: when its request left.
            reading: what it says.
            in_flight: how many other requests are under way.
        """
        if not self.reported or self._is_absurd(now, departed, reading):
            self._start_over(reading)
        elif self._is_past(now, departed, reading):
            self.miss(now, departed, answered=False)
            return
        elif self._is_next(departed, reading):
            self._learn_end(now)
            self.before = now
            self._renew(self.ends_after, in_flight + 1)
        self._bound(now, departed, reading)
        self._count(now, departed, reading)

    def close(self, in_flight: int) -> None:
        """Take in that nothing shows any more that the window is open."""
        self._renew(self.opened_after, in_flight)
        self.unseen = []

    def contradict(self, departed: float, in_flight: int) -> None:
        """Take in a refusal: if the window seemed to have ended when the request departed, it had not."""
        was_certain = self.before is None or departed >= self.before
        if self.least is None and was_certain:
            self.longest = None
        elif self.least is None or self.left(in_flight, 0) < 0:
            self.rounds_down = True

    def _is_absurd(self, now: float, departed: float, reading: WindowReading) -> bool:
        """Whether no window can be as it was told before and as it is told now."""
        if self.longest is not None and reading.reset - 1 > self.longest:
            return True
        if self._is_news(departed) and self._has_ended(now, reading):
            return True
        return self.ends_after is not None and now < self.ends_after and self._is_next(departed, reading)

    def _start_over(self, reading: WindowReading) -> None:
        """Forget all that was learned from answers."""
        self.longest = self.period if reading.reset <= self.period else None
        self.shortest, self.most, self.reported, self.before = 0.0, 0, True, None
        self._renew(None, self.ours)

    def _is_past(self, now: float, departed: float, reading: WindowReading) -> bool:
        if self.opened_after is not None and departed < self.opened_after:
            return True
        if self.before is not None and departed < self.before:
            return departed + reading.reset - 1 <= self.before
        return self._has_ended(now, reading)

    def _has_ended(self, now: float, reading: WindowReading) -> bool:
        return self.ends_after is not None and now + reading.reset + 1 < self.ends_after

    def _is_next(self, departed: float, reading: WindowReading) -> bool:
        if self.ends_by is None or self.ends_after is None:
            return False
        if departed + reading.reset - 1 > self.ends_by:
            return True
        return self.least is not None and self._is_news(departed) and reading.remaining > self.least

    def _is_news(self, departed: float) -> bool:
        return self.told_at is not None and departed >= self.told_at

    def _is_same(self, now: float, reading: WindowReading) -> bool:
        if self.ends_after is None:
            return False
        return now <= self.ends_after or now + reading.reset + 1 < self.ends_after + self.shortest

    def _learn_end(self, now: float) -> None:
        if self.ends_after is not None and self.ends_by is not None and now >= self.ends_after:
            self.ends_by = min(self.ends_by, now)
            self._learn_period()

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

    def _count(self, now: float, departed: float, reading: WindowReading) -> None:
        # The least number counts every request that was told a number; those that were told none and ended before this
        # one left are counted in this one's.
        self.unseen = [time for time in self.unseen if time > departed]
        if self.least is None or reading.remaining < self.least:
            self.least, self.told_at = reading.remaining, now

    def _bound(self, now: float, departed: float, reading: WindowReading) -> None:
        self.most = max(self.most, reading.reset)
        self.shortest = max(self.shortest, self.most - 1.0)
        earliest, latest = departed + max(0, reading.reset - 1), self._latest_end(now, reading)
        if self.ends_after is None or self.ends_by is None:
            self.ends_after, self.ends_by, self.opened_by = earliest, latest, now
        elif self._is_same(now, reading):
            self.ends_after, self.ends_by = max(self.ends_after, earliest), min(self.ends_by, latest)
        else:
            # It may be this window or the next one.
            newest = self.least is None or self._is_news(departed)
            self.ends_by = latest if newest else max(self.ends_by, latest)
            return
        if reading.remaining == self.limit - 1:
            self.opened_after = departed
        self._learn_period()

    def _latest_end(self, now: float, reading: WindowReading | None) -> float:
        longest = self.longest
        if longest is None:
            longest = self.period if reading is None else math.inf
        return now + _ROUNDING + (longest if reading is None else min(longest, reading.reset + 1.0))
