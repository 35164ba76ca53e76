"""CSV as in RFC 4180: a header, and one row per case."""

from __future__ import annotations

from collections.abc import Sequence

from persona_cases.export.columns.batch import Batch
from persona_cases.export.columns.cells import as_texts
from persona_cases.export.columns.plain_batch import PlainBatch, plain_batch
from persona_cases.export.columns.titles import TitledColumn
from persona_cases.export.formats.compression import Compressed
from persona_cases.export.formats.target import Compression
from persona_cases.export.sinks import Output

__all__ = ["CsvForm", "CsvSink", "quoted_cells"]


class CsvForm:
    """Stores cells; see `StoredForm`."""

    def stored(self, batch: Batch) -> PlainBatch:
        """Return what to store."""
        return plain_batch(batch, lists=False)

    def restored(self, stored: PlainBatch) -> PlainBatch:
        """Return what was stored."""
        return stored


class CsvSink:
    """Writes cases as rows; see `TableSink`.

    Args:
        output: where the bytes go.
        compression: how to compress them.
        columns: the columns.
    """

    def __init__(self, output: Output, compression: Compression, columns: Sequence[TitledColumn]) -> None:
        self._output = output
        self._bytes = Compressed(output, compression)
        self._columns = [each.column for each in columns]
        self._bytes.write((",".join(quoted_cells([each.title for each in columns])) + "\r\n").encode())

    def write(self, batch: PlainBatch) -> None:
        """Write rows."""
        columns = [quoted_cells(batch.cells(column, as_texts)) for column in self._columns]
        rows = map(",".join, zip(*columns, strict=True))
        self._bytes.write("".join(f"{row}\r\n" for row in rows).encode())

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
    if "" not in cells and not _needs_quotes("".join(filter(None, cells))):
        return [cell or "" for cell in cells]
    return ["" if cell is None else _quoted_cell(cell) for cell in cells]


def _quoted_cell(cell: str) -> str:
    return '"' + cell.replace('"', '""') + '"' if not cell or _needs_quotes(cell) else cell


def _needs_quotes(text: str) -> bool:
    # Four searches for one character take less than one of an expression.
    return '"' in text or "," in text or "\n" in text or "\r" in text
