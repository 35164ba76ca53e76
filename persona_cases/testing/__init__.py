"""A simulator of the API for tests: `Simulator`, its faults, clock and cases, and `make_case`, which works without it.

Each name is imported on first use, so that pytest can load the plugin of this package at no cost.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from persona_cases.surface import lazily

if TYPE_CHECKING:
    from persona_cases.testing.deliveries.mishaps import Mishap, Mishaps
    from persona_cases.testing.deliveries.simulated_webhook import SimulatedWebhook
    from persona_cases.testing.deliveries.simulated_webhooks import SimulatedWebhooks
    from persona_cases.testing.deliveries.webhook_delivery import WebhookAttempt, WebhookDelivery
    from persona_cases.testing.gates.faults import Fault, FaultRule, Faults
    from persona_cases.testing.gates.rate_window import RateLimit
    from persona_cases.testing.gates.stored_answers import IdempotencyStore, StoredAnswer
    from persona_cases.testing.http.delivery import Delivery
    from persona_cases.testing.http.traffic import Answer, ReceivedRequest, RequestLog
    from persona_cases.testing.made_cases import make_case
    from persona_cases.testing.simulator import Simulator
    from persona_cases.testing.simulator_server import ServerWebhooks, SimulatorServer
    from persona_cases.testing.world.case_events import SimulatedEvent
    from persona_cases.testing.world.event_log import EventLog
    from persona_cases.testing.world.factory import DEFAULT_EPOCH, CaseFactory
    from persona_cases.testing.world.simulated_clock import Clock, ManualClock, SystemClock
    from persona_cases.testing.world.store import CaseStore
    from persona_cases.testing.world.stored_cases import CaseRecord, FieldSpec, Queue, Ref, StoredFile, Template

__all__ = [
    "DEFAULT_EPOCH",
    "Answer",
    "CaseFactory",
    "CaseRecord",
    "CaseStore",
    "Clock",
    "Delivery",
    "EventLog",
    "Fault",
    "FaultRule",
    "Faults",
    "FieldSpec",
    "IdempotencyStore",
    "ManualClock",
    "Mishap",
    "Mishaps",
    "Queue",
    "RateLimit",
    "ReceivedRequest",
    "Ref",
    "RequestLog",
    "ServerWebhooks",
    "SimulatedEvent",
    "SimulatedWebhook",
    "SimulatedWebhooks",
    "Simulator",
    "SimulatorServer",
    "StoredAnswer",
    "StoredFile",
    "SystemClock",
    "Template",
    "WebhookAttempt",
    "WebhookDelivery",
    "make_case",
]

_HOMES = {
    "persona_cases.testing.world.simulated_clock": ("Clock", "ManualClock", "SystemClock"),
    "persona_cases.testing.http.delivery": ("Delivery",),
    "persona_cases.testing.deliveries.mishaps": ("Mishap", "Mishaps"),
    "persona_cases.testing.deliveries.simulated_webhook": ("SimulatedWebhook",),
    "persona_cases.testing.deliveries.simulated_webhooks": ("SimulatedWebhooks",),
    "persona_cases.testing.deliveries.webhook_delivery": ("WebhookAttempt", "WebhookDelivery"),
    "persona_cases.testing.world.case_events": ("SimulatedEvent",),
    "persona_cases.testing.world.event_log": ("EventLog",),
    "persona_cases.testing.world.factory": ("DEFAULT_EPOCH", "CaseFactory"),
    "persona_cases.testing.gates.faults": ("Fault", "FaultRule", "Faults"),
    "persona_cases.testing.gates.stored_answers": ("IdempotencyStore", "StoredAnswer"),
    "persona_cases.testing.gates.rate_window": ("RateLimit",),
    "persona_cases.testing.world.stored_cases": ("CaseRecord", "FieldSpec", "Queue", "Ref", "StoredFile", "Template"),
    "persona_cases.testing.made_cases": ("make_case",),
    "persona_cases.testing.simulator": ("Simulator",),
    "persona_cases.testing.simulator_server": ("ServerWebhooks", "SimulatorServer"),
    "persona_cases.testing.world.store": ("CaseStore",),
    "persona_cases.testing.http.traffic": ("Answer", "ReceivedRequest", "RequestLog"),
}

if not TYPE_CHECKING:
    __getattr__, __dir__ = lazily(__name__, _HOMES)
