"""From an error to what is said on stderr and the exit code: a pure decision."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Final, TypeVar

import attrs

from persona_cases.cli.exits import ExitCode
from persona_cases.cli.terminal import visible
from persona_cases.errors import (
    APIError,
    AuthenticationError,
    DecodeError,
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

__all__ = ["Failure", "MissingKeyError", "ResumeHint", "describe"]

T = TypeVar("T")

ResumeHint = Callable[[str], str]
"""Says how to go on from a cursor."""


class MissingKeyError(InvalidArgumentError):
    """There is no API key in the environment."""

    def __init__(self) -> None:
        super().__init__("no API key: set the environment variable PERSONA_API_KEY, or try it with --simulator")


@attrs.frozen
class Failure:
    """How a command failed.

    Attributes:
        code: the exit code.
        lines: what to say about it.
    """

    code: ExitCode
    lines: tuple[str, ...]


# The first class that fits decides, so that a special error stands before its parent.
_CODES: Final[tuple[tuple[type[PersonaError], ExitCode], ...]] = (
    (MissingKeyError, ExitCode.DENIED),
    (InvalidArgumentError, ExitCode.USAGE),
    (QueryError, ExitCode.USAGE),
    (AuthenticationError, ExitCode.DENIED),
    (RateLimitError, ExitCode.RATE_LIMIT),
    (PermissionDeniedError, ExitCode.DENIED),
    (NotFoundError, ExitCode.NOT_FOUND),
    (APIError, ExitCode.API),
    (TransportError, ExitCode.NETWORK),
    (DecodeError, ExitCode.ANSWER),
    (PaginationError, ExitCode.ANSWER),
    (PersonaError, ExitCode.FAILURE),
)
_HINTS: Final[tuple[tuple[type[PersonaError], str | None], ...]] = (
    (AuthenticationError, "is PERSONA_API_KEY a key of the right environment?"),
    (PermissionDeniedError, "the API key needs the permission case.read, and its list of IP addresses this one"),
    (NotFoundError, "ids belong to one environment, and so does the API key"),
    (QuotaExceededError, None),
    (RateLimitError, "wait, or let the command wait longer with --max-wait"),
    (RequestTimeoutError, "--timeout SECONDS gives each request more time"),
)


def describe(
    error: PersonaError, *, subject: str | None = None, verbose: bool = False, resume: ResumeHint | None = None
) -> Failure:
    """Say what went wrong in one line, with hints on further lines.

    Args:
        error: what went wrong.
        subject: what it went wrong with, if that is not plain.
        verbose: whether to add what the vendor said in `details`, which may quote personal data.
        resume: says how to go on, if the error ended a walk that can be resumed.
    """
    lines = [f"error: {'' if subject is None else f'{subject}: '}{_message(error)}"]
    details = tuple(_details(error))
    if verbose:
        lines.extend(f"details: {each}" for each in details)
    elif details:
        lines.append("hint: --verbose shows the details of the API, which may quote personal data")
    lines.extend(f"hint: {hint}" for hint in _hints(error, resume))
    return Failure(_chosen(error, _CODES, ExitCode.FAILURE), tuple(map(visible, lines)))


def _message(error: PersonaError) -> str:
    attempts = error.attempts if isinstance(error, APIError | TransportError) else 1
    return f"{error} ({attempts} attempts)" if attempts > 1 else str(error)


def _details(error: PersonaError) -> Iterator[str]:
    if isinstance(error, APIError):
        yield from (item.details for item in error.errors if item.details)


def _hints(error: PersonaError, resume: ResumeHint | None) -> Iterator[str]:
    if isinstance(error, TransportError) and not error.sent:
        yield "is the address right? See PERSONA_BASE_URL and --base-url"
    elif (hint := _chosen(error, _HINTS, None)) is not None:
        yield hint
    if resume is not None and error.cursor is not None:
        yield resume(error.cursor)


def _chosen(error: PersonaError, table: tuple[tuple[type[PersonaError], T], ...], otherwise: T) -> T:
    return next((choice for kind, choice in table if isinstance(error, kind)), otherwise)
