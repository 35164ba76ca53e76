"""What can be reached from a client that was used, and what it shows of itself."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Iterator
from typing import Any

import pytest
from faults.leaks import until
from rich.pretty import pretty_repr

from persona_cases import PersonaClient, PersonaError, Q, RetryPolicy, Timeout, Upload
from persona_cases.models import Resource
from persona_cases.testing import Fault, Simulator
from secrecy.overhearing import texts_of
from secrecy.reaching import reachable
from secrecy.secrets import Secrets

JANE = "jane.roe@example.com"
FAULTS = (Fault.status(422, details=JANE), Fault.drop(), Fault.torn(), Fault.html(), Fault.garbage(), Fault.delay(1e9))
SHOWS_WHAT_IT_IS = ("persona_cases.query", "persona_cases.models")
"""The caller's own searches and results, which no client and no error holds on to."""


@pytest.fixture
async def sim():
    async with Simulator(cases=60, seed=3) as simulator:
        yield simulator


@pytest.fixture
async def client(sim):
    settings = {"retry": RetryPolicy(base=0, attempts=2), "timeout": Timeout(read=0.05), "headers": {"X-Trace": JANE}}
    async with PersonaClient(sim.api_key, base_url=sim.base_url, **settings) as client:
        yield client


async def failing(call: Any) -> PersonaError:
    with pytest.raises(PersonaError) as caught:
        await call
    return caught.value


def calls(client, sim):
    """Calls that send personal data in all the ways that there are."""
    note = Upload(f"{JANE}.txt", JANE.encode())
    case_id, template_id = next(iter(sim.store.cases)), next(iter(sim.store.templates))
    user = next(iter(sim.store.users.values()))
    return [
        client.cases.search(Q.fields.email.eq(JANE) & Q.assignee.in_([JANE, user.email])).collect(),
        client.cases.list(reference_id=JANE).first(),
        client.cases.create(template_id, creator_email_address=JANE),
        client.cases.add_comment(case_id, f"Call {JANE}"),
        client.cases.update(case_id, attachments=[note]),
    ]


def rich_of(value: object) -> str:
    """What rich shows of a value in a traceback with locals: fields of attrs classes, whatever their repr is."""
    return pretty_repr(value, max_width=10_000)


def said_by(values: Iterable[object]) -> Iterator[str]:
    """What secrets the representations of values and of all that they hold show."""
    secrets = Secrets()
    for value in values:
        name = type(value).__qualname__
        texts = [(f"repr of {name}", repr(value)), (f"str of {name}", str(value)), (f"rich of {name}", rich_of(value))]
        for where, text in texts_of(value) if isinstance(value, BaseException) else texts:
            yield from (f"{kind} in {where}: {rest}" for kind, rest in secrets.find(text))


async def test_no_error_shows_a_secret(sim, client):
    errors = []
    for fault in FAULTS:
        rule = sim.faults.add(fault)
        errors += [await failing(call) for call in calls(client, sim)]
        sim.faults.remove(rule)
    kinds = {type(error).__name__ for error in errors}
    assert {"UnprocessableEntityError", "IndeterminateError", "ConnectionFailedError", "DecodeError"} <= kinds
    assert {"RequestTimeoutError", "ServerError"} <= kinds
    assert list(said_by(reachable(errors))) == []


async def test_nothing_that_a_client_holds_shows_a_secret(sim, client):
    sim.faults.add(Fault.delay(1e9))
    patient = client.with_options(timeout=Timeout(read=1e6))
    pager = patient.cases.list(reference_id=JANE)
    walk = pager.pages()
    tasks = [asyncio.ensure_future(call) for call in (*calls(patient, sim), anext(walk))]
    await until(lambda: len(sim.requests) > 0)
    found = list(reachable([client, patient, pager, walk, tasks]))
    kinds = {type(value).__name__ for value in found}
    shown = [value for value in found if not type(value).__module__.startswith(SHOWS_WHAT_IT_IS)]
    said = list(said_by(shown))
    for task in tasks:
        task.cancel()
    await asyncio.wait(tasks)
    assert {"Secret", "Request", "Options", "HttpSession", "Transport", "CasePager", "LocalLimiter", "Task"} <= kinds
    assert said == []


async def test_the_address_of_a_file_is_in_no_error(sim):
    async with PersonaClient(sim.api_key, base_url=sim.base_url, retry=RetryPolicy(attempts=1)) as client:
        cases = await client.cases.list().collect()
        file = next(file for case in cases for file in case.attachments)
        for fault in (Fault.reset(), Fault.torn(), Fault.status(500), Fault.redirect("https://[")):
            sim.faults.next(fault, path="/files/*")
            error = await failing(client.cases.download(file, "downloaded"))
            assert list(said_by([error])) == []


@pytest.fixture
async def results(client):
    relations = ["template", "queue", "comments", "accounts", "inquiries", "reports", "verifications", "transactions"]
    case = (await client.cases.get_many([(await client.cases.list().first()).id], include=relations))[0]
    related = [value for name in dir(case) if isinstance(value := getattr(case, name), Resource)]
    lists = [value for name in dir(case) if isinstance(value := getattr(case, name), tuple)]
    return [case, case.fields, case.relationships, *related, *(each for several in lists for each in several)]


async def test_rich_shows_of_results_what_their_reprs_show(results):
    assert {"Case", "CaseFields", "CaseRelationships", "CaseTemplate"} <= {type(result).__name__ for result in results}
    for result in results:
        shown = rich_of(result)
        assert list(Secrets().find(shown)) == []
        assert len(shown) <= len(repr(result)), shown
