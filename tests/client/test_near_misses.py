"""First guesses of people who know other libraries, typed one by one: each error names the right form."""

from __future__ import annotations

import asyncio
import copy
import inspect
import pickle
import traceback
import typing
from collections.abc import Iterable
from unittest.mock import create_autospec

import pytest

from persona_cases import (
    Case,
    Cases,
    InvalidArgumentError,
    ManyCases,
    Page,
    Pager,
    PersonaClient,
    Q,
    QueryTypeError,
    RetryPolicy,
    Timeout,
    UnknownAttributeError,
    Upload,
)
from persona_cases.limits import LocalLimiter, QuotaLimiter
from persona_cases.testing import Fault, ManualClock, Simulator

VALUE = "kept-private"
CASE = Case.from_dict(
    {
        "type": "case",
        "id": "case_1",
        "attributes": {"status": "open", "fields": {"priority": {"type": "string", "value": VALUE}, "to_dict": 1}},
    }
)

NAMES = [
    ("persona.search(Q.status.eq('open'))", "persona.cases.search(...)"),
    ("persona.list()", "persona.cases"),
    ("persona.case", "persona.cases"),
    ("persona.get('/accounts')", 'persona.request("GET", path)'),
    ("persona.accounts", 'persona.request("GET", path)'),
    ("persona.templates", "persona.case_templates"),
    ("persona.aclose()", "persona.close()"),
    ("persona.limits", "persona.rate_limits()"),
    ("persona.cases.retrieve('case_1')", "persona.cases.get(case_id)"),
    ("persona.cases.delete('case_1')", "persona.cases.redact(case)"),
    ("persona.cases.find(status='open')", "persona.cases.search(Q.status.eq(...))"),
    ("persona.cases.filter(status='open')", "persona.cases.search(Q.status.eq(...))"),
    ("persona.cases.iter_pages()", "persona.cases.list().pages()"),
    ("persona.cases.all()", "async for case in persona.cases.list()"),
    ("persona.cases.count()", "len(await persona.cases.search(...).collect())"),
    ("persona.cases.comment('case_1', 'hello')", "persona.cases.add_comment(case, message)"),
    ("persona.cases.to_csv('o.csv')", 'export(where, to="cases.csv")'),
    ("persona.cases.serch()", "did you mean 'search'?"),
    ("persona.cases.update_many([], {})", "persona.cases.change_many(where, change, journal=...)"),
    ("persona.case_templates.list()", "the API cannot list templates"),
    ("persona.case_templates.retrieve('ctmpl_1')", "persona.case_templates.get(template_id)"),
    ("persona.events.retrieve('evt_1')", "persona.events.get(event_id)"),
    ("persona.events.all()", "async for event in persona.events.list()"),
    ("persona.events.watch()", "persona_cases.webhooks"),
    ("pager.to_list()", "await pager.collect()"),
    ("pager.all()", "await pager.collect()"),
    ("pager.count()", "len(await pager.collect())"),
    ("pager.iter_pages()", "async for page in pager.pages()"),
    ("pager.to_pandas()", "(await pager.to_arrow()).to_pandas()"),
    ("pager.to_polars()", "polars.from_arrow(await pager.to_arrow())"),
    ("pager.items", "page = await pager"),
    ("pager.next_cursor", "page.next_cursor"),
    ("pager.limt(2)", "did you mean 'limit'?"),
    ("page.cursor", "next_cursor"),
    ("page.data", "items"),
    ("page.has_more", "has_next"),
    ("many.errors", "failed"),
    ("persona.cases.watch().stop()", "leave the loop"),
    ("case.priority", 'case.fields["priority"]'),
    ("case.fields.priority", 'case.fields["priority"]'),
    ("case.assignee", "did you mean 'assignee_id'?"),
    ("case.createdAt", "did you mean 'created_at'?"),
    ("case.attributes", "case.to_dict()"),
    ("case.json()", "case.to_dict()"),
    ("case.set_status('closed')", "persona.cases.set_status(case, status)"),
    ("case.inquiry_id", "case.relationships.inquiries"),
    ("Q.statsu", "did you mean Q.status?"),
    ("Q.status.contains('o')", ".eq(...) or .in_([...])"),
    ("Q.status.is_null()", ".is_unset()"),
    ("Q.status.isin(['open'])", ".in_([...])"),
    ("Q.created_at.within(days=7)", ".in_last(days=...)"),
    ("Q.created_at.after('2026-01-01')", ".gt(...)"),
]
CALLS = [
    ("PersonaClient('key', max_retries=2)", "retry=RetryPolicy(attempts=...)"),
    ("PersonaClient('key', token='x')", "api_key="),
    ("PersonaClient('key', bas_url='x')", "did you mean base_url=?"),
    ("PersonaClient('key', 'https://example.com')", "PersonaClient(api_key, base_url=...)"),
    ("RetryPolicy(max_retries=2)", "attempts="),
    ("RetryPolicy(3)", "RetryPolicy(attempts=...)"),
    ("Timeout(5)", "Timeout(total=...)"),
    ("Timeout(connect_timeout=5)", "connect="),
    ("persona.with_options(api_key='x')", "make another PersonaClient"),
    ("persona.request('GET', '/accounts', query={})", "params="),
    ("persona.cases.get('case_1', timeout=5)", "persona.with_options(timeout=...)"),
    ("persona.cases.get('case_1', max_retries=2)", "with_options(retry=RetryPolicy(attempts=...))"),
    ("persona.cases.get('case_1', expand=['accounts'])", "include=[...]"),
    ("persona.cases.get('case_1', 'case_2')", "get_many([...])"),
    ("persona.cases.get(id='case_1')", "it is called case"),
    ("persona.cases.search(status='open')", "search(Q.status.eq(...))"),
    ("persona.cases.list(where=Q.status.eq('open'))", "search(where)"),
    ("persona.cases.list(Q.status.eq('open'))", "search(where)"),
    ("persona.cases.list(fields=['status'])", "only=[...]"),
    ("persona.cases.list(per_page=10)", "page_size="),
    ("persona.cases.export('o.jsonl')", 'export(to="cases.jsonl")'),
    ("persona.cases.export(None, 'o.jsonl')", 'export(to="cases.jsonl")'),
    ("persona.cases.create('ctmpl_1', field={})", "did you mean fields=?"),
    ("persona.cases.search(Q.fields['a'] == 1)", ".eq(...)"),
    ("pager.collect(limit=5)", "pager.limit(n)"),
    ("Q.status.in_('open', 'closed')", ".in_([...])"),
    ("Q.all_of(Q.status.eq('a'), Q.status.eq('b'))", "Q.all_of([...])"),
    ("Q.any_of(Q.status.eq('a'), Q.status.eq('b'))", "Q.any_of([...])"),
    ("pager[0]", "await pager.first()"),
    ("list(pager)", "await pager.collect()"),
    ("[case for case in pager]", "async for case in pager"),
    ("[case for case in persona.cases]", "async for case in persona.cases.list()"),
    ("[page for page in pager.pages()]", "async for page in pager.pages()"),
    ("[case for case in persona.cases.watch()]", "async for case in persona.cases.watch()"),
    ("persona.cases['case_1']", "persona.cases.get(case_id)"),
    ("case['priority']", "case.fields[key]"),
]
LOOPS = [
    ("async for each in page: pass", "for case in page"),
    ("async for each in many: pass", "for case in many"),
    ("async for each in persona.cases: pass", "persona.cases.list()"),
    ("with persona: pass", "async with PersonaClient() as persona"),
]


