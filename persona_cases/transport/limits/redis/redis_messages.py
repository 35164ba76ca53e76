"""What a process reports to the script in Redis, and what that answers."""

from __future__ import annotations

import math

import attrs
import msgspec

from persona_cases.protocol.window import Feedback, RateWindow

_LONGEST_BACKOFF = 5.0


@attrs.frozen(kw_only=True)
class Terms:
    """What all processes are set up with alike; times are in seconds.

    Attributes:
        limit: requests per window, until a response tells.
        period: the length of a window.
        reserve: requests of each window that are left to other programs.
        lease: how long after its last report the requests of a process count as in flight.
        processes: how many processes to reckon with if Redis was never reached.
        timeout: how long one command to Redis may take.
    """

    limit: int
    period: float
    reserve: int
    lease: float
    processes: int
    timeout: float

    @property
    def longest_backoff(self) -> float:
        """After how long a process that sends requests tries Redis again at the latest."""
        return min(_LONGEST_BACKOFF, self.period)

    def new_window(self) -> RateWindow:
        """Return a window of which nothing is known."""
        return RateWindow(self.limit, self.period, reserve=self.reserve)


class Known(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What a process knows of the window; times are in milliseconds, as in all that follows.

    Attributes:
        processes: how many processes share the limit.
        limit: requests per window.
        left: requests left in this window to this process, those of its own that are in flight included.
        cooling: how long nobody may send because of a 429 response.
        ends_in: how long until the window ends at the latest; None if none is open.
    """

    processes: int
    limit: int
    left: int
    cooling: int
    ends_in: int | None = None

    def after(self, elapsed: float) -> Known:
        """Return what is left of it so many seconds later."""
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
    """What the script answers.

    Attributes:
        go: whether the request that is wanted may leave.
        born: when the state was begun, on Redis' clock.
        clock: the time there.
        unreadable: how many bytes Redis held that are no state, and were replaced; None if there were none.
        others: requests that other processes have in flight.
        wait: how long until a request may leave; None for "until the next response".
    """

    go: bool
    born: int
    clock: int
    others: int
    unreadable: int | None = None
    wait: int | None = None


class WindowReport(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What a process reports.

    Attributes:
        name: the process.
        terms: what it was set up with.
        born: `born` of the last answer it heard; 0 if it heard none.
        heard: `clock` of that.
        in_flight: its requests in flight.
        wants: whether it wants to send one more.
        leaves: whether it will not report again.
        endings: its requests that ended since the last report: `born` and `clock` of the answer that let each go, and
            how it ended.
        known: what it knows of the window, in case that Redis has lost its data.
        outage: how long Redis was away for it; None if it was not.
        unseen: how many requests it sent meanwhile that may count in the current window.
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
    """Redis did not do what it was asked to; the message is the kind of error, and nothing else."""


def milliseconds(seconds: float) -> int:
    """Return a duration in whole milliseconds, rounded up."""
    return math.ceil(1000 * seconds)
