"""Exporting cases to a file or a sink."""

from __future__ import annotations

import os
from collections.abc import Iterable
from contextlib import aclosing
from typing import Protocol

from persona_cases.errors import InvalidArgumentError
from persona_cases.export.columns.choice import ColumnChoice, sparse_names
from persona_cases.export.columns.column import Column
from persona_cases.export.formats.opening import check_available
from persona_cases.export.formats.target import CompressionName, FormatName, Target
from persona_cases.export.runner import ExportProgress, FileExport, OnProgress, export_to_sink
from persona_cases.export.sinks import AtomicFile, Sink
from persona_cases.models import Case
from persona_cases.paging import Pager
from persona_cases.query import Predicate, Sort
from persona_cases.resources import parameters

__all__ = ["CaseExports"]


class Searching(Protocol):
    """What can search cases."""

    def search(
        self, where: Predicate | None = None, *, sort: Sort | None = None, fields: Iterable[str] | None = None
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
    ) -> ExportProgress:
        """Write all matching cases to a file: JSON Lines, CSV, Parquet or SQLite.

        The file appears under its name when it is complete, and replaces one that was there. JSON Lines hold each case
        exactly as the API sent it; the other formats are tables, whose columns `docs/exporting.md` describes.

        Args:
            where: what to export; None exports all cases.
            to: the path of the file, whose ending stands for the format: `.jsonl`, `.ndjson`, `.csv`, `.parquet`,
                `.sqlite`, `.sqlite3` or `.db`, none for JSON Lines; `.gz` or `.zst` behind `.jsonl`, `.ndjson` and
                `.csv` compresses. Or a `Sink`, which gets the cases as they come.
            sort: the order, newest first by default.
            fields: the only attributes to export; None exports all. In tables they are the columns, behind the id.
            limit: the most cases to export.
            on_progress: called after each page with what was written so far.
            format: `jsonl`, `csv`, `parquet` or `sqlite`, whatever the path ends in.
            compression: `none`, `gzip` or `zstd`, whatever the path ends in; for Parquet, inside the file.
            columns: columns of custom fields whose types are known, as `columns_from(template)` returns them.

        Returns:
            What was written.

        Raises:
            InvalidArgumentError: if the file can not be written, its name stands for no format, or a package that
                the format needs is not installed; before the first request.
            PersonaError: whatever a search may raise.
            OSError: if the disk is full.
        """
        chosen = None if fields is None else parameters.names(fields, "fields", "['status', 'fields.priority']")
        choice = ColumnChoice.of(chosen, columns)
        pager = self.search(where, sort=sort, fields=None if chosen is None else sparse_names(chosen))
        if limit is not None:
            pager = pager.limit(limit)
        if isinstance(to, Sink):
            if format is not None or compression is not None:
                raise InvalidArgumentError("format and compression are for files: a sink gets cases as they come")
            async with aclosing(pager.pages()) as pages:
                return await export_to_sink(pages, to, on_progress)
        target = Target.of(to, format, compression)
        check_available(target)
        async with aclosing(pager.pages()) as pages:
            file = AtomicFile(to)
            export = FileExport(target=target, output=file, choice=choice, buffer_directory=file.path.parent)
            return await export.run(pages, on_progress)
