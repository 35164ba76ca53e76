"""What a read means: over all orders in which a case may be read."""

from __future__ import annotations

import attrs
from hypothesis import given
from hypothesis import strategies as st

from persona_cases.mirror import CaseVersion, Forget, Put, Remember
from persona_cases.mirror.case_version import Reading, digest_of
from persona_cases.mirror.meaning import Meaning, meaning_of
from persona_cases.mirror.row_changes import change_for, confirmed, rejection, vanished
from persona_cases.models.decoding.sound_page import Signs

LIVES = st.lists(st.tuples(st.integers(-3, 50), st.booleans(), st.booleans()), min_size=1, max_size=6)
"""The versions of a case: how much later than the one before, whether it matches, whether its content changes."""


def versions(life, redacted_from: int):
    """What reads of each version tell, in the order in which the case had them."""
    readings, at = [], 1000
    for number, (step, matches, _) in enumerate(life):
        at += step
        readings.append(
            Reading(
                created_at=900, updated_at=at, redacted=number >= redacted_from, digest=f"v{number}", matches=matches
            )
        )
    return readings


class Row:
    """One case of a mirror, as a sync would write it."""

    def __init__(self) -> None:
        self.known: CaseVersion | None = None
        self.content: str | None = None
        self.written: list[Meaning] = []

    def read(self, reading: Reading, now: Reading) -> Meaning:
        meaning = meaning_of(reading, self.known)
        before = self.known
        if meaning is Meaning.DOUBTFUL:
            before = None if before is None else before.seen_by_index(reading.digest)
            reading = attrs.evolve(now, fresh=True)
            meaning = meaning_of(reading, self.known)
        assert meaning is not Meaning.DOUBTFUL
        change = change_for("case_1", (reading.digest or "").encode(), reading, before, meaning)
        if change is None and before != self.known and before is not None:
            change = confirmed("case_1", before)
        match change:
            case Put():
                self.known, self.content = change.version, change.line.decode()
            case Forget():
                self.known, self.content = change.version, None
            case Remember():
                self.known = change.version
        self.written += [meaning] if change is not None else []
        return meaning


@given(LIVES, st.integers(0, 7), st.lists(st.tuples(st.integers(0, 5), st.booleans()), max_size=12))
def test_once_the_index_has_caught_up_the_row_is_as_the_case_is(life, redacted_from, order):
    told, row, seen = versions(life, redacted_from), Row(), 0
    for version, fresh in order:
        seen = max(seen, min(version, len(told) - 1))
        shown = told[seen] if fresh else told[min(version, seen)]
        row.read(attrs.evolve(shown, fresh=fresh), told[seen])
    now = told[-1]
    row.read(now, now)
    if row.known is not None and now.updated_at <= row.known.updated_at:
        # Behind a clock that went back: what the list shows decides.
        row.read(attrs.evolve(now, fresh=True), now)
    assert row.content == (now.digest if now.matches else None)


@given(LIVES, st.integers(0, 7), st.lists(st.tuples(st.integers(0, 5), st.booleans()), max_size=12))
def test_what_is_redacted_never_comes_back(life, redacted_from, order):
    told, row, redacted = versions(life, redacted_from), Row(), False
    for version, fresh in order:
        shown = told[min(version, len(told) - 1)]
        if redacted and fresh and not shown.redacted:
            # The case itself is never again as it was.
            continue
        row.read(attrs.evolve(shown, fresh=fresh), told[-1])
        known = row.known
        redacted = redacted or (known is not None and known.redacted)
        if redacted and row.content is not None:
            assert int(row.content[1:]) >= redacted_from


@given(LIVES, st.booleans())
def test_a_second_read_of_the_same_changes_nothing(life, fresh):
    row = Row()
    for reading in versions(life, 99):
        row.read(attrs.evolve(reading, fresh=fresh), reading)
        row.written.clear()
        assert row.read(attrs.evolve(reading, fresh=fresh), reading) in {Meaning.UNCHANGED, Meaning.IGNORED}
        assert row.written == []


def test_two_changes_in_one_millisecond_are_both_seen():
    row, one = Row(), Reading(created_at=1, updated_at=5, digest="a")
    two = attrs.evolve(one, digest="b")
    assert row.read(one, one) is Meaning.ADDED
    assert row.read(two, two) is Meaning.UPDATED
    assert row.content == "b"


