"""The quota of case creation: a window of its own, separate from the rate limit.

See https://docs.withpersona.com/rate-limiting. The vendor documents two spellings of its headers and two statuses for
an exhausted quota; both are configurable.
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
        limit: creations per window; None for no quota and no headers.
        clock: the clock that decides when a window ends.
        headers: the prefix of its headers.
        status: the status of the response when the quota is exhausted.

    Raises:
        InvalidArgumentError: if `headers` or `status` is not one that the vendor documents.
    """

    def __init__(self, limit: RateLimit | None, clock: Clock, headers: QuotaHeaders, status: QuotaStatus) -> None:
        if headers not in get_args(QuotaHeaders):
            raise InvalidArgumentError("quota_headers must be 'Quota' or 'QuotaLimit'")
        if status not in get_args(QuotaStatus):
            raise InvalidArgumentError("quota_status must be 429 or 403")
        self._window = None if limit is None else FixedWindow(limit, clock)
        self._prefix = headers
        self._status = status

    def admit(self) -> None:
        """Count a creation.

        Raises:
            AnsweredError: 429 (or 403) if the quota of this window is exhausted.
        """
        if self._window is not None and not self._window.spend().allowed:
            raise quota_exceeded(self._window.limit.requests, self._status)

    def spend(self, creations: int) -> None:
        """Use up creations of the window, like another client; has no effect without a quota."""
        if self._window is not None:
            self._window.spend(creations)

    def headers(self) -> dict[str, str]:
        """The window as responses to creations report it."""
        return {} if self._window is None else self._window.peek().headers(self._prefix)
