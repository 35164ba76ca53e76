"""The pure rooms of mirrors, each by itself."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta

import attrs
import pytest

from persona_cases import DecodeError
from persona_cases.export.columns.cells import as_texts
from persona_cases.mirror import CaseVersion, Forget, Mark, SyncReport, UnfinishedSweep, UnfinishedWalk
from persona_cases.mirror.case_version import Reading
from persona_cases.mirror.listed_windows import ListedWindow, ListedWindows
from persona_cases.mirror.mark import milliseconds
from persona_cases.mirror.meaning import Meaning, meaning_of
from persona_cases.mirror.purging.redacted_rows import Holding, redacted_cells, redacted_line
from persona_cases.mirror.row_changes import change_for, rejection, unwanted_text, vanished
from persona_cases.models import Case
from persona_cases.models.decoding.sound_page import Signs

KNOWN = CaseVersion(created_at=1, updated_at=5, indexed="a")
READ = Reading(created_at=1, updated_at=5, digest="a")


def case(**attributes):
    return Case.from_dict({"type": "case", "id": "case_1", "attributes": attributes})


def test_a_mark_follows_a_walk_and_a_comparison():
    mark = Mark(watermark=0).begin_walk(7, timedelta(seconds=2))
    assert (mark.watermark_time, mark.overlap) == (datetime(1970, 1, 1, tzinfo=UTC), 2000)
    assert (Mark().watermark_time, Mark().overlap, UnfinishedSweep(why="gap").full) == (None, 0, False)
    assert mark.walked_to(3).walk == UnfinishedWalk(since=-2000, head=7, position=3)
    assert Mark().walked_to(3) == Mark().end_walk() == Mark()
    assert Mark().swept_to("case_1", 3) == Mark()
    sweep = Mark().begin_sweep("gap", full=True).swept_to("case_1", 3)
    assert sweep.sweep == UnfinishedSweep(why="gap", full=True, after="case_1", high=3)
    assert sweep.begin_sweep("asked", full=True) == sweep.begin_sweep("asked", full=False) == sweep
    assert sweep.end_sweep() == Mark()
    assert milliseconds(timedelta(seconds=1.5)) == 1500


def test_a_case_is_read():
    made, changed = "2026-01-01T00:00:00.001Z", "2026-01-02T00:00:00.000Z"
    read = Reading.of(case(created_at=made, updated_at=changed), matches=None, fresh=True)
    assert (read.created_at, read.updated_at, read.redacted) == (1_767_225_600_001, 1_767_312_000_000, False)
    assert (read.matches, read.fresh) == (None, True)
    assert read.digest is not None
    sparse = Reading.of(case(created_at=made, redacted_at=changed), matches=True, fresh=False, whole=False)
    assert sparse == Reading(created_at=1_767_225_600_001, updated_at=1_767_225_600_001, redacted=True)
    with pytest.raises(DecodeError) as caught:
        Reading.of(case(updated_at=changed), matches=True, fresh=False)
    assert (caught.value.case_id, caught.value.pointer) == ("case_1", "/attributes/created-at")


def test_a_search_decides_for_the_version_that_it_found():
    unsure, found = attrs.evolve(READ, matches=None, fresh=True), attrs.evolve(READ, matches=False)
    assert unsure.told_by(found).matches is False
    assert unsure.told_by(None).matches is None
    assert unsure.told_by(attrs.evolve(found, updated_at=4)).matches is None
    assert attrs.evolve(unsure, matches=True).told_by(found).matches is True


def test_what_is_remembered_of_a_read():
    assert READ.version(None) == KNOWN
    assert attrs.evolve(READ, digest="b", fresh=True).version(KNOWN) == attrs.evolve(KNOWN, fresh="b")
    assert attrs.evolve(READ, digest=None).version(KNOWN) == KNOWN
    gone = READ.version(KNOWN, gone=True)
    assert (gone.gone, gone.has_copies, READ.version(gone, gone=True).has_copies) == (True, True, True)
    assert not READ.version(None, gone=True).has_copies
    assert not READ.version(attrs.evolve(KNOWN, gone=True), gone=True).has_copies
    assert not attrs.evolve(READ, redacted=True).version(KNOWN, gone=True).had_rows
    assert (KNOWN.has_copies, KNOWN.departed().has_copies) == (False, True)
    assert not attrs.evolve(KNOWN.departed(), redacted=True).has_copies


def test_equal_times_are_no_news():
    assert meaning_of(READ, KNOWN) is Meaning.UNCHANGED
    assert meaning_of(attrs.evolve(READ, digest="b"), KNOWN) is Meaning.DOUBTFUL
    gone = attrs.evolve(KNOWN, gone=True)
    assert meaning_of(READ, gone) is Meaning.IGNORED
    assert meaning_of(attrs.evolve(READ, digest="b"), gone) is Meaning.DOUBTFUL
    assert meaning_of(attrs.evolve(READ, updated_at=6), gone) is Meaning.ADDED
    assert meaning_of(attrs.evolve(READ, updated_at=6, matches=False), gone) is Meaning.IGNORED


def test_a_search_may_show_what_the_case_itself_showed():
    known = attrs.evolve(KNOWN, fresh="f")
    assert meaning_of(attrs.evolve(READ, digest="f"), known) is Meaning.UNCHANGED
    assert meaning_of(attrs.evolve(READ, digest="f", updated_at=4), known) is Meaning.DOUBTFUL


def test_a_search_does_not_undo_a_redaction():
    known, newer = attrs.evolve(KNOWN, redacted=True), attrs.evolve(READ, updated_at=9, digest="b")
    assert meaning_of(newer, known) is Meaning.UNCHANGED
    assert meaning_of(newer, attrs.evolve(known, gone=True)) is Meaning.IGNORED
    assert meaning_of(attrs.evolve(newer, redacted=True), known) is Meaning.UPDATED
    left = attrs.evolve(newer, fresh=True, matches=False, redacted=True)
    assert change_for("case_1", b"{}", left, attrs.evolve(known, gone=True), Meaning.IGNORED) is None


def test_a_page_of_the_list_completes_a_window():
    windows = ListedWindows()
    assert windows.add([], last=False) is None
    window = windows.add([("case_1", Reading(created_at=9, updated_at=9)), ("case_2", READ)], last=False)
    assert window == ListedWindow(2, None, frozenset({"case_1"}))
    assert windows.add([], last=True) == ListedWindow(None, 2, frozenset({"case_2"}))


def test_a_fresh_case_that_does_not_match_is_remembered_from_the_floor_on():
    fresh = attrs.evolve(READ, fresh=True, matches=False)
    for floor, kept in ((None, True), (5, True), (6, False)):
        change = change_for("case_1", b"{}", fresh, None, Meaning.IGNORED, floor=floor)
        assert (change is not None) == kept
    assert change_for("case_1", b"{}", attrs.evolve(fresh, fresh=False), None, Meaning.IGNORED) is None
    assert change_for("case_1", b"{}", attrs.evolve(fresh, matches=None), None, Meaning.IGNORED) is None
    assert change_for("case_1", b"{}", fresh, fresh.version(None, gone=True), Meaning.IGNORED) is None
    assert change_for("case_1", b"{}", READ, KNOWN, Meaning.UNCHANGED) is None


def test_a_text_that_does_not_match_has_no_rows_and_leaves_no_copies():
    aside = rejection("case_1", b"{", "not JSON", Signs(redacted=False), KNOWN)
    assert aside is not None
    assert aside.version.had_rows
    departed = KNOWN.departed()
    again = rejection("case_1", b"{", "not JSON", Signs(redacted=False), departed)
    assert again is not None
    assert again.version.had_rows
    new = rejection("case_1", b"{", "not JSON", Signs(redacted=False), attrs.evolve(KNOWN, gone=True))
    assert new is not None
    assert not new.version.had_rows
    assert unwanted_text("case_1", Signs(), None) is None
    assert unwanted_text("case_1", Signs(redacted=False), departed) is None
    for known, signs, is_news, erase in (
        (KNOWN, Signs(redacted=False), True, False),
        (KNOWN, Signs(), True, True),
        (departed, Signs(redacted=True), False, True),
        (aside.version, Signs(redacted=False), False, False),
    ):
        change = unwanted_text("case_1", signs, known)
        assert isinstance(change, Forget)
        assert (change.departed, change.erase) == (is_news, erase)
        assert change.version is not None
        assert (change.version.gone, change.version.set_aside, change.version.redacted) == (True, False, erase)
    gone = vanished("case_1", KNOWN)
    assert isinstance(gone, Forget)
    assert gone.departed
    unknown = rejection("case_1", b"{", "not JSON", Signs(), None)
    assert unknown is not None
    assert unknown.version.updated_at == 0
    assert vanished("case_1", None) is None
    assert vanished("case_1", departed) is None


REPORT = SyncReport(
    added=1200, updated=2, unchanged=3, redacted=4, departed=5, requests=1, elapsed=1.23456, watermark=None
)


def test_a_report_tells_everything():
    assert str(REPORT) == "1,200 added, 2 updated, 3 unchanged, 4 redacted, 5 departed: 1 request in 1.2 s"
    gap = attrs.evolve(REPORT, reconciled="gap", rejected=2, watermark=datetime(2026, 1, 1, tzinfo=UTC))
    assert str(gap).endswith(
        "; reconciled because searches had missed changes; set aside 2 cases that could not be decoded"
    )
    assert str(attrs.evolve(REPORT, reconciled="asked")).endswith("s; reconciled")
    assert REPORT.to_dict()["watermark"] is None
    told = json.loads(json.dumps(gap.to_dict()))
    assert (told["watermark"], told["elapsed"], told["rejected"]) == ("2026-01-01T00:00:00.000Z", 1.235, 2)
    assert (told["reconciled"], told["resumed"]) == ("gap", False)


NOW = b'{"type":"case","id":"case_1","attributes":{"status":"open","created_at":"2026-01-01T00:00:00Z","fields":{}},%s}'
NOW %= b'"relationships":{"case_queue":{"data":{"type":"case-queue","id":"cqueue_1"}}}'


def test_the_row_of_a_redacted_case_has_no_custom_fields():
    names = ["id", "status", "case_queue_id", "fields.notes", "extra.new"]
    before = ["case_1", "pending", "", "called at noon", "7"]
    assert redacted_cells(NOW, before, names, as_texts) == ["case_1", "open", "cqueue_1", None, None]
    assert redacted_cells(NOW, ["called at noon"], ["fields_notes"], as_texts) == [None]
    assert Holding(frozenset()).unreadable == 0


@pytest.mark.parametrize(
    ("before", "names", "related"),
    [
        (b'{"id":"case_1","attributes":{"status":"x","createdAt":1e400,"old":1}}', {"status", "created_at"}, False),
        (b'{"id":"case_1","attributes":{"created-at":1},"relationships":{"case_queue":1}}', {"created_at"}, True),
        (b'{"id":"case_1","attributes":7}', set(), False),
        (b'{"id":"case_1"}', set(), False),
    ],
)
def test_the_line_of_a_redacted_case_has_no_more_than_before(before, names, related):
    line = json.loads(redacted_line(NOW, before))
    assert line["attributes"].keys() == names
    assert line.get("relationships", {}).keys() == ({"case_queue"} if related else set())
    assert ("relationships" in line) == related
