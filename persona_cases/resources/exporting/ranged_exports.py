"""An export by ranges of time, which are walked side by side: it can be interrupted, and gone on with."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from contextlib import nullcontext
from datetime import datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

import attrs

from persona_cases.export.attachments.attachment_downloads import AttachmentDownloads
from persona_cases.export.attachments.attachment_report import AttachmentReport
from persona_cases.export.columns.choice import ColumnChoice
from persona_cases.export.formats.target import Compression, FileFormat, Target
from persona_cases.export.manifest_file import write_account
from persona_cases.export.provenance import Provenance
from persona_cases.export.ranges.collected import CollectProgress, CollectReport, OnCollected
from persona_cases.export.ranges.collector import collect
from persona_cases.export.ranges.fetcher_count import Crew
from persona_cases.export.rejects import Rejects
from persona_cases.export.report import ExportReport
from persona_cases.export.runner import ExportProgress, FileExport, OnProgress, Written
from persona_cases.export.sinks import AtomicFile
from persona_cases.export.spool.checkpoint import Description
from persona_cases.export.spool.spool import Spool
from persona_cases.export.threads import off_loop
from persona_cases.query import Predicate
from persona_cases.resources.exporting.counting import RequestCount
from persona_cases.resources.exporting.list_source import FreshSlices
from persona_cases.resources.exporting.search_source import CaseSlices

__all__ = ["RangedExport"]


@attrs.frozen(kw_only=True)
class RangedExport:
    """An export that is fetched by ranges, and can be gone on with.

    Attributes:
        where: the expression; None for all cases.
        source: where the cases come from.
        source_of: where those of another expression come from.
        path: the file to write.
        target: in what format.
        choice: which columns.
        settings: what else decides about the content of the file.
        began: when this run began, by the clock of the system.
        resume_max_age: how old, in seconds, an unfinished export may be that this run resumes.
        count: counts what is sent.
        accounted: whether a manifest is written beside the file.
        rejects: takes the cases that cannot be decoded; None refuses them.
        downloads: what downloads the attachments, if they are wanted.
    """

    where: Predicate | None
    source: CaseSlices | FreshSlices
    source_of: Callable[[Predicate | None], CaseSlices | FreshSlices]
    path: str | os.PathLike[str]
    target: Target
    choice: ColumnChoice
    settings: dict[str, Any]
    began: datetime
    resume_max_age: float
    count: RequestCount
    accounted: bool = False
    rejects: Rejects | None = None
    downloads: AttachmentDownloads | None = None

    async def write(self, on_progress: OnProgress | None, *, restart: bool) -> ExportReport:
        """Fetch what is not there yet, and write the file."""
        started = time.monotonic()
        AtomicFile.check(self.path)
        with self._spool(restart=restart) as spool:
            resumed = spool.frontier is not None
            snapshot = spool.description
            if resumed:
                snapshot.check_age(self.began, self.resume_max_age, Path(self.path).name)
            try:
                async with self.downloads or nullcontext():
                    collected = await self._fetch(self._source_for(snapshot), spool, on_progress)
                    done = _fetched(collected)
                    done = attrs.evolve(done, files=await self._download(spool, done, on_progress))
                written = await self._put_together(spool)
                cases = done.cases - written.refused
                done = attrs.evolve(done, cases=cases, size=written.size, empty_columns=written.empty_columns)
            finally:
                if spool.frontier is None:
                    spool.remove()
            report = ExportReport(
                cases=done.cases,
                pages=collected.pages,
                size=done.size,
                requests=self.count.sent,
                refused=self.count.refused,
                elapsed=time.monotonic() - started,
                walkers=collected.pages_by_walker,
                resumed=resumed,
                snapshot_at=snapshot.snapshot_at,
                empty_columns=done.empty_columns,
                rejected=0 if self.rejects is None else self.rejects.count,
                attachments=None if self.downloads is None else self.downloads.report,
            )
            if self.accounted:
                # Before the directory goes: whatever ends this run here, the next one writes it.
                await off_loop(write_account, self.path, _provenance(spool), report)
            await off_loop(spool.remove)
        if on_progress is not None:
            on_progress(done)
        return report

    def _spool(self, *, restart: bool) -> Spool:
        shape = {"format": self.target.format.value, "compression": self.target.compression.value}
        where = None if self.where is None else self.where.to_dict()
        description = Description({**self.settings, **shape}, version("persona-cases"), self.began, where)
        return Spool(os.fspath(self.path), description, restart=restart, backward=self.source.backward)

    def _source_for(self, snapshot: Description) -> CaseSlices | FreshSlices:
        if self.where is None or snapshot.where == self.where.to_dict():
            return self.source
        # Its relative times mean what they meant to the first run.
        return self.source_of(Predicate.from_dict(snapshot.where))

    async def _fetch(
        self, source: CaseSlices | FreshSlices, spool: Spool, on_progress: OnProgress | None
    ) -> CollectReport:
        return await collect(
            source,
            spool,
            crew=Crew(worth=source.pages_a_walker),
            limit=lambda: source.api.limiter_state,
            # Searches may not know the oldest case yet, if that is young; the list does.
            open_end=source.backward,
            set_aside=self.rejects is not None,
            on_progress=None if on_progress is None else _telling(on_progress),
        )

    async def _download(self, spool: Spool, done: ExportProgress, on_progress: OnProgress | None) -> int:
        """Download the attachments, if they are wanted; return how many files there are."""
        if self.downloads is None:
            return 0

        def tell(report: AttachmentReport) -> None:
            if on_progress is not None:
                on_progress(attrs.evolve(done, files=report.files + report.there))

        self.downloads.on_progress = tell
        report = await self.downloads.save_all(spool)
        return report.files + report.there

    async def _put_together(self, spool: Spool) -> Written:
        file = spool.file()
        if self.rejects is not None:
            self.rejects.within = file.part.parent
            await off_loop(self._set_aside, self.rejects, spool)
        if self.target != Target(FileFormat.JSON_LINES, Compression.NONE):
            export = FileExport(
                target=self.target, output=file, choice=self.choice, provenance=_provenance(spool), rejects=self.rejects
            )
            return await export.write_from(spool)
        try:
            if self.rejects is not None:
                # When the spool has become the file, it does not know them any more.
                await off_loop(self.rejects.commit)
            await off_loop(spool.become, file)
            await off_loop(file.commit)
        finally:
            file.discard()
            if self.rejects is not None:
                self.rejects.discard()
        return Written(file.size, ())

    @staticmethod
    def _set_aside(rejects: Rejects, spool: Spool) -> None:
        try:
            for line in spool.aside():
                rejects.add(line)
        except BaseException:
            rejects.discard()
            raise
        rejects.keep_since(spool.description.snapshot_at)


def _provenance(spool: Spool) -> Provenance:
    told = spool.description
    settings = {**told.settings, "where": told.where}
    return Provenance(settings=settings, library=told.library, snapshot_at=told.snapshot_at)


def _telling(on_progress: OnProgress) -> OnCollected:
    return lambda progress: on_progress(_told(progress))


def _told(progress: CollectProgress) -> ExportProgress:
    return ExportProgress(
        cases=progress.cases,
        pages=progress.pages,
        size=progress.size,
        pages_left=max(0, round(progress.pages_left)),
    )


def _fetched(report: CollectReport) -> ExportProgress:
    return ExportProgress(cases=report.cases, pages=sum(report.pages_by_range), pages_left=0)
