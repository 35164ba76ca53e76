"""The limits in the headers of a response: the vendor's own headers, and a proxy's `Retry-After`.

See https://docs.withpersona.com/rate-limiting.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from functools import lru_cache

import msgspec

from persona_cases.surface import publish

# A longer wait would look like a hang.
_LONGEST_RETRY_AFTER = 3600.0
_MOST_DIGITS = 18

_RATE_LIMIT, *_QUOTAS = [
    (f"{prefix}-limit", f"{prefix}-remaining", f"{prefix}-reset") for prefix in ("ratelimit", "quota", "quotalimit")
]


# Structs and not attrs classes, like `Feedback`: every response makes one, for a seventh of the time.
class WindowReading(msgspec.Struct, frozen=True):
    """One response's report about a window of the rate limit.

    Attributes:
        limit: requests allowed in the window.
        remaining: requests left in it.
        reset: whole seconds until it ends.
    """

    limit: int
    remaining: int
    reset: int


def read_rate_limit(headers: Mapping[str, str], names: tuple[str, str, str] = _RATE_LIMIT) -> WindowReading | None:
    """Read `RateLimit-*`, or the same numbers under other names.

    Args:
        headers: the headers of a response, names in lower case.
        names: the names of the headers with the limit, what is left of it, and the seconds.

    Returns:
        The report; None if a header is missing or not a whole number.
    """
    # Every response comes through here, and in a loop or with `map` this would take half as long again.
    limit, remaining, reset = names
    most, left, seconds = _count(headers.get(limit)), _count(headers.get(remaining)), _count(headers.get(reset))
    if most is None or left is None or seconds is None:
        return None
    return WindowReading(most, left, seconds)


def read_quota(headers: Mapping[str, str]) -> WindowReading | None:
    """Read the creation quota, in both spellings that the vendor uses: `Quota-*` and `QuotaLimit-*`."""
    return next(filter(None, (read_rate_limit(headers, names) for names in _QUOTAS)), None)


def read_retry_after(headers: Mapping[str, str]) -> float | None:
    """Read `Retry-After`, which the vendor does not send, but a proxy in front of it may.

    A date is measured against the `Date` of the same response, not against a clock of this machine.

    Args:
        headers: the headers of a response, names in lower case.

    Returns:
        Seconds to wait, 0 for a date that has passed; None if the header is missing, is neither whole seconds nor a
        date, or asks for more than an hour.

    See https://www.rfc-editor.org/rfc/rfc9110.html#name-retry-after.
    """
    text = headers.get("retry-after", "").strip()
    wait: float | None = _count(text)
    if wait is None:
        then, sent = _date(text), _date(headers.get("date", ""))
        wait = None if then is None or sent is None else max(0.0, (then - sent).total_seconds())
    return float(wait) if wait is not None and wait <= _LONGEST_RETRY_AFTER else None


# Responses report the same few numbers again and again.
@lru_cache(maxsize=512)
def _count(text: str | None) -> int | None:
    # Python refuses to read numbers of thousands of digits; no header of ours has more than a few.
    if text is None or len(text) > _MOST_DIGITS or not (text.isascii() and text.isdigit()):
        return None
    return int(text)


def _date(text: str) -> datetime | None:
    try:
        date = parsedate_to_datetime(text)
    except (ValueError, OverflowError):
        return None
    # The oldest of the three forms that HTTP allows names no zone; all its dates are in UTC.
    return date if date.tzinfo is not None else date.replace(tzinfo=UTC)


publish("persona_cases.limits", WindowReading)
