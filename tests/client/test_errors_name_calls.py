"""Every error that ends a call says which call it was, whatever is wrong and wherever that is found out."""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import Callable, Coroutine
from datetime import datetime
from typing import Any

import attrs
import pytest
from faults.leaks import until

from persona_cases import ClientStateError, PersonaClient, PersonaError, Q, RetryPolicy, errors
from persona_cases.testing import Fault, Simulator

# These are raised before there is a call, or about something that was loaded long ago.
WITHOUT_A_CALL = {
    errors.NotLoadedError,
    errors.QueryError,
    errors.QueryTypeError,
    errors.QueryTooComplexError,
    errors.UnknownAttributeError,
}
ABSTRACT = {errors.PersonaError, errors.TransportError}

Doing = Callable[[PersonaClient, Simulator], Coroutine[Any, Any, object]]


async def get(persona: PersonaClient, sim: Simulator) -> object:
    return await persona.cases.get(next(iter(sim.store.cases)))


async def redact(persona: PersonaClient, sim: Simulator) -> object:
    return await persona.cases.redact(next(iter(sim.store.cases)))


async def walk(persona: PersonaClient, sim: Simulator) -> object:
    return await persona.cases.list(page_size=10).collect()


async def walk_in_a_circle(persona: PersonaClient, sim: Simulator) -> object:
    sim.faults.add(linking_to(f"/api/v1/cases?page[after]={next(iter(sim.store.cases))}"))
    return await walk(persona, sim)


async def merged(persona: PersonaClient, sim: Simulator) -> object:
    either = Q.any_of(
        Q.all_of([Q.status.eq(status), Q.any_of([Q.fields.priority.eq(word), ~Q.assignee.eq(f"user_{word}")])])
        for status, word in (("open", "low"), ("pending", "high"), ("open", "medium"))
    )
    return await persona.cases.search(either, sort=Q.created_at.asc(), page_size=10).collect()


async def one(persona: PersonaClient, sim: Simulator) -> object:
    return await persona.cases.list().one()


async def one_of_several_searches(persona: PersonaClient, sim: Simulator) -> object:
    nothing = Q.any_of(Q.fields.priority.eq(f"{number}") & ~Q.assignee.eq(f"user_{number}") for number in range(3))
    return await persona.cases.search(nothing & ~Q.all_of([Q.status.eq("open"), Q.created_at.gt("2025-01-01")])).one()


async def ranges(persona: PersonaClient, sim: Simulator) -> object:
    return await persona.cases.ranges(count=2)


async def under_one_key(persona: PersonaClient, sim: Simulator) -> object:
    sim.faults.add(Fault.delay(3600))
    first = asyncio.ensure_future(persona.request("POST", "/things", json={}, idempotency_key="k"))
    await until(lambda: len(sim.requests) > 0)
    try:
        return await persona.request("POST", "/things", json={}, idempotency_key="k")
    finally:
        first.cancel()
        await asyncio.wait([first])


async def after_close(persona: PersonaClient, sim: Simulator) -> object:
    await persona.close()
    return await get(persona, sim)


def linking_to(link: str) -> Fault:
    return Fault.rewrite(lambda document: {**document, "links": {"prev": None, "next": link}})


def turned(document: Any) -> Any:
    document["data"].sort(key=lambda case: datetime.fromisoformat(case["attributes"]["created_at"]))
    document["data"][1:3] = document["data"][2:0:-1]
    return document


def without_times(document: Any) -> Any:
    for case in document["data"]:
        del case["attributes"]["created_at"]
    return document


@attrs.frozen
class Ending:
    """How a call ends.

    Attributes:
        error: what the caller gets.
        fault: what goes wrong, if it has to.
        doing: what is called.
        settings: of the client.
    """

    error: type[PersonaError]
    fault: Fault | None = None
    doing: Doing = get
    settings: dict[str, Any] = attrs.field(factory=dict)


