"""From an answer to an error."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from persona_cases import DecodeError, errors
from persona_cases.protocol.limit_headers import WindowReading, read_quota, read_rate_limit
from persona_cases.protocol.message import Response
from persona_cases.protocol.outcome import error_items, error_of


def answer(status: int, *entries: object, **headers: str) -> Response:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return Response(status, named, json.dumps({"errors": entries}).encode())


@pytest.mark.parametrize(
    ("status", "expected"),
    [
        (302, errors.APIError),
        (400, errors.BadRequestError),
        (401, errors.AuthenticationError),
        (403, errors.PermissionDeniedError),
        (404, errors.NotFoundError),
        (408, errors.ServerError),
        (409, errors.ConflictError),
        (418, errors.APIError),
        (422, errors.UnprocessableEntityError),
        (429, errors.RateLimitError),
        (500, errors.ServerError),
        (503, errors.ServerError),
    ],
)
def test_each_status_has_its_class(status, expected):
    error = error_of(answer(status, {"title": "Some title"}, request_id="req_7"))
    assert type(error) is expected
    assert (error.status, error.request_id, error.titles) == (status, "req_7", ("Some title",))
    assert "req_7" in str(error)
    assert str(status) in str(error)


@pytest.mark.parametrize(
    ("location", "whither"),
    [
        (None, ""),
        ("/api/v2/cases?filter[reference-id]=jane%40example.com", ""),
        (
            "https://jane:pw@login.example.com:8443/cases?email=jane@example.com#jane",
            " (this one leads to login.example.com)",
        ),
        ("//[::1]/x", " (this one leads to ::1)"),
        ("https://[::1/x", ""),
        ("https://jane doe/x", ""),
        ("https://" + "a" * 300, ""),
    ],
)
def test_a_redirect_tells_the_host_and_nothing_else(location, whither):
    headers = {} if location is None else {"location": location}
    error = error_of(Response(307, headers, b""))
    assert str(error).startswith(f"307 redirects are not followed{whither}: check base_url and the API key")
    assert "jane" not in str(error)


@pytest.mark.parametrize(
    ("status", "said"),
    [(404, "not the API's own: check that base_url ends in /api/v1"), (407, "the proxy wants a user name")],
)
def test_an_answer_without_a_document_says_what_it_probably_means(status, said):
    assert said in str(error_of(Response(status, {}, b"<html>jane@example.com</html>")))
    assert said not in str(error_of(answer(status, {"title": "Some title"})))


@pytest.mark.parametrize(("status", "redirects"), [(300, True), (301, True), (399, True), (400, False), (401, False)])
def test_only_a_redirect_is_called_one(status, redirects):
    assert ("redirect" in str(error_of(Response(status)))) is redirects


@pytest.mark.parametrize("status", [400, 401, 403, 404, 410])
def test_a_host_of_files_refuses_for_other_reasons(status):
    error = error_of(Response(status), of_file_host=True)
    assert str(error).startswith(f"{status} the file host refused: URLs of files work for some hours")
    assert "base_url" not in str(error)


@pytest.mark.parametrize(
    ("headers", "body"),
    [
        ({"content-type": "text/html; charset=utf-8"}, b"jane@example.com"),
        ({"content-type": "TEXT/HTML"}, b""),
        ({}, b"\n <!DOCTYPE HTML><p>jane@example.com"),
        ({"content-type": "application/json"}, b"<html>jane@example.com"),
    ],
)
def test_a_web_page_is_no_json(headers, body):
    with pytest.raises(DecodeError, match="not JSON but a web page.*check that base_url ends in /api/v1") as caught:
        Response(200, headers, body).json()
    assert "jane" not in str(caught.value)


@pytest.mark.parametrize("status", [200, 201, 204])
def test_a_success_is_no_error(status):
    assert error_of(Response(status)) is None


@pytest.mark.parametrize("status", [403, 429])
@pytest.mark.parametrize("spelling", ["quota", "quotalimit"])
def test_a_quota_is_told_by_its_title(status, spelling):
    headers = {f"{spelling}_limit": "10", f"{spelling}_remaining": "0", f"{spelling}_reset": "40"}
    error = error_of(answer(status, {"title": "Quota exceeded"}, **headers))
    assert type(error) is errors.QuotaExceededError
    assert (error.status, error.retry_after) == (status, 40.0)


def test_a_refusal_tells_when_to_come_back():
    headers = {"ratelimit_limit": "300", "ratelimit_remaining": "0", "ratelimit_reset": "12"}
    assert error_of(answer(429, **headers)).retry_after == 12.0
    assert error_of(answer(429)).retry_after is None


def test_everything_the_vendor_says_is_kept_but_not_shown():
    entry = {
        "title": "Record invalid",
        "details": "Email jane@example.com is taken",
        "meta": {"email": "jane@example.com"},
        "source": {"pointer": "/data/attributes/fields/email"},
    }
    error = error_of(answer(422, entry))
    (item,) = error.errors
    assert (item.details, item.meta) == (entry["details"], entry["meta"])
    assert item.pointer == "/data/attributes/fields/email"
    assert str(error) == "422 Record invalid at /data/attributes/fields/email"
    assert "jane" not in f"{error!r} {error} {item!r}"


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"<html>Bad gateway</html>",
        b"\xff\xfe",
        b"[]",
        b"7",
        b'{"errors": 5}',
        b'{"errors": [1, null]}',
        b"[" * 5000,
    ],
)
def test_a_body_of_any_other_shape_is_left_out(body):
    error = error_of(Response(502, {}, body))
    assert error.errors == ()
    assert str(error) == "502 no error document in the response"


def test_entries_may_lack_everything():
    assert error_items(b'{"errors": [{}]}') == (errors.ErrorItem("(no title)"),)
    assert error_items(b'{"errors": [{"title": 5, "details": [], "source": "x", "meta": 1}]}') == (
        errors.ErrorItem("(no title)"),
    )


@given(st.binary(max_size=300))
def test_no_body_breaks_the_reader(body):
    assert isinstance(error_items(body), tuple)


def test_the_headers_of_the_rate_limit():
    headers = {"ratelimit-limit": "300", "ratelimit-remaining": "299", "ratelimit-reset": "60"}
    assert read_rate_limit(headers) == WindowReading(300, 299, 60)
    assert read_rate_limit({}) is None
    assert read_rate_limit({**headers, "ratelimit-reset": "soon"}) is None
    assert read_rate_limit({**headers, "ratelimit-limit": "-1"}) is None
    assert read_quota(headers) is None


def test_a_body_that_is_no_json_is_a_decode_error():
    with pytest.raises(errors.DecodeError, match="not JSON.*req_9"):
        Response(200, {"request-id": "req_9"}, b"<html>").json()
    assert Response(200, {}, b'{"a": 1}').json() == {"a": 1}


def test_a_body_that_is_no_text_is_not_kept_by_the_error():
    with pytest.raises(DecodeError) as caught:
        Response(200, {}, b'{"a": "jane@example.com\xff"}').json()
    assert caught.value.__context__ is None
