"""The events of a simulator, caused by changes of its store and the passing of time."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime
from heapq import heappop, heappush
from typing import Any, overload

from persona_cases.errors import InvalidArgumentError
from persona_cases.surface import publish
from persona_cases.testing.world.case_events import SimulatedEvent, events_of
from persona_cases.testing.world.identifiers import Draw
from persona_cases.testing.world.simulated_clock import Clock
from persona_cases.testing.world.store import CaseStore
from persona_cases.testing.world.stored_cases import CaseRecord, timestamp

__all__ = ["EventLog"]


class EventLog(Sequence[SimulatedEvent]):
    """The events of a simulator, oldest first.

    Args:
        store: the store whose changes cause events.
        clock: the clock that dates events and decides when the SLA of a case expires.
        seed: determines the ids of events.
    """

    def __init__(self, store: CaseStore, clock: Clock, *, seed: int = 0) -> None:
        self._store = store
        self._clock = clock
        self._draw = Draw(f"events:{seed}")
        self._events: list[SimulatedEvent] = []
        self._deadlines: list[tuple[str, str]] = []
        self._told: list[Callable[[SimulatedEvent], object]] = []
        for case in store.cases.values():
            self._note_deadline(None, case)
        store.tells(self._see)

    def __repr__(self) -> str:
        return f"<EventLog: {len(self._events)} events>"

    @overload
    def __getitem__(self, index: int) -> SimulatedEvent: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[SimulatedEvent]: ...
    def __getitem__(self, index: int | slice) -> SimulatedEvent | Sequence[SimulatedEvent]:
        return self._events[index]

    def __len__(self) -> int:
        return len(self._events)

    def __iter__(self) -> Iterator[SimulatedEvent]:
        return iter(tuple(self._events))

    def matching(self, name: str | None = None, object_id: str | None = None) -> list[SimulatedEvent]:
        """Return the events with this name about this object.

        Args:
            name: the name; None matches all.
            object_id: the id of the object; None matches all.

        Returns:
            The events, oldest first.
        """
        return [event for event in self._events if name in {None, event.name} and object_id in {None, event.object_id}]

    def record(
        self, name: str, case_id: str | None = None, *, payload: Any = None, context: Mapping[str, Any] | None = None
    ) -> SimulatedEvent:
        """Add an event that no change of the store causes, such as `case.exported`.

        Args:
            name: the name of the event; organisations can define their own.
            case_id: the case that it happened to.
            payload: the object of an event that is not about a case: any JSON, such as
                `{"data": {"type": "account", ...}}`.
            context: additional data, with names in kebab-case.

        Returns:
            The event.

        Raises:
            InvalidArgumentError: if there is no such case, or both `case_id` and `payload` are given.
        """
        if case_id is not None and payload is not None:
            raise InvalidArgumentError("payload: an event is about one object: give case_id or payload")
        case = None if case_id is None else self._store.cases.get(case_id)
        if case is None and case_id is not None:
            raise InvalidArgumentError("case_id: there is no such case")
        return self._tell(name, case, payload, context or {})

    def tells(self, told: Callable[[SimulatedEvent], object]) -> None:
        """Call a function with every future event.

        Args:
            told: the function; it takes the event.
        """
        self._told.append(told)

    @property
    def next_deadline(self) -> datetime | None:
        """Return when the next SLA expires; None if none does."""
        return datetime.fromisoformat(self._deadlines[0][0]) if self._deadlines else None

    def look_at_clock(self) -> None:
        """Add events for unresolved cases whose SLA has expired since."""
        now = timestamp(self._clock.now())
        while self._deadlines and self._deadlines[0][0] <= now:
            deadline, case_id = heappop(self._deadlines)
            case = self._store.cases.get(case_id)
            if case is not None and case.sla_expires_at == deadline and case.resolved_at is None:
                self._tell("case.sla-expired", case)

    def _see(self, before: CaseRecord | None, after: CaseRecord) -> None:
        self._note_deadline(before, after)
        for name, context in events_of(before, after, self._store.templates[after.template_id].end):
            self._tell(name, after, context=context)

    def _note_deadline(self, before: CaseRecord | None, after: CaseRecord) -> None:
        deadline = after.sla_expires_at
        if deadline is None or (before is not None and before.sla_expires_at == deadline):
            return
        if deadline > timestamp(self._clock.now()):
            heappush(self._deadlines, (deadline, after.id))

    def _tell(
        self, name: str, case: CaseRecord | None, payload: Any = None, context: Mapping[str, Any] | None = None
    ) -> SimulatedEvent:
        event = SimulatedEvent(
            number=len(self._events) + 1,
            id=self._draw.id("evt"),
            name=name,
            created_at=timestamp(self._clock.now()),
            case=case,
            payload=payload,
            context=context or {},
        )
        self._events.append(event)
        for told in self._told:
            told(event)
        return event


publish("persona_cases.testing", EventLog)
