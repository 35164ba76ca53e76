"""`ExportRun`: one run of an export, with everything that all ways to write cases share."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Protocol, Self

import msgspec

from persona_cases.export.manifest_file import write_account
from persona_cases.export.progress import RunProgress
from persona_cases.export.provenance import Provenance
from persona_cases.export.rejects import Rejects
from persona_cases.export.report import ExportReport
from persona_cases.export.threads import off_loop
from persona_cases.query import Predicate, Sort
from persona_cases.query.planner import DEFAULT_MAX_SEARCHES
from persona_cases.resources.endpoint import Api
from persona_cases.resources.exporting.counting import RequestCount, counted
from persona_cases.resources.exporting.export_request import ATTACHMENTS, ExportRequest

if TYPE_CHECKING:
    from persona_cases.export.attachments.attachment_downloads import AttachmentDownloads
    from persona_cases.models import Attachment, Case
    from persona_cases.paging import Pager

__all__ = ["CaseReading", "ExportRun", "Searching"]


class Searching(Protocol):
    """The interface that searches cases."""

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


class CaseReading(Searching, Protocol):
    """The interface that searches and gets cases, and downloads files."""

    async def get(self, case: Case | str, *, only: Iterable[str] | None = None) -> Case:
        """Get a case."""
        ...

    async def download(self, attachment: Attachment, to: str | os.PathLike[str]) -> Path:
        """Download a file."""
        ...


class ExportRun(msgspec.Struct, frozen=True, kw_only=True):
    """One run of an export.

    Attributes:
        request: the arguments of the export.
        cases: reads the cases.
        api: the API, with requests counted.
        count: the number of requests.
        progress: the progress so far.
        rejects: writes the undecodable cases; None if such a case ends the export.
        downloads: downloads the attachments; None if they are not exported.
    """

    request: ExportRequest
    cases: CaseReading
    api: Api
    count: RequestCount
    progress: RunProgress
    rejects: Rejects | None
    downloads: AttachmentDownloads | None

    @classmethod
    def of(cls, request: ExportRequest, cases: CaseReading) -> Self:
        """Prepare a run.

        Args:
            request: the arguments of the export.
            cases: reads the cases; a copy of it counts the requests.
        """
        twin, count = counted(cases)
        progress = RunProgress(on_progress=request.on_progress)
        rejects = Rejects(request.path) if request.path is not None and request.sets_aside else None

        async def load(case_id: str) -> Case:
            return await twin.get(case_id, only=[ATTACHMENTS])

        downloads = None
        if request.attachments is not None:
            from persona_cases.export.attachments.attachment_downloads import AttachmentDownloads  # noqa: PLC0415

            downloads = AttachmentDownloads(
                request.attachments, load=load, fetch=twin.download, progress=progress, sets_aside=rejects is not None
            )
        return cls(
            request=request,
            cases=twin,
            api=twin._api,
            count=count,
            progress=progress,
            rejects=rejects,
            downloads=downloads,
        )

    async def finish(self, provenance: Provenance, *, resumed: bool = False) -> ExportReport:
        """Return the report of the complete export, after writing it to the manifest if one was requested.

        Args:
            provenance: the provenance of the file.
            resumed: whether this run resumed an earlier one.
        """
        report = self.progress.report(
            requests=self.count.sent,
            refused=self.count.refused,
            snapshot_at=provenance.snapshot_at,
            resumed=resumed,
            rejected=0 if self.rejects is None else self.rejects.count,
            attachments=None if self.downloads is None else self.downloads.report,
        )
        if self.request.manifest and self.request.path is not None:
            await off_loop(write_account, self.request.path, provenance, report)
        return report
