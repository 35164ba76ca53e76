"""The report of an export, in words and as JSON."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import attrs
import pytest

from persona_cases.export import AttachmentReport, ExportReport
from persona_cases.export.wording import duration, size

BEGAN = datetime(2026, 1, 2, 3, 4, 5, 678000, tzinfo=UTC)
REPORT = ExportReport(
    cases=123_456,
    pages=1_240,
    size=209_715_200,
    requests=1_251,
    refused=11,
    elapsed=3725.4,
    fetchers=(400, 420, 418),
    snapshot_at=BEGAN,
)


def test_a_report_is_two_lines_of_words():
    assert str(REPORT) == REPORT.text()
    assert REPORT.text("all.jsonl").splitlines() == [
        "exported 123,456 cases in 1,240 pages (209.7 MB) to all.jsonl in 1:02:05",
        "1,251 requests, 11 refused (429); 3 fetchers, 400 to 420 pages each",
    ]
    assert " to all.jsonl" not in str(REPORT)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"refused": 0}, "1,251 requests, none refused (429); 3 fetchers, 400 to 420 pages each"),
        ({"requests": 1, "refused": 0, "fetchers": (1,)}, "1 request, none refused (429); 1 fetcher, 1 page"),
        ({"fetchers": (7, 7)}, "1,251 requests, 11 refused (429); 2 fetchers, 7 pages each"),
        ({"fetchers": ()}, "1,251 requests, 11 refused (429)"),
        (
            {"fetchers": (), "resumed": True},
            "1,251 requests, 11 refused (429); resumed the snapshot of 2026-01-02 03:04 UTC",
        ),
    ],
)
def test_the_second_line_says_what_it_took(change, said):
    assert attrs.evolve(REPORT, **change).text().splitlines()[1] == said


def test_a_report_as_json_has_all_of_it():
    document = REPORT.to_dict()
    assert json.loads(json.dumps(document)) == document
    assert set(document) == {field.name for field in attrs.fields(ExportReport)}
    assert document["snapshot_at"] == "2026-01-02T03:04:05.678Z"
    back = {
        "fetchers": REPORT.fetchers,
        "snapshot_at": datetime.fromisoformat(document["snapshot_at"]),
        "empty_columns": (),
    }
    assert ExportReport(**{**document, **back}) == REPORT


@pytest.mark.parametrize(
    ("number", "words"),
    [(0, "0 bytes"), (999, "999 bytes"), (1000, "1.0 kB"), (2_500_000, "2.5 MB"), (10**13, "10000.0 GB")],
)
def test_sizes_have_a_unit(number, words):
    assert size(number) == words


@pytest.mark.parametrize(
    ("seconds", "words"), [(0, "0.0 s"), (59.94, "59.9 s"), (60, "0:01:00"), (86_399.6, "1 day, 0:00:00")]
)
def test_durations_are_short(seconds, words):
    assert duration(seconds) == words


def test_every_report_shares_its_names():
    for report in (REPORT, AttachmentReport(files=2, missing=1, incomplete=("case_1",))):
        assert {"requests", "refused", "elapsed"} <= {field.name for field in attrs.fields(type(report))}
        assert str(report) == report.text()
        assert json.loads(json.dumps(report.to_dict())) == report.to_dict()


def test_missing_attachments_are_told_by_count_and_by_case():
    files = AttachmentReport(files=2, size=1500, there=1, missing=3, incomplete=("case_1", "case_2"))
    said = "2 attachments (1.5 kB), 1 there already, 3 missing from 2 cases"
    assert attrs.evolve(REPORT, attachments=files).text().splitlines()[2] == said
    assert files.to_dict()["incomplete"] == ["case_1", "case_2"]


def test_columns_without_a_value_are_named():
    some = attrs.evolve(REPORT, empty_columns=("a", "b"))
    assert some.text().splitlines()[2] == "no case has a value in a, b"
    many = attrs.evolve(REPORT, empty_columns=tuple("abcdefg"))
    assert many.text().splitlines()[2] == "no case has a value in a, b, c, d, e and 2 more columns"
    assert many.to_dict()["empty_columns"] == list("abcdefg")
    # Where there is no case, that goes for every column.
    assert len(attrs.evolve(many, cases=0).text().splitlines()) == 2
