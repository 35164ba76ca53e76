"""What the checks must see, and what they must let pass."""

from __future__ import annotations

import json
from typing import Any

import pytest

from conformance.checks import Violation, answer_violations, request_violations
from conformance.exchange import Answer, Request
from conformance.library import library_document

DOCUMENT = library_document()
JSON = {"content-type": "application/json; charset=utf-8"}
HEADERS = {"Content-Type": "application/json", "Books-Left": "3"}


def get(query: str = "hall=A", path: str = "/books", **headers: str) -> Request:
    return Request("GET", path, query, headers)


def post(body: Any, **headers: str) -> Request:
    return Request("POST", "/books", headers={**JSON, **headers}, body=json.dumps(body).encode())


def answered(body: Any, status: int = 200, inflection: str = "kebab", headers: Any = HEADERS) -> list[Violation]:
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    return answer_violations(DOCUMENT, get(**{"key-inflection": inflection}), Answer(status, headers, raw))


GOOD_REQUESTS = [
    get(),
    get("hall=A&page%5Bsize%5D=5&page[from-id]=7&sorted=true"),
    get("hall="),
    get(edition="second"),
    get(path="/books/lost", query=""),
    post({"title": "Emma", "first-page": 1, "fields": {"Any_Key": [1]}}),
    post({"title": "Emma", "firstPage": 1, "printed_at": "2025-01-01T00:00:00Z"}),
    Request("DELETE", "/books/1", authorized=False),
]


@pytest.mark.parametrize("request_", GOOD_REQUESTS, ids=str)
def test_a_good_request(request_):
    assert request_violations(DOCUMENT, request_) == []


BAD_REQUESTS = [
    (get(path="/shelves"), "path", "not in the document"),
    (Request("PUT", "/books"), "path", "not in the document"),
    (Request("DELETE", "/books/lost"), "path", "not in the document"),
    (Request("DELETE", "/books/"), "path", "not in the document"),
    (Request("DELETE", "/books/1/2"), "path", "not in the document"),
    (get(""), "query hall", "required"),
    (get("hall=A&row=1"), "query row", "not declared"),
    (get("hall=A&hall=B"), "query hall", "given more than once"),
    (get("hall=A&page=5"), "query page", "not declared"),
    (get("hall=A&sorted[x]=true"), "query sorted[x]", "not declared"),
    (get("hall=A&page[size][x]=5"), "query page[size][x]", "not of the form name[member]"),
    (get("hall=A&page[size]=ten"), "query page.size", "type"),
    (get("hall=A&page[size]=05"), "query page.size", "type"),
    (get("hall=A&page[size]=\u0665"), "query page.size", "type"),
    (get("hall=A&page[size]=10"), "query page.size", "maximum"),
    (get("hall=A&page[from_id]=7"), "query page", "additionalProperties (from_id)"),
    (get("hall=A&sorted=yes"), "query sorted", "type"),
    (get(edition="third"), "header Edition", "enum"),
    (Request("GET", "/books", "hall=A", authorized=False), "header authorization", "required"),
    (Request("GET", "/books", "hall=A", JSON, b"{}"), "body", "not declared"),
    (Request("POST", "/books"), "body", "required"),
    (Request("POST", "/books", body=b"{}"), "body", "content type (none) is not declared"),
    (Request("POST", "/books", headers=JSON, body=b'{"title"'), "body", "not JSON"),
    (Request("POST", "/books", headers=JSON, body=b'{"title": "\\ud800"}'), "body", "not JSON"),
    (Request("POST", "/books", headers=JSON, body=b'{"title": "\xff"}'), "body", "not JSON"),
    (post([]), "body", "type"),
    (post({}), "body", "required (title)"),
    (post({"title": ""}), "body /title", "minLength"),
    (post({"title": "Emma", "first-page": "1"}), "body /first-page", "type"),
    (post({"title": "Emma", "lost": True}), "body", "additionalProperties (lost)"),
    (post({"title": "Emma", "printed-at": "2025-01-01"}), "body /printed-at", "format"),
    (post({"title": "Emma", "shelved": {"type": "hall", "row": "7"}}), "body /shelved/row", "type"),
    (post({"title": "Emma", "shelved": {"type": "cellar", "row": 7}}), "body /shelved", "additionalProperties (row)"),
    (post({"title": "Emma", "shelved": {"type": "attic"}}), "body /shelved", "oneOf"),
]


@pytest.mark.parametrize(("request_", "where", "rule"), BAD_REQUESTS, ids=str)
def test_a_bad_request(request_, where, rule):
    assert request_violations(DOCUMENT, request_) == [Violation(where, rule)]


def test_our_own_requests_have_the_names_of_the_document():
    ours = post({"title": "Emma", "firstPage": 1}, **{"user-agent": "persona-cases Python/3"})
    assert request_violations(DOCUMENT, ours) == [Violation("body", "additionalProperties (firstPage)")]


def test_good_answers():
    assert answered([]) == []
    assert answered([{"title": "Emma", "first-page": 1, "fields": {"snake_key": 1}}]) == []
    assert answered([], headers={**HEADERS, "Books-Lent": "4"}) == []
    assert answered({}, status=401, headers={"content-type": "application/json"}) == []


BAD_ANSWERS = [
    ({"status": 418}, "status", "418 is not declared"),
    ({"headers": {"Content-Type": "application/json"}}, "header books-left", "declared and missing"),
    ({"headers": {**HEADERS, "Books-Left": "few"}}, "header books-left", "type"),
    ({"headers": {**HEADERS, "Books-Lent": "few"}}, "header books-lent", "type"),
    ({"headers": {**HEADERS, "Books-Found": "1"}}, "header books-found", "not declared for 200"),
    ({"headers": {**HEADERS, "Content-Type": "text/html"}}, "body", "content type text/html is not declared"),
    ({"body": b""}, "body", "not JSON"),
    ({"body": {}}, "body", "type"),
    ({"body": [{"title": "Emma"}, {"title": 7}]}, "body /1/title", "type"),
    ({"body": [{"title": "Emma", "found": 1}]}, "body /0", "additionalProperties (found)"),
]


@pytest.mark.parametrize(("settings", "where", "rule"), BAD_ANSWERS)
def test_a_bad_answer(settings, where, rule):
    assert answered(**{"body": [], **settings}) == [Violation(where, rule)]


def test_an_answer_without_a_key_has_the_headers_of_one():
    assert answered({}, status=401) == [Violation("header books-left", "not declared for 401")]


@pytest.mark.parametrize(
    ("inflection", "name"), [("kebab", "first-page"), ("snake", "first_page"), ("camel", "firstPage")]
)
def test_names_are_spelled_as_asked(inflection, name):
    assert answered([{"title": "Emma", name: 1}], inflection=inflection) == []
    for other in {"first-page", "first_page", "firstPage"} - {name}:
        (violation,) = answered([{"title": "Emma", other: 1}], inflection=inflection)
        assert violation.rule.startswith(f"additionalProperties ({other}")


@pytest.mark.parametrize("inflection", ["snake", "camel"])
def test_custom_fields_are_never_respelled(inflection):
    fields = {"first-page": 1, "first_page": 1, "firstPage": 1}
    assert DOCUMENT.spelling.restored({"fields": fields}, inflection) == {"fields": fields}


def test_no_violation_quotes_a_value():
    secret = "Jane-Doe-1970"
    body = [{"title": 7, "printed-at": secret, "shelved": {"type": secret}}, secret]
    violations = answered(body, headers={**HEADERS, "Books-Left": secret})
    assert len(violations) == 5
    assert secret not in " ".join(map(str, violations))
