"""A wrong JSON type is an error with its pointer, never a coerced value, and the value is nowhere in the error."""

import json
import traceback
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, Literal

import attrs
import pytest
from case_documents import TEXTS, TIMES, a_body, a_case

from persona_cases.errors import DecodeError, InvalidArgumentError
from persona_cases.models import Case, CaseTemplate, ResourceIdentifier, converter, structure
from persona_cases.models.decoding.decode import decode_case, decode_page
from persona_cases.models.decoding.records import Links

SECRET = "Rosa Luxemburg"
BAD_TIMES = [
    "2025-01-01T00:00:00",
    "2025-01-01",
    "20250101T000000Z",
    "2025-01-01T24:00:00Z",
    "2025-02-30T00:00:00Z",
    "yesterday",
    "",
    1735689600,
    True,
    [],
]


def _refused(sent: dict[str, Any]) -> str:
    """The pointer of the error, the same by both paths."""
    with pytest.raises(DecodeError) as slow:
        Case.from_dict(sent)
    with pytest.raises(DecodeError) as fast:
        decode_page(a_body(a_case(), sent))
    assert fast.value.pointer == "/data/1" + slow.value.pointer
    for caught in (slow, fast):
        assert SECRET not in "".join(traceback.format_exception(caught.value))
        assert caught.value.__context__ is None
    return slow.value.pointer


@pytest.mark.parametrize("name", TEXTS)
@pytest.mark.parametrize("value", [5, 5.5, True, [SECRET], {"a": SECRET}])
def test_text_attributes(name: str, value: object) -> None:
    assert _refused(a_case(**{name: value})) == f"/attributes/{name}"


@pytest.mark.parametrize("name", TIMES)
@pytest.mark.parametrize("value", BAD_TIMES)
def test_time_attributes(name: str, value: object) -> None:
    assert _refused(a_case(**{name: value})) == f"/attributes/{name}"


@pytest.mark.parametrize(
    ("name", "value", "pointer"),
    [
        ("tags", SECRET, ""),
        ("tags", {"a": 1}, ""),
        ("tags", [SECRET, 5], "/1"),
        ("tags", [None], "/0"),
        ("fields", [SECRET], ""),
        ("fields", SECRET, ""),
        ("attachments", {}, ""),
        ("attachments", [[SECRET]], "/0"),
        ("attachments", [SECRET], "/0"),
        ("attachments", [{"byte_size": 5.0}], "/0/byte_size"),
        ("attachments", [{"byte_size": True}], "/0/byte_size"),
        ("attachments", [{"byte_size": "5"}], "/0/byte_size"),
        ("attachments", [{"url": 5}], "/0/url"),
    ],
)
def test_containers(name: str, value: object, pointer: str) -> None:
    assert _refused(a_case(**{name: value})) == f"/attributes/{name}{pointer}"


@pytest.mark.parametrize(
    ("name", "value", "pointer"),
    [
        ("accounts", [], ""),
        ("accounts", SECRET, ""),
        ("accounts", {"data": {}}, "/data"),
        ("accounts", {"data": SECRET}, "/data"),
        ("accounts", {"data": [SECRET]}, "/data/0"),
        ("accounts", {"data": [None]}, "/data/0"),
        ("accounts", {"data": [{"type": "account"}]}, "/data/0/id"),
        ("accounts", {"data": [{"type": "account", "id": 5}]}, "/data/0/id"),
        ("case_template", {"data": []}, "/data"),
        ("case_template", {"data": {"type": "case-template"}}, "/data/id"),
        ("case_template", {"data": {"id": "x"}}, "/data/type"),
        ("case_queue", {"data": SECRET}, "/data"),
    ],
)
def test_relationships(name: str, value: object, pointer: str) -> None:
    sent = a_case()
    sent["relationships"][name] = value
    assert _refused(sent) == f"/relationships/{name}{pointer}"


