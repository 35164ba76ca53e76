"""From pages of cases to a sink, or to a file of any format."""

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
from persona_cases.export.columns.titles import ColumnStyle, titled
from persona_cases.export.formats.opening import open_lines, open_store, open_table
from persona_cases.export.formats.target import FileFormat, Target
from persona_cases.export.progress import RunProgress
from persona_cases.export.provenance import Provenance
from persona_cases.export.rejects import Rejects
from persona_cases.export.sinks import Output, Sink
from persona_cases.export.table_sink import TableSink
from persona_cases.export.threads import off_loop

# A change of threads takes about as long as a tenth of a batch.
_BATCHES_AT_ONCE: Final = 4

S = TypeVar("S", Sink, TableSink)
T = TypeVar("T")

__all__ = ["Exportable", "FileExport", "Pages", "export_to_sink"]


class Exportable(Protocol):
    """What can be written as a line of JSON."""

    @property
    def raw_line(self) -> bytes:
        """The JSON document on one line, without the line feed."""
        ...


Pages = AsyncIterable[Iterable[Exportable]]
"""What there is to export, in its final order."""


@attrs.frozen(kw_only=True)
class FileExport:
    """An export to a file or a stream.

    Attributes:
        target: what to write.
        output: where to; it is committed in the end, or discarded.
        choice: which columns.
        style: how to spell their names.
        provenance: what makes the file, where the format has a place for it.
        rejects: takes the cases that a table cannot have because they cannot be decoded; None refuses them.
        buffer_directory: whose disk holds the cases until their columns are known; None for the system's choice.
    """

    target: Target
    output: Output
    choice: ColumnChoice = attrs.field(factory=ColumnChoice)
    style: ColumnStyle = "dotted"
    provenance: Provenance | None = None
    rejects: Rejects | None = None
    buffer_directory: Path | None = None

    async def run(self, pages: Pages, progress: RunProgress) -> None:
        """Write all cases of all pages: JSON Lines as they come, a table once the last page is there.

        Args:
            pages: the pages to write.
            progress: learns what was written.
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

        A table needs its columns before the first row. So the cases go by columns into a temporary file, and from there
        into the table.

        Args:
            source: the cases.
            progress: learns what was written; the cases of the source are counted in it already.

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
    """Write every case of every page as it comes, then commit the sink; if that fails, discard it.

    Args:
        pages: the pages to write.
        sink: where to write them.
        progress: learns what was written.
        measure: returns the number of bytes written; by default, the bytes passed to the sink are counted.
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
        # In one piece, so that neither the loop nor a line is ever left half done.
        cases, written = await off_loop(_write_page, write, page)
        given += written
        progress.fetched += 1
        so_far = progress.so_far
        size = given if measure is None else measure()
        progress.tell(cases=so_far.cases + cases, pages=so_far.pages + 1, size=size)


def _write_page(write: Callable[[Sequence[bytes]], object], page: Iterable[Exportable]) -> tuple[int, int]:
    # Here, so that no frame that outlives the page holds what is in its cases.
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

    # A thread for a few batches, so that a cancellation need not wait for the last one.
    while await off_loop(step):
        pass


@contextlib.asynccontextmanager
async def _ended(sink: S, rejects: Rejects | None = None) -> AsyncGenerator[S]:
    """Commit a sink if all goes well, discard it otherwise. What is rejected is complete before it is."""
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
        # What was cancelled while it was committed is there nevertheless.
        if not committed:
            await off_loop(discard)
        raise
