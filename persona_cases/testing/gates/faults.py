"""Scripted faults, and the requests that they happen to.

A `Fault` defines what happens to a request. A rule of `Faults` defines which requests it happens to::

    sim.faults.next(Fault.status(503))
    sim.faults.add(Fault.torn(), path="/cases/search", nth=3)
    sim.faults.add(Fault.drop(), every=10)
"""

from __future__ import annotations

import zlib
from collections.abc import Callable, Collection, Mapping
from fnmatch import fnmatchcase
from random import Random
from typing import Any

import attrs
import msgspec

from persona_cases.errors import InvalidArgumentError
from persona_cases.surface import publish
from persona_cases.testing.http.delivery import Delivery
from persona_cases.testing.http.problems import AnsweredError, rate_limited
from persona_cases.testing.http.traffic import Answer, ReceivedRequest

__all__ = ["Fault", "FaultRule", "Faults"]

_HTML = b"<html><head><title>502 Bad Gateway</title></head><body><h1>502 Bad Gateway</h1></body></html>"
_TITLES: Mapping[int, str] = {
    400: "Bad Request",
    401: "Token is invalid",
    403: "Forbidden",
    404: "Record not found",
    408: "Request Timeout",
    409: "Conflict",
    422: "Unprocessable entity",
    429: "Rate limit exceeded",
    500: "Internal server error",
    503: "Service unavailable",
}
_PIECE = 65_536
_NEVER_STORED = frozenset({401, 429})