@pytest.fixture
async def names():
    async with PersonaClient("key", base_url="http://127.0.0.1:9") as persona:
        yield {
            **globals(),
            "RetryPolicy": RetryPolicy,
            "Timeout": Timeout,
            "persona": persona,
            "pager": persona.cases.search(),
            "page": Page(items=(CASE,), next_cursor=None),
            "many": ManyCases((CASE,)),
            "case": CASE,
        }


@pytest.mark.parametrize(("typed", "right"), NAMES)
async def test_a_wrong_name_is_answered_with_the_right_one(names, typed, right):
    with pytest.raises(AttributeError) as caught:
        eval(typed, names)
    assert right in str(caught.value)
    assert VALUE not in "".join(traceback.format_exception(caught.value))
    assert isinstance(caught.value, UnknownAttributeError) == typed.startswith("Q.")


@pytest.mark.parametrize(("typed", "right"), CALLS)
async def test_a_wrong_call_is_answered_with_the_right_one(names, typed, right):
    with pytest.raises(TypeError) as caught:
        eval(typed, names)
    assert right in str(caught.value)
    assert caught.value.__cause__ is caught.value.__context__ is None


@pytest.mark.parametrize(("typed", "right"), LOOPS)
async def test_a_wrong_statement_is_answered_with_the_right_one(names, typed, right):
    exec(f"async def typed():\n    {typed}", names)
    with pytest.raises(TypeError) as caught:
        await names["typed"]()
    assert right in str(caught.value)


