"""From a target to the sink that writes it."""

from __future__ import annotations

from collections.abc import Sequence

from persona_cases.errors import InvalidArgumentError
from persona_cases.export.columns.titles import TitledColumn
from persona_cases.export.formats import packages
from persona_cases.export.formats.comma_separated import CsvSink
from persona_cases.export.formats.json_lines import JsonLinesSink
from persona_cases.export.formats.parquet import ParquetSink
from persona_cases.export.formats.target import Compression, FileFormat, Target
from persona_cases.export.provenance import Provenance
from persona_cases.export.sinks import AtomicFile, Output, Sink

__all__ = ["check_available", "open_sink"]


def check_available(target: Target) -> None:
    """Check that the packages that a target needs are installed.

    Raises:
        InvalidArgumentError: if a package is not installed.
    """
    if target.format is FileFormat.PARQUET:
        packages.pyarrow("pyarrow.parquet")
    elif target.compression is Compression.ZSTD:
        packages.zstd()


def open_sink(
    target: Target, output: Output, columns: Sequence[TitledColumn], provenance: Provenance | None = None
) -> Sink:
    """Open the sink of a format.

    Args:
        target: what to write.
        output: where the bytes go.
        columns: the columns; JSON Lines have none.
        provenance: how the file is made; JSON Lines and CSV have no place for it.

    Raises:
        InvalidArgumentError: if a package is not installed, or the format needs a file and the output is not one.
    """
    if target.format is FileFormat.JSON_LINES:
        return JsonLinesSink(output, target.compression)
    if target.format is FileFormat.CSV:
        return CsvSink(output, target.compression, columns)
    if not isinstance(output, AtomicFile):
        raise InvalidArgumentError(f"{target.format} needs a seekable file: pass a path")
    if target.format is FileFormat.PARQUET:
        return ParquetSink(output, target.compression, columns, provenance)
    from persona_cases.export.formats.sqlite import SqliteSink  # noqa: PLC0415 - SQLite takes time to load

    return SqliteSink(output, columns, provenance)
