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
    Safety,
    ServerError,
    Timeout,
    Upload,
)
from persona_cases.protocol.repeats import RULES, AttemptFailure, Rule
from persona_cases.testing import Fault

__all__ = ["OPERATIONS", "ROWS", "Ending", "Row", "repeats_table", "table"]

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
    "post": lambda scene: scene.client.cases.create(scene.template_id),
    "delete": lambda scene: scene.client.cases.redact(scene.case_id),
    "patch": _patch,
}
"""A read, a read by POST, a POST under a key, a write that may be repeated, and one that may not."""

_SAFETY = {
    "get": Safety.READ,
    "search": Safety.READ,
    "post": Safety.KEYED,
    "delete": Safety.REPEATABLE,
    "patch": Safety.ONCE,
}
_NAMES = {"get": "GET", "search": "search", "post": "POST with a key", "delete": "DELETE", "patch": "PATCH"}

Outcome = tuple[type[PersonaError], int]
"""The error, and how many requests were sent."""


class Ending(enum.Enum):
    """How operations end when a fault happens to every request: what an attempt ends in, and the error of a read."""

    UNSENT = (AttemptFailure.UNSENT, ConnectionFailedError)
    LOST = (AttemptFailure.LOST, ConnectionFailedError)
    TIMED_OUT = (AttemptFailure.LOST, RequestTimeoutError)
    FAILED = (AttemptFailure.FAILED, ServerError)
    NONSENSE = (AttemptFailure.UNREADABLE, DecodeError)
    REFUSED = (AttemptFailure.REJECTED, APIError)

    def rule(self, operation: str) -> Rule:
        """What the library's own table says."""
        return RULES[_SAFETY[operation]][self.value[0]]

    def outcome(self, operation: str) -> Outcome:
        """What is to be expected of an operation."""
        rule = self.rule(operation)
        return IndeterminateError if rule.in_doubt else self.value[1], ALL if rule.again else 1


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


_BROKE = "the connection broke before the whole response was read"
_LOST = "the connection was lost before a response came"

ROWS = (
    Row(
        "No server listens", Ending.UNSENT, scenes.refused, None, "could not be made: Connection refused", counted=False
    ),
    Row("The name of the host cannot be resolved", Ending.UNSENT, scenes.unresolvable, None, "could not be resolved"),
    Row("TLS fails", Ending.UNSENT, scenes.mistrusted, None, "no TLS connection.*: self.signed", counted=False),
    Row("The connection is reset before the request was read", Ending.LOST, scenes.reset_at_once, None, _LOST),
    _row("The connection is reset before a response comes", Ending.LOST, Fault.reset(), f"{_LOST}: Connection reset"),
    _row("The connection is closed before a response comes", Ending.LOST, Fault.drop(), _LOST),
    _row("The connection is closed in the middle of the body", Ending.LOST, Fault.torn(), _BROKE),
    _row("The connection is reset in the middle of the body", Ending.LOST, Fault.torn(reset=True), _BROKE),
    _row("The body is shorter than announced", Ending.LOST, Fault.wrong_length(10_000_000), _BROKE),
    _row("The body is longer than announced", Ending.LOST, Fault.wrong_length(30), "not readable HTTP"),
    _row("The response is compressed, and damaged", Ending.LOST, Fault.headers({"Content-Encoding": "gzip"}), _BROKE),
    _row("No first byte of the response", Ending.TIMED_OUT, Fault.delay(30), "within the timeout", timeout=_QUICK),
    _row("The body comes a few bytes at a time", Ending.TIMED_OUT, Fault.drip(pause=0.1), "timeout", timeout=_TRICKLE),
    *(
        _row(f"Status {status}", Ending.FAILED, Fault.status(status), str(status))
        for status in (408, 500, 502, 503, 504)
    ),
    _row("HTML from a proxy with status 502", Ending.FAILED, Fault.html(), "502 no error document in the response"),
    _row("HTML from a proxy with status 200", Ending.NONSENSE, Fault.html(200), "not JSON"),
    _row("Status 200 and a body that is not JSON", Ending.NONSENSE, Fault.garbage(), "not JSON"),
    _row("Status 200 and no body", Ending.NONSENSE, Fault.empty(), "not JSON"),
    _row("A response larger than allowed", Ending.NONSENSE, Fault.huge(200_000), "larger than 100000", most=100_000),
    _row(
        "A compressed response that unpacks to more", Ending.NONSENSE, Fault.packed(9_000_000), "larger", most=100_000
    ),
    _row("A redirect", Ending.REFUSED, Fault.redirect(_ELSEWHERE), r"not followed \(this one leads to login\.example"),
)


def _cells(ending: Ending) -> str:
    read = ending.value[1].__name__
    shown = f"`{read}`, `sent` is False" if ending is Ending.UNSENT else f"`{read}`"
    again = ", ".join(name for operation, name in _NAMES.items() if ending.rule(operation).again) or "nothing"
    write = "`IndeterminateError`" if ending.rule("post").in_doubt else "the same"
    return f"{shown} | {again} | {write}"


def table() -> list[str]:
    """The lines of the table of faults."""
    head = ["| What goes wrong | What a read raises | What is sent again | What a write raises |", "|---|---|---|---|"]
    return [*head, *(f"| {row.title} | {_cells(row.ending)} |" for row in ROWS)]


_REQUESTS = {
    Safety.READ: "GET, search",
    Safety.KEYED: "POST under its idempotency key",
    Safety.REPEATABLE: "PUT, DELETE (`redact`), `update(repeatable=True)`",
    Safety.ONCE: "PATCH (`update`)",
}
_ENDINGS = {
    AttemptFailure.UNSENT: "no connection",
    AttemptFailure.REFUSED: "429, quota",
    AttemptFailure.LOST: "lost connection, timeout",
    AttemptFailure.FAILED: "5xx, 408",
    AttemptFailure.UNREADABLE: "a success that cannot be read",
    AttemptFailure.UNKNOWN_KEY: "401",
    AttemptFailure.CONFLICT: "409",
    AttemptFailure.REJECTED: "other responses",
}


def _cell(safety: Safety, rule: Rule) -> str:
    if rule.in_doubt:
        return "again, then `IndeterminateError`" if rule.again else "`IndeterminateError`"
    if rule.again:
        return "again"
    # Only a write that was repeated after it may have been carried out has a doubt left to settle.
    doubtful = any(each.again and each.in_doubt for each in RULES[safety].values())
    return "raised; if in doubt, `IndeterminateError`" if doubtful and not rule.settles else "raised"


def repeats_table() -> list[str]:
    """The lines of the table of what is repeated."""
    head = [f"| | {' | '.join(_ENDINGS.values())} |", "|---" * (len(_ENDINGS) + 1) + "|"]
    rows = [
        f"| {title} | {' | '.join(_cell(safety, RULES[safety][ending]) for ending in _ENDINGS)} |"
        for safety, title in _REQUESTS.items()
    ]
    return [*head, *rows]
