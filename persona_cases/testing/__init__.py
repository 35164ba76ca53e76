"""A stand-in for the API to test against: `Simulator`, its faults, its clock and its cases.

The names are imported when they are first used, so that pytest can load the plugin of this package at no cost.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

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
    "clock": ("Clock", "ManualClock", "SystemClock"),
    "delivery": ("Delivery",),
    "factory": ("DEFAULT_EPOCH", "CaseFactory"),
    "faults": ("Fault", "FaultRule", "Faults"),
    "idempotency": ("IdempotencyStore", "StoredAnswer"),
    "rate_window": ("RateLimit",),
    "records": ("CaseRecord", "FieldSpec", "Queue", "Ref", "StoredFile", "Template"),
    "simulator": ("Simulator",),
    "store": ("CaseStore",),
    "traffic": ("Answer", "ReceivedRequest", "RequestLog"),
}
_HOME_OF = {name: module for module, names in _HOMES.items() for name in names}


def __getattr__(name: str) -> Any:
    module = _HOME_OF.get(name)
    if module is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{module}"), name)


def __dir__() -> list[str]:
    return sorted(__all__)
