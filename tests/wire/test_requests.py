"""Requests byte by byte, as they leave.

The mock sorts the parameters of a URL; `tests/client/test_walks.py` pins their order and encoding on a real server.
"""

from __future__ import annotations

import json

import pytest
from aioresponses.compat import normalize_url
from yarl import URL

from persona_cases import PersonaClient, Q

BASE = "https://api.example.com/api/v1"
KEY = "persona_sandbox_key"
CASE = {"type": "case", "id": "case_1", "attributes": {"status": "open"}}
HEADERS = {"RateLimit-Limit": "300", "RateLimit-Remaining": "299", "RateLimit-Reset": "60", "Request-Id": "req_1"}
EMPTY = json.dumps({"data": [], "links": {"prev": None, "next": None}}).encode()


def page(*ids: str, following: str | None = None) -> bytes:
    data = [{"type": "case", "id": case_id, "attributes": {}} for case_id in ids]
    return json.dumps({"data": data, "links": {"prev": None, "next": following}}).encode()


@pytest.fixture
async def persona():
    async with PersonaClient(KEY, base_url=BASE) as client:
        yield client


def sent(mock):
    """Method, URL and arguments of every request, in order."""
    return [(method, str(url), call.kwargs) for (method, url), calls in mock.requests.items() for call in calls]


def only(mock):
    (request,) = sent(mock)
    return request


def url(path: str) -> str:
    return str(normalize_url(URL(BASE + path, encoded=True)))


def answer(mock, method: str, path: str, body: bytes = EMPTY, **settings) -> None:
    mock.add(URL(BASE + path, encoded=True), method, body=body, headers=HEADERS, **settings)


async def test_the_headers_of_every_request(mocked_http, persona):
    answer(mocked_http, "GET", "/cases?page%5Bsize%5D=100")
    await persona.cases.list()
    headers = only(mocked_http)[2]["headers"]
    assert headers.pop("User-Agent").startswith("persona-cases")
    assert headers == {
        "Accept": "application/json",
        "Authorization": f"Bearer {KEY}",
        "Key-Inflection": "snake",
        "Persona-Version": "2025-12-08",
    }


@pytest.mark.parametrize(
    "base_url",
    [
        "https://api.example.com/api/v1",
        "https://API.Example.com:8443/gate%20way/api/v1/",
        "http://127.0.0.1:8080",
        "http://[::1]:8080/api/v1",
    ],
)
async def test_requests_go_below_the_base_url(mocked_http, base_url):
    there = URL(f"{base_url.rstrip('/')}/cases/case%20x?fields%5Bcase%5D=status", encoded=True)
    mock_body = json.dumps({"data": CASE}).encode()
    mocked_http.add(there, "GET", body=mock_body, headers=HEADERS)
    async with PersonaClient(KEY, base_url=base_url) as persona:
        await persona.request("GET", "/cases/case%20x", params={"fields[case]": "status"})
    ((_, requested),) = mocked_http.requests
    assert requested == normalize_url(there)


async def test_redirects_are_off_and_nothing_is_sent_with_a_get(mocked_http, persona):
    answer(mocked_http, "GET", "/cases?page%5Bsize%5D=100")
    await persona.cases.list()
    arguments = only(mocked_http)[2]
    assert arguments["allow_redirects"] is False
    assert arguments["data"] is None


async def test_list_with_every_filter(mocked_http, persona):
    path = (
        "/cases?filter%5Bstatus%5D=On%20hold&filter%5Bcase-template-id%5D=ctmpl_1&filter%5Baccount-id%5D=act_1"
        "&filter%5Breference-id%5D=customer%26co&filter%5Binquiry-id%5D=inq_1&filter%5Breport-id%5D=rep_1"
        "&fields%5Bcase%5D=status%2Cfields.Any%20Key&page%5Bafter%5D=case_9&page%5Bsize%5D=25"
    )
    answer(mocked_http, "GET", path)
    await persona.cases.list(
        status="On hold",
        case_template_id="ctmpl_1",
        account_id="act_1",
        reference_id="customer&co",
        inquiry_id="inq_1",
        report_id="rep_1",
        only=["status", "fields.Any Key"],
        page_size=25,
        after="case_9",
    )
    assert only(mocked_http)[1] == url(path)


async def test_search_sends_the_predicate_and_an_order(mocked_http, persona):
    answer(mocked_http, "POST", "/cases/search?page%5Bsize%5D=100")
    await persona.cases.search(Q.status.eq("open") & ~Q.fields.priority.eq("low"))
    arguments = only(mocked_http)[2]
    assert arguments["data"] == (
        b'{"query":{"and":[{"attribute":"status","operator":"eq","value":"open"},'
        b'{"not":{"attribute":"fields.priority","operator":"eq","value":"low"}}]},'
        b'"sort":{"attribute":"created_at","direction":"desc"}}'
    )
    assert arguments["headers"]["Content-Type"] == "application/json"
    assert "Idempotency-Key" not in arguments["headers"]


async def test_a_search_for_everything_has_no_query(mocked_http, persona):
    answer(mocked_http, "POST", "/cases/search?page%5Bsize%5D=100", repeat=True)
    await persona.cases.search(sort=Q.updated_at.asc())
    await persona.cases.search(Q.all_of([]), sort=Q.updated_at.asc())
    first, second = sent(mocked_http)
    assert first[2]["data"] == second[2]["data"] == b'{"sort":{"attribute":"updated_at","direction":"asc"}}'


