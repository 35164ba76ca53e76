"""Cases as lines, and sinks for them without a client."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

import attrs
import msgspec

from persona_cases.export.columns.choice import ColumnChoice
from persona_cases.export.columns.column import Column
from persona_cases.export.columns.survey import Survey
from persona_cases.export.columns.titles import titled
from persona_cases.export.formats.opening import open_sink
from persona_cases.export.formats.target import Target
from persona_cases.export.sinks import AtomicFile


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
    lines: Sequence[bytes], fields: Iterable[str] | None = None, declared: Iterable[Column] = ()
) -> tuple[Column, ...]:
    """The columns that these cases need."""
    survey = Survey()
    survey.observe(lines)
    return survey.columns(ColumnChoice.of(fields, declared))


def write_table(path: Path, lines: Sequence[bytes], columns: Sequence[Column] | None = None) -> Path:
    """Write these cases to a file, a few at a time."""
    file = AtomicFile(path)
    sink = open_sink(Target.of(path), file, titled(columns_of(lines) if columns is None else columns))
    for start in range(0, len(lines), 3):
        sink.write(lines[start : start + 3])
    sink.commit()
    return path


@attrs.frozen
class Lines:
    """A source of lines, some at a time."""

    lines: Sequence[bytes]
    size: int = 7

    def batches(self) -> Iterator[Sequence[bytes]]:
        return (self.lines[start : start + self.size] for start in range(0, len(self.lines), self.size))
