"""Numbers that callers give: checked where they come in."""

from __future__ import annotations

import math

from persona_cases.errors import InvalidArgumentError


def seconds(value: object, argument: str, *, least: float | None = None) -> float:
    """Check a number of seconds: finite, and above zero or at least `least`.

    Raises:
        InvalidArgumentError: if it is not.
    """
    if isinstance(value, (int, float)) and not isinstance(value, bool) and math.isfinite(value):
        number = float(value)
        if number > 0 if least is None else number >= least:
            return number
    bound = "above 0" if least is None else f"of at least {least:g}"
    raise InvalidArgumentError(f"{argument} must be a number of seconds {bound}")


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
