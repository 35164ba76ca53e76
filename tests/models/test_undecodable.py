"""A case with something that Python cannot represent: named in errors, copied as it is, and no end of its page."""

from __future__ import annotations

import json
import traceback

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from persona_cases.errors import DecodeError
from persona_cases.models.decoding.decode import decode_line, decode_page
from persona_cases.models.decoding.pieces import is_json, members, pieces
from persona_cases.models.decoding.raw_page import RawPage, decode_raw_page
from persona_cases.models.decoding.undecodable import UndecodableCase, id_of

PLACE = "/data/1/attributes/fields/note/value"
# What JSON allows and Python does not take.
STRANGE = {
    "a number beyond a float": b"1e400",
    "5,000 digits": b"7" * 5_000,
    "half a surrogate pair": rb'"Rosa \ud800"',
    "half a pair, the other one": rb'"\udc00 Rosa"',
    # How many are too many depends on the version of Python.
    "50,000 nested lists": b"[" * 50_000 + b"]" * 50_000,
}
NO_JSON = {"NaN": b"NaN", "a word": b"Rosa", "an open escape": rb'"\x"', "no UTF-8": b'"\xff"', "a leading zero": b"01"}


def a_page(value: bytes, *, broken: bytes = b"") -> bytes:
    """Three cases, of which the second has a value in a custom field."""
    cases = [
        b'{"type":"case","id":"case_%d","attributes":{"created_at":"2025-01-0%dT00:00:00Z",%b'
        b'"fields":{"note":{"type":"string","value":%b}}}}'
        % (number, number, broken if number == 2 else b"", value if number == 2 else b'"a, b]}"')
        for number in (1, 2, 3)
    ]
    return b'{"data":[%b],"links":{"prev":null,"next":"/api/v1/cases?page[after]=case_3"}}' % b",\n ".join(cases)


@pytest.mark.parametrize("value", [*STRANGE.values(), *NO_JSON.values()], ids=[*STRANGE, *NO_JSON])
def test_the_error_of_a_page_names_the_case_and_the_value(value):
    with pytest.raises(DecodeError) as caught:
        decode_page(a_page(value))
    assert caught.value.case_id == "case_2"
    assert "case_2" in str(caught.value)
    assert caught.value.pointer.startswith(PLACE)
    assert "Rosa" not in "".join(traceback.format_exception(caught.value))
    assert caught.value.__context__ is None


@pytest.mark.parametrize("value", STRANGE.values(), ids=STRANGE)
def test_what_json_allows_is_a_line_like_any_other(value):
    page, links = decode_raw_page(a_page(value))
    assert [page.id(index) for index in range(3)] == ["case_1", "case_2", "case_3"]
    assert page.moment(0) < page.moment(1) < page.moment(2)
    assert value in page.lines[1]
    assert not page.aside
    assert links.next is not None
    assert all(b"\n" not in line for line in page.lines)
    with pytest.raises(DecodeError) as caught:
        decode_line(bytes(page.lines[1]))
    assert caught.value.case_id == "case_2"


@pytest.mark.parametrize("value", NO_JSON.values(), ids=NO_JSON)
def test_what_is_no_json_is_put_aside(value):
    page, links = decode_raw_page(a_page(value))
    assert [page.id(index) for index in range(len(page))] == ["case_1", "case_3"]
    assert links.next is not None
    [aside] = page.aside
    assert value in aside.line
    assert aside.error.case_id == "case_2"


def test_a_case_without_a_creation_time_is_put_aside_when_it_is_looked_for():
    body = a_page(b"1").replace(b'"2025-01-02T00:00:00Z"', b"null")
    page, _ = decode_raw_page(body)
    with pytest.raises(DecodeError, match="case_2") as caught:
        page.moment(1)
    assert caught.value.pointer == "/data/1"
    sound = page.sound()
    assert [sound.id(index) for index in range(len(sound))] == ["case_1", "case_3"]
    assert [each.error.case_id for each in sound.aside] == ["case_2"]


def test_putting_aside_keeps_what_is_unwanted():
    lines = [b'{"id":"case_%d","attributes":{"created_at":"2025-01-01T00:00:00Z"}}' % number for number in range(4)]
    page = RawPage([*lines[:1], b"{}", *lines[1:]], "x", unwanted={2, 4}).sound()
    assert page.first(4) == [lines[0], lines[2]]
    assert page.next_cursor == "x"


@pytest.mark.parametrize("body", [b"", b"{", b'{"data":[{"id":"case_1"', b"<html>", b'{"data":5e400}', b"[1e400]"])
def test_what_has_no_cases_is_refused_as_before(body):
    for decode in (decode_page, decode_raw_page):
        with pytest.raises(DecodeError) as caught:
            decode(body)
        assert caught.value.case_id is None


def test_an_id_is_printed_only_if_it_can_be():
    assert id_of(b'{"id":"case_1"}') == "case_1"
    for case in (b'{"id":5}', b'{"id":"a\\nb"}', b'{"id":"%b"}' % (b"x" * 65), b"[]", b"", b'{"id":"\\ud800"}'):
        assert id_of(case) is None


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=20,
)


@given(JSON, st.sampled_from([None, 1]))
def test_taking_apart_finds_what_a_parser_finds(value, indent):
    text = json.dumps(value, indent=indent).encode()
    assert is_json(text)
    match value:
        case list():
            assert [msgspec.json.decode(piece) for piece in pieces(text)] == value
            assert members(text) is None
        case dict():
            assert {name: msgspec.json.decode(piece) for name, piece in members(text).items()} == value
        case _:
            assert pieces(text) is None


@given(JSON.map(lambda value: json.dumps(value).encode()), st.data())
def test_a_damaged_text_is_json_only_if_a_parser_says_so(text, data):
    place = data.draw(st.integers(0, len(text)))
    damaged = text[:place] + data.draw(st.sampled_from([b"", b",", b"]", b"}", b'"', b"0", b":", b"[", b"{"]))
    damaged += text[place + data.draw(st.integers(0, 1)) :]
    try:
        json.loads(damaged, parse_constant=lambda _: 1 / 0)
        right = True
    except (ValueError, ZeroDivisionError):
        right = False
    assert is_json(damaged) == right


def test_what_was_set_aside_is_equal_whatever_was_said_of_it():
    one = UndecodableCase(b"{}", DecodeError("no id"), 5)
    assert one == UndecodableCase(b"{}", DecodeError("no id"), 5)
    assert one != UndecodableCase(b"[]", one.error, 5)
    assert one != UndecodableCase(b"{}", one.error, 6)


def test_a_part_of_a_page_keeps_what_is_unwanted():
    page = RawPage([b"0", b"1", b"2", b"3", b"4"], "x", unwanted={0, 2, 3})
    part = page.between(range(2, 5), "y")
    assert (part.lines, part.next_cursor, set(part.unwanted)) == ([b"2", b"3", b"4"], "y", {0, 1})
    assert part.first(3) == [b"4"]
