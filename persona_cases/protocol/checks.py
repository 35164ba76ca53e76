"""Checks of the numbers and strings that callers pass."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Sequence
from datetime import timedelta
from typing import Final, cast

from persona_cases.errors import InvalidArgumentError

LONGEST_SLA: Final = timedelta(days=90)

_UNPAIRED = r"[\ud800-\udfff]"


def seconds(value: object, argument: str, *, least: float | None = None) -> float:
    """Check a duration, given as a timedelta or in seconds: finite, and above zero or at least `least`.

    Raises:
        InvalidArgumentError: if it is not.
    """
    number = value.total_seconds() if isinstance(value, timedelta) else value
    if isinstance(number, (int, float)) and not isinstance(number, bool) and _is_finite(number):
        number = float(number)
        if number > 0 if least is None else number >= least:
            return number
    bound = "above 0" if least is None else f"of at least {least:g}"
    raise InvalidArgumentError(f"{argument} must be a number of seconds {bound}, or a timedelta")


def whole_number(value: object, argument: str, *, least: int = 1, most: int | None = None, hint: str = "") -> int:
    """Check a whole number within bounds.

    Args:
        value: the caller's value.
        argument: the name of the caller's argument.
        least: the smallest allowed value.
        most: the largest allowed value.
        hint: advice to add to the message.

    Raises:
        InvalidArgumentError: if it is not.
    """
    if isinstance(value, int) and not isinstance(value, bool) and value >= least and (most is None or value <= most):
        return value
    bounds = f"of at least {least}" if most is None else f"from {least} to {most}"
    raise InvalidArgumentError(f"{argument} must be a whole number {bounds}{hint}")


def text(value: object, argument: str, *, example: str = "") -> str:
    """Check a string: it must not be empty, and a request must be able to carry it.

    Args:
        value: the caller's value.
        argument: the name of the caller's argument.
        example: an example for the message.

    Returns:
        The string as a plain `str`, not a subclass.

    Raises:
        InvalidArgumentError: if it is not.
    """
    if not isinstance(value, str) or not str.strip(value):
        raise InvalidArgumentError(f"{argument} must be a non-empty string{example}")
    if not can_be_sent(value):
        raise InvalidArgumentError(f"{argument} has an unpaired surrogate, which UTF-8 cannot carry: remove it")
    return str.__str__(value)


def texts(values: object, argument: str, *, least: int = 1) -> list[str]:
    """Check a collection of strings.

    Raises:
        InvalidArgumentError: if it is a plain string, has too few members, or one that is not a non-empty string.
    """
    if isinstance(values, (str, bytes)) or not isinstance(values, Iterable):
        raise InvalidArgumentError(f"{argument} must be a list of strings, not a single one")
    listed = [text(value, f"each of {argument}") for value in cast("Iterable[object]", values)]
    if len(listed) < least:
        raise InvalidArgumentError(f"{argument} must not be empty")
    return listed


def sla_seconds(value: object) -> int:
    """Return the seconds until an SLA expires.

    Raises:
        InvalidArgumentError: if it is not a whole number of seconds from 1 to 90 days.
    """
    number = value.total_seconds() if isinstance(value, timedelta) else value
    longest = int(LONGEST_SLA.total_seconds())
    if not isinstance(number, (int, float)) or isinstance(number, bool) or not 1 <= number <= longest:
        raise InvalidArgumentError(
            f"sla_expires_in must be a timedelta or seconds, from 1 second to {longest} (90 days)"
        )
    if number != int(number):
        raise InvalidArgumentError("sla_expires_in must be a whole number of seconds")
    return int(number)


def can_be_sent(value: str) -> bool:
    """Return whether a string can be encoded as UTF-8: it has no unpaired surrogate."""
    # The pattern takes a millisecond to compile, and few texts need it.
    return value.isascii() or re.search(_UNPAIRED, value) is None


def _is_finite(number: float) -> bool:
    try:
        return math.isfinite(number)
    except OverflowError:  # An int too large for a float.
        return False


def plain_seconds(value: float | timedelta) -> float:
    """Return a duration as a number of seconds, unchecked."""
    return value.total_seconds() if isinstance(value, timedelta) else value


def plain_seconds_or_none(value: float | timedelta | None) -> float | None:
    """Return a duration as a number of seconds, unchecked; None stays None."""
    return None if value is None else plain_seconds(value)


def flag(value: object, argument: str) -> bool:
    """Check a boolean.

    Raises:
        InvalidArgumentError: if it is neither True nor False.
    """
    if not isinstance(value, bool):
        raise InvalidArgumentError(f"{argument} must be True or False")
    return value


def one_of(value: object, argument: str, choices: Sequence[str]) -> str:
    """Check a string that has a few possible values.

    Raises:
        InvalidArgumentError: if it is not one of them.
    """
    if not isinstance(value, str) or value not in choices:
        raise InvalidArgumentError(f"{argument} must be {' or '.join(map(repr, choices))}")
    return value
