"""Files of random fields hold what the cells are."""

from __future__ import annotations

import sqlite3
import tempfile
from contextlib import closing
from pathlib import Path

import msgspec
import pytest
from hypothesis import given, settings
from lines_of_cases import columns_of, write_table
from test_columns import lines_with, many_fields

from persona_cases.export.columns.batch import BatchReader
from persona_cases.export.columns.cells import as_values
from persona_cases.export.columns.types import ColumnKind
from persona_cases.models import Case


@pytest.fixture(scope="module")
def directory():
    with tempfile.TemporaryDirectory() as path:
        yield Path(path)


@given(many=many_fields)
@settings(max_examples=50)
def test_parquet(directory, many):
    parquet = pytest.importorskip("pyarrow.parquet", reason="Parquet needs the extra parquet")
    lines = lines_with(many)
    columns = columns_of(lines)
    found = parquet.read_table(write_table(directory / "cases.parquet", lines)).to_pylist()
    batch = BatchReader().read(lines)
    cells = {column.name: as_values(column.type)(batch.column(column.name)) for column in columns}
    assert found == [{name: plain(values[number]) for name, values in cells.items()} for number in range(len(lines))]


def plain(cell):
    return list(cell) if isinstance(cell, tuple) else cell


@given(many=many_fields)
@settings(max_examples=50)
def test_the_fields_of_a_database(directory, many):
    lines = lines_with(many)
    with closing(sqlite3.connect(write_table(directory / "cases.db", lines))) as database:
        stored = database.execute("SELECT case_id, key, value FROM fields").fetchall()
    cases = [Case.from_dict(msgspec.json.decode(line)) for line in lines]
    expected = {(case.id, key): value for case in cases for key, value in case.fields.items()}
    assert {(case_id, key) for case_id, key, _ in stored} == expected.keys()
    for case_id, key, value in stored:
        assert same(value, expected[case_id, key])


def same(stored, sent):
    if isinstance(sent, list | dict) or (isinstance(sent, int) and not -(2**63) <= sent < 2**63):
        return isinstance(stored, str) and msgspec.json.decode(stored) == sent
    return stored == sent


@given(many=many_fields)
@settings(max_examples=50)
def test_the_columns_of_a_database(directory, many):
    lines = lines_with(many)
    columns = [
        column
        for column in columns_of(lines)
        if column.type.kind in {ColumnKind.INTEGER, ColumnKind.NUMBER, ColumnKind.BOOLEAN}
    ]
    with closing(sqlite3.connect(write_table(directory / "cases.db", lines))) as database:
        for column in columns:
            name = column.name.replace('"', '""')
            cells = [cell for (cell,) in database.execute(f'SELECT "{name}" FROM cases ORDER BY rowid')]
            sent = BatchReader().read(lines).column(column.name)
            assert column.type.many or cells == sent
