"""The simulator's two clocks: one that only goes forward, and one that tells the date."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta
from typing import Protocol, TypeVar
from weakref import WeakSet

from persona_cases.errors import InvalidArgumentError
from persona_cases.surface import publish

__all__ = ["Clock", "ManualClock", "SystemClock"]


class Waiting(Protocol):
    """Something that waits for a moment of a clock."""

    def recheck(self) -> None:
        """Look at the clock again."""
        ...


W = TypeVar("W", bound=Waiting)


class Clock(Protocol):
    """What the simulator asks for the time; hand in a `ManualClock` to decide it yourself."""

    def monotonic(self) -> float:
        """Seconds since some fixed moment: measures rate limit windows and the index lag."""
        ...

    def now(self) -> datetime:
        """The aware date and time that new and changed cases are stamped with."""
        ...


class SystemClock:
    """The machine's own clocks."""

    def __repr__(self) -> str:
        return "SystemClock()"

    def monotonic(self) -> float:
        """Seconds of the machine's monotonic clock."""
        return time.monotonic()

    def now(self) -> datetime:
        """The current time in UTC."""
        return datetime.now(UTC)


class ManualClock:
    """A clock that stands still until `advance` moves it, so that a test of time needs no sleeping.

    The limiters of `Simulator.client` and of the fixture `persona_client` follow it.

    Args:
        start: the aware time that it shows first.

    Raises:
        InvalidArgumentError: `start` is naive.
    """

    def __init__(self, start: datetime = datetime(2026, 1, 1, tzinfo=UTC)) -> None:
        if start.tzinfo is None:
            raise InvalidArgumentError("start: needs a timezone, such as tzinfo=datetime.UTC")
        self._start = start
        self._elapsed = 0.0
        self._waiting: WeakSet[Waiting] = WeakSet()

    def __repr__(self) -> str:
        return f"<ManualClock at {self.now().isoformat()}>"

    def wakes(self, waiting: W) -> W:
        """Let `advance` wake something that waits, and return it."""
        self._waiting.add(waiting)
        return waiting

    def monotonic(self) -> float:
        """Seconds that the clock was advanced so far."""
        return self._elapsed

    def now(self) -> datetime:
        """The start plus all that the clock was advanced."""
        return self._start + timedelta(seconds=self._elapsed)

    def advance(self, seconds: float) -> None:
        """Move both clocks forward.

        Args:
            seconds: how far; zero or more.

        Raises:
            InvalidArgumentError: `seconds` is negative.
        """
        if seconds < 0:
            raise InvalidArgumentError("seconds: a clock only goes forward; give zero or more")
        self._elapsed += seconds
        for waiting in tuple(self._waiting):
            waiting.recheck()


publish("persona_cases.testing", Clock, ManualClock, SystemClock)
