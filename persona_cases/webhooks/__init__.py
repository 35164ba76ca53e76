"""Webhooks: events from Persona as they happen, with checked signatures."""

from __future__ import annotations

from persona_cases.models.webhook_event import WebhookEvent
from persona_cases.protocol.signatures import SignatureError
from persona_cases.webhooks.receive import WebhookReceiver, WebhookReply
from persona_cases.webhooks.seen import MemorySeen, RedisSeen, Seen
from persona_cases.webhooks.verify import WebhookVerifier, sign

__all__ = [
    "MemorySeen",
    "RedisSeen",
    "Seen",
    "SignatureError",
    "WebhookEvent",
    "WebhookReceiver",
    "WebhookReply",
    "WebhookVerifier",
    "sign",
]


def __dir__() -> list[str]:
    return __all__
