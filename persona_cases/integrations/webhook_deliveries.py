"""Deliveries of webhooks, for any framework."""

from __future__ import annotations

from collections.abc import AsyncIterable

from persona_cases.webhooks import WebhookReceiver

__all__ = ["SIGNATURE", "status_of"]

SIGNATURE = "Persona-Signature"
_TOO_LARGE = 413


async def status_of(receiver: WebhookReceiver, chunks: AsyncIterable[bytes], signature: str | None) -> int:
    """Pass a delivery to the receiver, and return the HTTP status of the response.

    It reads no more than the receiver accepts.

    Args:
        receiver: checks the signature and passes the event to its handlers.
        chunks: the body, in chunks.
        signature: the header `Persona-Signature`.
    """
    body = bytearray()
    async for chunk in chunks:
        body += chunk
        if len(body) > receiver.verifier.max_body:
            return _TOO_LARGE
    return (await receiver.receive(bytes(body), signature)).status
