"""The events that observers of `PersonaClient(observers=[...])` receive.

An observer receives each `Event`, a closed union to `match` on. Each name is imported on first use.
"""

from typing import TYPE_CHECKING

from persona_cases.surface import lazily

if TYPE_CHECKING:
    from persona_cases.protocol.events import (
        AttemptAnswered,
        AttemptLost,
        AttemptSent,
        CallEnded,
        CallStarted,
        Event,
        LimitWait,
        ObservedCall,
        Observer,
        Retry,
        RetryReason,
    )

__all__ = [
    "AttemptAnswered",
    "AttemptLost",
    "AttemptSent",
    "CallEnded",
    "CallStarted",
    "Event",
    "LimitWait",
    "ObservedCall",
    "Observer",
    "Retry",
    "RetryReason",
]

_HOMES = {"persona_cases.protocol.events": tuple(__all__)}

if not TYPE_CHECKING:
    __getattr__, __dir__ = lazily(__name__, _HOMES)
