"""The fast path (text, msgspec) and the converter (plain JSON, cattrs) are one function, told apart by speed only."""

import json
from typing import Any

from case_documents import as_read, cases, mutated_pages, pages
from hypothesis import given

from persona_cases.errors import DecodeError
from persona_cases.models import Case, converter
from persona_cases.models.decoding.decode import DecodedPage, decode_case, decode_page


def _outcome(decode: Any) -> Any:
    try:
        return decode()
    except DecodeError as error:
        return error.pointer, error.reason


def _assert_same(body: bytes) -> None:
    fast = _outcome(lambda: decode_page(body))
    slow = _outcome(lambda: converter.structure(json.loads(body), DecodedPage))
    assert fast == slow
    if isinstance(fast, DecodedPage):
        for ours, theirs in zip(fast.cases, slow.cases, strict=True):
            assert as_read(ours) == as_read(theirs)
            assert ours.to_dict() == theirs.to_dict()
            assert ours.extras == theirs.extras


@given(pages)
def test_the_paths_agree_on_valid_pages(page: Any) -> None:
    body = json.dumps(page).encode()
    _assert_same(body)
    assert [case.to_dict() for case in decode_page(body).cases] == json.loads(body)["data"]


@given(mutated_pages())
def test_the_paths_agree_on_pages_with_something_wrong(page: Any) -> None:
    _assert_same(json.dumps(page).encode())


def test_what_only_the_slow_path_reads_keeps_what_is_included() -> None:
    case = {"type": "case", "id": "case_1", "attributes": {"status": "Open"}}
    queue = {"type": "case-queue", "id": "cqueue_1", "attributes": {"name": "First line"}}
    usual = json.dumps({"data": case, "included": [queue]})
    # Of two members of one name the last one counts; the fast path refuses the first.
    for body in (usual, usual.replace("{", '{"included": 5, ', 1)):
        assert [each.id for each in decode_case(body.encode()).included] == ["cqueue_1"]


@given(cases)
def test_the_paths_agree_on_single_cases(case: Any) -> None:
    body = json.dumps({"data": case, "included": []}).encode()
    fast, slow = decode_case(body), Case.from_dict(json.loads(body))
    assert fast == slow
    assert as_read(fast) == as_read(slow)
    assert fast == Case.from_dict(case)
