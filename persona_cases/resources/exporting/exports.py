"""Export of cases to a file, a stream or a sink."""

from __future__ import annotations

import os
from collections.abc import Iterable
from datetime import timedelta
from typing import TYPE_CHECKING

from persona_cases.query import Predicate, Sort
from persona_cases.query.planner import DEFAULT_MAX_SEARCHES

if TYPE_CHECKING:
    from persona_cases.export.columns.column import Column
    from persona_cases.export.formats.target import ColumnStyle, CompressionName, FormatName
    from persona_cases.export.progress import OnProgress
    from persona_cases.export.report import ExportReport
    from persona_cases.export.sinks import ByteSink, Sink
    from persona_cases.resources.exporting.export_request import Consistency, Undecodable
    from persona_cases.resources.exporting.export_run import CaseReading, ExportRun
    from persona_cases.typed import TypedCase

__all__ = ["CaseExports"]


class CaseExports:
    """The method of `persona.cases` that exports the results of a search."""

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
        raw: bool = False,
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

        An export to a file splits the creation time into ranges and fetches several of them concurrently, as many as
        the rate limit allows. The file has the cases in order of creation. Progress is saved in a directory next to the
        file until the file is complete, so after any interruption the same call resumes. With `sort` or `limit`, or to
        a stream or a sink, the export fetches one page after another in order and cannot resume.

        The file appears under its name when it is complete, and replaces an existing one. JSON Lines hold each case
        exactly as the API sent it; the other formats are tables, whose columns `docs/exporting.md` describes.

        Args:
            where: the search expression; None exports all cases. Cases created after the newest one found at the start
                are left out. If the rate limit makes one fetcher sufficient at first, the bound is the newest case
                found when the export starts to fetch several ranges.
            to: one of:

                - the path of the file. Its extension selects the format: `.jsonl`, `.ndjson`, `.csv`, `.parquet`,
                  `.sqlite`, `.sqlite3` or `.db`; without one, it is JSON Lines. `.gz` or `.zst` after `.jsonl`,
                  `.ndjson` or `.csv` compresses the file.
                - a binary stream, such as `sys.stdout.buffer`: anything with a `write` that takes bytes. It receives
                  JSON Lines, or the format in `format`. The export writes whole lines, flushes the stream after each
                  page, and does not close it.
                - a `Sink`, which receives the cases of each page.
                - a URL of a file store that fsspec knows, such as `s3://bucket/cases.parquet` (extra `fsspec`, and the
                  package of the store). The file is made in a temporary directory and uploaded once it is complete. A
                  file there is replaced. Such an export cannot be resumed.
            sort: the sort order. Default: oldest first.
            only: the only attributes to export; None exports all. In tables, they become the columns, after the id. In
                JSON Lines, the creation time is always included.
            limit: maximum number of cases; None for no limit.
            on_progress: called with an `ExportProgress` as cases arrive.
            format: `jsonl`, `csv`, `parquet` or `sqlite`. Default: from the extension.
            compression: `none`, `gzip` or `zstd`. Default: from the extension. For Parquet, it applies inside the file.
            columns: columns of custom fields whose types are known, as `columns_from(template)` returns them; or a
                generated class, whose columns are settled. For tables.
            column_style: how tables spell the names of columns: `dotted`, as in `fields.risk-score`, or `snake`, as in
                `fields_risk_score`, which databases take without quotes.
            raw: whether the last column is `raw`, the whole case exactly as the API sent it. For tables.
            max_searches: maximum number of searches that the expression may take; see `search`.
            restart: whether to discard saved progress and start from the beginning. For files, without `sort` and
                `limit`.
            resume_max_age: maximum age of an unfinished export to resume, in seconds or as a `timedelta`. Default: 6
                hours.
                The age counts from the export's first run. An older export raises `InvalidArgumentError`, unless
                `restart` is given. For files, without `sort` and `limit`.
            overwrite: whether to replace a database that is not an earlier export. Other files are always replaced. For
                files.
            consistency: `search` exports search results, which are stale by about a minute. `fresh` reads the list of
                cases instead, which takes more requests if the list has no filter for the expression. It cannot
                evaluate attributes that cases do not show. For files, without `sort` and `limit`.
            attachments: a directory to download attached files to, as `<directory>/<case id>/<file name>`; None
                downloads none. Existing files are not downloaded again.
            undecodable: what to do with a case that cannot be decoded. `raise` ends the export with an error that names
                the case. `set_aside` writes the case as the API sent it to `<name>.rejected.jsonl` next to the file and
                continues; the report counts it. For files.
            manifest: whether to write `<name>.manifest.json` next to the file, with the expression and the other
                settings, versions, start time, and numbers of cases and bytes. For files.

        Returns:
            A report of the cases, pages, bytes and requests.

        Raises:
            InvalidArgumentError: if an argument is invalid, or has no effect on this export; the file cannot be
                written, or is a database that is not an earlier export; the extension is unknown, or a package that the
                format needs is not installed; an unfinished export of something else exists, or one that is too old.
                All of these are raised before the first request.
            ClientStateError: if another export to the same file is running, or to the same directory of attachments.
            QueryError: if a fresh export cannot evaluate the expression on the attributes that cases show.
            PersonaError: any error that a search can raise.
            OSError: if the disk is full, or the stream or the upload fails.
        """
        # Loading these takes as long as loading all other methods for cases.
        from persona_cases.resources.exporting.export_request import ExportRequest  # noqa: PLC0415
        from persona_cases.resources.exporting.export_run import ExportRun  # noqa: PLC0415
        from persona_cases.resources.exporting.remote_output import local_output  # noqa: PLC0415

        about_files = {
            "restart": restart is not False,
            "resume_max_age": resume_max_age is not None,
            "overwrite": overwrite is not False,
        }
        async with local_output(to, about_files) as output:
            request = ExportRequest(
                to=output,
                where=where,
                sort=sort,
                only=only,
                limit=limit,
                on_progress=on_progress,
                format=format,
                compression=compression,
                columns=columns,
                column_style=column_style,
                raw=raw,
                max_searches=max_searches,
                restart=restart,
                resume_max_age=resume_max_age,
                overwrite=overwrite,
                consistency=consistency,
                attachments=attachments,
                undecodable=undecodable,
                manifest=manifest,
            )
            return await _export(ExportRun.of(request, self))


async def _export(run: ExportRun) -> ExportReport:
    from persona_cases.export.formats.target import Compression, FileFormat, Target  # noqa: PLC0415

    if (path := run.request.path) is None or run.request.in_order:
        from persona_cases.resources.exporting.ordered_exports import export_in_order  # noqa: PLC0415

        return await export_in_order(run)
    from persona_cases.resources.exporting.ranged_exports import (  # noqa: PLC0415
        export_by_ranges,
        write_lines,
        write_table,
    )

    match run.request.target:
        case Target(FileFormat.JSON_LINES, Compression.NONE):
            return await export_by_ranges(run, path, write_lines)
        case _:
            return await export_by_ranges(run, path, write_table)
