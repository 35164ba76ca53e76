"""Values at the edge of what a format can hold come out as they went in, in every format."""

from __future__ import annotations

import csv
import json
import sqlite3
import sys
import tempfile
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from lines_of_cases import columns_of, make_line, write_table

from persona_cases.export.columns.column import FIXED
from persona_cases.export.columns.types import TIME, ColumnKind

MOMENTS = (
    "0001-01-01T00:00:00+14:00",
    "0001-01-01T00:00:00Z",
    "0001-01-01T00:00:00.000001-14:00",
    "1969-12-31T23:59:59.999999Z",
    "2025-12-31T23:59:59.123456+05:30",
    "9999-12-31T23:59:59.999999Z",
    "9999-12-31T23:59:59-14:00",
)
TEXTS = (
    *MOMENTS,
    "10000-01-01T00:00:00Z",
    "-0001-01-01",
    "\0",
    "a\0b",
    "",
    '"',
    ",\r\n",
    "\uffff",
    "\U0010ffff",
    "=1+1",
)
NUMBERS = (2**53, 2**53 + 1, 2**63 - 1, 2**63, -(2**63), -(2**63) - 1, 10**30, 0.1, 1e308, 5e-324, -0.0, 1e16)
KEYS = ("a", "", "\0", '"', "x\ny", "raw", "A")
WORDS = ("date", "datetime", "integer", "number", "string", "boolean", "hash")

scalars = st.sampled_from((*TEXTS, *NUMBERS, None, True))
values = scalars | st.lists(scalars, max_size=3)
fields = st.dictionaries(
    st.sampled_from(KEYS),
    values | st.builds(lambda word, value: {"type": word, "value": value}, st.sampled_from(WORDS), values),
    max_size=4,
)
times = st.fixed_dictionaries(
    {"created_at": st.sampled_from(MOMENTS)},
    optional={name: st.sampled_from(MOMENTS) for name in ("updated_at", "sla_expires_at")},
)
worlds = st.lists(st.tuples(times, fields), min_size=1, max_size=6)
FORMATS = ("csv", "parquet", "sqlite")


@pytest.fixture(scope="module")
def directory():
    with tempfile.TemporaryDirectory() as path:
        yield Path(path)


def read(path):
    """The rows of a file, by the names of the columns, as what the format makes of cells."""
    match path.suffix:
        case ".csv":
            with path.open(encoding="utf-8", newline="") as file:
                # Python before 3.11.4 refuses NUL in CSV.
                return list(csv.DictReader(file))
        case ".parquet":
            return pytest.importorskip("pyarrow.parquet").read_table(path).to_pylist()
        case _:
            with closing(sqlite3.connect(path)) as database:
                database.row_factory = sqlite3.Row
                return [dict(row) for row in database.execute("SELECT * FROM cases ORDER BY rowid")]


def moment_in(cell):
    return cell if isinstance(cell, datetime) else datetime.fromisoformat(cell)


@pytest.mark.parametrize("ending", FORMATS)
@given(world=worlds)
@example(world=[({"created_at": moment}, {}) for moment in MOMENTS])
@settings(max_examples=40, deadline=None)
def test_every_case_is_there_with_its_times(directory, ending, world):
    if ending == "parquet":
        pytest.importorskip("pyarrow")
    csv.field_size_limit(sys.maxsize)
    lines = [make_line(number, fields=each, attributes=when) for number, (when, each) in enumerate(world)]
    rows = read(write_table(directory / f"cases.{ending}", lines))
    assert [row["id"] for row in rows] == [f"case_{number:06}" for number in range(len(world))]
    for row, (when, _) in zip(rows, world, strict=True):
        for name, sent in when.items():
            assert moment_in(row[name]) == datetime.fromisoformat(sent)


@given(world=worlds)
@settings(max_examples=40, deadline=None)
def test_a_database_has_each_field_as_it_was_sent(directory, world):
    lines = [make_line(number, fields=each, attributes=when) for number, (when, each) in enumerate(world)]
    path = write_table(directory / "fields.sqlite", lines, columns_of(lines, raw=True))
    with closing(sqlite3.connect(path)) as database:
        stored = database.execute("SELECT case_id, key, value FROM fields").fetchall()
        raw = [row[0].encode() for row in database.execute("SELECT raw FROM cases ORDER BY rowid")]
    assert raw == lines
    sent = {
        (f"case_{number:06}", key): each["value"] if isinstance(each, dict) else each
        for number, (_, many) in enumerate(world)
        for key, each in many.items()
    }
    assert {(case, key) for case, key, _ in stored} == sent.keys()
    for case, key, value in stored:
        expected = sent[case, key]
        as_json = isinstance(expected, list) or (isinstance(expected, int) and not -(2**63) <= expected < 2**63)
        assert (json.loads(value) if as_json else value) == expected


@pytest.mark.parametrize("moment", [moment for moment in MOMENTS if moment[:4] in {"0001", "9999"}])
def test_a_column_that_could_not_hold_a_time_is_text(moment):
    lines = [make_line(1, attributes={"created_at": moment}), make_line(2, attributes={"created_at": MOMENTS[4]})]
    (column,) = (column for column in columns_of(lines) if column.name == "created_at")
    try:
        datetime.fromisoformat(moment).astimezone(UTC)
    except OverflowError:
        assert column.type.kind is ColumnKind.TEXT
    else:
        assert column.type == TIME
    others = {each.name for each in FIXED if each.type == TIME} - {"created_at"}
    assert all(each.type == TIME for each in columns_of(lines) if each.name in others)
