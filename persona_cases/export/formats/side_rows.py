"""The rows of the tables of a database that have several rows per case: custom fields and related objects. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import chain
from typing import Any, Final, TypeAlias

from persona_cases.export.columns.batch import Batch, FieldColumn
from persona_cases.export.columns.rows import Related
from persona_cases.export.columns.types import JSON, type_of
from persona_cases.export.formats.sqlite_cells import to_cells
from persona_cases.models.decoding.records import Identifier

__all__ = ["WIDTH", "SideCells", "field_cells", "relationship_cells", "relationship_rows", "values_by_case"]

WIDTH: Final = 4
"""How many columns each of these tables has."""

SideCells: TypeAlias = tuple[str, Sequence[int], Sequence[Any], Sequence[Any]]
"""A name, and for each row that has it: the number of the case in the batch, a type, and a value or an id."""


def field_cells(batch: Batch) -> list[SideCells]:
    """Return the rows of the table `fields`, by keys."""
    return [_field_cells(key, batch.fields[key]) for key in sorted(batch.fields)]


def relationship_cells(batch: Batch) -> list[SideCells]:
    """Return the rows of the table `relationships`, by the API's names of these."""
    return [_related_cells(name, column) for name, column in batch.related.items()]


def values_by_case(ids: Sequence[str], cells: Iterable[SideCells]) -> list[list[Any]]:
    """Return the rows of each case, four values per row. They do not depend on which cases come together.

    Args:
        ids: the ids of the cases.
        cells: the rows by names.
    """
    # Not a tuple per row: the garbage collector would look at each.
    found: list[list[Any]] = [[] for _ in ids]
    for name, numbers, types, values in cells:
        for number, type, value in zip(numbers, types, values, strict=True):
            found[number] += (ids[number], name, type, value)
    return found


def relationship_rows(batch: Batch) -> Iterator[tuple[Any, ...]]:
    """Return the rows of the table `relationships`, by cases."""
    values = chain.from_iterable(values_by_case(batch.ids, relationship_cells(batch)))
    return zip(*[values] * WIDTH, strict=True)


def _field_cells(key: str, field: FieldColumn) -> SideCells:
    words, cells, numbers = field.words, _as_sent(field), field.numbers
    return key, numbers, [words[number] for number in numbers], [cells[number] for number in numbers]


def _as_sent(field: FieldColumn) -> Sequence[Any]:
    """Return values as the table `fields` has them: each by its own type, whatever that of the column is."""
    if not field.type.many and field.type != JSON:
        return field.values
    texts = to_cells(JSON)(field.values)
    if field.type.many:
        return texts
    return [text if _is_json(value) else value for value, text in zip(field.values, texts, strict=True)]


def _is_json(value: Any) -> bool:
    return isinstance(value, (dict, list)) or (isinstance(value, int) and type_of(value) == JSON)


def _related_cells(name: str, column: Sequence[Related | None]) -> SideCells:
    objects = [(each,) if isinstance(each, Identifier) else each for each in column]
    found = [
        (number, each)
        for number, related in enumerate(objects)
        if related
        # An object that a case names twice is one row.
        for each in (related if len(related) == 1 else dict.fromkeys(related))
    ]
    return name, [number for number, _ in found], [each.type for _, each in found], [each.id for _, each in found]
