"""`PlainBatch`: cases by columns, in values that can be packed and that depend on no other case: pure."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Final

import msgspec

from persona_cases.export.columns.batch import Batch
from persona_cases.export.columns.cells import as_texts
from persona_cases.export.columns.column import ATTACHMENTS, FIXED, Column
from persona_cases.export.columns.types import JSON, TEXT, TIME, ColumnType
from persona_cases.name_prefixes import CUSTOM

__all__ = ["PlainBatch", "plain_batch"]

_TYPED: Final = {column.name: column.type for column in FIXED if column.name != ATTACHMENTS}
_json_texts = as_texts(JSON)


class PlainBatch(msgspec.Struct, frozen=True, gc=False):
    """Some cases, by columns.

    Attributes:
        sizes: the bytes of each case as the API sent it.
        values: by the name of the column: strings, numbers, booleans, and lists of them, None for each case that has no
            value. Times are text as `timestamp` writes them. A name is missing if no case has a value.
        texts: the names of the columns whose values are the text of JSON.
        more: what a format keeps besides.
    """

    sizes: list[int]
    values: dict[str, Any]
    texts: frozenset[str]
    more: Any = None

    def __len__(self) -> int:
        return len(self.sizes)

    def cells(
        self, column: Column, converter: Callable[[ColumnType], Callable[[Sequence[Any]], Sequence[Any]]]
    ) -> Sequence[Any]:
        """Return the cells of a column.

        Args:
            column: the column, whose type every batch fits.
            converter: returns what converts the values of a column of a type.
        """
        values: Sequence[Any] = self.values.get(column.name) or [None] * len(self)
        # A column that is JSON in some cases is JSON in all.
        if column.name in self.texts or column.type == TEXT or (column.type == TIME and column.name in _TYPED):
            return values
        return converter(column.type)(values)


def plain_batch(batch: Batch, more: Any = None, *, lists: bool = True) -> PlainBatch:
    """Return the cases of a batch in plain values.

    Args:
        batch: the cases.
        more: what a format keeps besides.
        lists: whether lists stay lists, and do not become the text of JSON.
    """
    values, texts = dict[str, Any](), set[str]()
    for name in batch.filled:
        column = batch.values[name]
        if name in batch.times:
            values[name] = batch.times[name]
        elif (type := _type_in(batch, name)) != JSON and (lists or not type.many):
            values[name] = column
        else:
            values[name] = _json_texts(column)
            texts.add(name)
    return PlainBatch([*map(len, batch.lines)], values, frozenset(texts), more)


def _type_in(batch: Batch, name: str) -> ColumnType:
    return batch.fields[name.removeprefix(CUSTOM)].type if name.startswith(CUSTOM) else _TYPED.get(name, JSON)
