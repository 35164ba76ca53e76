"""Exporting cases to a file or a sink."""

from __future__ import annotations

import os
from collections.abc import Iterable
from contextlib import aclosing
from importlib.metadata import version
from typing import Any, Protocol

import attrs

from persona_cases.errors import InvalidArgumentError
from persona_cases.export.checkpoint import Description
from persona_cases.export.collector import CollectProgress, collect
from persona_cases.export.columns.choice import ColumnChoice, sparse_names
from persona_cases.export.columns.column import Column
from persona_cases.export.formats.opening import check_available
from persona_cases.export.formats.target import Compression, CompressionName, FileFormat, FormatName, Target
from persona_cases.export.runner import ExportProgress, FileExport, OnProgress, export_to_sink
from persona_cases.export.sinks import AtomicFile, Sink
from persona_cases.export.spool import Spool
from persona_cases.export.threads import off_loop
from persona_cases.models import Case
from persona_cases.paging import Pager, Walk
from persona_cases.query import DEFAULT_MAX_SEARCHES, Predicate, Q, Sort, as_predicate
from persona_cases.resources import parameters
from persona_cases.resources.api import Api
from persona_cases.resources.slices import CaseSlices

__all__ = ["CaseExports"]

_OLDEST_FIRST = Q.created_at.asc()


class Searching(Protocol):
    """What can search cases."""

    _api: Api

    def search(
        self,
        where: Predicate | None = None,
        *,
        sort: Sort | None = None,
        fields: Iterable[str] | None = None,
        max_searches: int = DEFAULT_MAX_SEARCHES,
    ) -> Pager[Case]:
        """Search cases."""
        ...


class CaseExports:
    """The method of `persona.cases` that exports what `search` finds."""

    async def export(
        self: Searching,
        where: Predicate | None,
        to: str | os.PathLike[str] | Sink,
        *,
        sort: Sort | None = None,
        fields: Iterable[str] | None = None,
        limit: int | None = None,
        on_progress: OnProgress | None = None,
        format: FormatName | None = None,
        compression: CompressionName | None = None,
        columns: Iterable[Column] = (),
        max_searches: int = DEFAULT_MAX_SEARCHES,
        restart: bool = False,
    ) -> ExportProgress:
        """Write all matching cases to a file: JSON Lines, CSV, Parquet or SQLite.

        The time of creation is cut into ranges, which are fetched side by side, as many as the rate limit can feed; the
        file has the cases in the order of their creation. What is fetched is kept in a directory beside the file until
        that is complete: after an interruption, whatever it was, the same call goes on from there. With `sort` or
        `limit`, and to a sink, there is one walk in order, which starts anew.

        The file appears under its name when it is complete, and replaces one that was there. JSON Lines hold each case
        exactly as the API sent it; the other formats are tables, whose columns `docs/exporting.md` describes.

        Args:
            where: what to export; None exports all cases. Cases created after the newest one that is found at the
                start are left out.
            to: the path of the file, whose ending stands for the format: `.jsonl`, `.ndjson`, `.csv`, `.parquet`,
                `.sqlite`, `.sqlite3` or `.db`, none for JSON Lines; `.gz` or `.zst` behind `.jsonl`, `.ndjson` and
                `.csv` compresses. Or a `Sink`, which gets the cases as they come.
            sort: the order, oldest first by default.
            fields: the only attributes to export; None exports all. In tables they are the columns, behind the id; in
                JSON Lines the time of creation is always among them.
            limit: the most cases to export.
            on_progress: called with what was written so far.
            format: `jsonl`, `csv`, `parquet` or `sqlite`, whatever the path ends in.
            compression: `none`, `gzip` or `zstd`, whatever the path ends in; for Parquet, inside the file.
            columns: columns of custom fields whose types are known, as `columns_from(template)` returns them.
            max_searches: how many searches the expression may take; see `search`.
            restart: whether to start anew if an unfinished export is there.

        Returns:
            What was written.

        Raises:
            InvalidArgumentError: if the file can not be written, its name stands for no format, a package that the
                format needs is not installed, or an unfinished export of something else is there; before the first
                request.
            ClientStateError: if another process is exporting to the same file.
            PersonaError: whatever a search may raise.
            OSError: if the disk is full.
        """
        chosen = None if fields is None else parameters.names(fields, "fields", "['status', 'fields.priority']")
        known = tuple(columns)
        choice = ColumnChoice.of(chosen, known)
        loaded = None if chosen is None else sparse_names(chosen)
        order = _OLDEST_FIRST if sort is None else sort
        pager = self.search(where, sort=order, fields=loaded, max_searches=max_searches)
        if isinstance(to, Sink):
            if format is not None or compression is not None:
                raise InvalidArgumentError("format and compression are for files: a sink gets cases as they come")
            async with aclosing(_in_order(pager, limit)) as pages:
                return await export_to_sink(pages, to, on_progress)
        target = Target.of(to, format, compression)
        check_available(target)
        if sort is not None or limit is not None:
            async with aclosing(_in_order(pager, limit)) as pages:
                file = AtomicFile(to)
                export = FileExport(target=target, output=file, choice=choice, buffer_directory=file.path.parent)
                return await export.run(pages, on_progress)
        what = Exported(
            source=CaseSlices(self._api, where, None if loaded is None else tuple(loaded), max_searches=max_searches),
            path=to,
            target=target,
            choice=choice,
            settings={"fields": chosen, "columns": list(map(repr, known)), "version": self._api.options.version},
        )
        return await what.write(on_progress, restart=restart)


