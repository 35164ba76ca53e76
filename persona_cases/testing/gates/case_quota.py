"""The quota of case creation: a window of its own, beside the rate limit.

See https://docs.withpersona.com/rate-limiting. The vendor spells its headers in two ways and names two statuses for a
quota that is used up; both can be chosen.
"""

from __future__ import annotations

from typing import Literal, TypeAlias, get_args

from persona_cases.errors import InvalidArgumentError
from persona_cases.testing.gates.rate_window import FixedWindow, RateLimit
from persona_cases.testing.http.problems import quota_exceeded
from persona_cases.testing.world.simulated_clock import Clock

__all__ = ["CaseQuota", "QuotaHeaders", "QuotaStatus"]

QuotaHeaders: TypeAlias = Literal["Quota", "QuotaLimit"]
QuotaStatus: TypeAlias = Literal[403, 429]


class CaseQuota:
    """Counts the creations of cases.

    Args:
        limit: how many creations a window allows; None for no quota, and no headers of one.
        clock: tells when a window ends.
        headers: what the names of its headers begin with.
        status: what is answered when the quota is used up.

    Raises:
        InvalidArgumentError: headers or status are none of those that the vendor names.
    """

    def __init__(self, limit: RateLimit | None, clock: Clock, headers: QuotaHeaders, status: QuotaStatus) -> None:
        if headers not in get_args(QuotaHeaders):
            raise InvalidArgumentError("quota_headers: needs to be 'Quota' or 'QuotaLimit'")
        if status not in get_args(QuotaStatus):
            raise InvalidArgumentError("quota_status: needs to be 429 or 403")
        self._window = None if limit is None else FixedWindow(limit, clock)
        self._prefix = headers
        self._status = status

    def admit(self) -> None:
        """Count a creation.

        Raises:
            AnsweredError: 429 (or 403) if there is no room for it in this window.
        """
        if self._window is not None and not self._window.spend().allowed:
            raise quota_exceeded(self._window.limit.requests, self._status)

    def spend(self, creations: int) -> None:
        """Use up some of the window, as somebody else would; nothing happens without a quota."""
        if self._window is not None:
            self._window.spend(creations)

    def headers(self) -> dict[str, str]:
        """The window as answers to creations tell it."""
        return {} if self._window is None else self._window.peek().headers(self._prefix)
