"""An export that is one walk in order: it counts what it sends, and starts anew each time."""

from __future__ import annotations

import os
import time
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterable
from contextlib import aclosing, asynccontextmanager
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Final, Protocol, Self

import attrs

from persona_cases.errors import InvalidArgumentError
from persona_cases.export.attachments.attachment_downloads import AttachmentDownloads
from persona_cases.export.attachments.attachment_report import AttachmentReport
from persona_cases.export.rejects import Rejects
from persona_cases.export.report import ExportReport
from persona_cases.export.runner import ExportProgress, OnProgress, Pages
from persona_cases.models import Attachment, Case
from persona_cases.paging import Pager
from persona_cases.query import Predicate, Q, Sort
from persona_cases.query.planner.plan import DEFAULT_MAX_SEARCHES
from persona_cases.resources.endpoint import Api
from persona_cases.resources.exporting.counting import RequestCount, counted
from persona_cases.resources.reading.sifting import sifted

__all__ = ["OrderedExport", "Reading", "Searching", "downloads_to"]

_OLDEST_FIRST: Final = Q.created_at.asc()
_ATTACHMENTS: Final = "attachments"


class Searching(Protocol):
    """What can search cases."""

    _api: Api

    def search(
        self,
        where: Predicate | None = None,
        *,
        sort: Sort | None = None,
        only: Iterable[str] | None = None,
        max_searches: int = DEFAULT_MAX_SEARCHES,
    ) -> Pager[Case]:
        """Search cases."""
        ...


class Reading(Searching, Protocol):
    """What can search, get and download."""

    async def get(self, case: Case | str, *, only: Iterable[str] | None = None) -> Case:
        """Get a case."""
        ...

    async def download(self, attachment: Attachment, to: str | os.PathLike[str]) -> Path:
        """Download a file."""
        ...


def downloads_to(
    cases: Reading,
    directory: str | os.PathLike[str] | None,
    only: Iterable[str] | None,
    *,
    sets_aside: bool = False,
) -> AttachmentDownloads | None:
    """Return what downloads the attachments of exported cases; None if there is no directory for them.

    Raises:
        InvalidArgumentError: if they are not among the attributes that are loaded.
    """
    if directory is None:
        return None
    if only is not None and _ATTACHMENTS not in only:
        raise InvalidArgumentError("attachments are found through the attribute of that name: add it to only")

    async def load(case_id: str) -> Case:
        return await cases.get(case_id, only=[_ATTACHMENTS])

    return AttachmentDownloads(directory, load=load, fetch=cases.download, sets_aside=sets_aside)


@attrs.frozen
class OrderedExport:
    """A search that is ready to be exported.

    Attributes:
        pager: the search.
        count: counts what it sends.
        downloads: what downloads the attachments, if they are wanted.
        rejects: takes the cases that cannot be decoded; None refuses them.
        began: when the export began.
    """

    pager: Pager[Case]
    count: RequestCount
    downloads: AttachmentDownloads | None = None
    rejects: Rejects | None = None
    began: datetime = attrs.field(factory=partial(datetime.now, UTC))

    @classmethod
    def of(
        cls,
        cases: Reading,
        where: Predicate | None,
        *,
        sort: Sort | None = None,
        only: Iterable[str] | None = None,
        limit: int | None = None,
        max_searches: int = DEFAULT_MAX_SEARCHES,
        attachments: str | os.PathLike[str] | None = None,
        rejects: Rejects | None = None,
    ) -> Self:
        """Make one; the arguments are those of `cases.export`, and what takes cases that cannot be decoded.

        Raises:
            InvalidArgumentError: if an argument cannot work.
            QueryError: if the expression or the order cannot.
        """
        twin, count = counted(cases)
        order = _OLDEST_FIRST if sort is None else sort
        if rejects is None:
            pager = twin.search(where, sort=order, only=only, max_searches=max_searches)
        else:
            pager = sifted(twin._api, where, sort=order, only=only, max_searches=max_searches, put_aside=rejects.add)
        downloads = downloads_to(twin, attachments, only, sets_aside=rejects is not None)
        return cls(pager if limit is None else pager.limit(limit), count, downloads, rejects)

    def telling(self, on_progress: OnProgress | None) -> OnProgress | None:
        """Return what to tell of the cases, so that `on_progress` is told of their files as well."""
        if on_progress is None or self.downloads is None:
            return on_progress
        both = _CasesAndFiles(on_progress)
        self.downloads.on_progress = both.tell_files
        return both.tell_cases

    async def run(self, write: Callable[[Pages], Awaitable[ExportProgress]]) -> ExportReport:
        """Walk the pages.

        Args:
            write: takes the pages, and tells what was written.
        """
        started = time.monotonic()
        async with self._pages() as pages:
            done = await write(pages)
        return ExportReport(
            cases=done.cases,
            pages=done.pages,
            size=done.size,
            requests=self.count.sent,
            refused=self.count.refused,
            elapsed=time.monotonic() - started,
            walkers=(done.pages,),
            snapshot_at=self.began,
            empty_columns=done.empty_columns,
            rejected=0 if self.rejects is None else self.rejects.count,
            attachments=None if self.downloads is None else self.downloads.report,
        )

    @asynccontextmanager
    async def _pages(self) -> AsyncGenerator[Pages]:
        async with aclosing(self.pager.pages()) as walk:
            if self.downloads is None:
                yield walk
                return
            async with self.downloads, aclosing(self.downloads.beside(walk)) as pages:
                yield pages


@attrs.define
class _CasesAndFiles:
    """Makes one progress of that of the cases and that of their files."""

    _on_progress: OnProgress
    _done: ExportProgress = attrs.field(factory=ExportProgress, init=False)

    def tell_cases(self, done: ExportProgress) -> None:
        self._done = attrs.evolve(done, files=self._done.files)
        self._on_progress(self._done)

    def tell_files(self, report: AttachmentReport) -> None:
        self._done = attrs.evolve(self._done, files=report.files + report.there)
        self._on_progress(self._done)
