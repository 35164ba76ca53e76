"""The rate limits that `GET /rate-limits` reports."""

from __future__ import annotations

import attrs

from persona_cases.models.decoding.converter import structure
from persona_cases.models.decoding.jsontext import check_utf8, parse_json
from persona_cases.surface import publish

__all__ = ["RateLimitStatus", "decode_rate_limits"]


@attrs.frozen
class RateLimitStatus:
    """The usage of a rate limit.

    Attributes:
        type: the kind of limit; `rate-limit/api` counts requests, and new kinds appear without notice.
        limit: requests per window.
        remaining: requests left in the current window.
        seconds_to_reset: seconds until it ends.
    """

    type: str
    limit: int
    remaining: int
    seconds_to_reset: int


@attrs.frozen
class _Numbers:
    limit: int
    remaining: int
    seconds_to_reset: int


@attrs.frozen
class _RateLimitEntry:
    type: str
    attributes: _Numbers


@attrs.frozen
class _RateLimitDocument:
    data: tuple[_RateLimitEntry, ...]


def decode_rate_limits(body: bytes) -> tuple[RateLimitStatus, ...]:
    """Decode the response of `GET /rate-limits`.

    Raises:
        DecodeError: if the body is not JSON, or not a list of rate limits; `pointer` says where.
    """
    check_utf8(body)
    document = structure(parse_json(body), _RateLimitDocument)
    return tuple(
        RateLimitStatus(
            entry.type, entry.attributes.limit, entry.attributes.remaining, entry.attributes.seconds_to_reset
        )
        for entry in document.data
    )


publish("persona_cases.models", RateLimitStatus)
