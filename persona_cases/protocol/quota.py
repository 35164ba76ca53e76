"""Reading the vendor's rate limit and quota headers.

See https://docs.withpersona.com/rate-limiting.
"""

from __future__ import annotations

from collections.abc import Mapping

import attrs


@attrs.frozen
class WindowReading:
    """What one answer says about a window of the rate limit.

    Attributes:
        limit: requests allowed in the window.
        remaining: requests left in it.
        reset: whole seconds until it ends.
    """

    limit: int
    remaining: int
    reset: int


def read_rate_limit(headers: Mapping[str, str]) -> WindowReading | None:
    """Read `RateLimit-*`; None if they are missing or no whole numbers (header names in lower case)."""
    return _read(headers, "ratelimit-")


def read_quota(headers: Mapping[str, str]) -> WindowReading | None:
    """Read the creation quota, in both spellings that the vendor uses: `Quota-*` and `QuotaLimit-*`."""
    return _read(headers, "quota-") or _read(headers, "quotalimit-")


def _read(headers: Mapping[str, str], prefix: str) -> WindowReading | None:
    numbers = [_count(headers.get(prefix + name)) for name in ("limit", "remaining", "reset")]
    limit, remaining, reset = numbers
    if limit is None or remaining is None or reset is None:
        return None
    return WindowReading(limit, remaining, reset)


def _count(text: str | None) -> int | None:
    return int(text) if text is not None and text.isascii() and text.isdigit() else None
