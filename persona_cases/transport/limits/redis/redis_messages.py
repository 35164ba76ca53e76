"""The reports of a process to the script in Redis, and the replies."""

from __future__ import annotations

import math

import attrs
import msgspec

from persona_cases.protocol.window import Feedback, RateWindow

_LONGEST_BACKOFF = 5.0


@attrs.frozen(kw_only=True)
class Terms:
    """The settings that all processes share; times are in seconds.

    Attributes:
        limit: requests per window, until a response reports it.
        period: the length of a window.
        reserve: requests of each window that are left to other programs.
        lease: how long after its last report the requests of a process count as in flight.
        processes: the assumed number of processes if Redis was never reached.
        timeout: maximum duration of one command to Redis.
    """

    limit: int
    period: float
    reserve: int
    lease: float
    processes: int
    timeout: float

    @property
    def longest_backoff(self) -> float:
        """Maximum time until a process that sends requests retries Redis."""
        return min(_LONGEST_BACKOFF, self.period)

    def new_window(self) -> RateWindow:
        """Return a window about which nothing is known."""
        return RateWindow(limit=self.limit, period=self.period, reserve=self.reserve)


class Known(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A process's knowledge of the window; times are in milliseconds, as in the rest of this file.

    Attributes:
        processes: how many processes share the limit.
        limit: requests per window.
        left: requests left to this process in this window, including its own in flight.
        cooling: how long no process may send because of a 429 response.
        ends_in: time until the window ends at the latest; None if no window is open.
    """

    processes: int
    limit: int
    left: int
    cooling: int
    ends_in: int | None = None

    def after(self, elapsed: float) -> Known:
        """Return the knowledge that is still valid after `elapsed` seconds."""
        late = int(1000 * elapsed)
        is_open = self.ends_in is not None and self.ends_in > late
        return Known(
            processes=self.processes,
            limit=self.limit,
            left=self.left if is_open else self.limit,
            cooling=max(0, self.cooling - late),
            ends_in=self.ends_in - late if self.ends_in is not None and is_open else None,
        )


class WindowReply(Known, frozen=True, kw_only=True):
    """The script's reply.

    Attributes:
        go: whether the wanted request may leave.
        born: when the state was created, on Redis' clock.
        clock: the time on Redis' clock.
        unreadable: size of an invalid value that was replaced in Redis, in bytes; None if there was none.
        others: requests that other processes have in flight.
        wait: time until a request may leave; None for "until the next response".
    """

    go: bool
    born: int
    clock: int
    others: int
    unreadable: int | None = None
    wait: int | None = None


class WindowReport(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The report of a process.

    Attributes:
        name: the name of the process.
        terms: its settings.
        born: `born` of the last reply it received; 0 if there was none.
        heard: `clock` of that reply.
        in_flight: its requests in flight.
        wants: whether it wants to send another request.
        leaves: whether this is its last report.
        endings: its requests that ended since the last report: `born` and `clock` of the reply that granted each, and
            how it ended.
        known: its knowledge of the window, in case Redis has lost its data.
        outage: how long Redis was unreachable for it; None if it was not.
        unseen: how many requests it sent during the outage that may count in the current window.
        absence: how long others may still not know that Redis is back.
    """

    name: str
    terms: Terms
    born: int
    heard: int
    in_flight: int
    wants: bool
    leaves: bool
    endings: list[tuple[int, int, Feedback]]
    known: Known | None = None
    outage: int | None = None
    unseen: int
    absence: int


class RedisLostError(Exception):
    """A command to Redis failed; the message contains only the kind of error."""


def milliseconds(seconds: float) -> int:
    """Return a duration in whole milliseconds, rounded up."""
    return math.ceil(1000 * seconds)
