"""Exporting cases to a file or a sink."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime, timedelta
from functools import partial
from importlib.metadata import version
from typing import Any, Final, Literal, Self, TypeAlias, cast, get_args

import attrs

from persona_cases.errors import InvalidArgumentError
from persona_cases.export.columns.choice import ColumnChoice
from persona_cases.export.columns.column import Column
from persona_cases.export.formats.opening import check_available
from persona_cases.export.formats.replacing import check_replaceable
from persona_cases.export.formats.target import CompressionName, FormatName, Target
from persona_cases.export.manifest_file import account_path, write_account
from persona_cases.export.provenance import Provenance
from persona_cases.export.rejects import Rejects
from persona_cases.export.report import ExportReport
from persona_cases.export.runner import ExportProgress, FileExport, OnProgress, Pages, export_to_sink
from persona_cases.export.sinks import AtomicFile, Sink
from persona_cases.export.spool.workplace import Workplace
from persona_cases.export.threads import off_loop
from persona_cases.models import Fieldset
from persona_cases.protocol.checks import flag, seconds
from persona_cases.query import Predicate, Sort
from persona_cases.query.entry import as_predicate
from persona_cases.query.planner.plan import DEFAULT_MAX_SEARCHES
from persona_cases.query.relative import as_written
from persona_cases.resources.exporting.counting import counted
from persona_cases.resources.exporting.list_source import FreshSlices
from persona_cases.resources.exporting.ordered_exports import OrderedExport, Reading, downloads_to
from persona_cases.resources.exporting.ranged_exports import RangedExport
from persona_cases.resources.exporting.search_source import CaseSlices
from persona_cases.resources.requests import query_parameters as parameters
from persona_cases.resources.requests.paths_and_callbacks import callback, file_path

__all__ = ["DEFAULT_RESUME_MAX_AGE", "CaseExports", "Consistency", "Undecodable"]

DEFAULT_RESUME_MAX_AGE: Final = timedelta(hours=6)

Undecodable: TypeAlias = Literal["raise", "set_aside"]
"""What an export does with a case that cannot be decoded: end with an error, or write it to a file beside its own."""

Consistency: TypeAlias = Literal["search", "fresh"]
"""What an export sees: what searches find, which lag behind by about a minute, or what is there at this moment."""


class CaseExports:
    """The method of `persona.cases` that exports what `search` finds."""

    async def export(
        self: Reading,
        where: Predicate | None = None,
        *,
        to: str | os.PathLike[str] | Sink,
        sort: Sort | None = None,
        only: Iterable[str] | None = None,
        limit: int | None = None,
        on_progress: OnProgress | None = None,
        format: FormatName | None = None,
        compression: CompressionName | None = None,
        columns: Iterable[Column] = (),
        max_searches: int = DEFAULT_MAX_SEARCHES,
        restart: bool = False,
        resume_max_age: float | timedelta = DEFAULT_RESUME_MAX_AGE,
        overwrite: bool = False,
        consistency: Consistency = "search",
        attachments: str | os.PathLike[str] | None = None,
        undecodable: Undecodable = "raise",
        manifest: bool = False,
    ) -> ExportReport:
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
            only: the only attributes to export; None exports all. In tables they are the columns, behind the id; in
                JSON Lines the time of creation is always among them.
            limit: the most cases to export.
            on_progress: called with what was written so far.
            format: `jsonl`, `csv`, `parquet` or `sqlite`, whatever the path ends in.
            compression: `none`, `gzip` or `zstd`, whatever the path ends in; for Parquet, inside the file.
            columns: columns of custom fields whose types are known, as `columns_from(template)` returns them.
            max_searches: how many searches the expression may take; see `search`.
            restart: whether to start from the beginning if an unfinished export is there.
            resume_max_age: how old an unfinished export may be to be resumed, in seconds or as a `timedelta`; 6 hours
                by default. What a resumed export writes is as old as its first run, so an older one is refused, unless
                `restart` is given.
            overwrite: whether to replace a database that is not an earlier export. Other files are replaced anyway.
            consistency: `search` exports what searches find, which lag behind by about a minute. `fresh` lists the
                cases instead, which takes more requests if the list has no filter for what is asked for; what searches
                know and cases do not show cannot be asked for. For files, without `sort` and `limit`.
            attachments: a directory for the files that are attached to the cases, as
                `<directory>/<case id>/<file name>`; None leaves them out. What is there is not downloaded again.
            undecodable: what to do with a case that cannot be decoded. `raise` ends the export with an error that names
                the case. `set_aside` writes the case as the API sent it to `<name>.rejected.jsonl` beside the file, and
                goes on; the report counts it. For files.
            manifest: whether to write `<name>.manifest.json` beside the file: the expression and the other settings,
                versions, the time of the snapshot, and how many cases and bytes there are. For files.

        Returns:
            What was done: cases, pages, size, and the requests that it took.

        Raises:
            InvalidArgumentError: if the file cannot be written, or is a database that is not an earlier export; its
                name stands for no format, or a package that the format needs is not installed; an unfinished export of
                something else is there, or one that is too old. All of these come before the first request.
            ClientStateError: if another export to the same file is running, or to the same directory of attachments.
            QueryError: if a fresh export cannot decide the expression on what cases show.
            PersonaError: whatever a search may raise.
            OSError: if the disk is full.
        """
        _check_places(to, attachments, on_progress, manifest=manifest, overwrite=overwrite, restart=restart)
        chosen = None if only is None else parameters.names(only, "only", "['status', 'fields.priority']")
        loaded = None if chosen is None else list(Fieldset.of(chosen).names)
        fieldset = None if loaded is None else tuple(loaded)
        twin, count = counted(self)
        rejects = _rejects(undecodable, to)
        shape = _Shape.of(chosen, columns, format, compression, overwrite=overwrite)
        began, patience = datetime.now(UTC), seconds(resume_max_age, "resume_max_age", least=0)

        async def by_ranges(
            source_of: Callable[[Predicate | None], CaseSlices | FreshSlices], path: str | os.PathLike[str]
        ) -> ExportReport:
            export = RangedExport(
                where=where,
                source=source_of(where),
                source_of=source_of,
                path=path,
                target=shape.target(path),
                choice=shape.choice,
                settings={**_asked(where, consistency, twin._api.options.version), **shape.settings},
                began=began,
                resume_max_age=patience,
                count=count,
                accounted=manifest,
                rejects=rejects,
                downloads=downloads_to(twin, attachments, loaded, sets_aside=rejects is not None),
            )
            return await export.write(on_progress, restart=restart)

        if _is_fresh(consistency):
            if sort is not None or limit is not None or isinstance(to, Sink):
                raise InvalidArgumentError("consistency='fresh' is for files, without sort and limit")
            return await by_ranges(lambda asked: FreshSlices.of(twin._api, asked, fieldset), to)
        # What no search can find is refused now, whatever the walk.
        ordered = OrderedExport.of(
            self,
            where,
            sort=sort,
            only=loaded,
            limit=limit,
            max_searches=max_searches,
            attachments=attachments,
            rejects=rejects,
        )
        told = ordered.telling(on_progress)
        if isinstance(to, Sink):
            if format is not None or compression is not None:
                raise InvalidArgumentError("format and compression are for files: a sink gets cases as they come")
            return await ordered.run(partial(export_to_sink, sink=to, on_progress=told))
        if sort is not None or limit is not None:
            settings = {**shape.settings, "limit": limit, "version": twin._api.options.version}
            provenance = _provenance(where, sort, settings, ordered.began)
            write = partial(_write_in_order, to, shape.target(to), shape.choice)
            report = await ordered.run(partial(write, provenance=provenance, rejects=rejects, on_progress=told))
            if manifest:
                await off_loop(write_account, to, provenance, report)
            return report
        return await by_ranges(lambda asked: CaseSlices(twin._api, asked, fieldset, max_searches=max_searches), to)


