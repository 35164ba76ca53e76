"""`CasePager`: a pager of cases that can also return Arrow tables."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Iterable
from contextlib import aclosing
from typing import TYPE_CHECKING, Any, get_args

import attrs

from persona_cases.models import Case
from persona_cases.paging import Pager
from persona_cases.paging.pager_lessons import PAGER
from persona_cases.protocol.checks import one_of, whole_number
from persona_cases.surface import publish
from persona_cases.teaching import taught

if TYPE_CHECKING:
    from persona_cases.export.arrow_tables import ArrowShape
    from persona_cases.export.columns.column import Column
    from persona_cases.export.formats.target import ColumnStyle
    from persona_cases.typed import TypedCase

__all__ = ["CasePager"]

_ROWS_A_BATCH = 10_000


@taught(PAGER)
@attrs.frozen(kw_only=True, repr=False)
class CasePager(Pager[Case]):
    """A pager of cases: a `Pager` that can also return the cases as Arrow tables.

    Tables have the columns and types of an export, which `docs/exporting.md` lists. The type of a custom field is the
    narrowest one that holds all of its values, so all cases are fetched before the first row is made. They are kept in
    an unnamed temporary file.
    """

    _only: tuple[str, ...] | None = attrs.field(alias="only", default=None, repr=False)

    async def to_arrow(
        self, columns: Iterable[Column] | type[TypedCase] | None = None, *, column_style: ColumnStyle = "dotted"
    ) -> Any:  # pyarrow has no types.
        """Return all cases as a `pyarrow.Table`; `limit(n)` caps their number.

        Args:
            columns: columns of custom fields whose types are known, as `columns_from(template)` returns them; or a
                generated class, whose columns are fixed.
            column_style: how to spell the names of columns: `dotted`, as in `fields.risk-score`, or `snake`, as in
                `fields_risk_score`.

        Raises:
            InvalidArgumentError: if an argument is invalid, or pyarrow is not installed; before the first request.
            PersonaError: any error that a request can raise.
            OSError: if there is no room for the temporary file.
        """
        from persona_cases.export.arrow_tables import whole_table  # noqa: PLC0415 - few programs want tables

        shape = self._shape(_ROWS_A_BATCH, columns, column_style)
        async with aclosing(self.pages()) as pages:
            return await whole_table(pages, shape)

    def arrow_batches(
        self,
        size: int = _ROWS_A_BATCH,
        columns: Iterable[Column] | type[TypedCase] | None = None,
        *,
        column_style: ColumnStyle = "dotted",
    ) -> AsyncGenerator[Any]:
        """Iterate over all cases as `pyarrow.RecordBatch` objects, with `async for`. Memory holds one batch at a time.

        All batches of a run have the same schema. The first batch comes after the last page. If there are no cases,
        there are no batches.

        Args:
            size: rows per batch; the last one may have fewer.
            columns: as for `to_arrow`.
            column_style: as for `to_arrow`.

        Raises:
            InvalidArgumentError: if an argument is invalid, or pyarrow is not installed; before the first request.
            PersonaError: any error that a request can raise.
            OSError: if there is no room for the temporary file.
        """
        whole_number(size, "size")
        return self._batches(self._shape(size, columns, column_style))

    async def _batches(self, shape: ArrowShape) -> AsyncGenerator[Any]:
        from persona_cases.export.arrow_tables import record_batches  # noqa: PLC0415

        async with aclosing(self.pages()) as pages, aclosing(record_batches(pages, shape)) as batches:
            async for batch in batches:
                yield batch

    def _shape(self, size: int, columns: Iterable[Column] | type[TypedCase] | None, style: ColumnStyle) -> ArrowShape:
        from persona_cases.export.arrow_tables import ArrowShape, check_arrow  # noqa: PLC0415
        from persona_cases.export.columns.choice import ColumnChoice  # noqa: PLC0415
        from persona_cases.export.formats.target import ColumnStyle  # noqa: PLC0415

        one_of(style, "column_style", get_args(ColumnStyle))
        choice = ColumnChoice(self._only, () if columns is None else ColumnChoice.declared_by(columns))
        check_arrow()
        return ArrowShape(choice=choice, style=style, size=size)


publish("persona_cases", CasePager)
