"""Parquet: typed columns, by pyarrow."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Sequence
from typing import Final

from persona_cases.export.columns.cells import json_text
from persona_cases.export.columns.plain_batch import PlainBatch
from persona_cases.export.columns.titles import TitledColumn
from persona_cases.export.formats import packages
from persona_cases.export.formats.arrow_rows import ArrowRows
from persona_cases.export.formats.target import Compression
from persona_cases.export.provenance import PROVENANCE, Provenance
from persona_cases.export.sinks import AtomicFile

__all__ = ["ParquetSink"]

_ROWS_A_GROUP: Final = 10_000
_BYTES_A_GROUP: Final = 32_000_000


class ParquetSink:
    """Writes cases as rows of a Parquet file; see `TableSink`.

    A row group holds up to 10,000 cases, or up to 32 MB of them as the API sent them, so that memory stays bounded.

    Args:
        file: the file.
        compression: how to compress its pages.
        columns: the columns.
        provenance: how the file is made, for its metadata.

    Raises:
        InvalidArgumentError: if pyarrow is not installed.
    """

    def __init__(
        self,
        file: AtomicFile,
        compression: Compression,
        columns: Sequence[TitledColumn],
        provenance: Provenance | None = None,
    ) -> None:
        self._file = file
        self._rows = ArrowRows(columns)
        self._size = 0
        self._cases = 0
        self._made_by = {} if provenance is None else provenance.to_dict()
        self._writer = packages.pyarrow("pyarrow.parquet").ParquetWriter(
            str(file.part), self._rows.schema, compression=compression.value
        )

    def write(self, batch: PlainBatch) -> None:
        """Take rows, and write them once they make a row group."""
        records, start = self._rows.records(batch), 0
        for stop in self._ends(batch.sizes):
            self._rows.add(records.slice(start, stop - start))
            start = stop
            if self._rows.count >= _ROWS_A_GROUP or self._size >= _BYTES_A_GROUP:
                self._write_group()
        self._cases += len(batch)

    def _ends(self, sizes: Sequence[int]) -> Iterator[int]:
        """Yield where a row group is full, and the end, once what is before is added."""
        start = 0
        for number, size in enumerate(sizes, 1):
            self._size += size
            full = self._rows.count + number - start >= _ROWS_A_GROUP or self._size >= _BYTES_A_GROUP
            if full or number == len(sizes):
                yield number
                start = number

    def commit(self) -> None:
        """Complete the file."""
        if self._rows.count:
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
        self._writer.write_table(self._rows.take(), row_group_size=_ROWS_A_GROUP)
        # Otherwise its allocator keeps more and more of what groups have freed.
        packages.pyarrow("pyarrow").default_memory_pool().release_unused()
        self._size = 0
