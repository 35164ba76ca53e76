"""The base URL, ids in paths, links between pages, the key."""

from __future__ import annotations

import copy
import pickle
from urllib.parse import parse_qsl, urlencode

import pytest
from hypothesis import given
from hypothesis import strategies as st
from yarl import URL

from persona_cases.errors import InvalidArgumentError, PaginationError
from persona_cases.protocol.addresses.page_links import link_query
from persona_cases.protocol.addresses.urls import BaseURL, query_string, segment
from persona_cases.protocol.call_options import Options, Timeout, check_idempotency_key
from persona_cases.protocol.secret import api_key

BASE = BaseURL.parse("https://api.example.com/api/v1")


@pytest.mark.parametrize(
    "url",
    [
        "https://api.example.com/api/v1/",
        "https://api.example.com:8443/v1",
        "http://127.0.0.1:8080/api/v1",
        "http://[::1]:80",
    ],
)
def test_good_base_urls(url):
    assert BaseURL.parse(url).url == url.rstrip("/")


@pytest.mark.parametrize(
    "url",
    [
        "",
        "api.example.com",
        "ftp://api.example.com",
        "https://",
        "https://api.example.com/v1?x=1",
        "https://api.example.com/#x",
        "https://user:word@api.example.com",
        "http://api.example.com/v1",
        "https://api.example.com/v1\n",
        "https://api.example.com:port",
        "https://[::1",
        "https://api.example.com:0",
        f"https://{'a' * 300}",
        "https://ü.example/v1",
        "https://api.example.com/\ud800",
        "https://good.example\\.evil.example/v1",
        "https://api.withpersona.com",
        "https://withpersona.com/",
        None,
        7,
    ],
)
def test_bad_base_urls(url):
    with pytest.raises(InvalidArgumentError, match="base_url") as caught:
        BaseURL.parse(url)
    assert "word" not in str(caught.value)


@given(st.text() | st.builds("https://{}".format, st.text()) | st.builds("https://a.example/{}".format, st.text()))
def test_whatever_passes_can_be_requested(value):
    try:
        base = BaseURL.parse(value)
    except InvalidArgumentError:
        return
    url = URL(f"{base.url}/cases", encoded=True)
    assert (url.scheme, (url.raw_host or "").lower(), url.port) == base.origin


def test_a_query_is_percent_encoded():
    pairs = (("page[after]", "case_1"), ("filter[status]", "On hold & ü"), ("include", ""))
    assert query_string(pairs) == "page%5Bafter%5D=case_1&filter%5Bstatus%5D=On%20hold%20%26%20%C3%BC&include="
    assert query_string(()) == ""


@given(st.lists(st.tuples(st.text(), st.text())))
def test_every_query_can_be_read_back(pairs):
    written = query_string(tuple(pairs))
    assert parse_qsl(written, keep_blank_values=True, strict_parsing=bool(pairs)) == pairs


@pytest.mark.parametrize("value", ["", "..", ".", "a/b", "../x", "a?b", "a#b", "a b", "a%2fb", "a\n", "a\\b", None, 5])
def test_ids_that_leave_their_segment_are_refused(value):
    with pytest.raises(InvalidArgumentError, match="^id must be"):
        segment(value, "id")


@given(st.text(min_size=1))
def test_whatever_passes_stays_one_segment(value):
    try:
        encoded = segment(value, "id")
    except InvalidArgumentError:
        return
    assert encoded not in {".", ".."}
    assert not set(encoded) & set("/?#\\ ")


@pytest.mark.parametrize(
    "link",
    [
        "/api/v1/cases?page%5Bafter%5D=case_1&page%5Bsize%5D=10",
        "https://api.example.com/api/v1/cases?page[after]=case_1&page[size]=10",
        "https://api.example.com:443/api/v1/cases?page[after]=case_1&page[size]=10",
    ],
)
def test_a_link_gives_its_parameters(link):
    assert link_query(link, base=BASE, path="/cases") == (("page[after]", "case_1"), ("page[size]", "10"))


CURSORS = st.from_regex(r"case_[\w-]+", fullmatch=True, alphabet=st.characters(codec="ascii")) | st.text(min_size=1)


@given(cursor=CURSORS, size=st.integers(1, 100), side=st.sampled_from(["after", "before"]))
def test_a_link_gives_any_cursor_as_it_is(cursor, size, side):
    pairs = ((f"page[{side}]", cursor), ("page[size]", str(size)))
    link = f"/api/v1/cases/search?{urlencode(pairs)}"
    assert link_query(link, base=BASE, path="/cases/search") == pairs


def test_a_link_of_the_usual_form_has_to_lead_to_the_same_endpoint():
    for link in ("/api/v1/accounts", "//evil.example.com/cases"):
        with pytest.raises(PaginationError, match="link"):
            link_query(f"{link}?page%5Bafter%5D=x&page%5Bsize%5D=10", base=BASE, path="/cases")


@pytest.mark.parametrize(
    "link",
    [
        "https://evil.example.com/api/v1/cases?page[after]=x",
        "//evil.example.com/api/v1/cases?page[after]=x",
        "http://api.example.com/api/v1/cases?page[after]=x",
        "https://api.example.com:8443/api/v1/cases?page[after]=x",
        "https://api.example.com@evil.example.com/api/v1/cases",
        "/api/v1/accounts?page[after]=x",
        "https://[::1/cases",
    ],
)
def test_a_link_to_elsewhere_is_not_followed(link):
    with pytest.raises(PaginationError, match="link"):
        link_query(link, base=BASE, path="/cases")


@pytest.mark.parametrize("key", [None, "", 5, "with space", "line\nbreak", "trailing\n", "ümlaut", "\x00"])
def test_a_bad_key_is_refused_and_not_shown(key):
    with pytest.raises(InvalidArgumentError, match="(?i)api.key") as caught:
        api_key(key, "api_key")
    assert not isinstance(key, str) or not key or key not in str(caught.value)


def test_a_secret_shows_itself_to_nobody():
    secret = api_key("persona_sandbox_1234", "api_key")
    assert secret.reveal() == "persona_sandbox_1234"
    assert "1234" not in f"{secret!r} {secret}"
    assert copy.deepcopy(secret) is secret
    with pytest.raises(TypeError, match="cannot be pickled"):
        pickle.dumps(secret)


@pytest.mark.parametrize(
    "options",
    [
        {"version": "2025 12 08"},
        {"version": ""},
        {"version": None},
        {"max_wait": -1},
        {"max_wait": "5"},
        {"max_wait": True},
        {"retry": 3},
        {"headers": {"Authorization": "x"}},
        {"headers": {"key-inflection": "kebab"}},
        {"headers": {"X-Trace": "a\r\nEvil: b"}},
        {"headers": {"X Trace": "a"}},
        {"headers": {"X-Trace": 5}},
    ],
)
def test_options_that_can_not_work_are_refused(options):
    with pytest.raises(InvalidArgumentError, match=next(iter(options))):
        Options(**options)


@pytest.mark.parametrize("value", [0, -1, "5", None, True, Timeout(read=0), Timeout(connect=-1), float("nan")])
def test_a_timeout_is_a_positive_number_of_seconds(value):
    with pytest.raises(InvalidArgumentError, match="timeout"):
        Timeout.of(value)


def test_a_timeout_may_be_given_by_its_total():
    assert Timeout.of(5) == Timeout(total=5.0)


@pytest.mark.parametrize("key", ["", "  ", "a\nb", "ü", 5])
def test_a_bad_idempotency_key_is_refused(key):
    with pytest.raises(InvalidArgumentError, match="idempotency_key"):
        check_idempotency_key(key)
