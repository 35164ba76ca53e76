"""The files of each format, read back by those who know the format."""

from __future__ import annotations

import csv
import gzip
import hashlib
import io
import sqlite3
import sys
from contextlib import closing
from datetime import UTC, date, datetime
from itertools import product

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from lines_of_cases import LinesToFile, columns_of, make_line, write_table

from persona_cases import InvalidArgumentError
from persona_cases.export import Column
from persona_cases.export.columns.titles import titled
from persona_cases.export.columns.types import TEXT
from persona_cases.export.formats import packages
from persona_cases.export.formats.opening import open_table
from persona_cases.export.formats.packages import check_available
from persona_cases.export.formats.target import Target
from persona_cases.export.sinks import AtomicFile

RICH = {
    "flag": {"type": "boolean", "value": True},
    "count": {"type": "integer", "value": 2**60},
    "amount": {"type": "number", "value": 0.1},
    "day": {"type": "date", "value": "2025-12-31"},
    "moment": {"type": "datetime", "value": "2025-12-31T12:00:00.123456+01:00"},
    "text": {"type": "string", "value": 'say "hi",\r\nthen go'},
    "choices": {"type": "multi_choices", "value": ["a|b", "c,d"]},
    "hash": {"type": "hash", "value": {"city": {"type": "string", "value": "Zürich"}}},
    "huge": {"type": "integer", "value": 10**25},
    "empty": {"type": "string", "value": ""},
}
TIMES = {"created_at": "2025-01-02T03:04:05.678Z", "updated_at": "2025-01-02T03:04:05.678901Z", "tags": ["x", "y"]}
LINKS = {
    "accounts": {"data": [{"type": "account", "id": "act_1"}, {"type": "account", "id": "act_2"}]},
    "reports": {"data": [{"type": "report/watchlist", "id": "rep_1"}]},
    "case_queue": {"data": None},
    "case_template": {"data": {"type": "case-template", "id": "ctmpl_1"}},
    "inquiries": {"data": []},
}
LINES = [
    make_line(1, fields=RICH, attributes={**TIMES, "newer": {"a": 1}}, relationships=LINKS),
    make_line(2),
    *(make_line(number, fields={"amount": {"type": "number", "value": number}}) for number in range(3, 9)),
]
ZSTD = "compression.zstd" if sys.version_info >= (3, 14) else "backports.zstd"
FORMATS = ["cases.csv", "cases.csv.gz", "cases.csv.zst", "cases.parquet", "cases.sqlite", "cases.jsonl.gz"]


def needs(name):
    """Skip a test of a format whose package is not there."""
    if name.endswith(".parquet"):
        pytest.importorskip("pyarrow", reason="Parquet needs the extra parquet")
    if name.endswith(".zst"):
        try:
            packages.zstd()
        except InvalidArgumentError:
            pytest.skip("zstd needs the extra zstd")


def rows_of(path):
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file, strict=True))


def parquet_of(path):
    return pytest.importorskip("pyarrow.parquet", reason="Parquet needs the extra parquet").ParquetFile(path)


def query(path, statement, *values):
    with closing(sqlite3.connect(path)) as database:
        return database.execute(statement, values).fetchall()


def test_a_csv_file(tmp_path):
    path = write_table(tmp_path / "cases.csv", LINES)
    first, second, third, *_ = rows_of(path)
    assert list(first) == [column.name for column in columns_of(LINES)]
    filled = {name: cell for name, cell in first.items() if cell}
    assert filled == {
        "id": "case_000001",
        "status": "open",
        "created_at": "2025-01-02T03:04:05.678Z",
        "updated_at": "2025-01-02T03:04:05.678901Z",
        "tags": '["x","y"]',
        "account_ids": '["act_1","act_2"]',
        "case_template_id": "ctmpl_1",
        "inquiry_ids": "[]",
        "report_ids": '["rep_1"]',
        "fields.flag": "true",
        "fields.count": str(2**60),
        "fields.amount": "0.1",
        "fields.day": "2025-12-31",
        "fields.moment": "2025-12-31T11:00:00.123456Z",
        "fields.text": 'say "hi",\r\nthen go',
        "fields.choices": '["a|b","c,d"]',
        "fields.hash": '{"city":"Zürich"}',
        "fields.huge": str(10**25),
        "extra.newer": '{"a":1}',
    }
    assert {name: cell for name, cell in second.items() if cell} == {"id": "case_000002", "status": "open"}
    assert third["fields.amount"] == "3"


