"""OpenTelemetry: an observer that records spans and metrics of the calls of a client.

It needs the API of OpenTelemetry: `pip install 'persona-cases[otel]'`. Your program chooses the SDK and where to export
the data.
"""

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from typing import Final, assert_never

import attrs
from opentelemetry import context, metrics, trace
from opentelemetry.metrics import MeterProvider
from opentelemetry.trace import Span, SpanKind, Status, StatusCode, TracerProvider

from persona_cases import ClientStateError, __version__
from persona_cases.integrations.operation_names import PAGED, operation_name
from persona_cases.integrations.telemetry_metrics import Attributes, Metrics
from persona_cases.observers import (
    AttemptAnswered,
    AttemptLost,
    AttemptSent,
    CallEnded,
    CallStarted,
    Event,
    LimitWait,
    ObservedCall,
    Retry,
)
from persona_cases.surface import publish

_uninstrumented: Callable[[], AbstractContextManager[None]]
try:
    # Not the key for HTTP only, because older instrumentations of aiohttp do not check it.
    from opentelemetry.instrumentation.utils import suppress_instrumentation as _uninstrumented
except ImportError:  # Without instrumentations, there is nothing to suppress.
    _uninstrumented = nullcontext

__all__ = ["OpenTelemetry"]

_SCOPE: Final = "persona_cases"
_SCHEMA: Final = "https://opentelemetry.io/schemas/1.30.0"
# Kept in the context of the task that makes a call, so that concurrent calls and attempts stay separate.
_CALL: Final = context.create_key("persona_cases.call")
_ATTEMPT: Final = context.create_key("persona_cases.attempt")


@attrs.define(eq=False)
class _OpenCall:
    owner: "OpenTelemetry"
    call: ObservedCall
    operation: str
    span: Span
    leave: Callable[[], None]
    sent: int = 0
    retry_delay: float = 0.0
    limit: str | None = None


@attrs.define(eq=False)
class _OpenAttempt:
    call: ObservedCall
    span: Span
    attributes: Attributes
    server: Attributes
    leave: Callable[[], None]


