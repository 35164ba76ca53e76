"""What to do after an error, beyond what the error itself says: pure."""

from __future__ import annotations

import shlex
from collections.abc import Callable, Iterator

from persona_cases.errors import IndeterminateError, PersonaError
from persona_cases.paging import is_beginning

__all__ = ["Advise", "checking", "going_on", "when_in_doubt"]

Advise = Callable[[PersonaError], Iterator[str]]
"""Says what to do after an error, a line each."""


def going_on(how: str, option: str) -> Advise:
    """Return what says how to go on with a walk from its cursor.

    Args:
        how: how to go on, but for the cursor.
        option: the option that takes the cursor.
    """

    def advise(error: PersonaError) -> Iterator[str]:
        if error.cursor is not None and not is_beginning(error.cursor):
            yield f"{how} {option} {shlex.quote(error.cursor)}"

    return advise


def checking(look: str, key: str | None) -> Advise:
    """Return what says how to find out about a change whose outcome is unknown.

    Args:
        look: the command that shows whether it was made.
        key: the idempotency key that was sent, if one was.
    """

    def advise(error: PersonaError) -> Iterator[str]:
        if isinstance(error, IndeterminateError):
            yield from when_in_doubt(look, key, failed=error.status is not None)

    return advise


def when_in_doubt(look: str, key: str | None, *, failed: bool = False) -> Iterator[str]:
    """Say how to find out whether a change was made, and how to make it then.

    See https://docs.withpersona.com/idempotence.

    Args:
        look: the command that shows whether it was made.
        key: the idempotency key that was sent, if one was.
        failed: whether the API answered with a failure, which it may keep for the key.
    """
    yield f"check whether it was applied: {look}"
    if key is None:
        yield "if it was not, repeat the command"
        return
    yield f"if it was not, repeat the command with --idempotency-key {shlex.quote(key)}; it is not done twice"
    if failed:
        yield "if it fails in the same way, the API stored the failure: repeat the command without the key"