@given(st.lists(st.text(st.characters(codec="utf-8")), min_size=1))
def test_any_text_can_be_in_csv(texts):
    lines = [make_line(number, fields={"a": text}) for number, text in enumerate(texts)]
    output = Stream()
    sink = LinesToFile(Target.of("x.csv"), output, columns_of(lines, ["fields.a"]))
    sink.write(lines)
    sink.commit()
    rows = list(csv.reader(io.StringIO(b"".join(output.pieces).decode(), newline=""), strict=True))
    assert rows[1:] == [[f"case_{number:06}", text] for number, text in enumerate(texts)]


def test_in_csv_null_and_the_empty_text_differ(tmp_path):
    lines = [make_line(1, fields={"a": ""}), make_line(2, fields={"a": None})]
    path = write_table(tmp_path / "cases.csv", lines, columns_of(lines, ["fields.a"]))
    assert path.read_bytes() == b'id,fields.a\r\ncase_000001,""\r\ncase_000002,\r\n'


def test_a_parquet_file(tmp_path):
    path = tmp_path / "cases.parquet"
    needs(path.name)
    file = parquet_of(write_table(path, LINES))
    schema = {field.name: str(field.type) for field in file.schema_arrow}
    assert list(schema) == [column.name for column in columns_of(LINES)]
    assert {name.removeprefix("fields."): schema[name] for name in schema if name.startswith("fields.")} == {
        "amount": "double",
        "choices": "list<element: string>",
        "count": "int64",
        "day": "date32[day]",
        "empty": "string",
        "flag": "bool",
        "hash": "string",
        "huge": "string",
        "moment": "timestamp[us, tz=UTC]",
        "text": "string",
    }
    assert schema["created_at"] == "timestamp[us, tz=UTC]"
    first, second, *_ = file.read().to_pylist()
    assert {name: value for name, value in first.items() if value is not None} == {
        "id": "case_000001",
        "status": "open",
        "created_at": datetime(2025, 1, 2, 3, 4, 5, 678_000, tzinfo=UTC),
        "updated_at": datetime(2025, 1, 2, 3, 4, 5, 678_901, tzinfo=UTC),
        "tags": ["x", "y"],
        "account_ids": ["act_1", "act_2"],
        "case_template_id": "ctmpl_1",
        "inquiry_ids": [],
        "report_ids": ["rep_1"],
        "fields.flag": True,
        "fields.count": 2**60,
        "fields.amount": 0.1,
        "fields.day": date(2025, 12, 31),
        "fields.moment": datetime(2025, 12, 31, 11, 0, 0, 123_456, tzinfo=UTC),
        "fields.text": 'say "hi",\r\nthen go',
        "fields.choices": ["a|b", "c,d"],
        "fields.hash": '{"city":"Zürich"}',
        "fields.huge": str(10**25),
        "fields.empty": "",
        "extra.newer": '{"a":1}',
    }
    assert {name: value for name, value in second.items() if value is not None} == {
        "id": "case_000002",
        "status": "open",
    }


def test_parquet_comes_in_row_groups_of_bounded_size(tmp_path):
    path = tmp_path / "cases.parquet"
    needs(path.name)
    many = [make_line(number) for number in range(25_000)]
    footer = parquet_of(write_table(path, many, columns_of(many[:1], ["status"]), size=1000)).metadata
    assert [footer.row_group(number).num_rows for number in range(footer.num_row_groups)] == [10_000, 10_000, 5_000]
    assert {footer.row_group(0).column(number).compression for number in range(2)} == {"ZSTD"}
    large = [make_line(number, fields={"a": "x" * 20_000_000}) for number in range(3)]
    footer = parquet_of(write_table(path, large, columns_of(large, ["status"]))).metadata
    assert [footer.row_group(number).num_rows for number in range(footer.num_row_groups)] == [2, 1]


