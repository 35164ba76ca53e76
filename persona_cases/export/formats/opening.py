"""Opening of the sink and the store for a target."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from persona_cases.errors import InvalidArgumentError
from persona_cases.export.batch_store import BatchStore, StoredForm
from persona_cases.export.columns.titles import TitledColumn
from persona_cases.export.formats.arrow_rows import ArrowForm
from persona_cases.export.formats.comma_separated import CsvForm, CsvSink
from persona_cases.export.formats.json_lines import JsonLinesSink
from persona_cases.export.formats.parquet import ParquetSink
from persona_cases.export.formats.target import FileFormat, Target
from persona_cases.export.provenance import Provenance
from persona_cases.export.sinks import AtomicFile, Output, Sink
from persona_cases.export.table_sink import TableSink

__all__ = ["open_lines", "open_store", "open_table"]


def open_lines(target: Target, output: Output) -> Sink:
    """Open the sink of JSON Lines.

    Args:
        target: what to write.
        output: where the bytes go.

    Raises:
        InvalidArgumentError: if a package is not installed.
    """
    return JsonLinesSink(output, target.compression)


def open_store(target: Target, directory: Path | None = None) -> BatchStore:
    """Open the store of the cases of a table.

    Args:
        target: the table.
        directory: the directory whose disk holds the cases; None for the system's own for such files.

    Raises:
        InvalidArgumentError: if a package is not installed.
    """
    return BatchStore(_form_of(target.format), directory)


def _form_of(format: FileFormat) -> StoredForm:
    if format is FileFormat.PARQUET:
        return ArrowForm()
    if format is FileFormat.CSV:
        return CsvForm()
    from persona_cases.export.formats.sqlite import SqliteForm  # noqa: PLC0415 - SQLite takes time to load

    return SqliteForm()


def open_table(
    target: Target, output: Output, columns: Sequence[TitledColumn], provenance: Provenance | None = None
) -> TableSink:
    """Open the sink of a table. It takes what the store of the same format holds.

    Args:
        target: what to write.
        output: where the bytes go.
        columns: the columns.
        provenance: how the file is made; CSV has no place for it.

    Raises:
        InvalidArgumentError: if a package is not installed, or the format needs a file and the output is not one.
    """
    if target.format is FileFormat.CSV:
        return CsvSink(output, target.compression, columns)
    if not isinstance(output, AtomicFile):
        raise InvalidArgumentError(f"{target.format} needs a seekable file: pass a path")
    if target.format is FileFormat.PARQUET:
        return ParquetSink(output, target.compression, columns, provenance)
    from persona_cases.export.formats.sqlite import SqliteSink  # noqa: PLC0415 - SQLite takes time to load

    return SqliteSink(output, columns, provenance)
