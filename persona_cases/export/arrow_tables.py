"""Conversion of pages of cases to Arrow tables, with the columns and types of an export."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Iterable, Iterator
from contextlib import asynccontextmanager, closing
from typing import Any

import attrs

from persona_cases.export.batch_store import BatchStore
from persona_cases.export.columns.choice import ColumnChoice
from persona_cases.export.columns.plain_batch import PlainBatch
from persona_cases.export.columns.survey import Survey
from persona_cases.export.columns.titles import titled
from persona_cases.export.formats import packages
from persona_cases.export.formats.arrow_rows import ArrowForm, ArrowRows
from persona_cases.export.formats.target import ColumnStyle
from persona_cases.export.runner import Exportable, Pages
from persona_cases.export.threads import off_loop

__all__ = ["ArrowShape", "check_arrow", "record_batches", "whole_table"]


def check_arrow() -> None:
    """Check that Arrow tables can be made.

    Raises:
        InvalidArgumentError: if pyarrow is not installed.
    """
    packages.pyarrow("pyarrow")


@attrs.frozen(kw_only=True)
class ArrowShape:
    """The shape of the tables.

    Attributes:
        choice: the chosen columns.
        style: how to spell their names.
        size: rows per batch.
    """

    choice: ColumnChoice
    style: ColumnStyle
    size: int


async def record_batches(pages: Pages, shape: ArrowShape) -> AsyncGenerator[Any]:
    """Yield all cases as `pyarrow.RecordBatch` objects, after the last page has arrived.

    Args:
        pages: the cases.
        shape: the shape of the batches.
    """
    async with _all_rows(pages, shape) as (_, tables):
        while (table := await off_loop(next, tables, None)) is not None:
            for batch in table.to_batches():
                yield batch


async def whole_table(pages: Pages, shape: ArrowShape) -> Any:
    """Return all cases as one `pyarrow.Table`.

    Args:
        pages: the cases.
        shape: the shape of the table.
    """
    async with _all_rows(pages, shape) as (rows, tables):
        # From the schema, so that the table has its columns even without cases.
        return packages.pyarrow("pyarrow").concat_tables([rows.schema.empty_table(), *await off_loop(list, tables)])


@asynccontextmanager
async def _all_rows(pages: Pages, shape: ArrowShape) -> AsyncGenerator[tuple[ArrowRows, Iterator[Any]]]:
    """Fetch all pages, which determines the types of the columns, and then yield tables of some rows each."""
    with closing(BatchStore(ArrowForm())) as store:
        survey = Survey()
        async for page in pages:
            await off_loop(_keep, page, store, survey)
        rows = ArrowRows(titled(survey.columns(shape.choice), shape.style))
        yield rows, _tables(rows, store.batches(), shape.size)


def _keep(page: Iterable[Exportable], store: BatchStore, survey: Survey) -> None:
    # Deleted here, so that no frame that outlives the page holds data of its cases.
    store.keep(survey.observe([item.raw_line for item in page]))


def _tables(rows: ArrowRows, batches: Iterator[PlainBatch], size: int) -> Iterator[Any]:
    for batch in batches:
        records = rows.records(batch)
        while records.num_rows:
            part = records.slice(0, size - rows.count)
            records = records.slice(part.num_rows)
            rows.add(part)
            if rows.count == size:
                yield rows.take()
    if rows.count:
        yield rows.take()
