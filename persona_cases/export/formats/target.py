"""`Target`: the format and the compression of a file, from its name; and how its columns are spelled. Pure."""

from __future__ import annotations

import enum
import os
from pathlib import PurePath
from typing import Final, Literal, NamedTuple, TypeAlias, TypeVar

from persona_cases.errors import InvalidArgumentError

__all__ = ["ColumnStyle", "Compression", "CompressionName", "FileFormat", "FormatName", "Target"]

E = TypeVar("E", bound=enum.StrEnum)

FormatName: TypeAlias = Literal["jsonl", "csv", "parquet", "sqlite"]
CompressionName: TypeAlias = Literal["none", "gzip", "zstd"]
ColumnStyle: TypeAlias = Literal["dotted", "snake"]
"""How tables spell the names of columns: `fields.risk-score`, or `fields_risk_score`, which no program has to quote."""


class FileFormat(enum.StrEnum):
    """The format of an exported file."""

    JSON_LINES = "jsonl"
    CSV = "csv"
    PARQUET = "parquet"
    SQLITE = "sqlite"


class Compression(enum.StrEnum):
    """The compression of an exported file."""

    NONE = "none"
    GZIP = "gzip"
    ZSTD = "zstd"


_FORMATS: Final = {
    ".jsonl": FileFormat.JSON_LINES,
    ".ndjson": FileFormat.JSON_LINES,
    ".csv": FileFormat.CSV,
    ".parquet": FileFormat.PARQUET,
    ".sqlite": FileFormat.SQLITE,
    ".sqlite3": FileFormat.SQLITE,
    ".db": FileFormat.SQLITE,
}
_COMPRESSIONS: Final = {".gz": Compression.GZIP, ".zst": Compression.ZSTD}
_STREAMS: Final = frozenset({FileFormat.JSON_LINES, FileFormat.CSV})


class Target(NamedTuple):
    """The format and the compression of an export.

    Attributes:
        format: the format.
        compression: the compression of the file; for Parquet, of the pages inside.
    """

    format: FileFormat
    compression: Compression

    @classmethod
    def of(cls, path: str | os.PathLike[str], format: str | None = None, compression: str | None = None) -> Target:
        """Read the format and the compression from the name of a file.

        Args:
            path: the path of the file. A name without an extension means JSON Lines.
            format: the format. Default: from the extension.
            compression: the compression. Default: from the extension.

        Raises:
            InvalidArgumentError: if the extension is unknown, or the format does not have the compression.
        """
        name = PurePath(os.fsdecode(path))
        ending = _COMPRESSIONS.get(name.suffix.lower())
        stem = name if ending is None else PurePath(name.stem)
        chosen = _format_of(stem.suffix) if format is None else _read(FileFormat, format, "format")
        if chosen not in _STREAMS and ending is not None and format is None:
            raise InvalidArgumentError(f"{stem.suffix}{name.suffix} is not supported: {_WHY_NOT[chosen]}")
        if compression is not None:
            wanted = _read(Compression, compression, "compression")
        else:
            wanted = Compression.ZSTD if chosen is FileFormat.PARQUET else ending or Compression.NONE
        if chosen is FileFormat.SQLITE and wanted is not Compression.NONE:
            raise InvalidArgumentError(f"compression {wanted.value} is not possible: {_WHY_NOT[chosen]}")
        return cls(chosen, wanted)

    @property
    def is_stream(self) -> bool:
        """Whether it can be written to a pipe."""
        return self.format in _STREAMS


_WHY_NOT: Final = {
    FileFormat.PARQUET: "Parquet is compressed inside, so name it .parquet",
    FileFormat.SQLITE: "SQLite could not open it; compress the finished file",
}


def _format_of(suffix: str) -> FileFormat:
    if not suffix:
        return FileFormat.JSON_LINES
    found = _FORMATS.get(suffix.lower())
    if found is None:
        known = ", ".join(_FORMATS)
        raise InvalidArgumentError(
            f"unsupported file extension {suffix}: use one of {known}, "
            "the first three also followed by .gz or .zst; or pass the format: jsonl, csv, parquet or sqlite"
        )
    return found


def _read(choices: type[E], given: object, argument: str) -> E:
    for each in choices:
        if isinstance(given, str) and each.value == given:
            return each
    known = ", ".join(repr(each.value) for each in choices)
    raise InvalidArgumentError(f"{argument} must be one of {known}")
