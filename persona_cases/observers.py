"""What happens inside a client: the events that observers of `PersonaClient(observers=[...])` take.

An observer takes each `Event`, a closed union made for `match`. The names are imported when they are first used.
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
