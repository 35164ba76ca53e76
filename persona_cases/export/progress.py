"""`ExportProgress`: the progress of an export, and `RunProgress`, which updates it during one run."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import datetime
from typing import Any

import attrs

from persona_cases.export.attachments.attachment_report import AttachmentReport
from persona_cases.export.report import ExportReport
from persona_cases.surface import publish

__all__ = ["ExportProgress", "OnProgress", "RunProgress"]


@attrs.frozen(kw_only=True)
class ExportProgress:
    """The progress of an export. A resumed export includes its earlier runs.

    Attributes:
        cases: number of cases fetched.
        pages: number of pages fetched.
        size: bytes written. If the file can be started only once all cases are fetched, the size of these cases until
            then. At the end, the size of the finished file. For a sink, the bytes passed to it.
        pages_left: estimated number of pages left; None if unknown.
        files: number of attachments in the directory, if they are downloaded.
        empty_columns: columns of a table in which no case has a value; known at the end.
    """

    cases: int = 0
    pages: int = 0
    size: int = 0
    pages_left: int | None = None
    files: int = 0
    empty_columns: tuple[str, ...] = ()


OnProgress = Callable[[ExportProgress], object]
"""Called after each page or, for an export by time ranges, after each commit, at most every 20 ms; and at the end."""


class RunProgress:
    """The progress of one run of an export, from which its report is made.

    Attributes:
        on_progress: called with each new state; None for no calls.
        so_far: the latest state.
        fetched: number of pages fetched by this run.
        pages_by_fetcher: number of pages by fetcher, without the first requests to both ends of the time.
    """

    def __init__(self, on_progress: OnProgress | None = None) -> None:
        self.on_progress = on_progress
        self.so_far: ExportProgress = ExportProgress()
        self.fetched: int = 0
        self.pages_by_fetcher: list[int] = []
        self._told: ExportProgress | None = None
        self._started = time.monotonic()

    def update(self, **changes: Any) -> None:
        """Change attributes of the state."""
        self.so_far = attrs.evolve(self.so_far, **changes)

    def tell(self, **changes: Any) -> None:
        """Change attributes of the state, and pass it to the caller's function."""
        self.update(**changes)
        if self.on_progress is not None:
            self.on_progress(self.so_far)
        self._told = self.so_far

    def tell_end(self, **changes: Any) -> None:
        """Do the same at the end, unless the caller's function already received that state."""
        self.update(**changes)
        if self.so_far != self._told:
            self.tell()

    def report(
        self,
        *,
        requests: int,
        refused: int,
        snapshot_at: datetime,
        resumed: bool = False,
        rejected: int = 0,
        attachments: AttachmentReport | None = None,
    ) -> ExportReport:
        """Return the report of the finished export; the arguments are its attributes."""
        return ExportReport(
            cases=self.so_far.cases,
            pages=self.fetched,
            size=self.so_far.size,
            requests=requests,
            refused=refused,
            elapsed=time.monotonic() - self._started,
            fetchers=tuple(self.pages_by_fetcher),
            resumed=resumed,
            snapshot_at=snapshot_at,
            empty_columns=self.so_far.empty_columns,
            rejected=rejected,
            attachments=attachments,
        )


publish("persona_cases", ExportProgress)
