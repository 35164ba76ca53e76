"""Hints on what to do after an error: pure."""

from __future__ import annotations

import shlex
from collections.abc import Callable, Iterator

from persona_cases.errors import IndeterminateError, PersonaError
from persona_cases.paging import is_beginning

__all__ = ["Advise", "checking", "resuming", "when_in_doubt"]

Advise = Callable[[PersonaError], Iterator[str]]
"""Returns hints for an error, one per line."""


def resuming(how: str, option: str) -> Advise:
    """Return hints that say how to resume from the cursor of an error.

    Args:
        how: the beginning of the hint, up to the option.
        option: the option that takes the cursor.
    """

    def advise(error: PersonaError) -> Iterator[str]:
        if error.cursor is not None and not is_beginning(error.cursor):
            yield f"{how} {option} {shlex.quote(error.cursor)}"

    return advise


def checking(look: str, key: str | None) -> Advise:
    """Return hints that say how to check a change whose outcome is unknown.

    Args:
        look: the command that shows whether it was applied.
        key: the idempotency key that was sent, if any.
    """

    def advise(error: PersonaError) -> Iterator[str]:
        if isinstance(error, IndeterminateError):
            yield from when_in_doubt(look, key, failed=error.status is not None)

    return advise


def when_in_doubt(look: str, key: str | None, *, failed: bool = False) -> Iterator[str]:
    """Yield hints on how to check whether a change was applied, and how to repeat it.

    See https://docs.withpersona.com/idempotence.

    Args:
        look: the command that shows whether it was applied.
        key: the idempotency key that was sent, if any.
        failed: whether the API responded with a failure, which it may store under the key.
    """
    yield f"check whether it was applied: {look}"
    if key is None:
        yield "if it was not, repeat the command"
        return
    yield f"if it was not, repeat the command with --idempotency-key {shlex.quote(key)}: the API applies it only once"
    if failed:
        yield "if it fails in the same way, the API stored the failure: repeat the command without the key"