@attrs.frozen(kw_only=True)
class Exported:
    """An export that is fetched by ranges, and can be gone on with.

    Attributes:
        source: where the cases come from.
        path: the file to write.
        target: in what format.
        choice: which columns.
        settings: what else decides about the content of the file.
    """

    source: CaseSlices
    path: str | os.PathLike[str]
    target: Target
    choice: ColumnChoice
    settings: dict[str, Any]

    async def write(self, on_progress: OnProgress | None, *, restart: bool) -> ExportProgress:
        """Fetch what is not there yet, and write the file."""
        where = None if self.source.where is None else as_predicate(self.source.where, "where").to_json()
        shape = {"format": self.target.format.value, "compression": self.target.compression.value}
        description = Description({"where": where, **shape, **self.settings}, version("persona-cases"))
        # Refused now, if it can not be written in the end.
        AtomicFile(self.path).discard()
        with Spool(os.fspath(self.path), description, restart=restart) as spool:
            try:
                done = await self._fetch(spool, on_progress)
                done = attrs.evolve(done, size=await self._put_together(spool))
            finally:
                if spool.frontier is None:
                    spool.remove()
            await off_loop(spool.remove)
        if on_progress is not None:
            on_progress(done)
        return done

    async def _fetch(self, spool: Spool, on_progress: OnProgress | None) -> ExportProgress:
        def tell(progress: CollectProgress) -> None:
            if on_progress is not None:
                on_progress(_told(progress))

        limiter = self.source.api.transport.admission.limiter
        report = await collect(self.source, spool, limit=lambda: limiter.state, on_progress=tell)
        return ExportProgress(cases=report.cases, pages=report.pages, pages_left=0)

    async def _put_together(self, spool: Spool) -> int:
        file = AtomicFile(self.path)
        if self.target != Target(FileFormat.JSON_LINES, Compression.NONE):
            return await FileExport(target=self.target, output=file, choice=self.choice).write_from(spool)
        try:
            await off_loop(spool.copy_to, file.fileno())
            await off_loop(file.commit)
        finally:
            file.discard()
        return file.size


def _told(progress: CollectProgress) -> ExportProgress:
    return ExportProgress(
        cases=progress.cases,
        pages=progress.pages,
        size=progress.size,
        pages_left=max(0, round(progress.pages_left)),
    )


def _in_order(pager: Pager[Case], limit: int | None) -> Walk[Case]:
    return (pager if limit is None else pager.limit(limit)).pages()
