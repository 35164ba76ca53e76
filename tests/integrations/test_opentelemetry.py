"""What OpenTelemetry records of calls, read with the exporters of its SDK."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterator
from functools import cached_property
from typing import Any, get_args

import pytest

pytest.importorskip("opentelemetry", reason="comes with the extra `otel`")
pytest.importorskip("opentelemetry.sdk", reason="opentelemetry-sdk comes with the test dependencies")
from opentelemetry import trace
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader, MetricsData
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import SpanKind, StatusCode

from persona_cases import ConflictError, IndeterminateError, NotFoundError, PersonaClient, Q, RetryPolicy
from persona_cases.integrations.opentelemetry import OpenTelemetry
from persona_cases.integrations.operation_names import operation_name
from persona_cases.limits import WindowReading
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
from persona_cases.testing import Fault, Simulator


class Recorded:
    """What was exported."""

    def __init__(self) -> None:
        self.exporter, self.reader = InMemorySpanExporter(), InMemoryMetricReader()
        self.tracers = TracerProvider()
        self.tracers.add_span_processor(SimpleSpanProcessor(self.exporter))
        self.meters = MeterProvider([self.reader])
        self.observer = OpenTelemetry(self.tracers, self.meters)

    @property
    def spans(self) -> list[ReadableSpan]:
        return sorted(self.exporter.get_finished_spans(), key=lambda span: span.start_time or 0)

    def named(self, name: str) -> list[ReadableSpan]:
        return [span for span in self.spans if span.name == name]

    def points(self, metric: str) -> list[tuple[dict[str, Any], Any]]:
        return [(attributes, point) for name, attributes, point in self.all_points() if name == metric]

    @cached_property
    def metrics(self) -> MetricsData | None:
        """What was measured until it is asked for: a reader may give the value of a gauge only once."""
        return self.reader.get_metrics_data()

    def all_points(self) -> Iterator[tuple[str, dict[str, Any], Any]]:
        data = self.metrics
        for resource in data.resource_metrics if data else ():
            for scope in resource.scope_metrics:
                for metric in scope.metrics:
                    for point in metric.data.data_points:
                        yield metric.name, dict(point.attributes), point


@pytest.fixture
def recorded():
    recorded = Recorded()
    yield recorded
    recorded.meters.shutdown()


@pytest.fixture
async def sim():
    async with Simulator(cases=30, seed=5) as simulator:
        yield simulator


@pytest.fixture
def client(sim, make_client, recorded) -> PersonaClient:
    return make_client(sim, observers=[recorded.observer])


def an_id(sim: Simulator) -> str:
    return next(iter(sim.store.cases))


async def test_a_call_is_a_span_and_each_attempt_one_below_it(sim, client, recorded):
    sim.faults.add(Fault.status(503), nth=1)
    sim.faults.add(Fault.drop(), nth=2)
    await client.cases.search(Q.status.eq("open"))
    call, *attempts = recorded.spans
    assert call.name == "persona.cases.search"
    assert (call.kind, call.status.status_code, call.attributes["persona.attempts"]) == (
        *(SpanKind.INTERNAL, StatusCode.UNSET),
        3,
    )
    assert [event.name for event in call.events] == ["persona.retry", "persona.retry"]
    assert [event.attributes["persona.retry.reason"] for event in call.events] == ["server_error", "connection_lost"]
    assert {span.name for span in attempts} == {"POST /cases/search"}
    assert all(span.parent.span_id == call.context.span_id for span in attempts)
    assert all(span.kind is SpanKind.CLIENT for span in attempts)
    common = {"http.request.method": "POST", "url.template": "/cases/search", "server.address": "127.0.0.1"}
    assert all(span.attributes.items() >= common.items() for span in attempts)
    refused, lost, answered = (dict(span.attributes) for span in attempts)
    assert (refused["http.response.status_code"], refused["error.type"]) == (503, "503")
    assert "http.request.resend_count" not in refused
    assert (lost["error.type"], lost["http.request.resend_count"]) == ("persona_cases.ConnectionFailedError", 1)
    assert (answered["http.response.status_code"], answered["http.request.resend_count"]) == (200, 2)
    assert answered["persona.request_id"].startswith("req_")
    assert [span.status.status_code for span in attempts] == [StatusCode.ERROR, StatusCode.ERROR, StatusCode.UNSET]


async def test_a_failed_call_tells_the_class_of_the_error_and_not_its_text(sim, client, recorded):
    sim.faults.add(Fault.status(409))
    with pytest.raises(ConflictError):
        await client.cases.get(an_id(sim))
    call = recorded.spans[0]
    assert (call.status.status_code, call.status.description) == (StatusCode.ERROR, None)
    assert call.attributes["error.type"] == "persona_cases.ConflictError"
    assert call.events == ()


async def test_a_cancelled_call_leaves_no_span_open(sim, client, recorded):
    sim.faults.add(Fault.delay(30))
    task = asyncio.create_task(client.cases.get(an_id(sim)))
    while not len(sim.requests):
        await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert [span.name for span in recorded.spans] == ["persona.cases.get", "GET /cases/{id}"]
    assert {span.attributes["error.type"] for span in recorded.spans} == {"asyncio.exceptions.CancelledError"}


async def test_calls_side_by_side_belong_to_the_spans_of_their_tasks(sim, client, recorded):
    tracer = recorded.tracers.get_tracer("test")

    async def handle(number: int) -> None:
        with tracer.start_as_current_span(f"handler {number}") as span:
            await client.cases.get(an_id(sim))
            assert trace.get_current_span() is span

    await asyncio.gather(*map(handle, range(5)))
    handlers = {span.context.span_id for span in recorded.spans if span.name.startswith("handler")}
    calls = {span.parent.span_id: span.context.span_id for span in recorded.named("persona.cases.get")}
    assert calls.keys() == handlers
    assert {span.parent.span_id for span in recorded.named("GET /cases/{id}")} == set(calls.values())


async def test_spans_of_middleware_are_below_the_call(sim, make_client, recorded):
    tracer = recorded.tracers.get_tracer("test")

    async def twice(request, call_next):
        with tracer.start_as_current_span("mine"):
            await asyncio.gather(call_next(request), call_next(request))
            return await call_next(request)

    client = make_client(sim, observers=[recorded.observer], middleware=[twice])
    await client.cases.get(an_id(sim))
    (mine,), (call,) = recorded.named("mine"), recorded.named("persona.cases.get")
    attempts = recorded.named("GET /cases/{id}")
    assert mine.parent.span_id == call.context.span_id
    assert [span.parent.span_id for span in attempts] == [mine.context.span_id] * 3
    assert [span.attributes.get("http.request.resend_count", 0) for span in attempts] == [0, 1, 2]


async def test_metrics_tell_durations_retries_and_pages(sim, client, recorded):
    sim.faults.add(Fault.status(503), nth=1)
    assert len([page async for page in client.cases.list(page_size=10).pages()]) == 3
    with pytest.raises(NotFoundError):
        await client.cases.get("case_nobody")
    listing, getting = {"persona.operation": "cases.list"}, {"persona.operation": "cases.get"}
    calls = [(about, point.count) for about, point in recorded.points("persona.client.call.duration")]
    assert calls == [(listing, 3), ({**getting, "error.type": "persona_cases.NotFoundError"}, 1)]
    statuses = {
        (about["http.request.method"], about["url.template"], about["http.response.status_code"]): point.count
        for about, point in recorded.points("http.client.request.duration")
    }
    assert statuses == {("GET", "/cases", 503): 1, ("GET", "/cases", 200): 3, ("GET", "/cases/{id}", 404): 1}
    retries = [(about, point.value) for about, point in recorded.points("persona.client.retries")]
    assert retries == [({**listing, "persona.retry.reason": "server_error"}, 1)]
    assert [(about, point.value) for about, point in recorded.points("persona.client.pages")] == [(listing, 3)]
    assert sum(point.count for _, point in recorded.points("persona.client.wait.duration")) == 5


def test_metrics_tell_what_is_left_and_how_often_the_limit_was_hit(recorded):
    call = ObservedCall(1, "POST", "/cases")
    for event in (
        CallStarted(call),
        AttemptSent(call, 1, 0.0, "api.withpersona.com", 443),
        AttemptAnswered(call, 1, 429, None, 0.1, WindowReading(300, 0, 20)),
        AttemptSent(call, 2, 20.0, "api.withpersona.com", 443),
        AttemptAnswered(call, 2, 201, None, 0.1, WindowReading(300, 299, 60)),
        CallEnded(call, 2, 20.2, None),
    ):
        recorded.observer(event)
    hits = [(about, point.value) for about, point in recorded.points("persona.client.rate_limited")]
    assert hits == [({"url.template": "/cases"}, 1)]
    ((about, left),) = recorded.points("persona.client.rate_limit.remaining")
    assert about == {"server.address": "api.withpersona.com", "server.port": 443}
    assert left.value == 299


async def test_metrics_tell_the_quota_of_case_creation(make_client, recorded):
    async with Simulator(cases=3, case_quota="10/60") as sim:
        client = make_client(sim, observers=[recorded.observer])
        await client.cases.create(case_template_id=sim.store.cases[an_id(sim)].template_id)
        ((_, left),) = recorded.points("persona.client.case_quota.remaining")
        assert left.value == 9
        ((_, left),) = recorded.points("persona.client.rate_limit.remaining")
        assert left.value > 0


def test_a_long_wait_is_an_event_and_a_figure(recorded):
    call = ObservedCall(1, "GET", "/cases")
    events = [
        CallStarted(call),
        LimitWait(call, "rate_limit", 3.5),
        AttemptSent(call, 1, 3.25, "api.withpersona.com", 443),
        AttemptAnswered(call, 1, 503, None, 0.1),
        Retry(call, 1, "server_error", 0.5),
        AttemptSent(call, 2, 0.75, "api.withpersona.com", 443),
        AttemptAnswered(call, 2, 200, None, 0.1),
        CallEnded(call, 2, 4.0, None),
    ]
    for event in events:
        recorded.observer(event)
    (wait, retry) = recorded.spans[0].events
    assert wait.name == "persona.wait"
    assert wait.attributes == {"persona.wait.reason": "rate_limit", "persona.wait.resets_in": 3.5}
    assert (retry.name, retry.attributes["persona.retry.delay"]) == ("persona.retry", 0.5)
    waits = {
        attributes["persona.wait.reason"]: point.sum
        for attributes, point in recorded.points("persona.client.wait.duration")
    }
    assert waits == {"rate_limit": 3.5, "retry": 0.5}
    assert {type(event) for event in events} | {AttemptLost} == set(get_args(Event))


async def test_downloads_are_calls_to_the_files(sim, client, recorded, tmp_path):
    case_id = an_id(sim)
    sim.store.update_case(case_id, attachments=[sim.store.upload("scan.pdf", b"content")])
    case = await client.cases.get(case_id)
    await client.cases.download(case.attachments[-1], tmp_path / "scan.pdf")
    call, attempt = recorded.spans[-2:]
    assert (call.name, attempt.name) == ("persona.files.download", "GET /{attachment}")
    assert attempt.attributes["server.address"] == "127.0.0.1"


async def test_nothing_personal_is_recorded(sim, client, recorded, tmp_path):
    case_id = an_id(sim)
    sim.faults.add(Fault.status(503), nth=2)
    case = await client.cases.get(case_id)
    await client.cases.search(Q.fields.priority.eq("Sheila Miller") | Q.status.eq("of omar"))
    await client.cases.add_comment(case, "Sheila called")
    await client.cases.add_tag(case, "sheila-tag")
    await client.cases.assign(case, "omar.reyes@example.com")
    with pytest.raises(Exception, match="404"):
        await client.request("GET", "/accounts/sheila-miller", params={"q": "sheila"})
    sim.faults.next(Fault.drop(applied=True))
    with pytest.raises(IndeterminateError):
        await client.with_options(retry=RetryPolicy(attempts=1)).cases.set_status(case, "Approved by Sheila")
    text = "".join(span.to_json() for span in recorded.spans) + recorded.metrics.to_json()
    assert len(recorded.spans) > 12
    for secret in ("heila", "omar", case_id, "act_1", sim.api_key, "fields%5B", "priority", "page"):
        assert secret not in text.replace("persona.client.pages", "").replace("{page}", "").replace("Pages that", "")


async def test_the_instrumentation_of_aiohttp_records_nothing_inside(sim, make_client, recorded):
    instrumentation = pytest.importorskip("opentelemetry.instrumentation.aiohttp_client")
    import aiohttp

    instrumentor = instrumentation.AioHttpClientInstrumentor()
    instrumentor.instrument(tracer_provider=recorded.tracers, meter_provider=recorded.meters)
    try:
        await make_client(sim).cases.get(an_id(sim))
        assert [span.name for span in recorded.spans] == ["GET"]
        recorded.exporter.clear()
        client = make_client(sim, observers=[recorded.observer])
        sim.faults.add(Fault.drop(), nth=2)
        await client.cases.get(an_id(sim))
        assert {span.name for span in recorded.spans} == {"persona.cases.get", "GET /cases/{id}"}
        assert "traceparent" not in sim.requests[-1].headers
        # What is not ours is recorded as before.
        async with aiohttp.ClientSession() as session, session.get(sim.base_url):
            pass
        assert recorded.spans[-1].name == "GET"
    finally:
        instrumentor.uninstrument()


async def test_a_second_one_of_a_client_says_so_and_disturbs_nothing(sim, client, recorded, caplog):
    other = Recorded()
    before = trace.get_current_span()
    await client.with_options(observers=[other.observer]).cases.get(an_id(sim))
    assert trace.get_current_span() is before
    assert [span.name for span in recorded.spans] == ["persona.cases.get", "GET /cases/{id}"]
    assert other.spans == []
    assert [record.event for record in caplog.records if record.levelno >= logging.WARNING] == ["observer.failed"]
    other.meters.shutdown()


async def test_the_global_providers_are_the_default(sim, make_client):
    client = make_client(sim, observers=[OpenTelemetry()])
    assert (await client.cases.get(an_id(sim))).id == an_id(sim)


async def test_names_are_those_of_the_methods(sim, client, recorded):
    case_id = an_id(sim)
    template = sim.store.cases[case_id].template_id
    await client.cases.get(case_id)
    await client.cases.list()
    await client.cases.search()
    await client.cases.create(case_template_id=template)
    await client.cases.update(case_id, fields={"priority": "low"})
    await client.cases.assign(case_id, "omar.reyes@example.com")
    await client.cases.set_status(case_id, "pending")
    await client.cases.add_tag(case_id, "new")
    await client.cases.set_tags(case_id, ["new"])
    await client.cases.remove_tag(case_id, "new")
    await client.cases.add_comment(case_id, "text")
    objects = [account.id for account in (await client.cases.get(case_id)).relationships.accounts]
    await client.cases.remove_objects(case_id, objects)
    await client.cases.add_objects(case_id, objects)
    await client.cases.redact(case_id)
    await client.case_templates.get(template)
    await client.rate_limits()
    methods = {span.name.removeprefix("persona.") for span in recorded.spans if span.kind is SpanKind.INTERNAL}
    others = {"case_templates.get", "rate_limits.list"}
    assert others < methods
    named = "get list search create update assign set_status add_tag set_tags remove_tag add_comment remove_objects"
    assert methods - others == {f"cases.{name}" for name in (*named.split(), "add_objects", "redact")}
    assert all(hasattr(client.cases, name.removeprefix("cases.")) for name in methods - others)


@pytest.mark.parametrize(
    ("method", "template", "name"),
    [
        ("GET", "/accounts", "accounts.list"),
        ("DELETE", "/accounts/{id}", "accounts.delete"),
        ("POST", "/inquiries/{id}/generate-one-time-link", "inquiries.generate_one_time_link"),
        ("PUT", "/webhooks/{id}", "webhooks.update"),
        ("PURGE", "/webhooks", "webhooks.purge"),
        ("GET", "/{id}/{id}", "other.get"),
    ],
)
def test_other_endpoints_have_names_too(method, template, name):
    assert operation_name(method, template) == name
