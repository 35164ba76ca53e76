"""Lists, searches and single cases, on a real server."""

from __future__ import annotations

import asyncio
import logging
from collections import Counter

import pytest

from persona_cases import (
    APIError,
    DecodeError,
    InvalidArgumentError,
    NotFoundError,
    NotLoadedError,
    PaginationError,
    PersonaClient,
    Q,
    QueryTooComplexError,
    QueryTypeError,
    RetryPolicy,
    ServerError,
)
from persona_cases.testing import Fault

OPEN_AND_NOT_LOW = Q.status.eq("open") & ~Q.fields.priority.eq("low")


async def newest_first(client: PersonaClient) -> list[str]:
    return [case.id async for case in client.cases.list()]


@pytest.mark.persona_simulator(cases=250)
async def test_a_list_gives_every_case_once_newest_first(persona_simulator, persona_client):
    cases = await persona_client.cases.list().collect()
    assert Counter(case.id for case in cases) == Counter(case.id for case in persona_simulator.store.cases.values())
    created = [case.created_at for case in cases]
    assert created == sorted(created, reverse=True)
    assert len(persona_simulator.requests) == 3


@pytest.mark.persona_simulator(cases=400)
async def test_a_search_gives_exactly_the_cases_that_match_locally(persona_client):
    found = {case.id async for case in persona_client.cases.search(OPEN_AND_NOT_LOW)}
    everything = await persona_client.cases.list().collect()
    assert found == {case.id for case in everything if OPEN_AND_NOT_LOW.matches(case)}
    assert found


@pytest.mark.persona_simulator(cases=250)
@pytest.mark.parametrize("sort", [Q.created_at.asc(), Q.updated_at.desc(), Q.fields.priority.asc()])
async def test_any_order_gives_every_case_once(persona_client, sort):
    cases = await persona_client.cases.search(sort=sort, page_size=30).collect()
    assert len({case.id for case in cases}) == len(cases) == 250


@pytest.mark.persona_simulator(cases=30)
async def test_the_parameters_of_a_page_in_order_and_encoding(persona_simulator, persona_client):
    await persona_client.cases.list(status="open", only=["status", "fields.Any Key"], page_size=10).limit(11).collect()
    first, second = (request.query for request in persona_simulator.requests[:2])
    own = "filter%5Bstatus%5D=open&fields%5Bcase%5D=status%2Cfields.Any%20Key"
    assert first == f"{own}&page%5Bsize%5D=10"
    assert second.startswith(f"{own}&page%5Bafter%5D=case_")
    assert second.endswith("&page%5Bsize%5D=1")


@pytest.mark.persona_simulator(cases=120)
async def test_walking_backward_from_a_case_gives_the_newer_ones(persona_client):
    ids = await newest_first(persona_client)
    newer = [case.id async for case in persona_client.cases.list(before=ids[70], page_size=30)]
    assert sorted(newer) == sorted(ids[:70])
    older = [case.id async for case in persona_client.cases.list(after=ids[70], page_size=30)]
    assert older == ids[71:]


@pytest.mark.persona_simulator(cases=300)
async def test_an_error_in_a_walk_loses_nothing(persona_simulator, make_client):
    client = make_client(persona_simulator, retry=RetryPolicy(attempts=1))
    persona_simulator.faults.add(Fault.status(503), nth=7, times=1)
    pager = client.cases.search(page_size=25)
    got = []
    with pytest.raises(ServerError) as caught:
        async for case in pager:
            got.append(case.id)
    assert len(got) == 150
    assert caught.value.cursor == got[-1]
    got += [case.id async for case in pager.resume(caught.value.cursor)]
    assert len(got) == len(set(got)) == 300


@pytest.mark.persona_simulator(cases=250)
async def test_breaking_out_frees_the_only_connection(persona_simulator, make_client):
    client = make_client(persona_simulator, max_connections=1)
    persona_simulator.faults.add(Fault.delay(30), nth=2, times=1)
    async for _ in client.cases.list():
        if len(persona_simulator.requests) == 2:
            break
        await asyncio.sleep(0.01)
    assert len((await asyncio.wait_for(client.cases.list(), 20)).items) == 100


@pytest.mark.persona_simulator(cases=50)
async def test_first_asks_for_one_case(persona_simulator, persona_client):
    assert (await persona_client.cases.list().first()).id == (await newest_first(persona_client))[0]
    assert persona_simulator.requests[0].query == "page%5Bsize%5D=1"