def test_a_database(tmp_path):
    path = write_table(tmp_path / "cases.sqlite", LINES)
    [names] = zip(*query(path, "SELECT name FROM pragma_table_info('cases')"), strict=True)
    assert list(names) == [column.name for column in columns_of(LINES)]
    [first] = query(path, "SELECT * FROM cases WHERE id = 'case_000001'")
    filled = {name: cell for name, cell in zip(names, first, strict=True) if cell is not None}
    assert filled == {
        "id": "case_000001",
        "status": "open",
        "created_at": "2025-01-02T03:04:05.678Z",
        "updated_at": "2025-01-02T03:04:05.678901Z",
        "tags": '["x","y"]',
        "account_ids": '["act_1","act_2"]',
        "case_template_id": "ctmpl_1",
        "inquiry_ids": "[]",
        "report_ids": '["rep_1"]',
        "fields.flag": 1,
        "fields.count": 2**60,
        "fields.amount": 0.1,
        "fields.day": "2025-12-31",
        "fields.moment": "2025-12-31T11:00:00.123456Z",
        "fields.text": 'say "hi",\r\nthen go',
        "fields.choices": '["a|b","c,d"]',
        "fields.hash": '{"city":"Zürich"}',
        "fields.huge": str(10**25),
        "fields.empty": "",
        "extra.newer": '{"a":1}',
    }


def test_a_database_has_a_row_for_each_field_and_each_relationship(tmp_path):
    path = write_table(tmp_path / "cases.db", [*LINES, make_line(99, fields={"bare": 7, "unset": None})])
    found = query(path, "SELECT key, type, value FROM fields WHERE case_id = 'case_000001' ORDER BY key")
    assert found == [
        ("amount", "number", 0.1),
        ("choices", "multi_choices", '["a|b","c,d"]'),
        ("count", "integer", 2**60),
        ("day", "date", "2025-12-31"),
        ("empty", "string", ""),
        ("flag", "boolean", 1),
        ("hash", "hash", '{"city":"Zürich"}'),
        ("huge", "integer", str(10**25)),
        ("moment", "datetime", "2025-12-31T12:00:00.123456+01:00"),
        ("text", "string", 'say "hi",\r\nthen go'),
    ]
    assert query(path, "SELECT key, type, value FROM fields WHERE case_id = 'case_000099' ORDER BY key") == [
        ("bare", None, 7),
        ("unset", None, None),
    ]
    assert query(path, "SELECT case_id FROM fields WHERE key = 'amount' AND value > 5") == [
        (f"case_{number:06}",) for number in (6, 7, 8)
    ]
    assert query(path, "SELECT * FROM relationships ORDER BY name, id") == [
        ("case_000001", "accounts", "account", "act_1"),
        ("case_000001", "accounts", "account", "act_2"),
        ("case_000001", "case_template", "case-template", "ctmpl_1"),
        ("case_000001", "reports", "report/watchlist", "rep_1"),
    ]


@pytest.mark.parametrize(
    ("statement", "index"),
    [
        ("SELECT id FROM cases WHERE created_at > '2025'", "cases_by_created_at"),
        ("SELECT id FROM cases WHERE status = 'open'", "cases_by_status"),
        ("SELECT case_id FROM fields WHERE key = 'amount' AND value > 5", "fields_by_value"),
        ("SELECT case_id FROM relationships WHERE id = 'act_1'", "relationships_by_id"),
        ("SELECT value FROM fields WHERE case_id = 'case_000001'", "fields_by_case"),
        ("SELECT id FROM relationships WHERE case_id = 'case_000001'", "relationships_by_case"),
        ("SELECT status FROM cases WHERE id = 'case_000001'", "sqlite_autoindex_cases_1"),
    ],
)
def test_the_questions_that_are_asked_most_have_an_index(tmp_path, statement, index):
    path = write_table(tmp_path / "cases.db", LINES)
    [(*_, plan)] = query(path, f"EXPLAIN QUERY PLAN {statement}")
    assert index in plan


def test_names_that_sqlite_does_not_tell_apart_are_numbered(tmp_path):
    fields = {"risk": 1, "Risk": 2, "RISK": 3, "Risk (2)": 4, 'a"b': 5, "nul\0": 6}
    path = write_table(tmp_path / "cases.db", [make_line(1, fields=fields)])
    found = query(path, "SELECT name FROM pragma_table_info('cases') WHERE name LIKE 'fields.%'")
    assert [name.removeprefix("fields.") for (name,) in found] == [
        "RISK",
        "Risk (2)",
        "Risk (2) (2)",
        'a"b',
        "nul\ufffd",
        "risk (3)",
    ]
    assert dict(query(path, "SELECT key, value FROM fields")) == fields


