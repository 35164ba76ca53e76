"""`SyncRun`: one sync of a mirror."""

from __future__ import annotations

import time
from collections.abc import Iterable
from contextlib import aclosing
from functools import partial
from typing import Final, cast

import attrs

from persona_cases.errors import APIError, InvalidArgumentError, PersonaError
from persona_cases.export.threads import off_loop
from persona_cases.mirror.listed_windows import ListedWindow, ListedWindows, missing_from
from persona_cases.mirror.mark import Mark, UnfinishedSweep, has_gap
from persona_cases.mirror.meaning import Meaning
from persona_cases.mirror.sync_report import Reconciled, SyncReport
from persona_cases.models import Case
from persona_cases.models.decoding.raw_page import moment_of
from persona_cases.paging.cursor import is_refusal
from persona_cases.resources.exporting.counting import RequestCount
from persona_cases.resources.syncing.case_intake import CaseIntake, GetAlone, Taken
from persona_cases.resources.syncing.changed_cases import ChangedCases, IndexHead, ReadPage, UndecidableError
from persona_cases.resources.syncing.sync_request import SyncRequest

__all__ = ["SyncRun"]

# From this many cases on a page, reading the page again is cheaper than reading each case.
_MOST_SUSPECTS: Final = 10
_PAGES_A_COMMIT: Final = 20
_IDS_A_READ: Final = 100


