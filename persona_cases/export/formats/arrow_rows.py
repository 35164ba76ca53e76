"""Cases as rows of Arrow tables, by pyarrow."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from persona_cases.export.columns.batch import BatchReader
from persona_cases.export.columns.cells import as_values
from persona_cases.export.columns.titles import TitledColumn
from persona_cases.export.columns.types import ColumnKind, ColumnType
from persona_cases.export.formats import packages

__all__ = ["ArrowRows"]

_TYPES: Final[Mapping[ColumnKind, Callable[[Any], Any]]] = {
    ColumnKind.BOOLEAN: lambda pa: pa.bool_(),
    ColumnKind.INTEGER: lambda pa: pa.int64(),
    ColumnKind.NUMBER: lambda pa: pa.float64(),
    ColumnKind.DATE: lambda pa: pa.date32(),
    ColumnKind.TIME: lambda pa: pa.timestamp("us", tz="UTC"),
}


class ArrowRows:
    """Takes cases as lines, and gives them as a table. All tables have the same schema.

    Args:
        columns: the columns.

    Attributes:
        schema: the `pyarrow.Schema`.
        count: how many rows wait to be taken.

    Raises:
        InvalidArgumentError: if pyarrow is not installed.
    """

    def __init__(self, columns: Sequence[TitledColumn]) -> None:
        self._arrow = packages.pyarrow("pyarrow")
        self.schema: Any = self._arrow.schema([(each.title, self._type(each.column.type)) for each in columns])
        self.count: int = 0
        self._reader = BatchReader()
        self._columns = [(each.column.name, as_values(each.column.type)) for each in columns]
        self._waiting: list[Any] = []

    def add(self, lines: Sequence[bytes]) -> None:
        """Take cases.

        Raises:
            DecodeError: if a line is not a case.
        """
        batch = self._reader.read(lines)
        arrays = [
            self._arrow.array(convert(batch.column(name)), type=field.type)
            for (name, convert), field in zip(self._columns, self.schema, strict=True)
        ]
        self._waiting.append(self._arrow.RecordBatch.from_arrays(arrays, schema=self.schema))
        self.count += len(lines)

    def take(self) -> Any:
        """Return all rows since the last call, as a `pyarrow.Table` whose columns are in one piece each."""
        table = self._arrow.Table.from_batches(self._waiting, schema=self.schema).combine_chunks()
        self._waiting, self.count = [], 0
        return table

    def _type(self, type: ColumnType) -> Any:
        arrow = _TYPES.get(type.kind, lambda pa: pa.string())(self._arrow)
        return self._arrow.list_(arrow) if type.many else arrow
