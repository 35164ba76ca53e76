"""What the processes of one environment tell each other: the window, and which requests each has in flight.

The value is plain data, and every method is a pure transition on it; times are seconds on the clock of the Redis
server. Each process is the only authority on its own requests in flight: whatever it writes, it states them anew, so
that a write whose outcome nobody learned, or a value that was lost, is put right by the next one.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping
from hashlib import sha256
from itertools import chain
from typing import Any, cast, get_type_hints

import attrs
import msgspec

from persona_cases.protocol.window import Feedback, RateWindow
from persona_cases.transport.limits.limiter import Permit

_LONGEST_SANE_WAIT = 86_400.0
_LARGEST_SANE_NUMBER = 1e10
_WINDOWS_REMEMBERED = 2


@attrs.frozen
class Lease(Permit):
    """A permit with a name, under which the other processes know of it.

    Attributes:
        id: unique among the permits of its process.
        process: the process that it was given to.
    """

    id: str
    process: str


@attrs.frozen
class Ending:
    """A request that ended, and how."""

    lease: Lease
    feedback: Feedback


@attrs.define
class Member:
    """A process, as the others know it.

    Attributes:
        seen: when it last wrote.
        leases: its requests in flight, and when they departed.
        presumed: how many it may have in flight that nobody knows of, because it could not write.
        presumed_until: when that is no longer presumed.
    """

    seen: float
    leases: dict[str, float] = attrs.field(factory=dict[str, float])
    presumed: int = 0
    presumed_until: float = 0.0

    @property
    def in_flight(self) -> int:
        """How many requests are counted for it."""
        return len(self.leases) + self.presumed


@attrs.define
class SharedState:
    """The shared value.

    Attributes:
        window: the model of the vendor's window.
        members: the processes, by name.
        server_time: what the Redis server's clock showed at the last write.
        ahead: seconds added to that clock, because it was once set back, or a new server goes on for an old one.
        born: when this value was begun, after another one was lost or had been out of use.
    """

    window: RateWindow
    members: dict[str, Member] = attrs.field(factory=dict[str, Member])
    server_time: float = 0.0
    ahead: float = 0.0
    born: float = 0.0

    def now(self, server_time: float) -> float:
        """Return the time for a reading of the server's clock; it never runs backwards."""
        self.ahead += max(0.0, self.server_time - server_time)
        self.server_time = server_time
        return server_time + self.ahead

    def is_sane(self, now: float) -> bool:
        """Whether this can be what a process of ours wrote, rather than something that would stop all of them."""
        self.window.advance(now)
        delay = self.window.delay(now)
        times = [time for member in self.members.values() for time in (member.seen, *member.leases.values())]
        return (
            self.window.limit >= 1
            and self.window.in_flight == self._in_flight
            and all(member.presumed >= 0 for member in self.members.values())
            and max(times, default=now) <= now
            and (delay <= _LONGEST_SANE_WAIT or (delay == math.inf and self._in_flight > 0))
        )

    def expire(self, now: float, lease: float) -> None:
        """Take requests that departed over `lease` seconds ago for ended, and forget processes that fell silent."""
        silent = now - _WINDOWS_REMEMBERED * self.window.period
        for name, member in list(self.members.items()):
            for each, departed in list(member.leases.items()):
                if now - departed > lease:
                    del member.leases[each]
                    self.window.settle(now, departed, Feedback())
            if now >= member.presumed_until:
                member.presumed = 0
            if not member.in_flight and member.seen < silent:
                del self.members[name]
        self._recount()

    def state_own(self, name: str, now: float, leases: Mapping[str, float], *, heartbeat: float) -> bool:
        """Let a process state its requests in flight, which replaces whatever was known of it.

        Args:
            name: the process.
            now: the time.
            leases: when each of its requests departed.
            heartbeat: seconds after which it is news that the process is still there.

        Returns:
            Whether the others should hear of it.
        """
        known = self.members.get(name)
        before = {} if known is None else known.leases
        for each in leases:
            if each not in before:
                self.window.depart(now)
        # What was known keeps its time: the process converts its own from another clock, never quite alike.
        stated = {each: before.get(each, departed) for each, departed in leases.items()}
        self.members[name] = Member(now, stated)
        self._recount()
        return known is None or known.presumed > 0 or known.leases != stated or known.seen < now - heartbeat

    def has(self, name: str, lease: str) -> bool:
        """Whether a process is known to have a request in flight."""
        return name in self.members and lease in self.members[name].leases

    def end(self, name: str, now: float, lease: str, feedback: Feedback) -> None:
        """Take in how a request ended that the process has stated as in flight."""
        departed = self.members[name].leases.pop(lease)
        if departed < self.born and not feedback.refused:
            # Requests that ended before this value began may not be counted in those numbers, and nobody knows of them.
            feedback = attrs.evolve(feedback, reading=None, answered=False)
        self.window.settle(now, departed, feedback)

    def grant(self, name: str, now: float, lease: str) -> None:
        """Let a process send a request."""
        self.window.depart(now)
        self.members[name].leases[lease] = now

    def others_since(self, name: str, time: float) -> bool:
        """Whether a process other than this one has written after `time`."""
        return any(member.seen > time for each, member in self.members.items() if each != name)

    def presume(self, names: Iterable[str], now: float, requests: int, until: float) -> None:
        """Reckon with `requests` in flight of each of these processes, until they write or that time comes."""
        for name in names:
            member = self.members.setdefault(name, Member(now))
            member.presumed, member.presumed_until = max(0, requests - len(member.leases)), until
        self._recount()

    def count_unseen(self, now: float, requests: int) -> None:
        """Count requests that were sent, and ended, without this value knowing of them."""
        for _ in range(requests):
            self.window.depart(now)
            self.window.settle(now, now, Feedback())

    def leave(self, name: str) -> None:
        """Forget a process that goes, unless requests of its are in flight."""
        member = self.members.get(name)
        if member is not None and not member.leases:
            del self.members[name]
            self._recount()

    @property
    def _in_flight(self) -> int:
        return sum(member.in_flight for member in self.members.values())

    def _recount(self) -> None:
        self.window.in_flight = self._in_flight


