"""Cases as rows of Arrow tables, by pyarrow."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from itertools import chain
from typing import Any, Final

import attrs

from persona_cases.export.columns.batch import Batch
from persona_cases.export.columns.cells import as_values
from persona_cases.export.columns.column import FIXED, Column
from persona_cases.export.columns.plain_batch import PlainBatch, plain_batch
from persona_cases.export.columns.titles import TitledColumn
from persona_cases.export.columns.types import JSON, TEXT, ColumnKind, ColumnType
from persona_cases.export.formats import packages
from persona_cases.name_prefixes import CUSTOM

__all__ = ["ArrowForm", "ArrowRows"]

_TYPES: Final[Mapping[ColumnKind, Callable[[Any], Any]]] = {
    ColumnKind.BOOLEAN: lambda pa: pa.bool_(),
    ColumnKind.SMALL: lambda pa: pa.int64(),
    ColumnKind.INTEGER: lambda pa: pa.int64(),
    ColumnKind.NUMBER: lambda pa: pa.float64(),
    ColumnKind.DATE: lambda pa: pa.date32(),
    ColumnKind.TIME: lambda pa: pa.timestamp("us", tz="UTC"),
}

_FIXED: Final = {column.name: column.type for column in FIXED}
_STORED: Final = {ColumnKind.DATE: ColumnKind.TEXT, ColumnKind.TIME: ColumnKind.TEXT}
# What Arrow reads from text, or from other numbers, as Python does.
_CAST: Final = frozenset({ColumnKind.DATE, ColumnKind.TIME, ColumnKind.NUMBER})


class ArrowForm:
    """Stores the columns of a batch as Arrow arrays; see `StoredForm`.

    Their types are those of the values at hand. Times and dates stay the text that the API sent, because in other cases
    the column may have what is neither.

    Raises:
        InvalidArgumentError: if pyarrow is not installed.
    """

    def __init__(self) -> None:
        self._arrow = packages.pyarrow("pyarrow")
        self._ipc = packages.pyarrow("pyarrow.ipc")

    def stored(self, batch: Batch) -> PlainBatch:
        """Return what to store."""
        plain = plain_batch(batch)
        # As Arrow's numbers, 1 and 1.0 would be the same; as texts, which the column may become, they are not.
        kept = {name: values for name, values in plain.values.items() if _is_mixed(batch, name, values)}
        arrays = {
            name: self._arrow.array(values, self._type(batch, name))
            for name, values in plain.values.items()
            if name not in kept
        }
        records = self._arrow.RecordBatch.from_arrays([*arrays.values()], [*arrays])
        stream = self._arrow.BufferOutputStream()
        with self._ipc.new_stream(stream, records.schema) as writer:
            writer.write_batch(records)
        return PlainBatch(plain.sizes, kept, plain.texts, memoryview(stream.getvalue()))

    def restored(self, stored: PlainBatch) -> PlainBatch:
        """Return the arrays, or the lists of values, by the names of their columns."""
        with self._ipc.open_stream(stored.more) as reader:
            records = reader.read_next_batch()
        arrays = zip(records.schema.names, records.columns, strict=True)
        return PlainBatch(stored.sizes, {**stored.values, **dict(arrays)}, stored.texts)

    def _type(self, batch: Batch, name: str) -> Any:
        return _stored_type(self._arrow, _type_in(batch, name))


class ArrowRows:
    """Takes cases as `ArrowForm` restores them, and gives them as a table. All tables have the same schema.

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
        self.schema: Any = self._arrow.schema(
            [(each.title, _type_of(self._arrow, each.column.type)) for each in columns]
        )
        self.count: int = 0
        self._columns = [each.column for each in columns]
        self._waiting: list[Any] = []

    def records(self, batch: PlainBatch) -> Any:
        """Return cases as a `pyarrow.RecordBatch`."""
        arrays = [
            self._array(batch, column, field.type) for column, field in zip(self._columns, self.schema, strict=True)
        ]
        return self._arrow.RecordBatch.from_arrays(arrays, schema=self.schema)

    def add(self, records: Any) -> None:
        """Take cases, as `records` returned them."""
        self._waiting.append(records)
        self.count += records.num_rows

    def take(self) -> Any:
        """Return all rows since the last call, as a `pyarrow.Table` whose columns are in one piece each."""
        table = self._arrow.Table.from_batches(self._waiting, schema=self.schema).combine_chunks()
        self._waiting, self.count = [], 0
        return table

    def _array(self, batch: PlainBatch, column: Column, type: Any) -> Any:
        array = batch.values.get(column.name)
        if array is None:
            return self._arrow.nulls(len(batch), type)
        if not isinstance(array, self._arrow.Array):
            return self._arrow.array(as_values(column.type)(array), type=type)
        if array.null_count == len(array):
            return self._arrow.nulls(len(batch), type)
        # A text in a column that is JSON in other cases is not the text of JSON yet.
        if array.type == type and (column.type != JSON or column.name in batch.texts):
            return array
        if column.type.kind in _CAST and not column.type.many:
            try:
                return array.cast(type)
            except self._arrow.ArrowInvalid:
                # Python takes more forms of times.
                pass
        # Whatever type is wider needs the values themselves.
        return self._arrow.array(as_values(column.type)(array.to_pylist()), type=type)


def _type_in(batch: Batch, name: str) -> ColumnType:
    field = batch.fields.get(name.removeprefix(CUSTOM)) if name.startswith(CUSTOM) else None
    return _FIXED.get(name, TEXT) if field is None else field.type


def _is_mixed(batch: Batch, name: str, values: Sequence[Any]) -> bool:
    type = _type_in(batch, name)
    if type.kind is not ColumnKind.NUMBER:
        return False
    given = [each for each in values if each is not None]
    return any(isinstance(each, int) for each in (chain.from_iterable(given) if type.many else given))


def _type_of(arrow: Any, type: ColumnType) -> Any:
    item = _TYPES.get(type.kind, lambda pa: pa.string())(arrow)
    return arrow.list_(item) if type.many else item


def _stored_type(arrow: Any, type: ColumnType) -> Any:
    return _type_of(arrow, attrs.evolve(type, kind=_STORED.get(type.kind, type.kind)))
