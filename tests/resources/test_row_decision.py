"""What is done with a row: every change, every case, every doubt."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from persona_cases import Case, Q
from persona_cases.changes import (
    AddComment,
    AddObjects,
    AddTag,
    Assign,
    RemoveObjects,
    RemoveTag,
    SetStatus,
    SetTags,
    Update,
)
from persona_cases.resources.changing.effects import can_repeat, change_digest, digest, effects_of
from persona_cases.resources.changing.journal_lines import begun
from persona_cases.resources.changing.row_decision import End, Write, decide, must_look

KEY = "0123456789abcdef"
CASE = Case.from_dict(
    {
        "type": "case",
        "id": "case_1",
        "attributes": {
            "status": "open",
            "assignee-id": "Maya@example.com",
            "tags": ["vip", "eu"],
            "sla-expires-at": "2026-01-31T12:00:00Z",
            "fields": {"level": {"type": "integer", "value": 5}, "note": {"type": "string", "value": "x"}},
        },
        "relationships": {
            "case-queue": {"data": {"type": "case-queue", "id": "cqueue_1"}},
            "accounts": {"data": [{"type": "account", "id": "act_1"}]},
            "newer-things": {"data": [{"type": "newer-thing", "id": "new_1"}]},
        },
    }
)
SHOWN = [
    SetStatus("open"),
    Assign("maya@EXAMPLE.com"),
    AddTag("vip"),
    RemoveTag("us"),
    SetTags(["eu", "vip", "eu"]),
    AddObjects(["act_1", "new_1"]),
    RemoveObjects(["act_2"]),
    Update(fields={"level": Decimal("5.0"), "note": "x", "none": None}, case_queue_id="cqueue_1"),
]
NOT_SHOWN = [
    SetStatus("Open"),
    Assign("ann@example.com"),
    AddTag("us"),
    RemoveTag("eu"),
    SetTags(["eu"]),
    SetTags([]),
    AddObjects(["act_1", "act_2"]),
    RemoveObjects(["new_1"]),
    Update(fields={"level": 6}),
    Update(case_queue_id=None),
    Update(sla_expires_in=None),
    Update(fields={"level": 5, "note": "y"}),
]
HIDDEN = [
    AddComment("x"),
    AddTag(tag_id="tag_1"),
    RemoveTag(tag_id="tag_1"),
    SetTags(["eu", "vip"], tag_ids=["tag_1"]),
    Update(sla_expires_in=60, fields={"level": 5}),
    Update(attachments=["a.pdf"]),
]
OPEN, CLOSED = Q.status.eq("open"), Q.status.eq("closed")


def doubt(change):
    return begun(0, 1, effects_of(change, KEY), once=not can_repeat(change))


def decided(change, *, only_if=None, in_doubt=None):
    return decide(change, CASE, only_if=only_if, doubt=in_doubt, key=KEY)


@pytest.mark.parametrize("change", SHOWN, ids=repr)
def test_what_a_case_shows_already_is_not_written(change):
    assert decided(change) == End("unchanged")
    assert decided(change, in_doubt=doubt(change)) == End("changed")


@pytest.mark.parametrize("change", [*NOT_SHOWN, *HIDDEN], ids=repr)
def test_anything_else_is_written(change):
    assert decided(change) == decided(change, only_if=OPEN) == Write(change)


@pytest.mark.parametrize("change", [*NOT_SHOWN, *HIDDEN], ids=repr)
def test_a_write_in_doubt_that_does_not_show_is_repeated_if_it_can_be(change):
    end = decided(change, in_doubt=doubt(change))
    assert end == Write(change) if can_repeat(change) else end.outcome == "indeterminate"


def test_what_is_no_longer_to_be_changed_is_skipped_unless_a_write_is_in_doubt():
    closing = SetStatus("closed")
    assert decided(closing, only_if=CLOSED) == End("skipped", "only_if does not hold")
    assert decided(None) == End("skipped", "the function returned None")
    assert decided(closing, only_if=CLOSED, in_doubt=doubt(closing)).outcome == "indeterminate"
    assert decided(None, in_doubt=doubt(closing)).outcome == "indeterminate"


def test_a_write_in_doubt_counts_for_what_it_was_and_not_for_what_a_function_wants_now():
    assert decided(None, in_doubt=doubt(SetStatus("open"))) == End("changed")
    assert decided(SetStatus("closed"), in_doubt=doubt(SetStatus("open"))) == End("changed")


def test_the_case_is_read_only_if_it_decides_something():
    assert not must_look(AddComment("x"), None, None, KEY)
    assert must_look(AddComment("x"), OPEN, None, KEY)
    assert not must_look(AddComment("x"), OPEN, doubt(AddComment("x")), KEY)
    assert not must_look(AddTag(tag_id="tag_1"), None, None, KEY)
    assert must_look(AddTag(tag_id="tag_1"), None, doubt(AddTag(tag_id="tag_1")), KEY)
    assert all(must_look(change, None, None, KEY) for change in SHOWN)
    assert must_look(None, None, None, KEY)


@pytest.mark.parametrize("change", [*SHOWN, *NOT_SHOWN, *HIDDEN], ids=repr)
def test_digests_tell_changes_apart_and_runs_too(change):
    others = [other for other in (*SHOWN, *NOT_SHOWN, *HIDDEN) if other != change]
    assert change_digest(change, KEY) not in {change_digest(other, KEY) for other in others}
    assert change_digest(change, KEY) != change_digest(change, "other")


NUMBERS = st.integers(-(2**53), 2**53)


@given(NUMBERS | st.text() | st.none() | st.booleans(), NUMBERS | st.text() | st.none() | st.booleans())
@settings(max_examples=50)
def test_digests_are_equal_if_the_values_are(one, two):
    same = one == two and isinstance(one, bool) == isinstance(two, bool)
    assert (digest(KEY, "x", one) == digest(KEY, "x", two)) == same
    if isinstance(one, int) and not isinstance(one, bool):
        assert digest(KEY, "x", one) == digest(KEY, "x", float(one)) == digest(KEY, "x", [Decimal(one)][0])
