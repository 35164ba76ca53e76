"""What is stored names public names alone: so it can be read when the rooms of the library have moved."""

from __future__ import annotations

import asyncio
import copy
import importlib
import inspect
import pickle
import pickletools
from collections.abc import Iterator
from datetime import UTC, datetime

import attrs
import pytest

import persona_cases
from persona_cases import (
    Case,
    ChangePlan,
    ChangeProgress,
    ChangeReport,
    ChangeRow,
    ExportProgress,
    ExportReport,
    ManyCases,
    Page,
    Q,
    Request,
    Response,
    Safety,
    errors,
)
from persona_cases.changes import (
    AddComment,
    AddObjects,
    AddTag,
    Assign,
    RemoveObjects,
    RemoveTag,
    SetStatus,
    SetTags,
    Update,
)
from persona_cases.export import AttachmentReport, Column, ColumnKind, ColumnType, TimeRange
from persona_cases.limits import Feedback, LimiterState, Permit, WindowReading
from persona_cases.models import UNSET, Fieldset, ResourceIdentifier
from persona_cases.query import AllOf, AnyOf, SearchLimits, parse, plan
from persona_cases.testing import Mishap, RateLimit, Simulator

OURS = "persona_cases"
# Classes whose objects hold something that is not data: connections, tasks, clocks, functions, or the simulated world.
HOLDERS = {
    *("PersonaClient", "Cases", "Pager", "CasePager", "CaseWatch", "Upload"),
    *("Limiter", "LocalLimiter", "QuotaLimiter", "RedisLimiter", "Sink"),
    *(
        "CaseFactory",
        "CaseRecord",
        "CaseStore",
        "Clock",
        "ManualClock",
        "SystemClock",
        "Delivery",
        "Faults",
        "Fault",
        "FaultRule",
    ),
    *("IdempotencyStore", "ReceivedRequest", "RequestLog", "Simulator", "StoredAnswer", "StoredFile", "Answer"),
    *("Queue", "Ref"),
    *("EventLog", "Mishaps", "SimulatedEvent", "SimulatedWebhook", "SimulatedWebhooks"),
    *("WebhookAttempt", "WebhookDelivery", "ServerWebhooks", "SimulatorServer"),
}
RELATED = ["template", "queue", "comments", "accounts", "inquiries", "reports", "transactions", "verifications"]
STANDARD = {"__builtin__", "_codecs", "builtins", "copyreg", "datetime"}
NOW = datetime(2026, 1, 31, 12, tzinfo=UTC)
WHERE = ~((Q.status.eq("Open") & Q.fields.level.gt(3)) | Q.created_at.in_last(days=7)) & Q.template.in_(["KYC", "AML"])


async def from_the_api():
    async with Simulator(cases=40, seed=3) as sim, sim.client() as client:
        cases = [await client.cases.get(id, include=RELATED) for id in sim.store.cases]
        limits = await client.rate_limits()
        template = await client.case_templates.get(next(iter(sim.store.templates)))
    return cases, limits, template


def all_errors() -> Iterator[errors.PersonaError]:
    required = {"pointer": "/a", "reason": "no", "status": 500, "count": 2, "searches_needed": 3, "level": None}
    item = errors.ErrorItem("Record not found", "details", {"a": 1}, "/data")
    for name in errors.__all__:
        cls = getattr(errors, name)
        if not issubclass(cls, errors.PersonaError):
            continue
        parameters = inspect.signature(cls.__init__).parameters.values()
        needed = {p.name: required[p.name] for p in parameters if p.kind is p.KEYWORD_ONLY and p.default is p.empty}
        error = cls("what happened", **needed)
        error.cursor, error.errors = "case_57", (item,)
        error.add_note("a note")
        yield error


@pytest.fixture(scope="module")
def sent():
    return asyncio.run(from_the_api())