def test_more_fields_than_a_table_has_columns_are_all_in_the_other_table(tmp_path):
    fields = {f"key_{number:05}": number for number in range(3000)}
    lines = [make_line(1, fields=fields)]
    path = write_table(tmp_path / "cases.db", lines, columns_of(lines, raw=True))
    assert query(path, "SELECT count(*) FROM pragma_table_info('cases')")[0][0] <= 2000
    assert query(path, "SELECT raw FROM cases") == [(lines[0].decode(),)]
    assert dict(query(path, "SELECT key, value FROM fields")) == fields


def test_a_case_that_comes_twice_is_in_a_database_once(tmp_path):
    # Twice among the cases that are inserted together, and again among the next ones.
    again = make_line(1, fields={"a": 2, "b": 3}, relationships=LINKS)
    lines = [make_line(1, fields={"a": 1}), again, *map(make_line, range(2, 150)), again, make_line(150)]
    path = write_table(tmp_path / "cases.db", lines, columns_of(lines, raw=True))
    assert query(path, "SELECT id FROM cases ORDER BY rowid") == [(f"case_{number:06}",) for number in range(1, 151)]
    assert query(path, "SELECT raw FROM cases WHERE id = 'case_000001'") == [(lines[0].decode(),)]
    assert query(path, "SELECT key, value FROM fields") == [("a", 1)]
    assert query(path, "SELECT count(*) FROM relationships") == [(0,)]


def test_an_object_that_a_case_names_twice_is_in_a_database_once(tmp_path):
    account = {"type": "account", "id": "act_1"}
    path = write_table(tmp_path / "cases.db", [make_line(1, relationships={"accounts": {"data": [account] * 2}})])
    assert query(path, "SELECT * FROM relationships") == [("case_000001", "accounts", "account", "act_1")]
    assert query(path, "SELECT account_ids FROM cases") == [('["act_1","act_1"]',)]


def test_the_bytes_of_a_database_do_not_depend_on_which_cases_come_together(tmp_path):
    lines = [make_line(number, fields={"a": number, "b": [number]}, relationships=LINKS) for number in range(230)]
    paths = [write_table(tmp_path / f"{size}.db", lines, size=size) for size in (7, 100, 230)]
    assert len({path.read_bytes() for path in paths}) == 1


SPACED = b'{ "type": "case", "id": "case_000001", "attributes": {"newer": "\\u00fc"}, "meta": 1.50 }'


@pytest.mark.parametrize("name", ["cases.csv", "cases.parquet", "cases.sqlite"])
def test_raw_is_the_last_column_and_has_each_case_as_it_came(tmp_path, name):
    needs(name)
    csv.field_size_limit(sys.maxsize)
    lines = [SPACED, *LINES[1:]]
    path = write_table(tmp_path / name, lines, columns_of(lines, ["status"], raw=True))
    match path.suffix:
        case ".csv":
            rows = rows_of(path)
        case ".parquet":
            rows = parquet_of(path).read().to_pylist()
        case _:
            rows = [dict(zip(("id", "status", "raw"), row, strict=True)) for row in query(path, "SELECT * FROM cases")]
    assert [list(row) for row in rows] == [["id", "status", "raw"]] * len(lines)
    assert [row["raw"].encode() for row in rows] == lines


@pytest.mark.parametrize("name", FORMATS)
def test_the_same_cases_make_the_same_bytes(tmp_path, name):
    needs(name)
    digests = set()
    for directory in ("one", "other"):
        (tmp_path / directory).mkdir()
        path = write_table(tmp_path / directory / name, LINES)
        digests.add(hashlib.sha256(path.read_bytes()).digest())
    assert len(digests) == 1


def content_of(path):
    """What a table holds, wherever in the file."""
    if path.suffix == ".parquet":
        return parquet_of(path).read().to_pylist()
    if path.suffix == ".csv":
        return path.read_bytes()
    return [sorted(query(path, f"SELECT * FROM {table}"), key=repr) for table in ("cases", "fields", "relationships")]


KINDS = [True, 1, 1.0, 2.5, 2**60, 10**25, 1e300, "x", "1", "2025-12-31", "2025-12-31T12:00:00Z", {"a": 1.0}]
KINDS += [[each] for each in KINDS] + [[1, 2.5], [1.0, "x"], []]
PAIRS = list(product(range(len(KINDS)), repeat=2))


