"""Each error that is followed by another attempt has a reason."""

from __future__ import annotations

import typing

from persona_cases import ConnectionFailedError, QuotaExceededError, RateLimitError, RequestTimeoutError, ServerError
from persona_cases.observers import RetryReason
from persona_cases.protocol.events import retry_reason


def test_every_reason_is_given():
    errors = [
        ConnectionFailedError("no connection", sent=False),
        ConnectionFailedError("lost"),
        RequestTimeoutError("late"),
        RateLimitError(status=429),
        QuotaExceededError(status=429),
        ServerError(status=503),
    ]
    assert {retry_reason(error) for error in errors} == set(typing.get_args(RetryReason))
    assert retry_reason(RequestTimeoutError("no connection", sent=False)) == "not_sent"