class OpenTelemetry:
    """An observer that records a span per call, with a child span per attempt, and metrics of both.

    .. code-block:: python

        async with PersonaClient(observers=[OpenTelemetry()]) as persona: ...

    Spans and metrics hold no query, body, header, key or id of an object. The instrumentation of aiohttp records whole
    URLs, so it is suppressed for the requests of the client. No trace context is sent to the API. Only one such
    observer records a call: a second one of the same client raises an error, which the client logs once.

    Args:
        tracer_provider: the provider for spans. Default: the global provider.
        meter_provider: the provider for metrics. Default: the global provider.
    """

    def __init__(
        self, tracer_provider: TracerProvider | None = None, meter_provider: MeterProvider | None = None
    ) -> None:
        self._tracer = trace.get_tracer(_SCOPE, __version__, tracer_provider, _SCHEMA)
        self._metrics = Metrics(metrics.get_meter(_SCOPE, __version__, meter_provider, _SCHEMA))

    def __call__(self, event: Event) -> None:
        """Record an event; the client calls this."""
        if isinstance(event, CallStarted):
            self._start(event.call)
            return
        opened = context.get_value(_CALL)
        if not isinstance(opened, _OpenCall) or opened.call is not event.call or opened.owner is not self:
            return
        match event:
            case LimitWait():
                self._wait(opened, event)
            case AttemptSent():
                self._send(opened, event)
            case AttemptAnswered():
                self._answer(event)
            case AttemptLost():
                self._lose(event)
            case Retry():
                self._retry(opened, event)
            case CallEnded():
                self._end(opened, event)
            case _:
                assert_never(event)

    def _start(self, call: ObservedCall) -> None:
        other = context.get_value(_CALL)
        if isinstance(other, _OpenCall) and other.call is call:
            # Two observers would exit each other's contexts in the wrong order.
            raise ClientStateError("two OpenTelemetry observers watch one client, and the first records: remove one")
        operation = "files.download" if call.host == "files" else operation_name(call.method, call.path_template)
        span = self._tracer.start_span(f"persona.{operation}", attributes={"url.template": call.path_template})
        opened = _OpenCall(self, call, operation, span, _nothing)
        opened.leave = _enter(span, _CALL, opened)

    def _wait(self, opened: _OpenCall, event: LimitWait) -> None:
        opened.limit = event.limit
        known = {} if event.resets_in is None else {"persona.wait.resets_in": event.resets_in}
        opened.span.add_event("persona.wait", {"persona.wait.reason": event.limit, **known})

    def _send(self, opened: _OpenCall, event: AttemptSent) -> None:
        retrying = min(event.waited, opened.retry_delay)
        if opened.retry_delay:
            self._metrics.waited(opened.operation, "retry", retrying)
        usual = "file_host" if event.call.host == "files" else "rate_limit"
        self._metrics.waited(opened.operation, opened.limit or usual, event.waited - retrying)
        opened.retry_delay, opened.limit = 0.0, None
        server: Attributes = {"server.address": event.address, "server.port": event.port}
        attributes = {**server, "http.request.method": event.call.method, "url.template": event.call.path_template}
        resent = {"http.request.resend_count": opened.sent} if opened.sent else {}
        opened.sent += 1
        span = self._tracer.start_span(
            f"{event.call.method} {event.call.path_template}",
            kind=SpanKind.CLIENT,
            attributes={**attributes, **resent},
        )
        attempt = _OpenAttempt(event.call, span, attributes, server, _nothing)
        attempt.leave = _enter(span, _ATTEMPT, attempt, inside=_uninstrumented())

    def _answer(self, event: AttemptAnswered) -> None:
        attempt = _open_attempt(event.call)
        if attempt is None:
            return
        told: dict[str, str | int] = {"http.response.status_code": event.status}
        if event.status >= 400:
            told["error.type"] = str(event.status)
            attempt.span.set_status(Status(StatusCode.ERROR))
        attempt.span.set_attributes(told)
        if event.request_id is not None:
            attempt.span.set_attribute("persona.request_id", event.request_id)
        self._metrics.answered(event, {**attempt.attributes, **told}, attempt.server)
        _close(attempt)

    def _lose(self, event: AttemptLost) -> None:
        attempt = _open_attempt(event.call)
        if attempt is not None:
            failed = _fail(attempt.span, event.error)
            self._metrics.lost(event.seconds, {**attempt.attributes, "error.type": failed})
            _close(attempt)

    def _retry(self, opened: _OpenCall, event: Retry) -> None:
        opened.retry_delay = event.delay
        about = {"persona.retry.reason": event.reason, "persona.retry.delay": event.delay}
        opened.span.add_event("persona.retry", about)
        self._metrics.retried(opened.operation, event.reason)

    def _end(self, opened: _OpenCall, event: CallEnded) -> None:
        attempt = _open_attempt(event.call)
        if attempt is not None and event.error is not None:
            # The call was cancelled while it waited for the response.
            _fail(attempt.span, event.error)
            _close(attempt)
        failed = None if event.error is None else _fail(opened.span, event.error)
        opened.span.set_attribute("persona.attempts", event.attempts)
        brought_a_page = failed is None and opened.operation.endswith(PAGED)
        self._metrics.ended(opened.operation, event.elapsed, failed, brought_a_page=brought_a_page)
        opened.leave()
        opened.span.end()


def _nothing() -> None: ...


def _enter(
    span: Span, key: str, value: object, *, inside: AbstractContextManager[None] | None = None
) -> Callable[[], None]:
    """Make a span the current one of this task, and return a function that undoes it."""
    token = context.attach(context.set_value(key, value, trace.set_span_in_context(span)))
    around = nullcontext() if inside is None else inside
    around.__enter__()

    def leave() -> None:
        around.__exit__(None, None, None)
        context.detach(token)

    return leave


def _open_attempt(call: ObservedCall) -> _OpenAttempt | None:
    attempt = context.get_value(_ATTEMPT)
    return attempt if isinstance(attempt, _OpenAttempt) and attempt.call is call else None


def _close(attempt: _OpenAttempt) -> None:
    attempt.leave()
    attempt.span.end()


def _fail(span: Span, error: type[BaseException]) -> str:
    """Mark a span as failed, and return the type of the error, whose message may quote the API."""
    name = error.__qualname__ if error.__module__ == "builtins" else f"{error.__module__}.{error.__qualname__}"
    span.set_attribute("error.type", name)
    span.set_status(Status(StatusCode.ERROR))
    return name


publish("persona_cases.integrations.opentelemetry", OpenTelemetry)


def __dir__() -> list[str]:
    return __all__
