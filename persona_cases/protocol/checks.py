"""Numbers and texts that callers give: checked where they come in."""

from __future__ import annotations

import math
import re
from datetime import timedelta

from persona_cases.errors import InvalidArgumentError

_UNPAIRED = re.compile(r"[\ud800-\udfff]")


def seconds(value: object, argument: str, *, least: float | None = None) -> float:
    """Check a duration, a timedelta or a number of seconds: finite, and above zero or at least `least`.

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
        value: what the caller gave.
        argument: how the caller's argument is called.
        least: the smallest that is allowed.
        most: the largest that is allowed.
        hint: what to do instead, for the message.

    Raises:
        InvalidArgumentError: if it is not.
    """
    if isinstance(value, int) and not isinstance(value, bool) and value >= least and (most is None or value <= most):
        return value
    bounds = f"of at least {least}" if most is None else f"from {least} to {most}"
    raise InvalidArgumentError(f"{argument} must be a whole number {bounds}{hint}")


def text(value: object, argument: str, *, example: str = "") -> str:
    """Check a text: not empty, and one that a request can carry.

    Args:
        value: what the caller gave.
        argument: how the caller's argument is called.
        example: what it may look like, for the message.

    Returns:
        The text as a plain `str`, whatever subclass it came as.

    Raises:
        InvalidArgumentError: if it is not.
    """
    if not isinstance(value, str) or not str.strip(value):
        raise InvalidArgumentError(f"{argument} must be a non-empty string{example}")
    if not can_be_sent(value):
        raise InvalidArgumentError(f"{argument} has an unpaired surrogate, which UTF-8 cannot carry: remove it")
    return str.__str__(value)


def can_be_sent(value: str) -> bool:
    """Whether a text can be encoded as UTF-8: it has no half of a surrogate pair."""
    return _UNPAIRED.search(value) is None


def _is_finite(number: float) -> bool:
    try:
        return math.isfinite(number)
    except OverflowError:  # An int that no float can hold.
        return False


def plain_seconds(value: float | timedelta) -> float:
    """Return a duration as a number of seconds, unchecked."""
    return value.total_seconds() if isinstance(value, timedelta) else value


def plain_seconds_or_none(value: float | timedelta | None) -> float | None:
    """Return a duration as a number of seconds, unchecked; None stays None."""
    return None if value is None else plain_seconds(value)


def flag(value: object, argument: str) -> bool:
    """Check a switch.

    Raises:
        InvalidArgumentError: if it is neither True nor False.
    """
    if not isinstance(value, bool):
        raise InvalidArgumentError(f"{argument} must be True or False")
    return value
