"""Cases as lines, and sinks for them without a client."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

import attrs
import msgspec

from persona_cases.export.columns.choice import ColumnChoice
from persona_cases.export.columns.column import RAW, Column
from persona_cases.export.columns.survey import Survey
from persona_cases.export.columns.titles import titled
from persona_cases.export.formats.opening import open_lines, open_store, open_table
from persona_cases.export.formats.target import FileFormat, Target
from persona_cases.export.sinks import AtomicFile, Output


def make_line(
    number: int = 1,
    *,
    fields: dict[str, Any] | None = None,
    attributes: dict[str, Any] | None = None,
    relationships: dict[str, Any] | None = None,
) -> bytes:
    """A case as the API would send it."""
    sent = {"status": "open", "fields": fields or {}, **(attributes or {})}
    case = {"type": "case", "id": f"case_{number:06}", "attributes": sent, "relationships": relationships or {}}
    return msgspec.json.encode(case)


def columns_of(
    lines: Sequence[bytes], fields: Iterable[str] | None = None, declared: Iterable[Column] = (), *, raw: bool = False
) -> tuple[Column, ...]:
    """The columns that these cases need."""
    survey = Survey()
    survey.observe(lines)
    return survey.columns(ColumnChoice.of(fields, declared, raw=raw))


class LinesToFile:
    """Takes lines of any format, and of a table whose columns are known, where an export learns them first."""

    def __init__(self, target: Target, output: Output, columns: Sequence[Column]) -> None:
        self._target, self._survey = target, Survey(raw=any(column.name == RAW for column in columns))
        self._is_table = target.format is not FileFormat.JSON_LINES
        self.sink = open_table(target, output, titled(columns)) if self._is_table else open_lines(target, output)

    def write(self, lines: Sequence[bytes]) -> None:
        if not self._is_table:
            self.sink.write(lines)
            return
        with closing(open_store(self._target)) as store:
            store.keep(self._survey.observe(lines))
            for batch in store.batches():
                self.sink.write(batch)

    def commit(self) -> None:
        self.sink.commit()

    def discard(self) -> None:
        self.sink.discard()


def write_table(path: Path, lines: Sequence[bytes], columns: Sequence[Column] | None = None, size: int = 3) -> Path:
    """Write these cases to a file, `size` at a time."""
    sink = LinesToFile(Target.of(path), AtomicFile(path), columns_of(lines) if columns is None else columns)
    for start in range(0, len(lines), size):
        sink.write(lines[start : start + size])
    sink.commit()
    return path


@attrs.frozen
class Lines:
    """A source of lines, some at a time."""

    lines: Sequence[bytes]
    size: int = 7

    def batches(self) -> Iterator[Sequence[bytes]]:
        return (self.lines[start : start + self.size] for start in range(0, len(self.lines), self.size))