@attrs.define
class SyncRun:
    """One sync.

    Attributes:
        request: the arguments.
        cases: reads the cases that the mirror needs.
        get_alone: reads cases individually.
        count: counts the requests.
        reconciled: whether the mirror was compared with the list.
    """

    request: SyncRequest
    cases: ChangedCases
    get_alone: GetAlone
    count: RequestCount
    reconciled: Reconciled = "no"
    _intake: CaseIntake = attrs.field(init=False)
    _newest: int | None = None
    _rejected: int = 0

    async def run(self) -> SyncReport:
        """Sync the mirror."""
        try:
            return await self._run()
        except (PersonaError, OSError) as error:
            # The error's frames hold cases, which a traceback must not show.
            failure = error.with_traceback(None)
        raise failure

    async def _run(self) -> SyncReport:
        started = time.monotonic()
        mirror = self.request.mirror
        try:
            mark = await off_loop(mirror.begin, self.request.settings)
            self._intake = CaseIntake(
                mirror, self.get_alone, self.cases.decide, self.cases.excludes, mark, sets_aside=self.request.sets_aside
            )
            resumed = mark.walk is not None or mark.sweep is not None
            mark = await self._sync(mark)
            self._rejected = await off_loop(mirror.rejected)
        finally:
            await off_loop(mirror.end)
        return self._report(mark, time.monotonic() - started, resumed=resumed)

    async def _sync(self, mark: Mark) -> Mark:
        head = await self.cases.head()
        mark = _of_environment(mark, head)
        self._newest = head.updated_at
        try:
            mark = await self._walk_all(mark, head)
            mark = await self._read_fresh(mark)
            return await self._sweep(mark)
        except UndecidableError:
            # Some case shows no value that can be compared here. From the last commit on, searches decide.
            self.cases = attrs.evolve(self.cases, local=False)
            self._intake.decide, self._intake.excludes = self.cases.decide, self.cases.excludes
        mark = await self._walk_all(attrs.evolve(self._intake.committed, environment=mark.environment), head)
        mark = await self._read_fresh(mark)
        return await self._sweep(mark)

    # ---- changes from searches -----------------------------------------------------------------------------------

    async def _walk_all(self, mark: Mark, head: IndexHead) -> Mark:
        """Read the rest of the last iteration, if it was interrupted, and what has changed since then."""
        interrupted = mark.walk is not None
        mark = await self._walk(mark.begin_walk(head.updated_at, self.request.overlap))
        if interrupted:
            mark = await self._walk(mark.begin_walk(head.updated_at, self.request.overlap))
        return mark

    async def _walk(self, mark: Mark) -> Mark:
        if mark.walk is None:
            return mark
        self._intake.floor = mark.walk.since
        late = None if mark.watermark is None else mark.watermark - mark.overlap // 2
        async with aclosing(self.cases.walk(mark.walk)) as pages:
            async for page in pages:
                taken = await self._intake.take(page.cases)
                self._observe(taken)
                if any(_is_told_late(each, late) for each in taken):
                    mark = mark.begin_sweep("gap", full=False)
                if page.cases and page.resumable:
                    mark = mark.walked_to(page.cases[-1][1].created_at)
                if not page.last:
                    await self._commit(mark)
        mark = mark.end_walk()
        await self._commit(mark)
        return mark

    # ---- reads without index lag ---------------------------------------------------------------------------------

    async def _read_fresh(self, mark: Mark) -> Mark:
        """Read the dirty and the most recently created cases, and check whether searches should have shown them."""
        self._intake.floor = None if mark.watermark is None else mark.watermark - mark.overlap
        taken = list[Taken]()
        for ids in _parts(self.request.dirty):
            taken += await self._intake.take_by_id(ids)
        taken += await self._intake.take(await self.cases.newest(), counted=False)
        self._observe(taken)
        untold = [each.reading for each in taken if each.is_news]
        if has_gap(untold, self._newest, self.request.overlap):
            mark = mark.begin_sweep("gap", full=False)
        if self.request.reconcile:
            mark = mark.begin_sweep("asked", full=self.request.reconcile == "full")
        await self._commit(mark)
        return mark

    # ---- comparison with the list --------------------------------------------------------------------------------

    async def _sweep(self, mark: Mark) -> Mark:
        sweep = mark.sweep
        if sweep is not None:
            self.reconciled = cast("Reconciled", sweep.why)
            try:
                mark = await self._compare(mark, sweep)
            except APIError as error:
                if sweep.after is None or not is_refusal(error):
                    raise
                # The server no longer knows the case from which to resume an interrupted comparison.
                again = attrs.evolve(sweep, after=None, high=None)
                mark = await self._compare(attrs.evolve(mark, sweep=again), again)
        await self._commit(mark, always=True)
        return mark

    async def _compare(self, mark: Mark, sweep: UnfinishedSweep) -> Mark:
        windows, number = ListedWindows(sweep.high), 0
        async with aclosing(self.cases.sweep(sweep)) as pages:
            async for page in pages:
                await self._take_listed(page, whole=sweep.full)
                listed = [(case.id, reading) for case, reading in page.cases]
                window = windows.add(listed, last=page.last)
                if window is not None:
                    await self._take_missing(window, mark)
                    if listed and window.low is not None:
                        mark = mark.swept_to(listed[-1][0], window.low)
                number += 1
                await self._commit(mark, always=number % _PAGES_A_COMMIT == 0)
        return mark.end_sweep()

    async def _take_listed(self, page: ReadPage, *, whole: bool) -> None:
        if whole or all(reading.digest is not None for _, reading in page.cases):
            await self._intake.take(page.cases)
            return
        suspects = await self._intake.differing(page.cases)
        if len(suspects) > _MOST_SUSPECTS and self.cases.local:
            again = await self.cases.whole_page(page.start)
            await self._intake.take(again, counted=False)
            suspects = [id for id in suspects if id not in {case.id for case, _ in again}]
        if suspects:
            await self._intake.take_by_id(suspects, decide=None if self.cases.local else _matching)

    async def _take_missing(self, window: ListedWindow, mark: Mark) -> None:
        """Read the cases that the mirror has but the list does not."""
        there = await off_loop(self.request.mirror.between, window.low, window.high)
        for ids in _parts(missing_from(window, there)):
            decide = None if self.cases.local else partial(_unmatched, mark)
            await self._intake.take_by_id(ids, decide=decide)

    # ---- the end of a step ---------------------------------------------------------------------------------------

    async def _commit(self, mark: Mark, *, always: bool = False) -> None:
        """Commit the cases that were read with a mark, once nothing before the mark is left to read."""
        for ids in _parts(self.cases.take_undecoded()):
            await self._intake.take_by_id(ids)
        await self._intake.commit(mark, always=always)

    # ---- report --------------------------------------------------------------------------------------------------

    def _observe(self, taken: Iterable[Taken]) -> None:
        times = [each.reading.updated_at for each in taken]
        if self._newest is not None:
            times.append(self._newest)
        self._newest = max(times, default=None)

    def _report(self, mark: Mark, elapsed: float, *, resumed: bool) -> SyncReport:
        count = self._intake.count
        return SyncReport(
            added=count[Meaning.ADDED],
            updated=count[Meaning.UPDATED],
            unchanged=count[Meaning.UNCHANGED],
            redacted=count[Meaning.REDACTED],
            departed=count[Meaning.DEPARTED],
            rejected=self._rejected,
            requests=self.count.sent,
            elapsed=elapsed,
            watermark=mark.watermark_time,
            reconciled=self.reconciled,
            resumed=resumed,
        )


def _of_environment(mark: Mark, head: IndexHead) -> Mark:
    if mark.environment is not None and head.environment not in {None, mark.environment}:
        raise InvalidArgumentError(
            "to: this mirror has the cases of another environment: use a key of that environment, or another path"
        )
    return mark if head.environment is None else attrs.evolve(mark, environment=head.environment)


def _is_told_late(taken: Taken, late: int | None) -> bool:
    reading = taken.reading
    return not reading.fresh and taken.is_news and late is not None and reading.updated_at < late


def _matching(_: Case) -> bool:
    """Return that a case matches, because a search found it."""
    return True


def _unmatched(mark: Mark, case: Case) -> bool | None:
    """Decide whether a case matches that no search finds: the index may not know its last change yet."""
    changed = case.updated_at or case.created_at
    settled = mark.watermark is not None and changed is not None and moment_of(changed) < mark.watermark - mark.overlap
    return False if settled else None


def _parts(ids: Iterable[str]) -> list[list[str]]:
    listed = list(ids)
    return [listed[start : start + _IDS_A_READ] for start in range(0, len(listed), _IDS_A_READ)]
