"""The simulator's two clocks: a monotonic one, and one for date and time."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta
from typing import Protocol, TypeVar
from weakref import WeakSet

from persona_cases.errors import InvalidArgumentError
from persona_cases.surface import publish

__all__ = ["Clock", "ManualClock", "SystemClock"]


class Waiting(Protocol):
    """An object that waits for a time on a clock."""

    def recheck(self) -> None:
        """Read the clock again."""
        ...


W = TypeVar("W", bound=Waiting)


class Clock(Protocol):
    """The source of time of a simulator; pass a `ManualClock` to control it."""

    def monotonic(self) -> float:
        """Return the seconds since a fixed time; used for rate limit windows and the index lag."""
        ...

    def now(self) -> datetime:
        """Return the timestamp for new and changed cases, an aware datetime."""
        ...


class SystemClock:
    """The clocks of this machine."""

    def __repr__(self) -> str:
        return "SystemClock()"

    def monotonic(self) -> float:
        """Return the seconds of the machine's monotonic clock."""
        return time.monotonic()

    def now(self) -> datetime:
        """Return the current time in UTC."""
        return datetime.now(UTC)


class ManualClock:
    """A clock that stands still until `advance` moves it, so that tests of time need not sleep.

    The limiters of `Simulator.client` and of the fixture `persona_client` follow it.

    Args:
        start: its initial time, an aware datetime.

    Raises:
        InvalidArgumentError: if `start` is naive.
    """

    def __init__(self, start: datetime = datetime(2026, 1, 1, tzinfo=UTC)) -> None:
        if start.tzinfo is None:
            raise InvalidArgumentError("start must have a time zone, such as tzinfo=datetime.UTC")
        self._start = start
        self._elapsed = 0.0
        self._waiting: WeakSet[Waiting] = WeakSet()

    def __repr__(self) -> str:
        return f"<ManualClock at {self.now().isoformat()}>"

    def wakes(self, waiting: W) -> W:
        """Register an object for `advance` to wake, and return it."""
        self._waiting.add(waiting)
        return waiting

    def monotonic(self) -> float:
        """Return the seconds that the clock was advanced so far."""
        return self._elapsed

    def now(self) -> datetime:
        """Return the start plus the time that the clock was advanced."""
        return self._start + timedelta(seconds=self._elapsed)

    def advance(self, seconds: float) -> None:
        """Move both clocks forward.

        Args:
            seconds: the time to advance; at least 0.

        Raises:
            InvalidArgumentError: if `seconds` is negative.
        """
        if seconds < 0:
            raise InvalidArgumentError("seconds must be at least 0, because a clock only goes forward")
        self._elapsed += seconds
        for waiting in tuple(self._waiting):
            waiting.recheck()


publish("persona_cases.testing", Clock, ManualClock, SystemClock)