@pytest.mark.parametrize(
    ("members", "pointer"),
    [
        ({"id": None}, "/id"),
        ({"id": 5}, "/id"),
        ({"type": "inquiry"}, "/type"),
        ({"type": None}, "/type"),
        ({"attributes": []}, "/attributes"),
        ({"attributes": SECRET}, "/attributes"),
        ({"relationships": "case_queue"}, "/relationships"),
    ],
)
def test_the_resource_itself(members: dict[str, Any], pointer: str) -> None:
    assert _refused({**a_case(), **members}) == pointer


@pytest.mark.parametrize("value", [None, 5, "case", [], [a_case()]])
def test_no_resource_at_all(value: Any) -> None:
    with pytest.raises(DecodeError) as caught:
        decode_page(a_body(value))
    assert caught.value.pointer == "/data/0"
    with pytest.raises(DecodeError):
        Case.from_dict(value)


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        (b"", ""),
        (b"{", ""),
        (b"[]", ""),
        (b"<html>Rosa</html>", ""),
        (b'{"data":[NaN]}', "/data/0"),
        (b'{"data":[]} x', ""),
        (b'\xef\xbb\xbf{"data":[]}', ""),
        (b'{"data":[],"x":"\xff"}', ""),
        (b'{"data":[],"x":"\\ud800"}', ""),
        (b'{"data":' + b"[" * 50_000 + b"]" * 50_000 + b"}", "/data" + "/0" * 17),
        (b"{}", "/data"),
        (b'{"data":null}', "/data"),
        (b'{"data":{}}', "/data"),
        (b'{"data":[],"links":[]}', "/links"),
        (b'{"data":[],"links":{"next":5}}', "/links/next"),
        (b'{"data":[],"links":{"prev":false}}', "/links/prev"),
        (b'{"data":[],"included":{}}', "/included"),
        (b'{"data":[],"included":[5]}', "/included/0"),
    ],
)
def test_bodies_that_are_no_page(body: bytes, pointer: str) -> None:
    with pytest.raises(DecodeError) as caught:
        decode_page(body)
    assert caught.value.pointer == pointer
    assert caught.value.__context__ is None
    assert "Rosa" not in str(caught.value)


@pytest.mark.parametrize("body", [b"{}", b"[]", b'{"data":[]}', b'{"data":null}', b'{"data":{"type":"case"}}', b"x"])
def test_bodies_that_are_no_case(body: bytes) -> None:
    with pytest.raises(DecodeError):
        decode_case(body)


def test_pages_that_are_fine() -> None:
    assert decode_page(b'{"data":[]}').links == Links(None, None)
    assert decode_page(b'{"data":[],"links":null,"meta":{"total":5}}').cases == ()
    assert decode_page(a_body()).links == Links(None, "/n")


def test_a_member_given_twice_counts_as_its_last() -> None:
    twice = b'{"type":"case","id":"c","attributes":{"status":5,"status":"Open"}}'
    (case,) = decode_page(b'{"data":5,"data":[' + twice + b"]}").cases
    assert case.status == "Open"
    (case,) = decode_page(b'{"data":[' + twice + b"]}").cases
    assert (case.status, case.raw) == ("Open", twice)
    assert decode_case(b'{"included":5,"included":[],"data":' + twice + b"}").status == "Open"


@attrs.frozen
class Thing:
    text: str
    number: int = 0
    ratio: float = 0.0
    flag: bool = False
    at: datetime | None = None
    names: tuple[str, ...] = ()
    more: Sequence[int] = ()
    unique: frozenset[str] = frozenset()
    table: Mapping[str, int] = attrs.field(factory=dict)
    nested: "Thing | None" = None
    kind: Literal["a", "b"] = "a"
    anything: Any = None
    mixed: int | str | None = None


