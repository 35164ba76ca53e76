"""CSV as in RFC 4180: a header, and one row per case."""

from __future__ import annotations

import re
from collections.abc import Sequence

from persona_cases.export.columns.batch import BatchReader
from persona_cases.export.columns.cells import as_texts
from persona_cases.export.columns.titles import TitledColumn
from persona_cases.export.formats.compression import Compressed
from persona_cases.export.formats.target import Compression
from persona_cases.export.sinks import Output

__all__ = ["CsvSink", "quoted_cells"]

_NEEDS_QUOTES = re.compile(r'[",\r\n]')


class CsvSink:
    """Writes cases as rows; see `Sink`.

    Args:
        output: where the bytes go.
        compression: how to compress them.
        columns: the columns.
    """

    def __init__(self, output: Output, compression: Compression, columns: Sequence[TitledColumn]) -> None:
        self._output = output
        self._bytes = Compressed(output, compression)
        self._reader = BatchReader()
        self._columns = [(each.column.name, as_texts(each.column.type)) for each in columns]
        self._bytes.write((",".join(quoted_cells([each.title for each in columns])) + "\r\n").encode())

    def write(self, cases: Sequence[bytes]) -> None:
        """Write rows."""
        batch = self._reader.read(cases)
        columns = [quoted_cells(write(batch.column(name))) for name, write in self._columns]
        self._bytes.write("".join(f"{','.join(cells)}\r\n" for cells in zip(*columns, strict=True)).encode())

    def commit(self) -> None:
        """Complete the output."""
        self._bytes.finish()
        self._output.commit()

    def discard(self) -> None:
        """Drop the output."""
        self._output.discard()


def quoted_cells(cells: Sequence[str | None]) -> list[str]:
    """Return cells as they stand in the file."""
    # Not by the csv module: before Python 3.12 it cannot write null and the empty string so that they differ.
    if "" not in cells and not _NEEDS_QUOTES.search("".join(filter(None, cells))):
        return [cell or "" for cell in cells]
    return ["" if cell is None else _quoted_cell(cell) for cell in cells]


def _quoted_cell(cell: str) -> str:
    return '"' + cell.replace('"', '""') + '"' if not cell or _NEEDS_QUOTES.search(cell) else cell
