"""Deliveries of webhooks, whatever framework receives them."""

from __future__ import annotations

from collections.abc import AsyncIterable

from persona_cases.webhooks import WebhookReceiver

__all__ = ["SIGNATURE", "status_of"]

SIGNATURE = "Persona-Signature"
_TOO_LARGE = 413


async def status_of(receiver: WebhookReceiver, chunks: AsyncIterable[bytes], signature: str | None) -> int:
    """Hand a delivery to the receiver, and return the HTTP status of the answer.

    No more is read than the receiver takes.

    Args:
        receiver: checks the signature and hands out the event.
        chunks: the body.
        signature: the header `Persona-Signature`.
    """
    body = bytearray()
    async for chunk in chunks:
        body += chunk
        if len(body) > receiver.verifier.max_body:
            return _TOO_LARGE
    return (await receiver.receive(bytes(body), signature)).status
