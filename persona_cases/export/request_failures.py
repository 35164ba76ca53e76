"""What a failed request of an export means. Pure."""

from __future__ import annotations

from typing import Final

from persona_cases.errors import APIError, ConnectionFailedError, PersonaError, RequestTimeoutError

__all__ = ["OVERLOADED", "is_overload"]

OVERLOADED: Final = (APIError, ConnectionFailedError, RequestTimeoutError)
"""What may be one or the other."""

# Timeouts and failures of what stands in front of a server.
_OVERLOAD: Final = frozenset({408, 502, 503, 504})


def is_overload(error: PersonaError) -> bool:
    """Whether fewer requests at a time may help."""
    return not isinstance(error, APIError) or error.status in _OVERLOAD
