"""What a file name stands for."""

from __future__ import annotations

from pathlib import Path

import pytest

from persona_cases import InvalidArgumentError
from persona_cases.export.formats.target import Compression, FileFormat, Target


@pytest.mark.parametrize(
    ("name", "format", "compression"),
    [
        ("cases.jsonl", "jsonl", "none"),
        ("cases.ndjson.gz", "jsonl", "gzip"),
        ("cases.2025.JSONL.ZST", "jsonl", "zstd"),
        ("cases", "jsonl", "none"),
        ("cases.gz", "jsonl", "gzip"),
        (".hidden", "jsonl", "none"),
        ("cases.csv", "csv", "none"),
        ("cases.csv.zst", "csv", "zstd"),
        ("cases.parquet", "parquet", "zstd"),
        ("cases.sqlite", "sqlite", "none"),
        ("cases.sqlite3", "sqlite", "none"),
        ("dir.csv/cases.db", "sqlite", "none"),
    ],
)
def test_an_ending_stands_for_a_format(name, format, compression):
    assert Target.of(name) == Target.of(Path(name)) == Target(FileFormat(format), Compression(compression))


def test_a_format_that_is_given_counts_more_than_the_ending():
    assert Target.of("x.txt", "csv") == Target(FileFormat.CSV, Compression.NONE)
    assert Target.of("x.txt.gz", "csv") == Target(FileFormat.CSV, Compression.GZIP)
    assert Target.of("x.csv.gz", compression="none") == Target(FileFormat.CSV, Compression.NONE)
    assert Target.of("x.parquet", compression="gzip") == Target(FileFormat.PARQUET, Compression.GZIP)


@pytest.mark.parametrize("name", ["cases.json", "cases.txt", "cases.csv.bz2", "cases.xlsx.gz"])
def test_an_unknown_ending_is_refused_and_the_known_ones_are_named(name):
    with pytest.raises(InvalidArgumentError) as raised:
        Target.of(name)
    for known in (".jsonl", ".ndjson", ".csv", ".parquet", ".sqlite", ".sqlite3", ".db", ".gz", ".zst"):
        assert known in str(raised.value)


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("x.parquet.gz", "Parquet is compressed inside"),
        ("x.db.zst", "SQLite could not open it"),
        ("x.sqlite.gz", "SQLite could not open it"),
    ],
)
def test_what_can_not_be_compressed_is_refused_with_the_reason(name, reason):
    with pytest.raises(InvalidArgumentError, match=reason):
        Target.of(name)


@pytest.mark.parametrize(
    ("asked", "message"),
    [
        ({"format": "excel"}, "format must be one of 'jsonl', 'csv', 'parquet', 'sqlite'"),
        ({"compression": "bz2"}, "compression must be one of 'none', 'gzip', 'zstd'"),
        ({"format": "sqlite", "compression": "gzip"}, "compression gzip is not possible: SQLite"),
    ],
)
def test_a_wrong_word_is_refused(asked, message):
    with pytest.raises(InvalidArgumentError, match=message):
        Target.of("x.jsonl", **asked)