@attrs.frozen(repr=False)
class Fault:
    """A fault of one request. Make one with the class methods, or build your own.

    Attributes:
        name: its name in `ReceivedRequest.fault`.
        problem: an error to respond with instead of the result.
        applied: whether the request takes effect before the fault. If not, the response is that of `problem`, or
            without one an empty 502 for `alter` to change.
        alter: changes the response before it is sent.
        delivery: how the response is sent.
        stored: whether the API itself fails, so that a replay of the request's idempotency key fails too. If not, the
            failure is in front of the API, and a replay returns the result of a request that took effect.
    """

    name: str
    problem: AnsweredError | None = None
    applied: bool = True
    alter: Callable[[Answer], Answer] | None = None
    delivery: Delivery = attrs.field(factory=Delivery)
    stored: bool = False
    _call: str = attrs.field(default="", kw_only=True, alias="call")

    def __repr__(self) -> str:
        # Titles, details and bodies may quote data.
        return f"Fault.{self._call}" if self._call else f"<Fault: {self.name}>"

    @classmethod
    def status(
        cls,
        status: int,
        title: str | None = None,
        details: str | None = None,
        *,
        headers: Mapping[str, str | None] | None = None,
        applied: bool = False,
        stored: bool = False,
    ) -> Fault:
        """Respond with an error document.

        Args:
            status: the HTTP status.
            title: the title of the error. Default: the vendor's usual title.
            details: the details of the error.
            headers: headers to set; None removes a header. By default, a 429 reports that nothing is left and that the
                window ends in one second.
            applied: whether the request takes effect before the error.
            stored: whether a repetition with the same idempotency key gets the same error.

        Raises:
            InvalidArgumentError: if `stored` is set for a status that the API does not store.
        """
        if stored and status in _NEVER_STORED:
            raise InvalidArgumentError(f"stored: {status} is answered before idempotency keys are looked at")
        problem = AnsweredError(status, title or _TITLES.get(status, "Error"), details)
        usual: Mapping[str, str | None] = _used_up(problem.title) if status == 429 else {}
        alter = _with_headers({**usual, **(headers or {})})
        call = _call("status", status, applied=applied, stored=stored)
        return cls(f"status {status}", problem, applied, alter, stored=stored, call=call)

    @classmethod
    def rate_limited(cls, reset: int = 1) -> Fault:
        """Respond with 429 as if the window were exhausted.

        Args:
            reset: whole seconds until the window ends, as reported in the headers.
        """
        limited = cls.status(429, details=rate_limited(300, 60).details, headers={"RateLimit-Reset": str(reset)})
        return attrs.evolve(limited, call=_call("rate_limited", reset))

    @classmethod
    def drop(cls, *, applied: bool = False) -> Fault:
        """Close the connection without a response.

        Args:
            applied: whether the request takes effect first.
        """
        return cls("drop", applied=applied, delivery=Delivery(unanswered=True), call=_call("drop", applied=applied))

    @classmethod
    def reset(cls, *, applied: bool = False) -> Fault:
        """Reset the connection without a response.

        Args:
            applied: whether the request takes effect first.
        """
        delivery = Delivery(unanswered=True, reset=True)
        return cls("reset", applied=applied, delivery=delivery, call=_call("reset", applied=applied))

    @classmethod
    def torn(cls, after: int = 20, *, reset: bool = False) -> Fault:
        """Break the connection in the middle of the body.

        Args:
            after: bytes of the body to send first.
            reset: whether to reset the connection instead of closing it.
        """
        return cls("torn", delivery=Delivery(cut_after=after, reset=reset), call=_call("torn", after, reset=reset))

    @classmethod
    def wrong_length(cls, announced: int) -> Fault:
        """Announce a wrong length of the body, and close the connection after the body.

        Args:
            announced: the length to announce, in bytes.
        """
        return cls("wrong length", delivery=Delivery(announced=announced), call=_call("wrong_length", announced))

    @classmethod
    def closed_after(cls) -> Fault:
        """Respond, and close the connection although the response promised to keep it open."""
        return cls("closed after", delivery=Delivery(closed_after=True), call=_call("closed_after"))

    @classmethod
    def delay(cls, seconds: float) -> Fault:
        """Wait before the first byte of the response.

        Args:
            seconds: the wait, in real seconds.
        """
        return cls("delay", delivery=Delivery(delay=seconds), call=_call("delay", seconds))

    @classmethod
    def drip(cls, chunk: int = 1, pause: float = 0.05) -> Fault:
        """Send the body slowly.

        Args:
            chunk: bytes to send at a time.
            pause: real seconds between chunks.
        """
        return cls("drip", delivery=Delivery(chunk=chunk, pause=pause), call=_call("drip", chunk, pause))

    @classmethod
    def body(cls, body: bytes, *, status: int = 200, content_type: str | None = None) -> Fault:
        """Respond with any bytes.

        Args:
            body: the body.
            status: the HTTP status.
            content_type: the content type. Default: JSON.
        """

        def alter(answer: Answer) -> Answer:
            headers = {**answer.headers, "Content-Type": content_type or answer.headers["Content-Type"]}
            return Answer(status, headers, body)

        return cls("body", alter=alter, call=f"body(<{len(body)} bytes>)")

    @classmethod
    def garbage(cls) -> Fault:
        """Respond with 200 and a body that is declared as JSON but is not."""
        return attrs.evolve(cls.body(b'{"data": [{"type": "case", "id'), name="garbage", call=_call("garbage"))

    @classmethod
    def empty(cls, status: int = 200) -> Fault:
        """Respond with an empty body.

        Args:
            status: the HTTP status.
        """
        return attrs.evolve(cls.body(b"", status=status), name="empty", call=_call("empty", status))

    @classmethod
    def html(cls, status: int = 502) -> Fault:
        """Respond like a proxy in front of the vendor: HTML without the vendor's headers.

        Args:
            status: the HTTP status.
        """

        def alter(answer: Answer) -> Answer:
            return Answer(status, {"Content-Type": "text/html; charset=utf-8"}, _HTML)

        return cls("html", applied=False, alter=alter, call=_call("html", status))

    @classmethod
    def redirect(cls, location: str, *, status: int = 302) -> Fault:
        """Redirect to another URL.

        Args:
            location: the URL.
            status: the HTTP status.
        """

        def alter(answer: Answer) -> Answer:
            return Answer(status, {"Location": location}, b"")

        return cls("redirect", applied=False, alter=alter, call="redirect(...)")

    @classmethod
    def huge(cls, size: int, *, status: int = 200) -> Fault:
        """Respond with a large JSON document.

        Args:
            size: its minimum size in bytes.
            status: the HTTP status.
        """
        return attrs.evolve(
            cls.body(b'{"data": []' + b" " * size + b"}", status=status), name="huge", call=_call("huge", size)
        )

    @classmethod
    def packed(cls, size: int) -> Fault:
        """Respond with a small gzip body that decompresses to many blanks, which are not JSON.

        Args:
            size: the minimum decompressed size in bytes.
        """

        def alter(answer: Answer) -> Answer:
            return Answer(200, {**answer.headers, "Content-Encoding": "gzip"}, _packed(size))

        return cls("packed", alter=alter, call=_call("packed", size))

    @classmethod
    def headers(cls, headers: Mapping[str, str | None]) -> Fault:
        """Set headers of the response.

        Args:
            headers: the headers; None removes a header.
        """
        return cls("headers", alter=_with_headers(headers), call="headers({...})")

    @classmethod
    def rewrite(cls, change: Callable[[Any], Any]) -> Fault:
        """Change the JSON document of the response.

        Args:
            change: takes the decoded document, and returns the new one.
        """

        def alter(answer: Answer) -> Answer:
            document = msgspec.json.encode(change(msgspec.json.decode(answer.body)))
            return attrs.evolve(answer, body=document)

        return cls("rewrite", alter=alter, call="rewrite(...)")


def _call(method: str, *numbers: float, **options: bool) -> str:
    given = [*map(repr, numbers), *(f"{name}=True" for name, chosen in options.items() if chosen)]
    return f"{method}({', '.join(given)})"


def _used_up(title: str) -> dict[str, str]:
    prefix = "Quota" if title.lower() == "quota exceeded" else "RateLimit"
    limit = {"Quota-Limit": "1"} if prefix == "Quota" else {}
    return {**limit, f"{prefix}-Remaining": "0", f"{prefix}-Reset": "1"}


