"""`WebhookVerifier`: turns the body of a delivery into an event, if Persona signed it."""

from __future__ import annotations

import time
from datetime import datetime, timedelta
from typing import Final, cast

from persona_cases.errors import InvalidArgumentError
from persona_cases.models.webhook_event import WebhookEvent, decode_event
from persona_cases.protocol import checks
from persona_cases.protocol.signatures import SignatureError, check_signature, written_signature
from persona_cases.surface import publish

__all__ = ["DEFAULT_MAX_BODY", "DEFAULT_TOLERANCE", "WebhookVerifier", "sign"]

DEFAULT_TOLERANCE: Final = 300
"""Seconds. The vendor documents no value; this one is common elsewhere."""

DEFAULT_MAX_BODY: Final = 10_000_000
"""Maximum bytes of a body. An event holds one case and its included objects."""


class WebhookVerifier:
    """Checks signatures of webhooks, and decodes signed events.

    It parses no body before its signature has been checked.

    Args:
        secrets: the secrets of the webhook, which begin with `wbhsec_`; during a rotation, the new and the old one.
        tolerance: maximum difference between the time of a signature and now, in either direction: seconds or a
            timedelta. None accepts a signature of any age, and so also replayed deliveries.
        max_body: maximum size of a body in bytes.

    Raises:
        InvalidArgumentError: if there is no secret, or an argument is out of range.

    See https://docs.withpersona.com/webhooks-best-practices.
    """

    def __init__(
        self, *secrets: str, tolerance: float | timedelta | None = DEFAULT_TOLERANCE, max_body: int = DEFAULT_MAX_BODY
    ) -> None:
        if not secrets:
            raise InvalidArgumentError("secrets: give the secret of the webhook, which begins with wbhsec_")
        self._secrets = tuple(_secret(each) for each in secrets)
        self._tolerance = None if tolerance is None else checks.seconds(tolerance, "tolerance", least=0)
        self._max_body = checks.whole_number(max_body, "max_body")

    def __repr__(self) -> str:
        return f"<WebhookVerifier, {len(self._secrets)} {'secret' if len(self._secrets) == 1 else 'secrets'}>"

    @property
    def max_body(self) -> int:
        """Maximum size of a body in bytes, so that a server need not read more."""
        return self._max_body

    def verify(self, body: bytes, signature: str | None, *, now: datetime | None = None) -> WebhookEvent:
        """Check the signature of a delivery, and return its event.

        Args:
            body: the body, byte for byte as received. A body that was parsed and serialised again does not match.
            signature: the header `Persona-Signature`; None if there is none.
            now: an aware datetime to compare the signature's time with. Default: the time of the call.

        Returns:
            The event.

        Raises:
            SignatureError: if the body is too large, or was not signed with one of the secrets within the tolerance.
            DecodeError: if the body is signed but not an event.
            InvalidArgumentError: if an argument is of the wrong type.
        """
        sent = _raw(body)
        if signature is not None and not isinstance(cast("object", signature), str):
            raise InvalidArgumentError("signature must be the text of the header Persona-Signature, or None")
        if len(sent) > self._max_body:
            raise SignatureError("too_large", f"the body has more than {self._max_body} bytes: set max_body=")
        check_signature(self._secrets, signature, sent, now=_unix_time(now), tolerance=self._tolerance)
        return decode_event(sent)


def sign(body: bytes, secret: str, at: datetime | None = None) -> str:
    """Return the header `Persona-Signature` for a body, to test a receiver of webhooks.

    Args:
        body: the body, byte for byte as it will be sent.
        secret: the secret of the webhook.
        at: the time of the signature, an aware datetime. Default: the time of the call.

    Returns:
        The value of the header.

    Raises:
        InvalidArgumentError: if an argument is of the wrong type.
    """
    return written_signature(_secret(secret), _raw(body), int(_unix_time(at)))


def _secret(value: object) -> bytes:
    if not isinstance(value, str) or not value.strip() or not value.isascii():
        raise InvalidArgumentError("secrets: a secret must be a text of ASCII characters, such as wbhsec_...")
    return value.encode()


def _raw(body: object) -> bytes:
    if not isinstance(body, bytes | bytearray | memoryview):
        raise InvalidArgumentError("body must be the raw bytes of the request, before anything parses them")
    return bytes(cast("bytes", body))


def _unix_time(moment: object) -> float:
    if moment is None:
        return time.time()
    if not isinstance(moment, datetime) or moment.utcoffset() is None:
        raise InvalidArgumentError("the time must be an aware datetime, such as datetime.now(UTC)")
    return moment.timestamp()


publish("persona_cases.webhooks", WebhookVerifier, sign)
