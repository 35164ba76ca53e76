"""The metrics of calls, following OpenTelemetry's conventions where they exist."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, TypeAlias

from opentelemetry.metrics import Meter

from persona_cases.observers import AttemptAnswered

__all__ = ["Attributes", "Metrics"]

Attributes: TypeAlias = Mapping[str, str | int]

_SECONDS: Final = (0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1.0, 2.5, 5.0, 7.5, 10.0)
# A wait may last for a whole window of the rate limit.
_WAITED: Final = (0.0, 0.01, 0.1, 0.5, 1.0, 2.5, 5.0, 10.0, 20.0, 30.0, 45.0, 60.0, 120.0, 300.0)


class Metrics:
    """The instruments, and the methods that record values.

    Args:
        meter: creates the instruments.
    """

    def __init__(self, meter: Meter) -> None:
        self._requests = meter.create_histogram(
            "http.client.request.duration",
            "s",
            "Duration of HTTP client requests.",
            explicit_bucket_boundaries_advisory=_SECONDS,
        )
        self._calls = meter.create_histogram(
            "persona.client.call.duration",
            "s",
            "Duration of a call, with all its attempts and waits.",
            explicit_bucket_boundaries_advisory=_WAITED,
        )
        self._waits = meter.create_histogram(
            "persona.client.wait.duration",
            "s",
            "Time that an attempt waited before it was sent.",
            explicit_bucket_boundaries_advisory=_WAITED,
        )
        self._retries = meter.create_counter("persona.client.retries", "{retry}", "Attempts that repeat another.")
        self._refusals = meter.create_counter("persona.client.rate_limited", "{response}", "Responses of status 429.")
        self._pages = meter.create_counter("persona.client.pages", "{page}", "Pages that were fetched.")
        self._budget = meter.create_gauge(
            "persona.client.rate_limit.remaining", "{request}", "Requests left in the current window of the rate limit."
        )
        self._quota = meter.create_gauge(
            "persona.client.case_quota.remaining", "{case}", "Cases that may still be created in the current quota."
        )

    def waited(self, operation: str, reason: str, seconds: float) -> None:
        """Record the wait before an attempt."""
        self._waits.record(seconds, {"persona.operation": operation, "persona.wait.reason": reason})

    def answered(self, event: AttemptAnswered, attributes: Attributes, server: Attributes) -> None:
        """Record a response."""
        self._requests.record(event.seconds, attributes)
        if event.status == 429:
            self._refusals.add(1, {"url.template": event.call.path_template})
        if event.rate_limit is not None:
            self._budget.set(event.rate_limit.remaining, server)
        if event.case_quota is not None:
            self._quota.set(event.case_quota.remaining, server)

    def lost(self, seconds: float, attributes: Attributes) -> None:
        """Record a request that got no response."""
        self._requests.record(seconds, attributes)

    def retried(self, operation: str, reason: str) -> None:
        """Record that another attempt follows."""
        self._retries.add(1, {"persona.operation": operation, "persona.retry.reason": reason})

    def ended(self, operation: str, seconds: float, error_type: str | None, *, brought_a_page: bool) -> None:
        """Record the end of a call."""
        failed = {} if error_type is None else {"error.type": error_type}
        self._calls.record(seconds, {"persona.operation": operation, **failed})
        if brought_a_page:
            self._pages.add(1, {"persona.operation": operation})