def linking_to(link):
    def change(document):
        return {**document, "links": {"prev": None, "next": link}}

    return Fault.rewrite(change)


@pytest.mark.parametrize(
    ("link", "complaint"),
    [
        ("https://evil.example.com/api/v1/cases?page[after]=x", "another origin"),
        ("//127.0.0.1:1/api/v1/cases?page[after]=x", "another origin"),
        ("/api/v1/accounts?page[after]=x", "another endpoint"),
        ("/api/v1/cases?page[size]=10", r"no page\[after\]"),
    ],
)
async def test_links_to_elsewhere_are_not_followed(persona_simulator, persona_client, link, complaint):
    persona_simulator.faults.add(linking_to(link))
    with pytest.raises(PaginationError, match=complaint):
        await persona_client.cases.list().collect()
    assert len(persona_simulator.requests) == 1


async def test_a_server_that_repeats_itself_is_found_out(persona_simulator, persona_client):
    persona_simulator.faults.add(linking_to("/api/v1/cases?page[after]=case_same"))
    persona_simulator.faults.add(Fault.rewrite(lambda document: document))
    walk = persona_client.cases.list().pages()
    await anext(walk)
    with pytest.raises((PaginationError, Exception)) as caught:
        await anext(walk)
    assert caught.value.cursor == "case_same"


@pytest.mark.persona_simulator(cases=90)
async def test_a_page_emptied_by_a_filter_does_not_end_the_walk(persona_simulator, persona_client):
    persona_simulator.faults.add(Fault.rewrite(lambda document: {**document, "data": []}), nth=2)
    assert len(await persona_client.cases.list(page_size=30).collect()) == 60


async def test_a_case_of_the_wrong_type_is_a_decode_error_with_its_place_and_request(persona_simulator, persona_client):
    def change(document):
        document["data"][3]["attributes"]["status"] = 5
        return document

    persona_simulator.faults.add(Fault.rewrite(change))
    with pytest.raises(DecodeError, match="/data/3/attributes/status.*request req_") as caught:
        await persona_client.cases.list().collect()
    assert caught.value.pointer == "/data/3/attributes/status"


async def test_get_resolves_what_it_includes(persona_client):
    first = await persona_client.cases.list().first()
    case = await persona_client.cases.get(
        first.id, include=["case-template", "case-queue", "accounts", "case-comments"]
    )
    assert case == first
    assert case.template.id == case.relationships.case_template.id
    assert [account.id for account in case.accounts] == [each.id for each in case.relationships.accounts]
    with pytest.raises(NotLoadedError, match="include"):
        _ = first.template


async def test_a_sparse_fieldset_is_all_there_is(persona_client):
    for case in (
        await persona_client.cases.list(only=["status", "fields.priority"]).first(),
        await persona_client.cases.search(only=["status", "fields.priority"]).first(),
    ):
        assert case.status
        with pytest.raises(NotLoadedError, match="created_at"):
            _ = case.created_at
        with pytest.raises(NotLoadedError, match="other"):
            _ = case.fields["other"]


async def test_what_is_not_there_is_not_found(persona_client):
    with pytest.raises(NotFoundError, match="404 Record not found .*request req_") as caught:
        await persona_client.cases.get("case_nope")
    assert caught.value.attempts == 1


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        ({"page_size": 0}, "page_size"),
        ({"page_size": 101}, "page_size"),
        ({"after": "a", "before": "b"}, "not both"),
        ({"only": "status"}, "only must be a list"),
        ({"only": []}, "only must be one or more"),
    ],
)
async def test_bad_arguments_are_refused_before_anything_is_sent(
    persona_simulator, persona_client, arguments, complaint
):
    for method in (persona_client.cases.list, persona_client.cases.search):
        with pytest.raises(InvalidArgumentError, match=complaint):
            method(**arguments)
    assert not persona_simulator.requests


@pytest.mark.parametrize(
    ("where", "hint"),
    [(Q.status == "open", "eq"), ("status == 'open'", "parse"), ({"and": []}, "from_dict"), (Q.status, "eq"), (5, "Q")],
)
async def test_what_is_no_expression_is_refused_with_a_hint(persona_client, where, hint):
    with pytest.raises(QueryTypeError, match=hint):
        persona_client.cases.search(where)
    with pytest.raises(QueryTypeError, match="sort"):
        persona_client.cases.search(sort="created_at")