@pytest.mark.parametrize("name", ["cases.csv", "cases.parquet", "cases.sqlite"])
def test_a_table_does_not_depend_on_which_cases_come_together(tmp_path, name):
    """A field for each pair of values: one in the first case, and the other in the second."""
    needs(name)
    pairs = {f"{first} {second}": pair for first, second in PAIRS for pair in [(KINDS[first], KINDS[second])]}
    lines = [make_line(each, fields={key: pair[each] for key, pair in pairs.items()}) for each in range(2)]
    columns = columns_of(lines)
    contents = []
    for file, parts in (("together", [lines]), ("apart", [lines[:1], lines[1:]])):
        target = Target.of(tmp_path / name)
        sink = LinesToFile(target, AtomicFile(tmp_path / f"{file}-{name}"), columns)
        for part in parts:
            sink.write(part)
        sink.commit()
        path = tmp_path / f"{file}-{name}"
        contents.append(content_of(path))
    assert contents[0] == contents[1]


@pytest.mark.parametrize("name", FORMATS)
def test_no_cases_make_a_file_that_can_be_read(tmp_path, name):
    needs(name)
    path = write_table(tmp_path / name, [])
    assert path.stat().st_size > 0
    if name == "cases.csv":
        assert rows_of(path) == []
    elif name.endswith(".parquet"):
        assert parquet_of(path).metadata.num_rows == 0
    elif name.endswith(".sqlite"):
        assert query(path, "SELECT count(*) FROM cases") == [(0,)]


def test_compressed_files_hold_the_same_as_others(tmp_path):
    plain = write_table(tmp_path / "cases.csv", LINES).read_bytes()
    assert gzip.decompress(write_table(tmp_path / "cases.csv.gz", LINES).read_bytes()) == plain
    lines = b"".join(line + b"\n" for line in LINES)
    assert gzip.decompress(write_table(tmp_path / "cases.jsonl.gz", LINES).read_bytes()) == lines


def test_zstd_files_hold_the_same_as_others(tmp_path):
    needs("cases.csv.zst")
    plain = write_table(tmp_path / "cases.csv", LINES).read_bytes()
    assert packages.zstd().decompress(write_table(tmp_path / "cases.csv.zst", LINES).read_bytes()) == plain


def test_a_gzip_header_has_neither_a_name_nor_a_time(tmp_path):
    header = write_table(tmp_path / "cases.csv.gz", LINES).read_bytes()[:10]
    assert header[3] == 0
    assert header[4:8] == bytes(4)


@pytest.mark.parametrize(
    ("name", "module", "need", "extra"),
    [
        ("cases.parquet", "pyarrow.parquet", "Arrow and Parquet need pyarrow", "parquet"),
        ("cases.jsonl.zst", ZSTD, f"zstd needs {ZSTD}", "zstd"),
        ("cases.csv.zst", ZSTD, f"zstd needs {ZSTD}", "zstd"),
    ],
)
def test_a_missing_package_is_named_with_the_command_that_installs_it(monkeypatch, name, module, need, extra):
    monkeypatch.setitem(sys.modules, module, None)
    with pytest.raises(InvalidArgumentError) as raised:
        check_available(Target.of(name))
    assert str(raised.value) == f"{need}, which is not installed: pip install 'persona-cases[{extra}]'"


class Stream:
    """An output that is no file."""

    size = 0

    def __init__(self) -> None:
        self.pieces: list[bytes] = []

    def write(self, data: bytes) -> None:
        self.pieces.append(data)

    def commit(self) -> None: ...

    def discard(self) -> None: ...


@pytest.mark.parametrize("format", ["parquet", "sqlite"])
def test_formats_that_are_not_written_from_front_to_back_take_a_file(format):
    with pytest.raises(InvalidArgumentError, match=f"{format} needs a seekable file: pass a path"):
        open_table(Target.of("x", format), Stream(), titled([Column("id", TEXT)]))


@pytest.mark.parametrize("name", FORMATS)
def test_a_discarded_sink_leaves_nothing_behind(tmp_path, name):
    needs(name)
    sink = LinesToFile(Target.of(name), AtomicFile(tmp_path / name), columns_of(LINES))
    sink.write(LINES)
    sink.discard()
    assert list(tmp_path.iterdir()) == []


def test_the_text_of_a_json_column_decodes_to_what_was_sent(tmp_path):
    values = [1, "1", None, [1], {"a": None}, 2.5, 10**30, True]
    lines = [make_line(number, fields={"a": value}) for number, value in enumerate(values)]
    cells = [row["fields.a"] for row in rows_of(write_table(tmp_path / "cases.csv", lines))]
    assert [msgspec.json.decode(cell) if cell else None for cell in cells] == values