def copied(window: RateWindow) -> RateWindow:
    """Return a window that knows the same."""
    return RateWindow(**attrs.asdict(window))


# The window's own class checks no types, and what is in Redis may have been written by anybody.
_WindowRecord = msgspec.defstruct("_WindowRecord", list(get_type_hints(RateWindow).items()))
_ValueRecord = msgspec.defstruct(
    "_ValueRecord",
    [
        ("window", _WindowRecord),
        ("members", dict[str, Member]),
        ("server_time", float),
        ("ahead", float),
        ("born", float),
    ],
)


def encode(state: SharedState) -> bytes:
    """Write a value for Redis."""
    return msgspec.json.encode(state)


def decode(text: bytes, server_time: float) -> SharedState | None:
    """Read a value from Redis; None if it is not one that can be worked with."""
    try:
        plain = msgspec.json.decode(text)
        if any(abs(number) > _LARGEST_SANE_NUMBER for number in _numbers(plain)):
            return None
        record: Any = msgspec.convert(plain, _ValueRecord)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return None
    window = RateWindow(**msgspec.structs.asdict(record.window))
    state = SharedState(window, record.members, record.server_time, record.ahead, record.born)
    return state if state.is_sane(state.now(server_time)) else None


def layout() -> str:
    """Name the layout of the value, so that two versions of this library do not take each other's for garbage."""
    return sha256(encode(SharedState(RateWindow(1, 1.0), {"": Member(0.0)}))).hexdigest()[:8]


def _numbers(plain: object) -> Iterator[float]:
    if isinstance(plain, int | float):
        yield plain
    elif isinstance(plain, list):
        yield from chain.from_iterable(map(_numbers, cast("list[object]", plain)))
    elif isinstance(plain, dict):
        yield from chain.from_iterable(map(_numbers, cast("dict[str, object]", plain).values()))
