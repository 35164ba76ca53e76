"""Exports of pages of cases to a sink, or to a file of any format."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncGenerator, AsyncIterable, Callable, Iterable, Iterator, Sequence
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Final, Protocol, TypeVar

import attrs

from persona_cases.export.case_source import CaseBuffer, CaseSource
from persona_cases.export.columns.choice import ColumnChoice
from persona_cases.export.columns.survey import Survey
from persona_cases.export.columns.titles import titled
from persona_cases.export.formats.opening import open_lines, open_store, open_table
from persona_cases.export.formats.target import ColumnStyle, FileFormat, Target
from persona_cases.export.progress import RunProgress
from persona_cases.export.provenance import Provenance
from persona_cases.export.rejects import Rejects
from persona_cases.export.sinks import Output, Sink
from persona_cases.export.table_sink import TableSink
from persona_cases.export.threads import off_loop

# Switching threads takes about a tenth of the time of a batch.
_BATCHES_AT_ONCE: Final = 4

S = TypeVar("S", Sink, TableSink)
T = TypeVar("T")

__all__ = ["Exportable", "FileExport", "Pages", "export_to_sink"]


class Exportable(Protocol):
    """An object that can be written as a line of JSON."""

    @property
    def raw_line(self) -> bytes:
        """The JSON document on one line, without a line feed."""
        ...


Pages = AsyncIterable[Iterable[Exportable]]
"""The pages to export, in their final order."""


@attrs.frozen(kw_only=True)
class FileExport:
    """An export to a file or a stream.

    Attributes:
        target: the format and compression.
        output: the output, which is committed or discarded at the end.
        choice: the chosen columns.
        style: how to spell their names.
        provenance: how the file is made, for formats that have a place for it.
        rejects: receives undecodable cases, which a table cannot hold; None raises for such a case.
        buffer_directory: a directory on the disk that holds the cases until their columns are known; None for the
            system's temporary directory.
    """

    target: Target
    output: Output
    choice: ColumnChoice = attrs.field(factory=ColumnChoice)
    style: ColumnStyle = "dotted"
    provenance: Provenance | None = None
    rejects: Rejects | None = None
    buffer_directory: Path | None = None

    async def run(self, pages: Pages, progress: RunProgress) -> None:
        """Write all cases of all pages: JSON Lines as they arrive, a table after the last page.

        Args:
            pages: the pages to write.
            progress: the progress to update.
        """
        try:
            if self.target.format is FileFormat.JSON_LINES:
                async with self._ended(open_lines(self.target, self.output)) as sink:
                    await _feed(pages, sink.write, progress, lambda: self.output.size)
            else:
                with contextlib.closing(CaseBuffer(self.buffer_directory)) as buffer:
                    await _feed(pages, buffer.write, progress, lambda: buffer.size)
                    await self.write_from(buffer, progress)
        finally:
            self._discard()
        progress.tell_end(size=self.output.size)

    async def write_from(self, source: CaseSource, progress: RunProgress) -> None:
        """Write all cases of a source.

        A table needs its columns before the first row. So the cases are written by columns to a temporary file, and
        from there to the table.

        Args:
            source: the cases.
            progress: the progress to update; it already counts the cases of the source.

        Raises:
            DecodeError: if a line is not a case; the error has the number of the line and the position in it.
        """
        try:
            if self.target.format is FileFormat.JSON_LINES:
                async with self._ended(open_lines(self.target, self.output)) as sink:
                    await _read_through(source.batches(), sink.write)
            else:
                await self._write_table(source, progress)
        finally:
            self._discard()
        progress.update(size=self.output.size)

    async def _write_table(self, source: CaseSource, progress: RunProgress) -> None:
        refused = set[int]()
        survey = Survey(None if self.rejects is None else partial(self._reject, refused), raw=self.choice.raw)
        with contextlib.closing(open_store(self.target, self.buffer_directory)) as store:
            await _read_through(source.batches(), lambda lines: store.keep(survey.observe(lines)))
            columns = titled(survey.columns(self.choice), self.style)
            async with self._ended(open_table(self.target, self.output, columns, self.provenance)) as sink:
                await _read_through(store.batches(), sink.write)
        progress.update(cases=progress.so_far.cases - len(refused), empty_columns=survey.empty(columns))

    def _reject(self, refused: set[int], number: int, line: bytes) -> None:
        if self.rejects is not None:
            refused.add(number)
            self.rejects.add(line)

    def _ended(self, sink: S) -> contextlib.AbstractAsyncContextManager[S]:
        return _ended(sink, self.rejects)

    def _discard(self) -> None:
        self.output.discard()
        if self.rejects is not None:
            self.rejects.discard()


async def export_to_sink(
    pages: Pages, sink: Sink, progress: RunProgress, measure: Callable[[], int] | None = None
) -> None:
    """Write every case of every page as it arrives, and commit the sink; after an error, discard it.

    Args:
        pages: the pages to write.
        sink: the sink to write to.
        progress: the progress to update.
        measure: returns the number of bytes written. Default: counts the bytes passed to the sink.
    """
    async with _ended(sink):
        await _feed(pages, sink.write, progress, measure)


async def _feed(
    pages: Pages,
    write: Callable[[Sequence[bytes]], object],
    progress: RunProgress,
    measure: Callable[[], int] | None,
) -> None:
    given = 0
    async for page in pages:
        # In one step, so that an interruption cannot leave a page half written.
        cases, written = await off_loop(_write_page, write, page)
        given += written
        progress.fetched += 1
        so_far = progress.so_far
        size = given if measure is None else measure()
        progress.tell(cases=so_far.cases + cases, pages=so_far.pages + 1, size=size)


def _write_page(write: Callable[[Sequence[bytes]], object], page: Iterable[Exportable]) -> tuple[int, int]:
    # Deleted here, so that no frame that outlives the page holds data of its cases.
    lines = [item.raw_line for item in page]
    write(lines)
    return len(lines), sum(map(len, lines)) + len(lines)


async def _read_through(batches: Iterator[T], work: Callable[[T], object]) -> None:
    def step() -> bool:
        there = False
        for batch in islice(batches, _BATCHES_AT_ONCE):
            work(batch)
            there = True
        return there

    # One thread call per few batches, so that a cancellation need not wait for all of them.
    while await off_loop(step):
        pass


@contextlib.asynccontextmanager
async def _ended(sink: S, rejects: Rejects | None = None) -> AsyncGenerator[S]:
    """Commit a sink after success, or discard it after an error. The rejects are committed first."""
    committed = False

    def commit() -> None:
        nonlocal committed
        if rejects is not None:
            rejects.commit()
        sink.commit()
        committed = True

    def discard() -> None:
        if rejects is not None:
            rejects.discard()
        sink.discard()

    try:
        yield sink
        await off_loop(commit)
    except BaseException:
        # A sink that was cancelled during its commit is committed nevertheless.
        if not committed:
            await off_loop(discard)
        raise
