"""What the caller sees of each fault: the table of `docs/faults.md`, and what the tests hold it to."""

from __future__ import annotations

import enum
from collections.abc import Awaitable, Callable

import attrs

from faults import scenes
from faults.scenes import Scene, Setting, simulated
from persona_cases import (
    APIError,
    ConnectionFailedError,
    DecodeError,
    IndeterminateError,
    PersonaError,
    Q,
    RequestTimeoutError,
    ServerError,
    Timeout,
    Upload,
)
from persona_cases.testing import Fault, catalog

__all__ = ["OPERATIONS", "ROWS", "Ending", "Row", "table"]

ALL = 4
"""How often a request is sent by default."""

_QUICK = Timeout(total=5.0, read=0.05)
_TRICKLE = Timeout(total=0.2, read=5.0)
_ELSEWHERE = "https://login.example.com/?email=jane%40example.com"


async def _patch(scene: Scene) -> object:
    return await scene.client.cases.update(scene.case_id, attachments=[Upload("note.txt", b"a note")])


OPERATIONS: dict[str, Callable[[Scene], Awaitable[object]]] = {
    "get": lambda scene: scene.client.cases.get(scene.case_id),
    "search": lambda scene: scene.client.cases.search(Q.status.eq("open")).collect(),
    "post": lambda scene: scene.client.cases.create(catalog.TEMPLATES[0].id),
    "delete": lambda scene: scene.client.cases.redact(scene.case_id),
    "patch": _patch,
}
"""A read, a read by POST, a POST under a key, a write that may be repeated, and one that may not."""

Outcome = tuple[type[PersonaError], int]
"""The error, and how many requests were sent."""


class Ending(enum.Enum):
    """How operations end when a fault happens to every request."""

    UNSENT = "unsent"
    LOST = "lost"
    TIMED_OUT = "timed out"
    FAILED = "failed"
    NONSENSE = "nonsense"
    REFUSED = "refused"

    def outcome(self, operation: str) -> Outcome:
        """What is to be expected of an operation."""
        return _OUTCOMES[self][operation]


def _outcomes(read: Outcome, post: Outcome, delete: Outcome, patch: Outcome) -> dict[str, Outcome]:
    return {"get": read, "search": read, "post": post, "delete": delete, "patch": patch}


_UNKNOWN = _outcomes((PersonaError, ALL), (IndeterminateError, ALL), (IndeterminateError, ALL), (IndeterminateError, 1))
_OUTCOMES: dict[Ending, dict[str, Outcome]] = {
    Ending.UNSENT: {name: (ConnectionFailedError, 1 if name == "patch" else ALL) for name in OPERATIONS},
    Ending.LOST: _UNKNOWN | dict.fromkeys(("get", "search"), (ConnectionFailedError, ALL)),
    Ending.TIMED_OUT: _UNKNOWN | dict.fromkeys(("get", "search"), (RequestTimeoutError, ALL)),
    Ending.FAILED: _UNKNOWN
    | {"get": (ServerError, ALL), "search": (ServerError, ALL), "delete": (IndeterminateError, 1)},
    Ending.NONSENSE: dict.fromkeys(OPERATIONS, (DecodeError, 1)),
    Ending.REFUSED: dict.fromkeys(OPERATIONS, (APIError, 1)),
}


@attrs.frozen
class Row:
    """One fault.

    Attributes:
        title: what goes wrong, as the page says it.
        ending: what comes of it.
        setting: makes it happen to all requests.
        once: makes it happen to the first request only, if that makes sense.
        said: what the message of a read's error contains.
        counted: whether all attempts reach something that counts them.
    """

    title: str
    ending: Ending
    setting: Setting
    once: Setting | None = None
    said: str = ""
    counted: bool = True


def _row(title: str, ending: Ending, fault: Fault, said: str = "", **settings: object) -> Row:
    return Row(title, ending, simulated(fault, **settings), simulated(fault, times=1, **settings), said)


_BROKE = "the connection broke before the whole answer was read"
_LOST = "the connection was lost before an answer came"

ROWS = (
    Row("Nobody listens", Ending.UNSENT, scenes.refused, None, "could not be made: Connection refused", counted=False),
    Row("The name of the host can not be resolved", Ending.UNSENT, scenes.unresolvable, None, "could not be resolved"),
    Row("TLS fails", Ending.UNSENT, scenes.mistrusted, None, "no TLS connection.*: self.signed", counted=False),
    Row("The connection is reset before the request was read", Ending.LOST, scenes.reset_at_once, None, _LOST),
    _row("The connection is reset instead of an answer", Ending.LOST, Fault.reset(), f"{_LOST}: Connection reset"),
    _row("The connection is closed instead of an answer", Ending.LOST, Fault.drop(), _LOST),
    _row("The connection is closed in the middle of the body", Ending.LOST, Fault.torn(), _BROKE),
    _row("The connection is reset in the middle of the body", Ending.LOST, Fault.torn(reset=True), _BROKE),
    _row("The body is shorter than announced", Ending.LOST, Fault.wrong_length(10_000_000), _BROKE),
    _row("The body is longer than announced", Ending.LOST, Fault.wrong_length(30), "not HTTP that can be read"),
    _row("The answer is compressed, and damaged", Ending.LOST, Fault.headers({"Content-Encoding": "gzip"}), _BROKE),
    _row("No first byte of the answer", Ending.TIMED_OUT, Fault.delay(30), "within the timeout", timeout=_QUICK),
    _row("The body comes drop by drop", Ending.TIMED_OUT, Fault.drip(pause=0.1), "timeout", timeout=_TRICKLE),
    *(
        _row(f"Status {status}", Ending.FAILED, Fault.status(status), str(status))
        for status in (408, 500, 502, 503, 504)
    ),
    _row("HTML from a proxy with status 502", Ending.FAILED, Fault.html(), "502 no error document in the answer"),
    _row("HTML from a proxy with status 200", Ending.NONSENSE, Fault.html(200), "not JSON"),
    _row("Status 200 and a body that is no JSON", Ending.NONSENSE, Fault.garbage(), "not JSON"),
    _row("Status 200 and no body", Ending.NONSENSE, Fault.empty(), "not JSON"),
    _row("An answer larger than allowed", Ending.NONSENSE, Fault.huge(200_000), "larger than 100000", most=100_000),
    _row("A compressed answer that unpacks to more", Ending.NONSENSE, Fault.packed(9_000_000), "larger", most=100_000),
    _row("A redirect", Ending.REFUSED, Fault.redirect(_ELSEWHERE), r"not followed \(this one leads to login\.example"),
)

_RETRIED = "GET, search, POST with a key, DELETE"
_COLUMNS = {
    Ending.UNSENT: ("`ConnectionFailedError`, `sent` is False", _RETRIED, "the same"),
    Ending.LOST: ("`ConnectionFailedError`", _RETRIED, "`IndeterminateError`"),
    Ending.TIMED_OUT: ("`RequestTimeoutError`", _RETRIED, "`IndeterminateError`"),
    Ending.FAILED: ("`ServerError`", "GET, search, POST with a key", "`IndeterminateError`"),
    Ending.NONSENSE: ("`DecodeError`", "no", "the same"),
    Ending.REFUSED: ("`APIError`", "no", "the same"),
}


def table() -> list[str]:
    """The lines of the page's table."""
    head = ["| What goes wrong | What a read raises | What is sent again | What a write raises |", "|---|---|---|---|"]
    return [*head, *(f"| {row.title} | {' | '.join(_COLUMNS[row.ending])} |" for row in ROWS)]
