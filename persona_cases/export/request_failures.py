"""The meaning of failed requests of an export. Pure."""

from __future__ import annotations

from typing import Final

from persona_cases.errors import APIError, ConnectionFailedError, PersonaError, RequestTimeoutError

__all__ = ["OVERLOADED", "is_overload"]

OVERLOADED: Final = (APIError, ConnectionFailedError, RequestTimeoutError)
"""Errors that may or may not mean overload."""

# Timeouts, and failures of proxies in front of a server.
_OVERLOAD: Final = frozenset({408, 502, 503, 504})


def is_overload(error: PersonaError) -> bool:
    """Return whether fewer concurrent requests may help."""
    return not isinstance(error, APIError) or error.status in _OVERLOAD
