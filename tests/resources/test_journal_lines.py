"""A journal that was cut anywhere says what its whole lines say; one that is damaged says so."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from persona_cases.changes import AddTag, SetStatus
from persona_cases.resources.changing.effects import effects_of
from persona_cases.resources.changing.journal_lines import (
    DamagedJournalError,
    Ended,
    RowState,
    Withdrawn,
    begun,
    encode_entry,
    is_journal,
    new_journal,
    read_journal,
)

IDS = [f"case_{number}" for number in range(2500)]
STATE, FIRST = new_journal("key", "2026-01-31T12:00:00+00:00", {"change": "a"}, IDS)
ENTRIES = [
    begun(0, 1, effects_of(SetStatus("open"), "key"), once=False),
    Ended(0, "changed"),
    begun(2400, 1, None, once=True),
    Ended(2400, "indeterminate", "lost", 503, ("Service unavailable",), "req_1"),
    begun(7, 1, effects_of(AddTag("x"), "key"), once=False),
    Withdrawn(7),
    begun(7, 2, effects_of(AddTag("x"), "key"), once=False),
    Ended(8, "failed", "404", 404, ("Record not found",), "req_2"),
]
LINES = [encode_entry(entry) for entry in ENTRIES]


def after(entries):
    rows = [RowState(number, id) for number, id in enumerate(IDS)]
    for entry in entries:
        rows[entry.row].take(entry)
    return rows


def test_a_new_journal_is_what_it_says():
    assert read_journal(FIRST) == STATE
    assert [row.case_id for row in STATE.rows] == IDS
    assert [row.number for row in STATE.rows] == list(range(2500))


@given(st.data())
@settings(max_examples=40)
def test_a_torn_last_line_is_no_harm(data):
    whole = data.draw(st.integers(0, len(LINES) - 1))
    torn = LINES[whole][: data.draw(st.integers(0, len(LINES[whole]) - 1))]
    kept = FIRST + b"".join(LINES[:whole])
    state = read_journal(kept + torn)
    assert (state.rows, state.size) == (after(ENTRIES[:whole]), len(kept))


def test_a_row_is_where_its_lines_leave_it():
    rows = read_journal(FIRST + b"".join(LINES)).rows
    assert (rows[0].ended, rows[0].doubt, rows[0].writes) == (ENTRIES[1], None, 1)
    assert (rows[7].ended, rows[7].doubt, rows[7].writes) == (None, ENTRIES[6], 2)
    assert (rows[2400].ended, rows[2400].doubt) == (ENTRIES[3], ENTRIES[2])
    assert rows[1] == RowState(1, "case_1")


def test_failed_rows_are_reopened_and_what_must_not_be_made_twice_is_not():
    rows = read_journal(FIRST + b"".join(LINES)).rows
    for row in rows:
        row.reopen()
    assert [row.ended for row in (rows[0], rows[8], rows[2400])] == [ENTRIES[1], None, ENTRIES[3]]


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"", "its first lines are missing"),
        (FIRST.splitlines(keepends=True)[0], "its first lines are missing"),
        (FIRST + b"{}\n", "line 5 cannot be read"),
        (FIRST + LINES[0][:20] + b"\n" + LINES[1], "line 5 cannot be read"),
        (FIRST + encode_entry(Ended(2500, "changed")), "line 5 cannot be read"),
        (FIRST + FIRST, "line 5 is out of place"),
        (LINES[0] + FIRST, "line 1 is out of place"),
        (FIRST.replace(b'"version":1', b'"version":2'), "line 1 is out of place"),
        (FIRST + b"\xff\n", "line 5 cannot be read"),
    ],
)
def test_a_damaged_journal_is_refused(data, said):
    with pytest.raises(DamagedJournalError, match=said):
        read_journal(data)


def test_other_files_are_known_for_what_they_are():
    assert is_journal(FIRST)
    assert is_journal(b"")
    assert not is_journal(b"id,status\n")