def _with_headers(headers: Mapping[str, str | None]) -> Callable[[Answer], Answer]:
    def alter(answer: Answer) -> Answer:
        merged = {**answer.headers, **headers}
        return attrs.evolve(answer, headers={name: value for name, value in merged.items() if value is not None})

    return alter


def _packed(size: int) -> bytes:
    # In pieces, because the whole might not fit in memory.
    gzip = zlib.compressobj(level=1, wbits=16 + zlib.MAX_WBITS)
    blank = b" " * _PIECE
    pieces = [gzip.compress(blank) for _ in range(size // _PIECE + 1)]
    return b"".join((*pieces, gzip.flush()))


@attrs.define(eq=False, repr=False)
class FaultRule:
    """A fault and the requests that it happens to, as returned by `Faults.add`.

    Attributes:
        fault: the fault.
        seen: number of requests so far that matched method, path and `when`.
        fired: number of these requests that the fault happened to.
    """

    fault: Fault
    _method: str | None
    _path: str
    _when: Callable[[ReceivedRequest], bool] | None
    _nth: frozenset[int] | None
    _every: int | None
    _probability: float | None
    _times: int | None
    seen: int = 0
    fired: int = 0

    def __repr__(self) -> str:
        return f"<FaultRule: {self.fault!r}, {self.seen} seen, {self.fired} fired>"

    def sees(self, request: ReceivedRequest) -> bool:
        """Count the request if it matches the rule."""
        matches = (
            self._method in {None, request.method}
            and fnmatchcase(request.path, self._path)
            and (self._when is None or self._when(request))
        )
        self.seen += matches
        return matches

    def is_due(self, random: Random) -> bool:
        """Return whether the fault happens to the request that was just counted."""
        if self._times is not None and self.fired >= self._times:
            return False
        if self._nth is not None and self.seen not in self._nth:
            return False
        if self._every is not None and self.seen % self._every:
            return False
        return self._probability is None or random.random() < self._probability


class Faults:
    """The faults of a simulator. For each request, the first rule that is due decides; a request has at most one fault.

    Args:
        seed: determines the outcome of rules with a `probability`.
    """

    def __init__(self, seed: int = 0) -> None:
        self._rules: list[FaultRule] = []
        self._random = Random(seed)

    def __repr__(self) -> str:
        return f"<Faults: {self._rules!r}>"

    def add(
        self,
        fault: Fault,
        *,
        method: str | None = None,
        path: str = "*",
        when: Callable[[ReceivedRequest], bool] | None = None,
        nth: int | Collection[int] | None = None,
        every: int | None = None,
        probability: float | None = None,
        times: int | None = None,
    ) -> FaultRule:
        """Make a fault happen to requests. If there are several conditions, all must hold.

        Args:
            fault: the fault.
            method: only requests with this method.
            path: only paths below `/api/v1` that match this pattern, such as `/cases/search` or `/cases/*` (`*` matches
                anything, including slashes).
            when: only requests for which this function returns True.
            nth: only the nth matching request, counted from 1; or several such numbers.
            every: only every nth matching request.
            probability: only this share of matching requests, determined by the simulator's seed.
            times: maximum number of times; None for no limit.

        Returns:
            The rule, which counts the requests that it saw and the faults.

        Raises:
            InvalidArgumentError: if a number is out of range.
        """
        for name, number in (("every", every), ("times", times)):
            if number is not None and number < 1:
                raise InvalidArgumentError(f"{name} must be at least 1")
        if probability is not None and not 0 <= probability <= 1:
            raise InvalidArgumentError("probability must be from 0 to 1")
        numbers = frozenset({nth} if isinstance(nth, int) else nth) if nth is not None else None
        if numbers is not None and any(number < 1 for number in numbers):
            raise InvalidArgumentError("nth must be at least 1, because requests are counted from 1")
        rule = FaultRule(fault, method and method.upper(), path, when, numbers, every, probability, times)
        self._rules.append(rule)
        return rule

    def next(self, *faults: Fault, method: str | None = None, path: str = "*") -> None:
        """Make these faults happen to the next matching requests, one each, in this order.

        Args:
            faults: the faults.
            method: only requests with this method.
            path: only paths that match this pattern.
        """
        for fault in faults:
            self.add(fault, method=method, path=path, times=1)

    def remove(self, rule: FaultRule) -> None:
        """Remove a rule; has no effect if it is already gone.

        Args:
            rule: the rule.
        """
        if rule in self._rules:
            self._rules.remove(rule)

    def clear(self) -> None:
        """Remove all rules."""
        self._rules.clear()

    def choose(self, request: ReceivedRequest) -> Fault | None:
        """Return the fault of this request, if any."""
        concerned = [rule for rule in self._rules if rule.sees(request)]
        for rule in concerned:
            if rule.is_due(self._random):
                rule.fired += 1
                return rule.fault
        return None


publish("persona_cases.testing", Fault, FaultRule, Faults)
