"""A stand-in for the API to test against: `Simulator`, its faults, its clock and its cases.

The names are imported when they are first used, so that pytest can load the plugin of this package at no cost.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from persona_cases.surface import lazily

if TYPE_CHECKING:
    from persona_cases.testing.clock import Clock, ManualClock, SystemClock
    from persona_cases.testing.delivery import Delivery
    from persona_cases.testing.factory import DEFAULT_EPOCH, CaseFactory
    from persona_cases.testing.faults import Fault, FaultRule, Faults
    from persona_cases.testing.idempotency import IdempotencyStore, StoredAnswer
    from persona_cases.testing.rate_window import RateLimit
    from persona_cases.testing.records import CaseRecord, FieldSpec, Queue, Ref, StoredFile, Template
    from persona_cases.testing.simulator import Simulator
    from persona_cases.testing.store import CaseStore
    from persona_cases.testing.traffic import Answer, ReceivedRequest, RequestLog

__all__ = [
    "DEFAULT_EPOCH",
    "Answer",
    "CaseFactory",
    "CaseRecord",
    "CaseStore",
    "Clock",
    "Delivery",
    "Fault",
    "FaultRule",
    "Faults",
    "FieldSpec",
    "IdempotencyStore",
    "ManualClock",
    "Queue",
    "RateLimit",
    "ReceivedRequest",
    "Ref",
    "RequestLog",
    "Simulator",
    "StoredAnswer",
    "StoredFile",
    "SystemClock",
    "Template",
]

_HOMES = {
    "persona_cases.testing.clock": ("Clock", "ManualClock", "SystemClock"),
    "persona_cases.testing.delivery": ("Delivery",),
    "persona_cases.testing.factory": ("DEFAULT_EPOCH", "CaseFactory"),
    "persona_cases.testing.faults": ("Fault", "FaultRule", "Faults"),
    "persona_cases.testing.idempotency": ("IdempotencyStore", "StoredAnswer"),
    "persona_cases.testing.rate_window": ("RateLimit",),
    "persona_cases.testing.records": ("CaseRecord", "FieldSpec", "Queue", "Ref", "StoredFile", "Template"),
    "persona_cases.testing.simulator": ("Simulator",),
    "persona_cases.testing.store": ("CaseStore",),
    "persona_cases.testing.traffic": ("Answer", "ReceivedRequest", "RequestLog"),
}

if not TYPE_CHECKING:
    __getattr__, __dir__ = lazily(__name__, _HOMES)
