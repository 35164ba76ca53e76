"""Erasure of redacted cases from JSON Lines and CSV."""

from __future__ import annotations

import contextlib
import csv
import gzip
import zlib
from collections.abc import Generator, Iterator, Mapping
from collections.abc import Set as AbstractSet
from pathlib import Path
from typing import Any, Final, Self

import attrs
import msgspec

from persona_cases.errors import InvalidArgumentError
from persona_cases.export.columns.cells import as_texts
from persona_cases.export.formats import packages
from persona_cases.export.formats.comma_separated import quoted_cells
from persona_cases.export.formats.compression import Compressed
from persona_cases.export.formats.target import Compression
from persona_cases.export.spool.workplace import Workplace
from persona_cases.mirror.purging.left_behind import ExportedFile
from persona_cases.mirror.purging.redacted_rows import Holding, redacted_cells, redacted_line
from persona_cases.models.decoding.jsontext import REFUSED
from persona_cases.models.decoding.undecodable import id_of

__all__ = ["PurgedCsv", "PurgedLines"]

_ROW_END: Final = b"\r\n"


class _Head(msgspec.Struct, gc=False):
    id: str


_read_head: Final = msgspec.json.Decoder(_Head).decode


@attrs.frozen
class PurgedLines(ExportedFile):
    """A file of JSON Lines.

    Attributes:
        compression: how it is compressed.
        are_rejects: whether it is the file next to an export with the undecodable cases.
    """

    compression: Compression
    are_rejects: bool = False

    def find(self, redacted: AbstractSet[str]) -> Holding:
        """Return which of these cases are in the file."""
        found, unreadable = set[str](), 0
        with _opened(self.path, self.compression) as file:
            for number, line in enumerate(file, 1):
                id = self._id(line, number)
                if id is None:
                    unreadable += 1
                elif id in redacted:
                    found.add(id)
        return Holding(frozenset(found), unreadable)

    def replace(self, redacted: Mapping[str, bytes]) -> int:
        """Write these cases as they are now, and return how many lines that changed.

        Args:
            redacted: cases by their ids, each on one line.
        """
        changed = 0
        with _opened(self.path, self.compression) as file, _Draft(self.path, self.compression) as draft:
            for number, line in enumerate(file, 1):
                id = self._id(line, number)
                now = None if id is None else redacted.get(id)
                if now is None:
                    draft.write(line)
                    continue
                new = redacted_line(now, line) + b"\n"
                changed += new != line
                draft.write(new)
            draft.keep = changed > 0
        return changed

    def _id(self, line: bytes, number: int) -> str | None:
        try:
            return _read_head(line).id
        except REFUSED:
            # The decoder may reject something else in the case.
            id = id_of(line)
        if id is not None or self.are_rejects:
            return id
        raise InvalidArgumentError(f"{self.path}: line {number} is not a case: purge takes files that exports wrote")


@attrs.frozen
class PurgedCsv(ExportedFile):
    """A CSV file as exports write it.

    Attributes:
        compression: how it is compressed.
    """

    compression: Compression

    def find(self, redacted: AbstractSet[str]) -> Holding:
        """Return which of these cases are in the file."""
        with _opened(self.path, self.compression) as file:
            rows = _rows(file)
            self._names(next(rows, b""))
            return Holding(frozenset(id for row in rows if (id := _first_cell(row)) in redacted))

    def replace(self, redacted: Mapping[str, bytes]) -> int:
        """Write these cases as they are now, and return how many rows that changed."""
        changed = 0
        with _opened(self.path, self.compression) as file, _Draft(self.path, self.compression) as draft:
            rows = _rows(file)
            header = next(rows, b"")
            names = self._names(header)
            draft.write(header)
            for row in rows:
                line = redacted.get(_first_cell(row))
                if line is None:
                    draft.write(row)
                    continue
                cells = quoted_cells(redacted_cells(line, _cells(row), names, as_texts))
                new = ",".join(cells).encode() + _ROW_END
                changed += new != row
                draft.write(new)
            draft.keep = changed > 0
        return changed

    def _names(self, header: bytes) -> list[str]:
        names = next(csv.reader([header.decode()]), list[str]())
        if not names or names[0] != "id":
            raise InvalidArgumentError(f"{self.path}: not an export of cases, because its first column is not id")
        return names


def _rows(file: Any) -> Iterator[bytes]:
    """Yield the rows as they are in the file; a line break in quotes does not end a row."""
    row, quotes = b"", 0
    for line in file:
        row += line
        quotes += line.count(b'"')
        if quotes % 2 == 0 and row.endswith(_ROW_END):
            yield row
            row, quotes = b"", 0
    if row:
        yield row


def _first_cell(row: bytes) -> str:
    if not row.startswith(b'"'):
        return row.partition(b",")[0].removesuffix(_ROW_END).decode()
    return _cells(row)[0]


def _cells(row: bytes) -> list[str]:
    # A case in the column `raw` may be longer than the limit of a cell, which belongs to the whole process.
    usual = csv.field_size_limit(len(row))
    try:
        return next(csv.reader([row.decode()], strict=False))
    finally:
        csv.field_size_limit(usual)


@contextlib.contextmanager
def _opened(path: Path, compression: Compression) -> Generator[Any]:
    """Open a file, and convert errors about its content to the usual ones."""
    kinds: list[type[Exception]] = [EOFError, zlib.error, gzip.BadGzipFile, UnicodeDecodeError, csv.Error]
    if compression is Compression.ZSTD:
        kinds.append(packages.zstd().ZstdError)
    try:
        with _raw(path, compression) as file:
            yield file
    except tuple(kinds):
        pass
    else:
        return
    raise InvalidArgumentError(f"{path}: cannot be read: purge takes files that exports wrote, as they are")


def _raw(path: Path, compression: Compression) -> Any:
    match compression:
        case Compression.GZIP:
            return gzip.open(path, "rb")
        case Compression.ZSTD:
            return packages.zstd().open(path, "rb")
        case _:
            return path.open("rb")


class _Draft:
    """The new content of the file, which replaces the old file if it is committed."""

    def __init__(self, path: Path, compression: Compression) -> None:
        # The next purge removes the leftovers of a killed one.
        self._place = Workplace(path)
        self._file = self._place.file()
        self._bytes = Compressed(self._file, compression)
        self.keep = False

    def write(self, data: bytes) -> None:
        self._bytes.write(data)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: object, *_: object) -> None:
        with self._place:
            if kind is None and self.keep:
                self._bytes.finish()
                self._file.commit()
            else:
                self._file.discard()
