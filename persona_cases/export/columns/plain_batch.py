"""`PlainBatch`: cases by columns, in values that can be packed and that depend on no other case: pure."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Final

import msgspec

from persona_cases.export.columns.batch import Batch
from persona_cases.export.columns.cells import as_texts
from persona_cases.export.columns.column import ATTACHMENTS, FIXED, Column
from persona_cases.export.columns.types import JSON, ColumnType
from persona_cases.name_prefixes import CUSTOM

__all__ = ["PlainBatch", "plain_batch"]

_TYPED: Final = frozenset(column.name for column in FIXED) - {ATTACHMENTS}
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
        values = self.values.get(column.name)
        if values is None:
            return [None] * len(self)
        # A column that is JSON in some cases is JSON in all.
        return values if column.name in self.texts else converter(column.type)(values)


def plain_batch(batch: Batch, more: Any = None) -> PlainBatch:
    """Return the cases of a batch in plain values.

    Args:
        batch: the cases.
        more: what a format keeps besides.
    """
    values, texts = dict[str, Any](), set[str]()
    for name in batch.filled:
        column = batch.values[name]
        if name in batch.times:
            values[name] = batch.times[name]
        elif name in _TYPED or (name.startswith(CUSTOM) and batch.fields[name.removeprefix(CUSTOM)].type != JSON):
            values[name] = column
        else:
            values[name] = _json_texts(column)
            texts.add(name)
    return PlainBatch([*map(len, batch.lines)], values, frozenset(texts), more)