@pytest.mark.parametrize(
    ("members", "pointer"),
    [
        ({}, "/text"),
        ({"text": None}, "/text"),
        ({"text": 5}, "/text"),
        ({"text": "t", "number": "5"}, "/number"),
        ({"text": "t", "number": True}, "/number"),
        ({"text": "t", "number": 5.0}, "/number"),
        ({"text": "t", "ratio": "5"}, "/ratio"),
        ({"text": "t", "ratio": True}, "/ratio"),
        ({"text": "t", "ratio": float("nan")}, "/ratio"),
        ({"text": "t", "ratio": 10**400}, "/ratio"),
        ({"text": "t", "flag": 1}, "/flag"),
        ({"text": "t", "flag": None}, "/flag"),
        ({"text": "t", "at": "2025-01-01T00:00:00"}, "/at"),
        ({"text": "t", "names": "abc"}, "/names"),
        ({"text": "t", "names": {"a": 1}}, "/names"),
        ({"text": "t", "names": ["a", 5]}, "/names/1"),
        ({"text": "t", "more": "12"}, "/more"),
        ({"text": "t", "unique": "abc"}, "/unique"),
        ({"text": "t", "table": [["a", 1]]}, "/table"),
        ({"text": "t", "table": {"a/b": "1"}}, "/table/a~1b"),
        ({"text": "t", "nested": {"text": "t", "nested": {"text": 5}}}, "/nested/nested/text"),
        ({"text": "t", "nested": "text"}, "/nested"),
        ({"text": "t", "kind": "c"}, "/kind"),
        ({"text": "t", "kind": None}, "/kind"),
        ({"text": "t", "mixed": 5.5}, "/mixed"),
        ({"text": "t", "mixed": True}, "/mixed"),
    ],
)
def test_the_converter_never_coerces(members: dict[str, Any], pointer: str) -> None:
    with pytest.raises(DecodeError) as caught:
        structure(members, Thing, pointer="/data")
    assert caught.value.pointer == "/data" + pointer
    assert caught.value.__context__ is None


def test_the_converter_takes_what_is_right() -> None:
    thing = structure(
        {
            "text": "t",
            "number": 1,
            "ratio": 2,
            "flag": True,
            "at": "2025-01-01T00:00:00Z",
            "names": ["a"],
            "more": [1],
            "unique": ["a", "a"],
            "table": {"a": 1},
            "nested": {"text": "u"},
            "kind": "b",
            "anything": {"x": [1]},
            "mixed": "m",
            "unknown": 1,
        },
        Thing,
    )
    assert thing == Thing(
        "t", 1, 2.0, True, datetime(2025, 1, 1, tzinfo=UTC), ("a",), (1,), frozenset("a"), {"a": 1},
        Thing("u"), "b", {"x": [1]}, "m",
    )  # fmt: skip
    assert type(thing.ratio) is float
    assert converter.unstructure(thing)["at"] == "2025-01-01T00:00:00Z"


def test_the_reason_says_what_is_missing_and_what_is_wrong() -> None:
    for sent, reason in (({"type": "inquiry"}, "a required member is missing"), ({"type": 5, "id": "a"}, "expected")):
        with pytest.raises(DecodeError) as caught:
            structure(sent, ResourceIdentifier)
        assert caught.value.reason.startswith(reason)


def test_a_tuple_of_two_kinds_is_read_item_by_item() -> None:
    assert structure([1, "a"], tuple[int, str]) == (1, "a")
    assert structure([1, 2], tuple[int, ...]) == (1, 2)


def test_a_naive_datetime_is_not_written() -> None:
    with pytest.raises(InvalidArgumentError, match="time zone"):
        converter.unstructure(datetime(2025, 1, 1))


def test_a_sequence_given_as_text_is_refused_everywhere() -> None:
    for cls in (tuple[str, ...], list[str], Sequence[str], set[str], frozenset[str], list, tuple):
        with pytest.raises(DecodeError, match="expected array, got string"):
            structure("abc", cls)


def test_the_resource_must_be_of_the_asked_class() -> None:
    with pytest.raises(DecodeError) as caught:
        structure({"type": "case-queue", "id": "x"}, CaseTemplate)
    assert caught.value.pointer == "/type"
    assert structure({"type": "t", "id": "i"}, ResourceIdentifier) == ResourceIdentifier("t", "i")


def test_bytes_reach_the_fast_path_through_the_converter() -> None:
    body = json.dumps({"data": a_case()}).encode()
    assert converter.structure(body, Case) == Case.from_dict(a_case())
