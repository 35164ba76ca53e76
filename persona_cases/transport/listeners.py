"""Observers and the events that they receive. One of them writes the log records."""

from __future__ import annotations

import asyncio
import inspect
import logging
from collections.abc import Iterable, Mapping
from typing import cast

import msgspec

from persona_cases.errors import InvalidArgumentError
from persona_cases.protocol.events import (
    AttemptAnswered,
    AttemptLost,
    Event,
    LimitWait,
    Observer,
    Retry,
)

__all__ = ["check_observers", "listeners", "log"]

logger: logging.Logger = logging.getLogger("persona_cases")


def log(level: int, event: str, fields: Mapping[str, object], *, raised: BaseException | None = None) -> None:
    """Write a log record with the same fields in its message and in `extra`.

    Args:
        level: a level of `logging`.
        event: the first word of the record.
        fields: the other data of the record, never personal data.
        raised: an exception to show with its traceback.
    """
    if logger.isEnabledFor(level):
        shown = " ".join(f"{name}={_shown(value)}" for name, value in fields.items())
        logger.log(level, "%s %s", event, shown, exc_info=raised, extra={"event": event, **fields})


def _shown(value: object) -> str:
    return f"{value:.3f}" if isinstance(value, float) else str(value)


def log_event(event: Event) -> None:
    """Write the log record of an event, if it has one."""
    call = event.call
    common = {"call": call.number, "method": call.method, "path": call.path_template}
    match event:
        case AttemptAnswered(_, attempt, status, request_id, seconds):
            answer = {"attempt": attempt, "status": status, "request_id": request_id, "seconds": seconds}
            log(logging.DEBUG, "request.answered", {**common, **answer})
        case AttemptLost(_, attempt, error, seconds):
            loss = {"attempt": attempt, "error": error.__name__, "seconds": seconds}
            log(logging.DEBUG, "request.failed", {**common, **loss})
        case Retry(_, attempt, reason, delay):
            log(logging.INFO, "request.retry", {**common, "attempt": attempt, "reason": reason, "delay": delay})
        case LimitWait(_, limit, resets_in):
            log(logging.INFO, "limiter.waiting", {**common, "limit": limit, "resets_in": resets_in})
        case _:
            pass


class _Guarded(msgspec.Struct, eq=False):
    """An observer that cannot break a call: its first exception is logged, and later ones are ignored."""

    observer: Observer
    failed: bool = False

    def __call__(self, event: Event) -> None:
        # An observer does not wait, so it cannot have been cancelled. KeyboardInterrupt and SystemExit pass through.
        try:
            self.observer(event)
        except (Exception, asyncio.CancelledError) as error:  # noqa: BLE001 - whatever it raises
            if not self.failed:
                self.failed = True
                log(logging.WARNING, "observer.failed", {"observer": _name_of(self.observer)}, raised=error)


_LOGGING: tuple[Observer, ...] = (log_event,)


def listeners(observers: tuple[Observer, ...]) -> tuple[Observer, ...]:
    """Return the observers of a call, including the log if it is enabled; usually none."""
    return _LOGGING + observers if logger.isEnabledFor(logging.INFO) else observers


def check_observers(value: object) -> tuple[Observer, ...]:
    """Check observers when the caller passes them, and guard calls against their exceptions.

    Raises:
        InvalidArgumentError: if one is not a plain function or object that can be called with an event.
    """
    if callable(value) or not isinstance(value, Iterable):
        raise InvalidArgumentError("observers must be a sequence of functions, such as [print]")
    return tuple(_checked(each) for each in cast("Iterable[object]", value))


def _checked(observer: object) -> Observer:
    name = _name_of(observer)
    if not callable(observer):
        raise InvalidArgumentError(f"observers: {name} is not callable: pass functions of one argument, the event")
    if inspect.iscoroutinefunction(observer) or inspect.iscoroutinefunction(type(observer).__call__):
        raise InvalidArgumentError(f"observers: {name} is async: define it with `def`; it may start a task")
    try:
        inspect.signature(observer).bind(None)
    except TypeError:
        raise InvalidArgumentError(f"observers: {name} must take one argument, the event") from None
    except ValueError:
        pass  # A builtin without a readable signature.
    return _Guarded(observer)


def _name_of(observer: object) -> str:
    return getattr(observer, "__qualname__", type(observer).__qualname__)
