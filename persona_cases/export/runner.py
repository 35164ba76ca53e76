"""From pages of cases to a sink, or to a file of any format."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncGenerator, AsyncIterable, Callable, Iterable, Sequence
from functools import partial
from pathlib import Path
from typing import Protocol

import attrs

from persona_cases.export.case_source import CaseBuffer, CaseSource, Without
from persona_cases.export.columns.choice import ColumnChoice
from persona_cases.export.columns.survey import Survey
from persona_cases.export.formats.opening import open_sink
from persona_cases.export.formats.target import FileFormat, Target
from persona_cases.export.provenance import Provenance
from persona_cases.export.rejects import Rejects, WithRejects
from persona_cases.export.sinks import Output, Sink
from persona_cases.export.threads import off_loop

__all__ = ["ExportProgress", "Exportable", "FileExport", "OnProgress", "Pages", "Written", "export_to_sink"]


class Exportable(Protocol):
    """What can be written as a line of JSON."""

    @property
    def raw_line(self) -> bytes:
        """The JSON document on one line, without the line feed."""
        ...


@attrs.frozen(kw_only=True)
class ExportProgress:
    """How far an export has come.

    Attributes:
        cases: cases fetched.
        pages: pages fetched.
        size: bytes written; in the end those of the finished file, before that those of the cases if the file can be
            begun only when all are there. For a sink of one's own, the bytes given to it.
        pages_left: how many pages there seem to be left; None if that is not known.
        files: attachments that are there, if they are downloaded.
        empty_columns: the columns of a table in which no case has a value; known at the end.
    """

    cases: int = 0
    pages: int = 0
    size: int = 0
    pages_left: int | None = None
    files: int = 0
    empty_columns: tuple[str, ...] = ()


OnProgress = Callable[[ExportProgress], object]
"""Called after each page, or when the pages of several walkers are safely on disk, and at the end."""

Pages = AsyncIterable[Iterable[Exportable]]
"""What there is to export, in its final order."""


@attrs.frozen
class Written:
    """What is in a file.

    Attributes:
        size: how many bytes.
        empty_columns: the columns of a table in which no case has a value.
        refused: how many cases it does not have because they could not be decoded.
    """

    size: int
    empty_columns: tuple[str, ...] = ()
    refused: int = 0


@attrs.frozen(kw_only=True)
class FileExport:
    """An export to a file or a stream.

    Attributes:
        target: what to write.
        output: where to; it is committed in the end, or discarded.
        choice: which columns.
        provenance: what makes the file, where the format has a place for it.
        rejects: takes the cases that a table cannot have because they cannot be decoded; None refuses them.
        buffer_directory: whose disk holds the cases until their columns are known; None for the system's choice.
    """

    target: Target
    output: Output
    choice: ColumnChoice = attrs.field(factory=ColumnChoice)
    provenance: Provenance | None = None
    rejects: Rejects | None = None
    buffer_directory: Path | None = None

    async def run(self, pages: Pages, on_progress: OnProgress | None = None) -> ExportProgress:
        """Write all cases of all pages: JSON Lines as they come, a table when the last one is there.

        Returns:
            What was written.
        """
        try:
            if self.target.format is FileFormat.JSON_LINES:
                sink = self._with_rejects(open_sink(self.target, self.output, ()))
                progress = await export_to_sink(pages, sink, on_progress, lambda: self.output.size)
            else:
                progress = await self._buffered(pages, on_progress)
        finally:
            self._discard()
        done = attrs.evolve(progress, size=self.output.size)
        if on_progress is not None and done != progress:
            on_progress(done)
        return done

    async def write_from(self, source: CaseSource) -> Written:
        """Write all cases of a source; a table reads it once for the columns, and once for the rows.

        Returns:
            What was written.

        Raises:
            DecodeError: if a line is no case; it tells the number of the line and the place in it.
        """
        try:
            refused = set[int]()
            survey = Survey(None if self.rejects is None else partial(self._reject, refused))
            if self.target.format is not FileFormat.JSON_LINES:
                await _read_through(source, survey.observe)
            columns = survey.columns(self.choice)
            sink = self._with_rejects(open_sink(self.target, self.output, columns, self.provenance))
            async with _ended(sink):
                await _read_through(Without(source, frozenset(refused)) if refused else source, sink.write)
        finally:
            self._discard()
        lines = self.target.format is FileFormat.JSON_LINES
        return Written(self.output.size, () if lines else survey.empty(columns), len(refused))

    def _reject(self, refused: set[int], number: int, line: bytes) -> None:
        if self.rejects is not None:
            refused.add(number)
            self.rejects.add(line)

    def _discard(self) -> None:
        self.output.discard()
        if self.rejects is not None:
            self.rejects.discard()

    def _with_rejects(self, sink: Sink) -> Sink:
        return sink if self.rejects is None else WithRejects(sink, self.rejects)

    async def _buffered(self, pages: Pages, on_progress: OnProgress | None) -> ExportProgress:
        with contextlib.closing(CaseBuffer(self.buffer_directory)) as buffer:
            progress = await _feed(pages, buffer.write, on_progress, lambda: buffer.size)
            written = await self.write_from(buffer)
        cases = progress.cases - written.refused
        return attrs.evolve(progress, cases=cases, empty_columns=written.empty_columns)


async def export_to_sink(
    pages: Pages, sink: Sink, on_progress: OnProgress | None = None, measure: Callable[[], int] | None = None
) -> ExportProgress:
    """Write every case of every page as it comes, and commit the sink, or discard it.

    Args:
        pages: the pages to write.
        sink: where to write to.
        on_progress: called after each page.
        measure: tells how many bytes were written; by default, what was given to the sink counts.

    Returns:
        What was written.
    """
    async with _ended(sink):
        return await _feed(pages, sink.write, on_progress, measure)


async def _feed(
    pages: Pages,
    write: Callable[[Sequence[bytes]], object],
    on_progress: OnProgress | None,
    measure: Callable[[], int] | None,
) -> ExportProgress:
    progress, given = ExportProgress(), 0
    async for page in pages:
        # In one piece, so that neither the loop nor a line is ever left half done.
        cases, written = await off_loop(_write_page, write, page)
        given += written
        size = given if measure is None else measure()
        progress = ExportProgress(cases=progress.cases + cases, pages=progress.pages + 1, size=size)
        if on_progress is not None:
            on_progress(progress)
    return progress


def _write_page(write: Callable[[Sequence[bytes]], object], page: Iterable[Exportable]) -> tuple[int, int]:
    # Here, so that no frame that outlives the page holds what is in its cases.
    lines = [item.raw_line for item in page]
    write(lines)
    return len(lines), sum(map(len, lines)) + len(lines)


async def _read_through(source: CaseSource, work: Callable[[Sequence[bytes]], object]) -> None:
    batches = iter(source.batches())

    def step() -> bool:
        batch = next(batches, None)
        if batch is not None:
            work(batch)
        return batch is not None

    # A thread a batch, so that a cancellation need not wait for the last one.
    while await off_loop(step):
        pass


@contextlib.asynccontextmanager
async def _ended(sink: Sink) -> AsyncGenerator[None]:
    """Commit a sink if all goes well, discard it otherwise."""
    committed = False

    def commit() -> None:
        nonlocal committed
        sink.commit()
        committed = True

    try:
        yield
        await off_loop(commit)
    except BaseException:
        # What was cancelled while it was committed is there nevertheless.
        if not committed:
            await off_loop(sink.discard)
        raise