@attrs.frozen
class _Shape:
    """What a file looks like.

    Attributes:
        choice: which columns it has, if it is a table.
        settings: what was asked for, as plain JSON.
    """

    choice: ColumnChoice
    settings: dict[str, Any]
    _format: FormatName | None
    _compression: CompressionName | None
    _overwrite: bool

    @classmethod
    def of(
        cls,
        chosen: list[str] | None,
        columns: Iterable[Column],
        format: FormatName | None,
        compression: CompressionName | None,
        *,
        overwrite: bool,
    ) -> Self:
        known = ColumnChoice.declared_by(columns)
        settings = {"only": chosen, "columns": list(map(repr, known))}
        return cls(ColumnChoice.of(chosen, known), settings, format, compression, overwrite)

    def target(self, path: str | os.PathLike[str]) -> Target:
        """Return what to write to a path, if that is possible here."""
        target = Target.of(path, self._format, self._compression)
        check_available(target)
        check_replaceable(path, target, overwrite=self._overwrite)
        return target


async def _write_in_order(
    path: str | os.PathLike[str],
    target: Target,
    choice: ColumnChoice,
    pages: Pages,
    *,
    provenance: Provenance,
    rejects: Rejects | None,
    on_progress: OnProgress | None,
) -> ExportProgress:
    AtomicFile.check(path)
    with Workplace(path) as place:
        if rejects is not None:
            rejects.within = place.directory
        export = FileExport(
            target=target,
            output=place.file(),
            choice=choice,
            provenance=provenance,
            rejects=rejects,
            buffer_directory=place.directory,
        )
        return await export.run(pages, on_progress)


def _asked(where: Predicate | None, consistency: str, api_version: str) -> dict[str, Any]:
    written = None if where is None else as_written(as_predicate(where, "where"))
    return {"where": written, "consistency": consistency, "version": api_version}


def _provenance(where: Predicate | None, sort: Sort | None, settings: Mapping[str, Any], began: datetime) -> Provenance:
    asked = {
        "where": None if where is None else where.to_dict(),
        "sort": None if sort is None else f"{sort.attribute}:{sort.direction}",
        **settings,
    }
    return Provenance(settings=asked, library=version("persona-cases"), snapshot_at=began)


def _rejects(undecodable: object, to: str | os.PathLike[str] | Sink) -> Rejects | None:
    if not isinstance(undecodable, str) or undecodable not in get_args(Undecodable):
        raise InvalidArgumentError("undecodable must be 'raise' or 'set_aside'")
    if undecodable == "raise":
        return None
    if isinstance(to, Sink):
        raise InvalidArgumentError("undecodable='set_aside' is for files, since it writes a file beside them")
    return Rejects(to)


def _check_places(to: object, attachments: object, on_progress: object, *, manifest: bool, **switches: bool) -> None:
    for name, value in {"manifest": manifest, **switches}.items():
        flag(value, name)
    if not isinstance(to, Sink):
        file_path(to, "to")
    elif manifest:
        raise InvalidArgumentError("manifest=True is for files, since it writes a file beside them")
    if manifest and isinstance(to, (str, os.PathLike)):
        AtomicFile.check(account_path(cast("str | os.PathLike[str]", to)))
    if attachments is not None:
        file_path(attachments, "attachments")
    callback(on_progress, "on_progress")


def _is_fresh(consistency: object) -> bool:
    if not isinstance(consistency, str) or consistency not in get_args(Consistency):
        raise InvalidArgumentError("consistency must be 'search' or 'fresh'")
    return consistency == "fresh"
