"""Exporting cases to a file, a stream or a sink."""

from __future__ import annotations

import os
from collections.abc import Iterable
from datetime import timedelta
from typing import TYPE_CHECKING

from persona_cases.query import Predicate, Sort
from persona_cases.query.planner.plan import DEFAULT_MAX_SEARCHES

if TYPE_CHECKING:
    from persona_cases.export.columns.column import Column
    from persona_cases.export.columns.titles import ColumnStyle
    from persona_cases.export.formats.target import CompressionName, FormatName
    from persona_cases.export.progress import OnProgress
    from persona_cases.export.report import ExportReport
    from persona_cases.export.sinks import ByteSink, Sink
    from persona_cases.resources.exporting.export_request import Consistency, Undecodable
    from persona_cases.resources.exporting.export_run import CaseReading
    from persona_cases.typed import TypedCase

__all__ = ["CaseExports"]


class CaseExports:
    """The method of `persona.cases` that exports what `search` finds."""

    async def export(
        self: CaseReading,
        where: Predicate | None = None,
        *,
        to: str | os.PathLike[str] | Sink | ByteSink,
        sort: Sort | None = None,
        only: Iterable[str] | None = None,
        limit: int | None = None,
        on_progress: OnProgress | None = None,
        format: FormatName | None = None,
        compression: CompressionName | None = None,
        columns: Iterable[Column] | type[TypedCase] = (),
        column_style: ColumnStyle = "dotted",
        max_searches: int = DEFAULT_MAX_SEARCHES,
        restart: bool = False,
        resume_max_age: float | timedelta | None = None,
        overwrite: bool = False,
        consistency: Consistency = "search",
        attachments: str | os.PathLike[str] | None = None,
        undecodable: Undecodable = "raise",
        manifest: bool = False,
    ) -> ExportReport:
        """Write all matching cases to a file, as JSON Lines, CSV, Parquet or SQLite; or to a stream or a sink.

        To a file, the export splits the creation time into ranges and fetches several of them at the same time, as many
        as the rate limit allows. The file has the cases in the order of their creation. Progress is saved in a
        directory beside the file until the file is complete: after any interruption, the same call resumes. With `sort`
        or `limit`, and to a stream or a sink, the export fetches page after page in order and cannot resume.

        The file appears under its name when it is complete, and replaces one that was there. JSON Lines hold each case
        exactly as the API sent it; the other formats are tables, whose columns `docs/exporting.md` describes.

        Args:
            where: what to export; None exports all cases. Cases created after the newest one that is found at the
                start are left out; if the rate limit makes one walk do for several windows, after the newest one that
                is found when the export begins to fetch side by side.
            to: one of:

                - the path of the file. Its extension selects the format: `.jsonl`, `.ndjson`, `.csv`, `.parquet`,
                  `.sqlite`, `.sqlite3` or `.db`; without one, it is JSON Lines. `.gz` or `.zst` after `.jsonl`,
                  `.ndjson` or `.csv` compresses the file.
                - a binary stream, such as `sys.stdout.buffer`: anything with a `write` that takes bytes. It gets JSON
                  Lines, or the format of `format`. The stream gets whole lines, is flushed after each page, and stays
                  open.
                - a `Sink`, which gets the cases of each page.
            sort: the sort order; oldest first by default.
            only: the only attributes to export; None exports all. In tables they are the columns, after the id; in
                JSON Lines the time of creation is always among them.
            limit: maximum number of cases.
            on_progress: called as cases arrive.
            format: `jsonl`, `csv`, `parquet` or `sqlite`; by default, the extension selects it.
            compression: `none`, `gzip` or `zstd`; by default, the extension selects it. For Parquet, inside the file.
            columns: columns of custom fields whose types are known, as `columns_from(template)` returns them; or a
                generated class, whose columns are settled. For tables.
            column_style: how tables spell the names of columns: `dotted`, as in `fields.risk-score`, or `snake`, as in
                `fields_risk_score`, which databases take without quotes.
            max_searches: how many searches the expression may take; see `search`.
            restart: whether to discard saved progress and start from the beginning. For files, without `sort` and
                `limit`.
            resume_max_age: maximum age of an unfinished export that this call resumes, in seconds or as a `timedelta`;
                6 hours by default. A resumed export is as old as its first run, so an older one raises
                `InvalidArgumentError`, unless `restart` is given. For files, without `sort` and `limit`.
            overwrite: whether to replace a database that is not an earlier export. Other files are replaced anyway. For
                files.
            consistency: `search` exports what searches find, which is stale by about a minute. `fresh` reads the list
                of cases instead, which takes more requests if the list has no filter for what is asked for. What
                searches know and cases do not show cannot be asked for. For files, without `sort` and `limit`.
            attachments: a directory for the files that are attached to the cases, as
                `<directory>/<case id>/<file name>`; None leaves them out. Files that are there are not downloaded
                again.
            undecodable: what to do with a case that cannot be decoded. `raise` ends the export with an error that names
                the case. `set_aside` writes the case as the API sent it to `<name>.rejected.jsonl` beside the file and
                continues; the report counts it. For files.
            manifest: whether to write `<name>.manifest.json` beside the file: the expression and the other settings,
                versions, when the export began, and how many cases and bytes there are. For files.

        Returns:
            What was done: cases, pages, size, and the requests that it took.

        Raises:
            InvalidArgumentError: if an argument is invalid, or has no effect on this export; the file cannot be
                written, or is a database that is not an earlier export; the extension is unknown, or a package that the
                format needs is not installed; an unfinished export of something else exists, or one that is too old.
                All of these come before the first request.
            ClientStateError: if another export to the same file is running, or to the same directory of attachments.
            QueryError: if a fresh export cannot decide the expression on what cases show.
            PersonaError: whatever a search may raise.
            OSError: if the disk is full, or the stream fails.
        """
        # Loading these takes as long as loading all else that cases can do.
        from persona_cases.export.formats.target import Compression, FileFormat, Target  # noqa: PLC0415
        from persona_cases.resources.exporting.export_request import ExportRequest  # noqa: PLC0415
        from persona_cases.resources.exporting.export_run import ExportRun  # noqa: PLC0415
        from persona_cases.resources.exporting.ordered_exports import export_in_order  # noqa: PLC0415
        from persona_cases.resources.exporting.ranged_exports import (  # noqa: PLC0415
            export_by_ranges,
            write_lines,
            write_table,
        )

        request = ExportRequest(
            to=to,
            where=where,
            sort=sort,
            only=only,
            limit=limit,
            on_progress=on_progress,
            format=format,
            compression=compression,
            columns=columns,
            column_style=column_style,
            max_searches=max_searches,
            restart=restart,
            resume_max_age=resume_max_age,
            overwrite=overwrite,
            consistency=consistency,
            attachments=attachments,
            undecodable=undecodable,
            manifest=manifest,
        )
        run = ExportRun.of(request, self)
        if (path := request.path) is None or request.in_order:
            return await export_in_order(run)
        match request.target:
            case Target(FileFormat.JSON_LINES, Compression.NONE):
                return await export_by_ranges(run, path, write_lines)
            case _:
                return await export_by_ranges(run, path, write_table)
