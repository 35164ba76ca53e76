"""`AttachmentDownloads`: download the files of exported cases while the export runs."""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from pathlib import Path
from types import TracebackType
from typing import Final, Self

import attrs

from persona_cases.errors import APIError, DecodeError, NotFoundError, PersonaError, RateLimitError, ServerError
from persona_cases.export.attachments.attachment_report import AttachmentReport
from persona_cases.export.attachments.directory import FileDirectory
from persona_cases.export.attachments.file_listing import CaseFiles, files_of
from persona_cases.export.attachments.file_urls import Addresses, Load
from persona_cases.export.case_source import CaseSource
from persona_cases.export.progress import RunProgress
from persona_cases.export.runner import Exportable, Pages
from persona_cases.export.threads import off_loop
from persona_cases.models import Attachment
from persona_cases.models.decoding.undecodable import id_of
from persona_cases.protocol.checks import whole_number

__all__ = ["DEFAULT_DOWNLOADS", "AttachmentDownloads", "Fetch"]

DEFAULT_DOWNLOADS: Final = 8

_GONE: Final = frozenset({404, 410})


Fetch = Callable[[Attachment, Path], Awaitable[object]]
"""Downloads a file to a path, completely or not at all."""


class AttachmentDownloads:
    """Downloads the attachments of cases to `<directory>/<case id>/<file name>`.

    Use it as an asynchronous context manager around an export. At the end it waits for the downloads in progress, or
    cancels them after an error. A file appears under its name when it is complete. A file that exists with the size
    that the case states is not downloaded again, so a later run resumes. A file that the vendor no longer has is
    counted in the report.

    Args:
        directory: where the files go; created if missing.
        load: loads a case again when a URL of one of its files has expired.
        fetch: downloads a file. It gets attachments without their case, so that it does not get the case itself.
        concurrency: maximum number of downloads at the same time. There is no queue: `beside` and `save_all` wait.
        progress: the progress to update after each file.
        sets_aside: whether to count a case whose attachments cannot be read as missing one, instead of raising.

    Attributes:
        report: the result so far.

    Raises:
        InvalidArgumentError: if `concurrency` is not a whole number of at least 1.

    See https://docs.withpersona.com/downloading-files.
    """

    def __init__(
        self,
        directory: str | os.PathLike[str],
        *,
        load: Load,
        fetch: Fetch,
        concurrency: int = DEFAULT_DOWNLOADS,
        progress: RunProgress | None = None,
        sets_aside: bool = False,
    ) -> None:
        self.report: AttachmentReport = AttachmentReport()
        self._directory = FileDirectory(directory)
        self._load = load
        self._fetch = fetch
        self._sets_aside = sets_aside
        self._concurrency = whole_number(concurrency, "concurrency")
        self._progress = RunProgress() if progress is None else progress
        self._incomplete: dict[str, None] = {}
        self._unreadable: list[str] = []
        self._started: float | None = None
        self._tasks: set[asyncio.Task[None]] = set()

    async def __aenter__(self) -> Self:
        """Create the directory and lock it.

        Raises:
            InvalidArgumentError: if it cannot be created or written.
            ClientStateError: if another export is downloading to it.
        """
        self._directory.open()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        try:
            if kind is None:
                await self._until_at_most(0)
        finally:
            await self._leave()

    async def beside(self, pages: Pages) -> AsyncGenerator[Sequence[Exportable]]:
        """Yield pages while downloading their files. The iteration ends when all files are complete.

        Args:
            pages: the pages of an export.

        Raises:
            DecodeError: if a line is not a case, or its attachments cannot be read.
            PersonaError: if a download fails for another reason than that the file no longer exists.
            OSError: if a file cannot be written.
        """
        async for page in pages:
            items = tuple(page)
            await self._save(await off_loop(self._plan, [item.raw_line for item in items]))
            yield items
        await self._until_at_most(0)

    async def save_all(self, source: CaseSource) -> None:
        """Download the files of all cases of a source, and read it no faster than they arrive.

        Args:
            source: the cases.

        Raises:
            DecodeError: if a line is not a case, or its attachments cannot be read.
            PersonaError: if a download fails for another reason than that the file no longer exists.
            OSError: if a file cannot be written.
        """
        batches = iter(source.batches())

        def step() -> _DownloadPlan | None:
            lines = next(batches, None)
            return None if lines is None else self._plan(lines)

        while (plan := await off_loop(step)) is not None:
            await self._save(plan)
        await self._until_at_most(0)

    # ---- which files -------------------------------------------------------------------------------------------------

    def _plan(self, lines: Sequence[bytes]) -> _DownloadPlan:
        plan = _DownloadPlan()
        for files in map(self._files_of, lines):
            if files is not None:
                wanted = self._directory.wanted(files)
                plan.there += len(files.names) - len(wanted)
                plan.wanted.append((files, wanted))
        return plan

    def _files_of(self, line: bytes) -> CaseFiles | None:
        try:
            return files_of(line)
        except DecodeError:
            if not self._sets_aside:
                raise
        self._unreadable.append(id_of(line) or "")
        return None

    async def _save(self, plan: _DownloadPlan) -> None:
        # Check for failures even during a long series of cases without files.
        self._check_ended()
        if plan.there:
            self._tell(there=plan.there)
        unreadable, self._unreadable = self._unreadable, []
        if unreadable:
            self._incomplete.update(dict.fromkeys(filter(None, unreadable)))
            self._tell(missing=len(unreadable))
        for files, wanted in plan.wanted:
            addresses = Addresses(files, self._load)
            for number, path in wanted:
                await self._until_at_most(self._concurrency - 1)
                self._tasks.add(asyncio.create_task(self._download(addresses, number, path)))

    # ---- one file ----------------------------------------------------------------------------------------------------

    async def _download(self, addresses: Addresses, number: int, path: Path) -> None:
        draft = self._directory.draft()
        try:
            arrived = await self._arrived(addresses, number, draft)
            size = await off_loop(self._directory.place, draft, path) if arrived else 0
        except (PersonaError, OSError) as error:
            error.add_note(f"while the attachments of {addresses.case_id} were downloaded")
            raise
        if arrived:
            self._tell(files=1, size=size)
        else:
            self._incomplete[addresses.case_id] = None
            self._tell(missing=1)

    async def _arrived(self, addresses: Addresses, number: int, draft: Path) -> bool:
        """Download a file, and return whether it exists."""
        known = addresses.latest(number)
        if known is None:
            return False
        refusal = await self._refusal(known, draft)
        if refusal is None:
            return True
        fresh = await addresses.after(known, number)
        if fresh is None:
            return False
        refusal = await self._refusal(fresh, draft)
        if refusal is not None and refusal.status not in _GONE:
            raise refusal
        return refusal is None

    async def _refusal(self, attachment: Attachment, draft: Path) -> APIError | None:
        """Download a file, and return the error if its URL has expired."""
        if not attachment.url:
            # A file without a URL cannot be fetched.
            return NotFoundError(status=404)
        self._started = time.monotonic() if self._started is None else self._started
        self._count(requests=1)
        try:
            await self._fetch(attrs.evolve(attachment, case_id=None), draft)
        except APIError as error:
            self._count(refused=error.status == 429)
            # The API does not document the status of an expired URL. Some file hosts respond with 400.
            expected = error.status is not None and 400 <= error.status < 500
            if isinstance(error, (RateLimitError, ServerError)) or not expected:
                raise
            return error
        return None

    def _tell(self, *, files: int = 0, there: int = 0, missing: int = 0, size: int = 0) -> None:
        so_far = self.report
        self.report = attrs.evolve(
            so_far,
            files=so_far.files + files,
            there=so_far.there + there,
            missing=so_far.missing + missing,
            size=so_far.size + size,
            incomplete=tuple(self._incomplete) if missing else so_far.incomplete,
            elapsed=0.0 if self._started is None else time.monotonic() - self._started,
        )
        self._progress.tell(files=self.report.files + self.report.there)

    def _count(self, *, requests: int = 0, refused: int = 0) -> None:
        so_far = self.report
        self.report = attrs.evolve(so_far, requests=so_far.requests + requests, refused=so_far.refused + refused)

    # ---- downloads in progress ---------------------------------------------------------------------------------------

    async def _until_at_most(self, most: int) -> None:
        self._check_ended()
        while len(self._tasks) > most:
            await asyncio.wait(self._tasks, return_when=asyncio.FIRST_COMPLETED)
            self._check_ended()

    def _check_ended(self) -> None:
        """Remove the downloads that have ended, and raise the error of one that failed."""
        ended = {task for task in self._tasks if task.done()}
        self._tasks -= ended
        # Retrieve all errors, so that asyncio does not report the others.
        failures = [failure for task in ended if (failure := task.exception()) is not None]
        if failures:
            raise failures[0]

    async def _leave(self) -> None:
        tasks, self._tasks = self._tasks, set()
        try:
            for task in tasks:
                task.cancel()
            # Their outcome no longer matters.
            await asyncio.gather(*tasks, return_exceptions=True)
        finally:
            await off_loop(self._directory.close)


@attrs.define
class _DownloadPlan:
    """The work for some cases: how many files exist, and which are missing."""

    there: int = 0
    wanted: list[tuple[CaseFiles, list[tuple[int, Path]]]] = attrs.field(
        factory=list[tuple[CaseFiles, list[tuple[int, Path]]]], repr=False
    )
