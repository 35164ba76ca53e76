"""Conversion of a response to an error: its class and its message."""

from __future__ import annotations

import re
from typing import Any, cast
from urllib.parse import urlsplit

import msgspec

from persona_cases.errors import (
    APIError,
    AuthenticationError,
    BadRequestError,
    ConflictError,
    ErrorItem,
    NotFoundError,
    PermissionDeniedError,
    QuotaExceededError,
    RateLimitError,
    ServerError,
    UnprocessableEntityError,
    printable,
)
from persona_cases.protocol.limit_headers import WindowReading, read_quota, read_rate_limit, read_retry_after
from persona_cases.protocol.message import Response

_BY_STATUS: dict[int, type[APIError]] = {
    400: BadRequestError,
    401: AuthenticationError,
    403: PermissionDeniedError,
    404: NotFoundError,
    408: ServerError,
    409: ConflictError,
    422: UnprocessableEntityError,
    429: RateLimitError,
}
_MOST_ERRORS = 100
_LONGEST_POINTER = 200
_QUOTA_TITLE = "quota exceeded"
_HOST = re.compile(r"[a-z0-9.:-]{1,253}")


def error_of(response: Response, *, of_file_host: bool = False) -> APIError | None:
    """Return the error for a response, or None for a success.

    The vendor reports a used-up quota as 429 or 403. The title distinguishes it from the rate limit and from a missing
    permission. See https://docs.withpersona.com/errors.

    Args:
        response: the response.
        of_file_host: whether it comes from a file host, not from the API.
    """
    if response.ok:
        return None
    errors = error_items(response.body)
    if response.status in {403, 429} and any(item.title.lower() == _QUOTA_TITLE for item in errors):
        reading = read_quota(response.headers)
        return QuotaExceededError(
            status=response.status,
            errors=errors,
            request_id=response.request_id,
            retry_after=_seconds(reading, response),
        )
    if response.status == 429:
        reading = read_rate_limit(response.headers)
        wait = _seconds(reading, response)
        return RateLimitError(status=429, errors=errors, request_id=response.request_id, retry_after=wait)
    message = None if errors else _said_by_file_host(response) if of_file_host else _meaning(response)
    return _class_of(response.status)(
        message,
        status=response.status,
        errors=errors,
        request_id=response.request_id,
        retry_after=read_retry_after(response.headers),
    )


def _meaning(response: Response) -> str | None:
    """Return the meaning of the status of a response that probably does not come from the API."""
    if 300 <= response.status < 400:
        return _redirected(response.headers.get("location"))
    if response.status == 404:
        return "no such endpoint, in a response that is not the API's own: check that base_url ends in /api/v1"
    if response.status == 407:
        return "the proxy wants a user name and a password: write it as http://user:password@host:port"
    return None


def _said_by_file_host(response: Response) -> str | None:
    if 400 <= response.status < 500:
        return "the file host refused: URLs of files work for some hours, so load the case again"
    return None


def _redirected(location: str | None) -> str:
    # The host distinguishes a login page from a moved API. The rest of the URL may repeat the query: personal data.
    try:
        host = urlsplit(location or "").hostname
    except ValueError:
        host = None
    whither = f" (this one leads to {host})" if host and _HOST.fullmatch(host) else ""
    return (
        f"redirects are not followed{whither}: check base_url and the API key, because the API may redirect a request "
        "whose key is wrong"
    )


def error_items(body: bytes) -> tuple[ErrorItem, ...]:
    """Read the vendor's error document. Any other body, such as a proxy's page or an empty one, gives `()`."""
    try:
        document: Any = msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return ()
    listed: Any = _object(document).get("errors")
    if not isinstance(listed, list):
        return ()
    entries = cast("list[object]", listed)[:_MOST_ERRORS]
    return tuple(_item(cast("dict[str, Any]", entry)) for entry in entries if isinstance(entry, dict))


def _item(entry: dict[str, Any]) -> ErrorItem:
    return ErrorItem(
        title=_text(entry.get("title")) or "(no title)",
        details=_text(entry.get("details")),
        meta=_object(entry.get("meta")) or None,
        pointer=None
        if (pointer := _text(_object(entry.get("source")).get("pointer"))) is None
        else printable(pointer, _LONGEST_POINTER),
    )


def _object(value: object) -> dict[str, Any]:
    return cast("dict[str, Any]", value) if isinstance(value, dict) else {}


def _seconds(reading: WindowReading | None, response: Response) -> float | None:
    return read_retry_after(response.headers) if reading is None else float(reading.reset)


def _text(value: object) -> str | None:
    return value if isinstance(value, str) else None


def _class_of(status: int) -> type[APIError]:
    return ServerError if status >= 500 else _BY_STATUS.get(status, APIError)
