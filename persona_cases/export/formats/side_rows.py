"""The rows of the tables of a database that have several rows per case: custom fields and related objects. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, TypeAlias

from persona_cases.export.columns.batch import Batch, FieldColumn
from persona_cases.export.columns.rows import Related
from persona_cases.export.columns.types import JSON, ColumnKind, type_of
from persona_cases.export.formats.sqlite_cells import to_cells
from persona_cases.models.decoding.records import Identifier

__all__ = ["SideCells", "field_cells", "relationship_cells", "rows_by_case"]

SideCells: TypeAlias = tuple[str, Sequence[int], Sequence[Any], Sequence[Any]]
"""A name, and for each row that has it: the number of the case in the batch, a type, and a value or an id."""


def field_cells(batch: Batch) -> list[SideCells]:
    """Return the rows of the table `fields`, by keys."""
    return [_field_cells(key, batch.fields[key]) for key in sorted(batch.fields)]


def relationship_cells(batch: Batch) -> list[SideCells]:
    """Return the rows of the table `relationships`, by the API's names of these."""
    return [_related_cells(name, column) for name, column in batch.related.items()]


def rows_by_case(ids: Sequence[str], cells: Iterable[SideCells]) -> list[list[tuple[Any, ...]]]:
    """Return the rows of each case, which do not depend on which cases come together.

    Args:
        ids: the ids of the cases.
        cells: the rows by names.
    """
    rows: list[list[tuple[Any, ...]]] = [[] for _ in ids]
    for name, numbers, types, values in cells:
        for number, type, value in zip(numbers, types, values, strict=True):
            rows[number].append((ids[number], name, type, value))
    return rows


def _field_cells(key: str, field: FieldColumn) -> SideCells:
    words, cells, numbers = field.words, _as_sent(field), field.numbers
    return key, numbers, [words[number] for number in numbers], [cells[number] for number in numbers]


def _as_sent(field: FieldColumn) -> Sequence[Any]:
    """Return values as the table `fields` has them: each by its own type, whatever that of the column is."""
    if not field.type.many and field.type != JSON:
        return field.values
    texts = to_cells(JSON)(field.values)
    return [text if _is_json(value) else value for value, text in zip(field.values, texts, strict=True)]


def _is_json(value: Any) -> bool:
    if isinstance(value, str | float | bool):
        return False
    kind = type_of(value)
    return kind.many or kind.kind is ColumnKind.JSON


def _related_cells(name: str, column: Sequence[Related | None]) -> SideCells:
    found = [(number, each) for number, related in enumerate(column) if related for each in _each_once(related)]
    return name, [number for number, _ in found], [each.type for _, each in found], [each.id for _, each in found]


def _each_once(related: Related) -> Iterable[Identifier]:
    if isinstance(related, Identifier):
        return (related,)
    return related if len(related) == 1 else dict.fromkeys(related)
