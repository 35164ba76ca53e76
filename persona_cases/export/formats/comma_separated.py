"""CSV, as RFC 4180 describes it: a header, and a row a case."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from persona_cases.export.columns.cells import as_text
from persona_cases.export.columns.column import Column
from persona_cases.export.columns.rows import Rows
from persona_cases.export.formats.compression import Compressed
from persona_cases.export.formats.target import Compression
from persona_cases.export.sinks import Output

__all__ = ["CsvSink"]

_NEEDS_QUOTES = re.compile(r'[",\r\n]|^$')


class CsvSink:
    """Writes cases as rows; see `Sink`.

    Args:
        output: where the bytes go.
        compression: how to compress them.
        columns: the columns.
    """

    def __init__(self, output: Output, compression: Compression, columns: Sequence[Column]) -> None:
        self._output = output
        self._bytes = Compressed(output, compression)
        self._rows = Rows()
        self._columns = [(column.name, as_text(column.type)) for column in columns]
        self._bytes.write(_line(name for name, _ in self._columns))

    def write(self, cases: Sequence[bytes]) -> None:
        """Write rows."""
        rows = (row.values for row in self._rows.read(cases))
        self._bytes.write(b"".join(_line(write(row.get(name)) for name, write in self._columns) for row in rows))

    def commit(self) -> None:
        """Complete the output."""
        self._bytes.finish()
        self._output.commit()

    def discard(self) -> None:
        """Drop the output."""
        self._output.discard()


def _line(cells: Iterable[str | None]) -> bytes:
    return ",".join(map(_quoted, cells)).encode() + b"\r\n"


def _quoted(cell: str | None) -> str:
    # Not by the csv module: before Python 3.12 it cannot write null and the empty string so that they differ.
    if cell is None:
        return ""
    return '"' + cell.replace('"', '""') + '"' if _NEEDS_QUOTES.search(cell) else cell
