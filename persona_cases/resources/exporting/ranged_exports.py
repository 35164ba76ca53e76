"""Export to a file by time ranges, which are fetched concurrently. Such an export can be resumed."""

from __future__ import annotations

import os
from collections.abc import Awaitable, Callable
from contextlib import nullcontext
from importlib.metadata import version
from pathlib import Path
from typing import TypeAlias

from persona_cases.export.provenance import Provenance
from persona_cases.export.ranges.collector import collect
from persona_cases.export.ranges.fetcher_count import FetcherCount
from persona_cases.export.ranges.page_source import PageSource
from persona_cases.export.rejects import Rejects
from persona_cases.export.report import ExportReport
from persona_cases.export.sinks import AtomicFile
from persona_cases.export.spool.checkpoint import Description
from persona_cases.export.spool.spool import Spool
from persona_cases.export.threads import off_loop
from persona_cases.query import Predicate
from persona_cases.resources.exporting.export_request import FilePath
from persona_cases.resources.exporting.export_run import ExportRun
from persona_cases.resources.exporting.search_source import SearchSource

__all__ = ["export_by_ranges", "write_lines", "write_table"]

WriteFile: TypeAlias = Callable[[ExportRun, Spool, AtomicFile], Awaitable[None]]
"""Writes the output file from a complete spool, and commits or discards it."""


async def export_by_ranges(run: ExportRun, path: FilePath, write: WriteFile) -> ExportReport:
    """Fetch the cases that the spool does not have yet, and write the file.

    Args:
        run: the export.
        path: the path of the file.
        write: writes the file from the spool.
    """
    request, progress = run.request, run.progress
    source = _source(run, request.where)
    where = None if request.where is None else request.where.to_dict()
    asked = Description(request.settings(run.api.options.version), version("persona-cases"), request.began, where)
    AtomicFile.check(path)
    with Spool(os.fspath(path), asked, restart=request.restart, backward=source.backward) as spool:
        resumed = spool.ranges is not None
        if resumed:
            spool.description.check_age(request.began, request.max_age, Path(path).name)
        try:
            async with run.downloads or nullcontext():
                await collect(
                    _source_of_first_run(run, source, spool.description),
                    spool,
                    fetchers=FetcherCount(worth=source.pages_per_fetcher),
                    set_aside=run.rejects is not None,
                    progress=progress,
                )
                progress.update(pages_left=0)
                if run.downloads is not None:
                    await run.downloads.save_all(spool)
            await _write(run, spool, write)
        finally:
            if spool.ranges is None:
                spool.remove()
        # This comes before the directory is removed: if this run ends here, the next one writes the manifest.
        report = await run.finish(_provenance(spool), resumed=resumed)
        await off_loop(spool.remove)
    progress.tell_end()
    return report


async def write_lines(run: ExportRun, spool: Spool, file: AtomicFile) -> None:
    """Turn the spool itself into the file, because it holds the cases as lines."""
    try:
        if run.rejects is not None:
            # Once the spool has become the file, it no longer holds them.
            await off_loop(run.rejects.commit)
        await off_loop(spool.become, file)
        await off_loop(file.commit)
    finally:
        file.discard()
        if run.rejects is not None:
            run.rejects.discard()
    run.progress.update(size=file.size)


async def write_table(run: ExportRun, spool: Spool, file: AtomicFile) -> None:
    """Read the spool, and write a table or compressed lines."""
    from persona_cases.export.runner import FileExport  # noqa: PLC0415 - what writes tables takes time to load

    export = FileExport(
        target=run.request.target,
        output=file,
        choice=run.request.choice,
        style=run.request.column_style,
        provenance=_provenance(spool),
        rejects=run.rejects,
        buffer_directory=file.part.parent,
    )
    await export.write_from(spool, run.progress)


async def _write(run: ExportRun, spool: Spool, write: WriteFile) -> None:
    file = spool.file()
    if run.rejects is not None:
        run.rejects.within = file.part.parent
        await off_loop(_set_aside, run.rejects, spool)
    await write(run, spool, file)


def _set_aside(rejects: Rejects, spool: Spool) -> None:
    try:
        for line in spool.aside():
            rejects.add(line)
    except BaseException:
        rejects.discard()
        raise
    rejects.keep_since(spool.description.snapshot_at)


def _source(run: ExportRun, where: Predicate | None) -> PageSource:
    request = run.request
    if request.fresh:
        from persona_cases.export.ranges.turned_source import TurnedSource  # noqa: PLC0415 - few exports are fresh
        from persona_cases.resources.exporting.list_source import ListSource  # noqa: PLC0415

        return TurnedSource(ListSource.of(run.api, where, request.loaded))
    return SearchSource(api=run.api, where=where, only=request.loaded, max_searches=request.max_searches)


def _source_of_first_run(run: ExportRun, source: PageSource, snapshot: Description) -> PageSource:
    where = run.request.where
    if where is None or snapshot.where == where.to_dict():
        return source
    # Relative times keep the meaning that they had in the first run.
    return _source(run, Predicate.from_dict(snapshot.where))


def _provenance(spool: Spool) -> Provenance:
    snapshot = spool.description
    settings = {**snapshot.settings, "where": snapshot.where}
    return Provenance(settings=settings, library=snapshot.library, snapshot_at=snapshot.snapshot_at)