@pytest.mark.parametrize("typed", ["pager", "pager.pages()", "persona.cases", "persona.cases.watch()"])
async def test_what_only_an_async_for_loops_over_does_not_pass_for_iterable(names, typed):
    assert not isinstance(eval(typed, names), Iterable)


async def test_what_works_is_not_refused(names):
    page = names["page"]
    assert page[0] is CASE
    assert list(page) == [CASE]
    assert CASE.fields["priority"] == VALUE
    assert CASE.to_dict()["id"] == "case_1"


async def test_objects_can_still_be_asked_what_they_have(names):
    for each in (names["persona"], names["persona"].cases, names["pager"], names["page"], CASE, CASE.fields, Q.status):
        assert not hasattr(each, "no_such_name")
        assert getattr(each, "__dataclass_fields__", None) is None
        assert not inspect.isawaitable(each) or each is names["pager"]
        assert not callable(each)
    assert copy.copy(CASE) == copy.deepcopy(CASE) == pickle.loads(pickle.dumps(CASE)) == CASE
    assert copy.copy(names["persona"]).cases is names["persona"].cases


async def test_objects_say_what_they_are(names):
    persona, sim = names["persona"], Simulator(cases=2)
    sim.faults.next(Fault.status(503))
    shown = {
        repr(persona.cases): "<Cases of http://127.0.0.1:9>",
        repr(persona.case_templates): "<CaseTemplates of http://127.0.0.1:9>",
        repr(persona.events): "<Events of http://127.0.0.1:9>",
        repr(persona.cases.watch()): "<CaseWatch: what is new, asked for every 2 to 60 s>",
        repr(persona.cases.watch(since="case_1")): "<CaseWatch: what comes after case_1, asked for every 2 to 60 s>",
        repr(names["page"]): "Page(items=<1 items>, next_cursor=None, request_id=None)",
        repr(names["many"]): "<ManyCases: 1 cases, 0 missing, 0 failed>",
        repr(CASE.fields): "<CaseFields, 2 keys>",
        repr(sim.store): "<CaseStore: 2 cases>",
        repr(sim.requests): "<RequestLog: 0 requests>",
        repr(ManualClock()): "<ManualClock at 2026-01-01T00:00:00+00:00>",
        repr(sim.faults): "<Faults: [<FaultRule: Fault.status(503), 0 seen, 0 fired>]>",
    }
    assert list(shown) == list(shown.values())
    for each in (persona, names["pager"], CASE, sim, sim.clock, LocalLimiter(), QuotaLimiter(), Upload("a", b"b"), Q):
        assert " at 0x" not in repr(each)


def test_half_an_object_says_what_it_lacks():
    client = PersonaClient.__new__(PersonaClient)
    assert repr(client) == "PersonaClient()"
    with pytest.raises(AttributeError, match="'_api': its constructor did not finish"):
        client.cases.list()
    with pytest.raises(AttributeError, match="_record"):
        Case.__new__(Case).priority  # noqa: B018


def test_signatures_and_kinds_of_functions_stay():
    assert list(inspect.signature(Cases.get).parameters) == ["self", "case", "include", "only"]
    assert "max_wait" in inspect.signature(PersonaClient).parameters
    assert typing.get_type_hints(Pager.limit)["total"] is int
    assert asyncio.iscoroutinefunction(Cases.get)
    assert not asyncio.iscoroutinefunction(Cases.list)
    assert inspect.iscoroutinefunction(create_autospec(Cases).get)


async def test_an_error_inside_a_call_is_left_alone(names):
    with pytest.raises(InvalidArgumentError, match="page_size"):
        names["persona"].cases.list(page_size=0)
    with pytest.raises(QueryTypeError, match=r"read the text form with parse"):
        names["persona"].cases.search("status == 'open'")
