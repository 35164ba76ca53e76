"""Export page by page in one order: to a file, a stream or a sink. Such an export cannot be resumed."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import aclosing, asynccontextmanager

from persona_cases.export.provenance import Provenance
from persona_cases.export.report import ExportReport
from persona_cases.export.runner import FileExport, Pages, export_to_sink
from persona_cases.export.sinks import AtomicFile, Sink
from persona_cases.export.spool.workplace import Workplace
from persona_cases.export.stream_output import StreamOutput
from persona_cases.resources.exporting.export_request import OLDEST_FIRST, FilePath
from persona_cases.resources.exporting.export_run import ExportRun
from persona_cases.resources.reading.sifting import sifted

__all__ = ["export_in_order"]


async def export_in_order(run: ExportRun) -> ExportReport:
    """Fetch and write one page after another."""
    provenance = run.request.provenance(run.api.options.version)
    async with _pages(run) as pages:
        match run.request.to:
            case StreamOutput() as stream:
                export = FileExport(
                    target=run.request.target,
                    output=stream,
                    choice=run.request.choice,
                    style=run.request.column_style,
                )
                await export.run(pages, run.progress)
            case Sink() as sink:
                await export_to_sink(pages, sink, run.progress)
            case path:
                await _write_file(run, path, pages, provenance)
    run.progress.pages_by_fetcher = [run.progress.fetched]
    return await run.finish(provenance)


async def _write_file(run: ExportRun, path: FilePath, pages: Pages, provenance: Provenance) -> None:
    AtomicFile.check(path)
    with Workplace(path) as place:
        if run.rejects is not None:
            run.rejects.within = place.directory
        export = FileExport(
            target=run.request.target,
            output=place.file(),
            choice=run.request.choice,
            style=run.request.column_style,
            provenance=provenance,
            rejects=run.rejects,
            buffer_directory=place.directory,
        )
        await export.run(pages, run.progress)


@asynccontextmanager
async def _pages(run: ExportRun) -> AsyncGenerator[Pages]:
    request = run.request
    sort = request.sort or OLDEST_FIRST
    # Creation times allow a check of the order of cases.
    only = None if request.loaded is None else [*request.loaded, OLDEST_FIRST.attribute]
    if run.rejects is None:
        pager = run.cases.search(request.where, sort=sort, only=only, max_searches=request.max_searches)
    else:
        pager = sifted(
            run.api,
            request.where,
            sort=sort,
            only=only,
            max_searches=request.max_searches,
            put_aside=run.rejects.add,
        )
    async with aclosing((pager if request.limit is None else pager.limit(request.limit)).pages()) as pages:
        if run.downloads is None:
            yield pages
            return
        async with run.downloads, aclosing(run.downloads.beside(pages)) as passed_on:
            yield passed_on