ENDINGS = {
    **{
        f"status {status}": Ending(error, Fault.status(status))
        for status, error in {
            400: errors.BadRequestError,
            401: errors.AuthenticationError,
            403: errors.PermissionDeniedError,
            404: errors.NotFoundError,
            409: errors.ConflictError,
            418: errors.APIError,
            422: errors.UnprocessableEntityError,
            429: errors.RateLimitError,
            500: errors.ServerError,
        }.items()
    },
    "no time to wait": Ending(errors.RateLimitError, Fault.rate_limited(), settings={"max_wait": 0}),
    "a quota": Ending(errors.QuotaExceededError, Fault.status(403, title="Quota exceeded")),
    "a lost connection": Ending(errors.ConnectionFailedError, Fault.drop()),
    "a timeout": Ending(errors.RequestTimeoutError, Fault.delay(3600), settings={"timeout": 0.05}),
    "a write in doubt": Ending(errors.IndeterminateError, Fault.drop(), redact),
    "a write answered by a web page": Ending(errors.IndeterminateError, Fault.html(200), redact),
    "a web page": Ending(errors.DecodeError, Fault.html(200)),
    "no case": Ending(errors.DecodeError, Fault.rewrite(lambda _: {"data": 5})),
    "too large": Ending(errors.DecodeError, Fault.huge(100_000), settings={"max_answer_bytes": 90_000}),
    "cases without times": Ending(errors.DecodeError, Fault.rewrite(without_times), ranges),
    "a link to elsewhere": Ending(errors.PaginationError, linking_to("https://evil.example.com/"), walk),
    "a link without a cursor": Ending(errors.PaginationError, linking_to("/api/v1/cases"), walk),
    "a repeated cursor": Ending(errors.PaginationError, None, walk_in_a_circle),
    "a sort that is ignored": Ending(errors.PaginationError, Fault.rewrite(turned), merged),
    "a sort that ranges miss": Ending(errors.PaginationError, Fault.rewrite(turned), ranges),
    "more than one": Ending(errors.ResultCountError, None, one),
    "none of several searches": Ending(errors.ResultCountError, None, one_of_several_searches),
    "one key twice": Ending(errors.InvalidArgumentError, None, under_one_key),
    "a closed client": Ending(ClientStateError, None, after_close),
}


def test_every_class_of_errors_is_among_them():
    classes = {each for each in vars(errors).values() if inspect.isclass(each) and issubclass(each, PersonaError)}
    assert {ending.error for ending in ENDINGS.values()} == classes - WITHOUT_A_CALL - ABSTRACT


def assert_names_a_call(error: PersonaError, sim: Simulator) -> None:
    assert error.path_template in {"/cases", "/cases/{id}", "/cases/search", "/things"}
    assert error.method in {"GET", "POST", "DELETE"}
    assert error.attempts is not None
    assert error.elapsed is not None
    text = str(error)
    assert f"{error.method} {error.path_template}" in text
    assert f"{error.attempts} attempt" in text
    assert f"in {error.elapsed:.1f} s" in text
    assert not any(case in text for case in sim.store.cases if case != getattr(error, "case_id", None))


@pytest.mark.parametrize("ending", ENDINGS.values(), ids=ENDINGS)
async def test_an_error_names_the_call(ending):
    async with Simulator(cases=40, seed=5) as sim:
        settings = {"base_url": sim.base_url, "retry": RetryPolicy(attempts=1), **ending.settings}
        async with PersonaClient(sim.api_key, **settings) as persona:
            if ending.fault is not None:
                sim.faults.add(ending.fault)
            with pytest.raises(PersonaError) as caught:
                await ending.doing(persona, sim)
            assert type(caught.value) is ending.error
            assert_names_a_call(caught.value, sim)


@pytest.mark.parametrize(
    ("change", "settings"),
    [
        (lambda document: {**document, "links": {"prev": None, "next": "/elsewhere"}}, {}),
        (turned, {}),
        (turned, {"consistency": "fresh"}),
        (without_times, {}),
        (without_times, {"consistency": "fresh"}),
    ],
)
async def test_an_error_that_ends_an_export_names_the_call(tmp_path, change, settings):
    async with Simulator(cases=250, seed=5) as sim, PersonaClient(sim.api_key, base_url=sim.base_url) as persona:
        sim.faults.add(Fault.rewrite(change))
        with pytest.raises((errors.PaginationError, errors.DecodeError)) as caught:
            await persona.cases.export(to=tmp_path / "cases.jsonl", **settings)
        assert_names_a_call(caught.value, sim)
