"""The message and the exit code for an error: pure."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final, TypeVar

import attrs

from persona_cases.cli.exits import ExitCode
from persona_cases.cli.screen.advice import Advise
from persona_cases.cli.screen.terminal import visible
from persona_cases.errors import (
    APIError,
    AuthenticationError,
    ConflictError,
    DecodeError,
    IndeterminateError,
    InvalidArgumentError,
    NotFoundError,
    PaginationError,
    PermissionDeniedError,
    PersonaError,
    QueryError,
    QuotaExceededError,
    RateLimitError,
    RequestTimeoutError,
    TransportError,
)

__all__ = ["Failure", "MissingKeyError", "NoSuchFileError", "describe", "one_line"]

T = TypeVar("T")


class MissingKeyError(InvalidArgumentError):
    """There is no API key in the environment."""

    def __init__(self) -> None:
        super().__init__("no API key: set the environment variable PERSONA_API_KEY, or try it with --simulator")


class NoSuchFileError(PersonaError):
    """The case has no such file. The message does not show its name."""


@attrs.frozen
class Failure:
    """How a command failed.

    Attributes:
        code: the exit code.
        lines: the message, for stderr.
    """

    code: ExitCode
    lines: tuple[str, ...]


# A page of validation errors would hide the error message.
_MOST_DETAILS: Final = 5
_LONGEST_DETAILS: Final = 300

# The first matching class decides, so a subclass comes before its parent.
_CODES: Final[tuple[tuple[type[PersonaError], ExitCode], ...]] = (
    (MissingKeyError, ExitCode.DENIED),
    (InvalidArgumentError, ExitCode.USAGE),
    (QueryError, ExitCode.USAGE),
    (AuthenticationError, ExitCode.DENIED),
    (RateLimitError, ExitCode.RATE_LIMIT),
    (PermissionDeniedError, ExitCode.DENIED),
    (NotFoundError, ExitCode.NOT_FOUND),
    (NoSuchFileError, ExitCode.NOT_FOUND),
    (IndeterminateError, ExitCode.UNKNOWN),
    (APIError, ExitCode.API),
    (TransportError, ExitCode.NETWORK),
    (DecodeError, ExitCode.ANSWER),
    (PaginationError, ExitCode.ANSWER),
    (PersonaError, ExitCode.FAILURE),
)
_HINTS: Final[tuple[tuple[type[PersonaError], str | None], ...]] = (
    (AuthenticationError, "check that PERSONA_API_KEY is a key of the right environment"),
    (
        PermissionDeniedError,
        "the API key needs the permission case.read, or case.write for changes, and must allow this IP address",
    ),
    (ConflictError, "get the case again: it has changed, or its status does not allow this"),
    (NotFoundError, "check that the id and the API key belong to the same environment"),
    (QuotaExceededError, None),
    (RateLimitError, "wait, or let the command wait longer with --max-wait"),
    (RequestTimeoutError, "--timeout SECONDS gives each request more time"),
)


def describe(
    error: PersonaError, *, subject: str | None = None, details: bool = False, advise: Advise | None = None
) -> Failure:
    """Describe an error in one line, with notes and hints on further lines.

    Args:
        error: the error.
        subject: what the error is about, such as one of several ids.
        details: whether to add the API's `details`, which may quote personal data.
        advise: returns hints for an error of the command.
    """
    lines = [f"error: {'' if subject is None else f'{subject}: '}{error}"]
    told = tuple(_details(error))
    if details:
        lines.extend(f"details: {_capped(each)}" for each in told[:_MOST_DETAILS])
        if len(told) > _MOST_DETAILS:
            lines.append(f"details: and {len(told) - _MOST_DETAILS:,} more")
    elif told:
        lines.append("hint: add --verbose to show the API's details, which may quote personal data")
    lines.extend(f"note: {note}" for note in getattr(error, "__notes__", ()))
    lines.extend(f"hint: {hint}" for hint in _hints(error, advise))
    return Failure(_chosen(error, _CODES, ExitCode.FAILURE), tuple(map(visible, lines)))


def one_line(error: PersonaError | OSError) -> str:
    """Return what an error says in a line of its own; of the disk, neither a path nor data."""
    return (
        str(error)
        if isinstance(error, PersonaError)
        else f"cannot read or write: {error.strerror or type(error).__name__}"
    )


def _details(error: PersonaError) -> Iterator[str]:
    if isinstance(error, APIError | IndeterminateError):
        yield from (item.details for item in error.errors if item.details)


def _capped(text: str) -> str:
    return text if len(text) <= _LONGEST_DETAILS else f"{text[:_LONGEST_DETAILS]}…"


def _hints(error: PersonaError, advise: Advise | None) -> Iterator[str]:
    if isinstance(error, TransportError) and not error.sent:
        yield "check the address: see --base-url, --proxy and --ca-file"
    elif isinstance(error, NotFoundError) and not error.errors:
        # The response is not from the API, so the id may be right. The message says what to check.
        pass
    elif (hint := _chosen(error, _HINTS, None)) is not None:
        yield hint
    if advise is not None:
        yield from advise(error)


def _chosen(error: PersonaError, table: tuple[tuple[type[PersonaError], T], ...], otherwise: T) -> T:
    return next((choice for kind, choice in table if isinstance(error, kind)), otherwise)