@pytest.fixture(scope="module")
def examples(sent):
    cases, limits, template = sent
    case = next(case for case in cases if case.attachments)
    sparse = Case.from_dict(case.to_dict(), fieldset=Fieldset.of(["status"]))
    related = [each for case in cases for each in case.included]
    return [
        *(*cases[:2], sparse, case.fields, case.relationships, *related, *case.attachments, template, *limits, UNSET),
        *(case.fields.typed(key) for key in list(case.fields)[:3]),
        *(*template.field_schemas, Fieldset.of(["status"])),
        *(ResourceIdentifier("account", "act_1"), Case.from_dict(case.to_dict("camel"))),
        *(WHERE, AllOf(), AnyOf(), ~Q.status.eq("Open"), Q.status.eq("Open"), parse("created_at >= now() - 7d")),
        *(Q, Q.fields, Q.status, Q.created_at, Q.fields.level, Q.attribute("newer"), Q.created_at.desc()),
        *(plan(WHERE), SearchLimits(), WHERE.to_nnf(), WHERE.simplify()),
        *all_errors(),
        *(Page(items=tuple(cases), next_cursor="case_9"), ManyCases(tuple(cases), ("case_8",))),
        *(persona_cases.Timeout(), persona_cases.RetryPolicy(), Request("GET", "/cases"), *Safety),
        *(Response(status=200, headers={"a": "b"}, body=b"{}"), TimeRange(1, 2)),
        *(Column("a", ColumnType(ColumnKind.TEXT)), *ColumnKind),
        *(Permit(1.0), Feedback(reading=WindowReading(300, 1, 60))),
        LimiterState(**dict.fromkeys(required(LimiterState), 1)),
        *changes_and_reports(),
        *(report(), ExportProgress(**dict.fromkeys(required(ExportProgress), 1))),
        *(RateLimit(5, 20), Mishap.twice(), *Simulator(cases=0).store.templates.values()),
    ]


def changes_and_reports() -> Iterator[object]:
    yield from (AddComment("a"), AddObjects(["a"]), AddTag("a"), Assign("a"), RemoveObjects(["a"]), RemoveTag("a"))
    yield from (SetStatus("a"), SetTags(["a"]), Update(fields={"a": 1}))
    row = ChangeRow(case_id="case_1", change=SetStatus("a"), outcome="failed", titles=("Record not found",))
    yield from (row, ChangeReport(rows=(row,), requests=1, elapsed=1.0))
    yield ChangePlan(case_ids=("case_1",), total=1, done=0, requests=2, seconds=1.0)
    yield ChangeProgress(done=1, total=2, failed=0, indeterminate=0)


def report() -> ExportReport:
    attachments = AttachmentReport(**dict.fromkeys(required(AttachmentReport), 1))
    numbers = dict.fromkeys(required(ExportReport), 1)
    return ExportReport(**{**numbers, "fetchers": (1,), "snapshot_at": NOW, "attachments": attachments})


def required(cls: type) -> list[str]:
    return [field.name for field in attrs.fields(cls) if field.default is attrs.NOTHING]


def named_in(stored: bytes) -> set[tuple[str, str]]:
    """The globals that a pickle names, whatever the protocol."""
    named: set[tuple[str, str]] = set()
    texts: list[str] = []
    memo: dict[int, str] = {}
    for opcode, argument, _ in pickletools.genops(stored):
        match opcode.name:
            case "GLOBAL":
                module, name = argument.split(" ")
                named.add((module, name))
            case "STACK_GLOBAL":
                named.add((texts[-2], texts[-1]))
            case "SHORT_BINUNICODE" | "BINUNICODE" | "BINUNICODE8" | "UNICODE":
                texts.append(argument)
            case "MEMOIZE":
                memo[len(memo)] = texts[-1] if texts else ""
            case "BINGET" | "LONG_BINGET" | "GET" if argument in memo:
                texts.append(memo[argument])
    return named


@pytest.mark.parametrize("protocol", [2, 3, 4, 5])
def test_pickles_name_public_names_alone(examples, protocol):
    kinds = set()
    for value in examples:
        stored = pickle.dumps(value, protocol)
        kinds.add(type(value).__name__)
        for module, name in named_in(stored):
            if module.partition(".")[0] == OURS:
                kinds.add(name)
                assert name in importlib.import_module(module).__all__, f"{type(value).__name__}: {module}.{name}"
            else:
                assert module in STANDARD, f"{module}.{name}"
        again = pickle.loads(stored)
        assert type(again) is type(value)
        assert repr(again) == repr(value)
        if type(value).__eq__ is not object.__eq__:
            assert again == value
    expected = {
        name
        for module in ("", ".changes", ".errors", ".export", ".limits", ".models", ".query", ".testing")
        for name, cls in vars_of(OURS + module)
        if isinstance(cls, type)
    }
    abstract = {"Predicate", "Resource", "Field"}
    assert sorted(expected - kinds - HOLDERS - abstract) == []


def vars_of(module: str) -> list[tuple[str, object]]:
    imported = importlib.import_module(module)
    return [(name, getattr(imported, name)) for name in imported.__all__]


def test_copies_are_as_good_as_pickles(examples):
    for value in examples:
        for twin in (copy.copy(value), copy.deepcopy(value)):
            assert type(twin) is type(value)
            assert repr(twin) == repr(value)