async def test_bad_ids_and_includes_are_refused(persona_simulator, persona_client):
    for arguments in (
        {"case": "../x"},
        {"case": ""},
        {"case": "case_1", "include": "accounts"},
        {"case": "c", "include": ["a.b.c"]},
    ):
        with pytest.raises(InvalidArgumentError):
            await persona_client.cases.get(**arguments)
    with pytest.raises(InvalidArgumentError, match="status"):
        persona_client.cases.list(status="")
    assert not persona_simulator.requests


async def test_an_expression_that_no_search_can_say_is_refused_before_anything_is_sent(
    persona_simulator, persona_client
):
    with pytest.raises(QueryTooComplexError):
        persona_client.cases.search(Q.template.not_in([f"ctmpl_{number}" for number in range(21)]))
    nested = Q.all_of([Q.all_of([Q.all_of([Q.status.eq("open")])])])
    assert '"status"' in persona_client.cases.search(nested).explain()
    assert not persona_simulator.requests


@pytest.mark.persona_simulator(cases=10_000, rate_limit="60/3")
async def test_a_walk_over_ten_thousand_cases_is_never_refused(persona_simulator, persona_client):
    ids = {case.id async for case in persona_client.cases.search()}
    assert len(ids) == 10_000
    assert {request.status for request in persona_simulator.requests} == {200}


@pytest.mark.persona_simulator(cases=300)
async def test_nothing_personal_is_logged(persona_simulator, persona_client, caplog):
    caplog.set_level(logging.DEBUG)
    persona_simulator.faults.next(Fault.status(503))
    cases = await persona_client.with_options(retry=RetryPolicy(base=0)).cases.list(reference_id="jane-doe").collect()
    cases += await persona_client.cases.search(Q.fields.priority.eq("jane-priority")).collect()
    cases += await persona_client.cases.list().collect()
    ours = "\n".join(record.getMessage() for record in caplog.records if record.name.startswith("persona_cases"))
    assert "request.retry" in ours
    assert "request.answered" in ours
    for word in ("jane", persona_simulator.api_key, "Bearer"):
        assert word not in ours
    shown = ours + repr(cases)
    values = {
        str(value) for case in cases for value in case.fields.values() if isinstance(value, str) and len(value) > 6
    }
    assert values
    assert not [value for value in values if value in shown]


VERSIONS = [
    "2020-05-18",
    "2021-05-14",
    "2021-07-05",
    "2022-09-01",
    "2023-01-05",
    "2025-10-27",
    "2025-12-08",
    "2026-09-29",
]


@pytest.mark.persona_simulator(cases=30)
@pytest.mark.parametrize("version", VERSIONS)
async def test_every_version_of_the_api_gives_the_same_cases(persona_simulator, persona_client, version):
    client = persona_client.with_options(version=version)
    cases = await client.cases.list().collect()
    assert cases == await persona_client.cases.list().collect()
    assert await client.cases.search(sort=Q.created_at.desc()).collect() == cases
    template = persona_simulator.store.template("KYC").id
    made = await client.cases.create(template, fields={"priority": "high"}, include=["case-template"])
    made = await client.cases.update(made.id, fields={"priority": "low"}, include=["case-template"])
    assert (made.fields["priority"], made.template.id) == ("low", template)
    assert (await client.cases.get(made.id)).included == ()


@pytest.mark.persona_simulator(cases=60)
@pytest.mark.parametrize("walk", ["list", "search"])
async def test_a_walk_whose_place_was_removed_says_what_to_do(persona_simulator, persona_client, walk):
    pages = getattr(persona_client.cases, walk)(page_size=20).pages()
    first = await anext(pages)
    await pages.aclose()
    persona_simulator.store.remove_case(first.next_cursor)
    with pytest.raises(APIError, match="search from the creation time of the last case") as caught:
        await getattr(persona_client.cases, walk)(page_size=20).resume(first.next_cursor).collect()
    assert caught.value.place_refused
    assert caught.value.cursor == first.next_cursor


@pytest.mark.persona_simulator(cases=3)
@pytest.mark.parametrize("status", [400, 404, 500])
async def test_a_refusal_of_the_first_page_is_not_one_of_a_place(persona_simulator, persona_client, status):
    persona_simulator.faults.add(Fault.status(status))
    with pytest.raises(APIError) as caught:
        await persona_client.with_options(retry=RetryPolicy(attempts=1)).cases.search().collect()
    assert not caught.value.place_refused
    assert "creation time" not in str(caught.value)