async def test_a_search_that_can_not_match_sends_nothing(mocked_http, persona):
    pager = persona.cases.search(Q.status.in_([]) & Q.fields.priority.eq("low"))
    assert await pager.collect() == []
    assert "nothing is sent" in pager.explain()
    assert not mocked_http.requests


async def test_the_next_page_of_a_search_is_posted_with_the_same_body_and_the_cursor_in_the_query(mocked_http, persona):
    following = "/api/v1/cases/search?page%5Bafter%5D=case_2&page%5Bsize%5D=2"
    answer(mocked_http, "POST", "/cases/search?page%5Bsize%5D=2", page("case_1", "case_2", following=following))
    answer(mocked_http, "POST", "/cases/search?page%5Bafter%5D=case_2&page%5Bsize%5D=2", page("case_3"))
    cases = await persona.cases.search(Q.status.eq("open"), page_size=2).collect()
    assert [case.id for case in cases] == ["case_1", "case_2", "case_3"]
    first, second = sent(mocked_http)
    assert first[2]["data"] == second[2]["data"]
    assert (first[0], second[0]) == ("POST", "POST")


async def test_filters_that_the_link_leaves_out_are_sent_again_and_what_only_it_has_is_passed_on(mocked_http, persona):
    following = "/api/v1/cases?page%5Bafter%5D=case_1&page%5Bsize%5D=1&shard=7&filter%5Bstatus%5D=Other"
    answer(mocked_http, "GET", "/cases?filter%5Bstatus%5D=Open&page%5Bsize%5D=1", page("case_1", following=following))
    last = "/cases?filter%5Bstatus%5D=Open&shard=7&page%5Bafter%5D=case_1&page%5Bsize%5D=1"
    answer(mocked_http, "GET", last, page("case_2"))
    assert len(await persona.cases.list(status="Open", page_size=1).collect()) == 2
    assert sent(mocked_http)[1][1] == url(last)


async def test_walking_backward_follows_the_other_link(mocked_http, persona):
    body = {
        "data": [CASE],
        "links": {"next": "/api/v1/cases?page[after]=x", "prev": "/api/v1/cases?page[before]=case_1"},
    }
    answer(mocked_http, "GET", "/cases?page%5Bbefore%5D=case_0&page%5Bsize%5D=100", json.dumps(body).encode())
    answer(mocked_http, "GET", "/cases?page%5Bbefore%5D=case_1&page%5Bsize%5D=100")
    assert len(await persona.cases.list(before="case_0").collect()) == 1


async def test_get_with_include_and_fields(mocked_http, persona):
    path = "/cases/case_1?include=case-template%2Caccounts&fields%5Bcase%5D=status"
    answer(mocked_http, "GET", path, json.dumps({"data": CASE}).encode())
    case = await persona.cases.get("case_1", include=["case_template", "accounts"], only=["status"])
    assert (case.id, case.status) == ("case_1", "open")
    assert only(mocked_http)[1] == url(path)


async def test_old_versions_are_asked_to_include_nothing_unless_told(mocked_http, persona):
    answer(mocked_http, "GET", "/cases/case_1?include=", json.dumps({"data": CASE}).encode())
    await persona.with_options(version="2023-01-05").cases.get("case_1")
    assert only(mocked_http)[2]["headers"]["Persona-Version"] == "2023-01-05"


async def test_other_requests_under_the_same_rules(mocked_http, persona):
    answer(mocked_http, "POST", "/accounts?a=1%202", b'{"data": {"id": "act_1"}}', status=201)
    response = await persona.with_options(headers={"X-Trace": "t"}).request(
        "post", "/accounts", params={"a": "1 2"}, json={"data": {}}, idempotency_key="key-1"
    )
    assert response.json() == {"data": {"id": "act_1"}}
    assert (response.status, response.request_id, response.ok) == (201, "req_1", True)
    _, _, arguments = only(mocked_http)
    assert arguments["data"] == b'{"data":{}}'
    assert arguments["headers"]["Idempotency-Key"] == "key-1"
    assert arguments["headers"]["X-Trace"] == "t"


async def test_a_post_gets_a_key_of_its_own_and_other_methods_get_none(mocked_http, persona):
    for method in ("POST", "PUT", "PATCH", "DELETE"):
        answer(mocked_http, method, "/things", b"{}")
        await persona.request(method, "/things", json={})
    headers = [arguments["headers"] for _, _, arguments in sent(mocked_http)]
    assert ["Idempotency-Key" in each for each in headers] == [True, False, False, False]
    assert len(headers[0]["Idempotency-Key"]) == 36


async def test_a_borrowed_session_can_not_change_what_is_sent(mocked_http):
    import aiohttp

    async with aiohttp.ClientSession(headers={"Authorization": "Bearer other"}) as session:
        persona = PersonaClient(KEY, base_url=BASE, session=session)
        answer(mocked_http, "GET", "/cases?page%5Bsize%5D=100")
        await persona.cases.list()
        await persona.close()
        assert not session.closed
    assert only(mocked_http)[2]["headers"]["Authorization"] == f"Bearer {KEY}"
