"""Parquet: typed columns, by pyarrow."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Final

from persona_cases.export.columns.batch import BatchReader
from persona_cases.export.columns.cells import as_values, json_text
from persona_cases.export.columns.column import Column
from persona_cases.export.columns.types import ColumnKind, ColumnType
from persona_cases.export.formats import packages
from persona_cases.export.formats.target import Compression
from persona_cases.export.provenance import PROVENANCE, Provenance
from persona_cases.export.sinks import AtomicFile

__all__ = ["ParquetSink"]

_ROWS_A_GROUP: Final = 10_000
_BYTES_A_GROUP: Final = 32_000_000

_TYPES: Final[Mapping[ColumnKind, Callable[[Any], Any]]] = {
    ColumnKind.BOOLEAN: lambda pa: pa.bool_(),
    ColumnKind.INTEGER: lambda pa: pa.int64(),
    ColumnKind.NUMBER: lambda pa: pa.float64(),
    ColumnKind.DATE: lambda pa: pa.date32(),
    ColumnKind.TIME: lambda pa: pa.timestamp("us", tz="UTC"),
}


class ParquetSink:
    """Writes cases as rows of a Parquet file; see `Sink`.

    A row group holds up to 10,000 cases, or up to 32 MB of them as the API sent them, so that memory stays bounded.

    Args:
        file: the file.
        compression: how to compress its pages.
        columns: the columns.
        provenance: what makes the file, for its metadata.

    Raises:
        InvalidArgumentError: if pyarrow is not installed.
    """

    def __init__(
        self,
        file: AtomicFile,
        compression: Compression,
        columns: Sequence[Column],
        provenance: Provenance | None = None,
    ) -> None:
        self._file = file
        self._arrow = packages.pyarrow("pyarrow")
        self._schema = self._arrow.schema([(column.name, self._type(column.type)) for column in columns])
        self._reader = BatchReader()
        self._columns = [(column.name, as_values(column.type)) for column in columns]
        self._waiting: list[list[Any]] = [[] for _ in columns]
        self._size = 0
        self._cases = 0
        self._made_by = {} if provenance is None else provenance.to_dict()
        self._writer = packages.pyarrow("pyarrow.parquet").ParquetWriter(
            str(file.part), self._schema, compression=compression.value
        )

    def write(self, cases: Sequence[bytes]) -> None:
        """Take rows, and write them once they make a row group."""
        for part in self._parts(cases):
            batch = self._reader.read(part)
            for waiting, (name, convert) in zip(self._waiting, self._columns, strict=True):
                waiting.extend(convert(batch.column(name)))
            self._size += sum(map(len, part))
            self._cases += len(part)
            if len(self._waiting[0]) >= _ROWS_A_GROUP or self._size >= _BYTES_A_GROUP:
                self._write_group()

    def _parts(self, cases: Sequence[bytes]) -> Iterator[Sequence[bytes]]:
        """The cases in pieces that end where a row group is full, however many are given at once."""
        start = size = 0
        for number, line in enumerate(cases, 1):
            size += len(line)
            rows = len(self._waiting[0]) + number - start
            if rows >= _ROWS_A_GROUP or self._size + size >= _BYTES_A_GROUP:
                yield cases[start:number]
                start, size = number, 0
        if start < len(cases):
            yield cases[start:]

    def commit(self) -> None:
        """Complete the file."""
        if self._waiting[0]:
            self._write_group()
        self._writer.add_key_value_metadata({PROVENANCE: json_text({**self._made_by, "cases": self._cases})})
        self._writer.close()
        self._file.commit()

    def discard(self) -> None:
        """Drop the file."""
        # It writes its footer even now, for which there may be no room.
        with contextlib.suppress(OSError, ValueError):
            self._writer.close()
        self._file.discard()

    def _write_group(self) -> None:
        arrays = [
            self._arrow.array(waiting, type=field.type)
            for waiting, field in zip(self._waiting, self._schema, strict=True)
        ]
        self._writer.write_table(self._arrow.table(arrays, schema=self._schema), row_group_size=_ROWS_A_GROUP)
        self._waiting = [[] for _ in self._columns]
        self._size = 0

    def _type(self, type: ColumnType) -> Any:
        arrow = _TYPES.get(type.kind, lambda pa: pa.string())(self._arrow)
        return self._arrow.list_(arrow) if type.many else arrow