def test_searches_and_the_case_itself_may_write_the_same_in_two_ways():
    row, search = Row(), Reading(created_at=1, updated_at=5, digest="flat")
    itself = attrs.evolve(search, digest="wrapped", fresh=True)
    row.read(itself, itself)
    assert meaning_of(search, row.known) is Meaning.DOUBTFUL
    assert row.read(search, itself) is Meaning.UNCHANGED
    assert meaning_of(search, row.known) is Meaning.UNCHANGED
    assert meaning_of(itself, row.known) is Meaning.UNCHANGED


def test_a_search_for_what_does_not_match_tells_of_versions_it_knows():
    known = CaseVersion(created_at=1, updated_at=5, indexed="a")
    gone = Reading(created_at=1, updated_at=5, matches=False)
    assert meaning_of(gone, known) is Meaning.DEPARTED
    # An older version, or a clock that was set back.
    assert meaning_of(attrs.evolve(gone, updated_at=4), known) is Meaning.DOUBTFUL
    assert meaning_of(attrs.evolve(gone, updated_at=4, matches=True), known) is Meaning.UNCHANGED
    assert meaning_of(attrs.evolve(gone, updated_at=6), known) is Meaning.DEPARTED
    assert meaning_of(gone, None) is Meaning.IGNORED


def test_a_departed_case_is_erased_when_it_is_redacted():
    row, case = Row(), Reading(created_at=1, updated_at=5, digest="a")
    row.read(case, case)
    left = attrs.evolve(case, updated_at=6, matches=False)
    assert row.read(left, left) is Meaning.DEPARTED
    assert row.known is not None
    assert row.known.has_copies
    redacted = attrs.evolve(left, updated_at=9, redacted=True, digest="c")
    change = change_for("case_1", b"{}", redacted, row.known, Meaning.IGNORED, floor=100)
    assert isinstance(change, Forget)
    assert change.erase
    assert change.version is not None
    assert not change.version.has_copies
    assert change_for("case_1", b"{}", redacted, change.version, Meaning.IGNORED, floor=100) is None
    assert change_for("case_1", b"{}", redacted, None, Meaning.IGNORED, floor=5) is None
    # If it matches again, it is redacted, and not added.
    for fresh in (False, True):
        assert meaning_of(attrs.evolve(redacted, matches=True, fresh=fresh), row.known) is Meaning.REDACTED
        assert meaning_of(attrs.evolve(redacted, matches=True, fresh=fresh), None) is Meaning.ADDED


def test_a_case_that_was_set_aside_comes_back_by_a_whole_fresh_read_alone():
    aside = rejection("case_1", b"{", "not JSON", Signs(redacted=False), CaseVersion(created_at=3, updated_at=4))
    assert aside is not None
    known = aside.version
    assert (aside.erase, known.created_at, known.updated_at, known.gone, known.has_copies) == (False, 3, 4, True, True)
    assert rejection("case_1", b"{", "not JSON", Signs(redacted=False), known) is None
    assert rejection("case_1", b"{{", "not JSON", Signs(redacted=False), known) is not None
    whole = Reading(created_at=3, updated_at=9, digest="a", fresh=True)
    assert meaning_of(whole, known) is Meaning.ADDED
    assert meaning_of(attrs.evolve(whole, redacted=True), known) is Meaning.REDACTED
    for doubtful in (attrs.evolve(whole, fresh=False), attrs.evolve(whole, digest=None, matches=False)):
        assert meaning_of(doubtful, known) is Meaning.DOUBTFUL
    for redacted in (False, True):
        left = attrs.evolve(whole, matches=False, redacted=redacted)
        assert meaning_of(left, known) is Meaning.IGNORED
        change = change_for("case_1", b"{}", left, known, Meaning.IGNORED, floor=100)
        assert isinstance(change, Forget)
        assert change.erase == redacted
        assert change.version is not None
        assert not change.version.set_aside
    gone = vanished("case_1", known)
    assert isinstance(gone, Forget)
    assert vanished("case_1", gone.version) is None


def test_what_nobody_can_read_may_be_redacted():
    for signs, erase in ((Signs(), True), (Signs(redacted=True), True), (Signs(redacted=False, created_at=1), False)):
        aside = rejection("case_1", b"{", "not JSON", signs, None)
        assert aside is not None
        assert (aside.erase, aside.version.created_at) == (erase, signs.created_at or 0)
    assert rejection("case_1", b"{", "not JSON", Signs(updated_at=7), None).version.updated_at == 7


def test_signatures_of_files_are_no_content():
    signed = b'{"url":"https://files.example/a.png?access_token=%s","n":%s}'
    assert digest_of(signed % (b"abc", b"1")) == digest_of(signed % (b"xyz&v=2", b"1"))
    assert digest_of(signed % (b"abc", b"1")) != digest_of(signed % (b"abc", b"2"))
