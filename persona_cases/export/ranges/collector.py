"""`collect`: fetch the pages of a source into a spool, with as many concurrent fetchers as needed."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Iterator, Sequence
from contextlib import aclosing
from typing import Final

from msgspec.structs import replace

from persona_cases.errors import PaginationError, PersonaError, naming
from persona_cases.export.progress import RunProgress
from persona_cases.export.ranges.fetched_range import FetchedRange, take_together
from persona_cases.export.ranges.fetched_ranges import FetchedRanges
from persona_cases.export.ranges.fetcher_count import FetcherCount, Stopwatch, spans_windows
from persona_cases.export.ranges.page_source import PageSource, RawPages
from persona_cases.export.ranges.time_range import TimeRange
from persona_cases.export.request_failures import OVERLOADED, is_overload
from persona_cases.export.spool.spool import Spool
from persona_cases.models.decoding.raw_page import Line, RawPage
from persona_cases.paging.cursor import is_refusal
from persona_cases.paging.walk_progress import MOST_EMPTY_PAGES

# Minimum seconds between two reports of progress.
_SECONDS_UNTOLD: Final = 0.02
# How long an idle fetcher waits for others, as a share of the time for a page, and in seconds.
_SHARE_IDLE: Final = 0.1
_LONGEST_IDLENESS: Final = 0.05
# Number of pages between two reviews of the number of fetchers.
_PAGES_A_REVIEW: Final = 16

_NOTHING_NEW: Final = f"the server sent {MOST_EMPTY_PAGES:,} pages in a row without a new case"


async def collect(
    source: PageSource,
    spool: Spool,
    *,
    fetchers: FetcherCount | None = None,
    set_aside: bool = False,
    progress: RunProgress | None = None,
    stopwatch: Stopwatch | None = None,
) -> RunProgress:
    """Fetch all cases of a source into a spool, or those that are still missing there.

    The upper bound is fixed when the export looks for the newest case; later cases are left out. That happens at the
    start, unless the rate limit makes one fetcher sufficient for several windows; then it happens before the first
    range is split. A case that changes during the export is exported as it is when its page is fetched, and not at all
    if the query no longer finds it.

    Args:
        source: the source of the pages.
        spool: the spool, which holds all cases afterwards, in order.
        fetchers: decides how many ranges are fetched at the same time. Default: the standard policy.
        set_aside: whether cases that cannot be decoded, or have no creation time, go to `spool.put_aside` instead of
            ending the run.
        progress: the progress to update at the end and, if it has a listener, after commits, at most every 20 ms.
        stopwatch: measures how long pages take. Default: with the system's clocks.

    Returns:
        The progress at the end.

    Raises:
        DecodeError: if a case cannot be decoded; `case_id` says which.
        PersonaError: any error that a request can raise. Cases fetched before are committed, so the export can resume.
        OSError: if the spool cannot be written.
    """
    done = progress or RunProgress()
    collector = _Collector(
        source, spool, fetchers or FetcherCount(), done, stopwatch or Stopwatch(), set_aside=set_aside
    )
    try:
        await collector.run()
    except OSError as error:
        # The error's frames hold pages, which a traceback must not show.
        failure = error.with_traceback(None)
    else:
        return done
    raise failure


class _Collector:
    def __init__(
        self,
        source: PageSource,
        spool: Spool,
        fetchers: FetcherCount,
        progress: RunProgress,
        stopwatch: Stopwatch,
        *,
        set_aside: bool,
    ) -> None:
        self._source = source
        self._spool = spool
        self._fetchers = fetchers
        self._progress = progress
        self._stopwatch = stopwatch
        self._sets_aside = set_aside
        self._ranges = FetchedRanges(all=[])
        # Whether the far end has been looked for, and when the last case of the first page was created.
        self._bounded = False
        self._top = 0
        # The numbers of the ranges that are being fetched, and of the fetchers that do so.
        self._fetching = set[int]()
        self._busy = set[int]()
        # Whether the rests of several ranges can be fetched as one.
        self._joins = True
        self._idle = asyncio.Event()
        # Whether a task commits the spool, because that may take long, and whether more is waiting to be committed.
        self._saving = self._unsaved = False
        self._told_at = -math.inf
        self._committed = asyncio.Event()

    async def run(self) -> None:
        try:
            async with asyncio.TaskGroup() as group:
                self._group = group
                await self._begin()
                await self._lead()
        except BaseExceptionGroup as failures:
            failure = failures.exceptions[0]
        except BaseException:
            await self._keep()
            raise
        else:
            # A complete export becomes the output at once, so there is no need to wait for the disk.
            self._progress.tell(**self._state())
            return
        await self._keep()
        raise failure

    async def _keep(self) -> None:
        if self._ranges.all:
            await self._spool.commit(self._ranges, durable=True)

    # ---- the fetchers ------------------------------------------------------------------------------------------------

    async def _begin(self) -> None:
        if self._spool.ranges is not None:
            self._ranges = self._spool.ranges
            self._bounded = self._source.backward or len(self._ranges.all) != 1
            self._top = self._ranges.all[0].low
            self._fetchers.rejoin(len(self._ranges.open))
            return
        walk = self._source.pages(TimeRange(), None)
        try:
            await self._begin_with(walk)
        except BaseException:
            await walk.aclose()
            raise

    async def _begin_with(self, walk: RawPages) -> None:
        page = await self._first_page(walk)
        if page is None:
            await walk.aclose()
            await self._spool.commit(self._ranges)
            return
        with naming(page.call):
            ranges = FetchedRanges.from_first(page, math.ceil(self._stopwatch.now() * 1000))
            self._top = page.moment(len(page) - 1)
        alone = spans_windows(ranges.pages_behind(page), self._source.limiter_state)
        # If time runs backward, the distance to the oldest case is unknown.
        if page.next_cursor is not None and (self._source.backward or not alone):
            await self._look(ranges)
        self._ranges = ranges
        whole = ranges.all[0]
        self._take([whole], page)
        self._grow(first=True)
        if whole.done:
            await walk.aclose()
        else:
            self._start([whole], walk)

    async def _look(self, ranges: FetchedRanges) -> None:
        """Find the far end, which bounds the ranges."""
        # Unlike the first page, it does not wait for a connection.
        began = self._stopwatch.read()
        page = await self._source.far_end()
        self._fetchers.observe(*self._stopwatch.since(began))
        self._progress.fetched += 1
        # Searches may not know the oldest case yet if it is new, but the list, which goes backward, does.
        open_end = self._source.backward
        # Undecodable cases newer than every decodable one are in no range, unless the end is open.
        peak = self._sound(page, comes_again=open_end)
        with naming(peak.call):
            ranges.bound(peak, self._top, open_end=open_end)
        self._bounded = True

    async def _first_page(self, walk: RawPages) -> RawPage | None:
        began = self._stopwatch.read()
        async for page in walk:
            self._fetchers.observe(*self._stopwatch.since(began))
            checked = self._sound(page)
            if len(checked):
                return replace(checked, aside=())
            self._progress.fetched += 1
            began = self._stopwatch.read()
        return None

    async def _lead(self) -> None:
        """Assign work to fetchers until there is none."""
        self._staff()
        while self._fetching:
            await self._idle.wait()
            if self._fetching:
                # Fetchers that are idle at the same time can share evenly.
                await asyncio.sleep(min(_LONGEST_IDLENESS, _SHARE_IDLE * self._fetchers.latency))
            self._idle.clear()
            self._staff()

    def _staff(self) -> None:
        remnants = list[FetchedRange]()
        for each in self._ranges.open:
            if each.number not in self._fetching:
                if self._joins and self._ranges.is_remnant(each):
                    remnants.append(each)
                elif self._free:
                    self._start_one(each)
        fetched = [each for each in self._ranges.open if each.number in self._fetching]
        for group in self._ranges.together(remnants, fetched)[: self._free]:
            self._start_together(group)
        self._fetchers.make_room(self._ranges.pages_left, self._source.limiter_state)
        for each in self._ranges.spread(self._free):
            self._start_one(each)

    @property
    def _free(self) -> int:
        return max(0, self._fetchers.size - len(self._busy))

    def _start_one(self, fetched: FetchedRange) -> None:
        self._start([fetched], self._source.pages(fetched.asked, fetched.cursor))

    def _start_together(self, ranges: list[FetchedRange]) -> None:
        walk = self._source.together([each.rest for each in ranges]) if len(ranges) > 1 else None
        if walk is not None:
            self._start(ranges, walk)
            return
        self._joins = self._joins and len(ranges) == 1
        for each in ranges[: self._free]:
            self._start_one(each)

    def _start(self, ranges: list[FetchedRange], walk: RawPages) -> None:
        fetcher = min(set(range(len(self._busy) + 1)) - self._busy)
        self._busy.add(fetcher)
        self._fetching.update(each.number for each in ranges)
        pages = self._progress.pages_by_fetcher
        pages += [0] * (fetcher + 1 - len(pages))
        self._group.create_task(self._fetch(ranges, walk, fetcher))

    async def _fetch(self, ranges: list[FetchedRange], walk: RawPages, fetcher: int) -> None:
        async with aclosing(walk):
            ended, pages, idle, reached = False, 0, 0, 0
            resumed = len(ranges) == 1 and ranges[0].cursor is not None
            while not ended:
                epoch, began = self._fetchers.epoch, None if self._fetchers.settled else self._stopwatch.read()
                try:
                    page = await anext(walk)
                except OVERLOADED as error:
                    if not self._starts_over(ranges, error, epoch):
                        raise
                    break
                if began is not None:
                    self._fetchers.observe(*self._stopwatch.since(began))
                pages += 1
                try:
                    brings_cases = self._take(ranges, page)
                except PaginationError:
                    # A server that does not know the cursor may also return the first page.
                    if not resumed or not ranges[0].ask_by_time():
                        raise
                    break
                resumed = False
                if brings_cases:
                    idle = 0
                else:
                    # The first of these pages only shows how far the ranges have come.
                    before, reached = reached, _reached(ranges)
                    idle = idle + 1 if not idle or reached == before else 0
                    if idle > MOST_EMPTY_PAGES:
                        with naming(page.call):
                            raise PaginationError(_NOTHING_NEW)
                if began is not None:
                    if not self._bounded and not ranges[0].done and self._wants_others():
                        await self._look(self._ranges)
                    self._review(ranges[0])
                # At most one page per range is uncommitted, so a crash loses at most two with the next.
                while self._unsaved and self._spool.unsafe(ranges) > 1:
                    await self._committed.wait()
                # The ranges of a fetcher end in order.
                ended = ranges[-1].done or self._leaves(ranges)
        self._progress.pages_by_fetcher[fetcher] += pages
        self._busy.remove(fetcher)
        self._fetching.difference_update(each.number for each in ranges)
        self._idle.set()

    def _starts_over(self, ranges: list[FetchedRange], error: PersonaError, epoch: int) -> bool:
        """Return whether the rest of the ranges is fetched in another way after an error.

        Args:
            ranges: the ranges.
            error: the error that ended a request for a page.
            epoch: the epoch in which it was sent.
        """
        if is_overload(error) and self._fetchers.back_off(epoch):
            return True
        if not is_refusal(error):
            return False
        if len(ranges) > 1:
            # Several ranges may be more than the server accepts in one query.
            self._joins = False
            return True
        return ranges[0].ask_by_time()

    def _leaves(self, ranges: list[FetchedRange]) -> bool:
        """Return whether a fetcher leaves the rest of a range to be fetched with others."""
        if len(self._busy) > self._fetchers.size:
            return True
        return self._joins and len(ranges) == 1 and self._ranges.is_remnant(ranges[0]) and len(self._ranges.open) > 1

    def _take(self, ranges: list[FetchedRange], page: RawPage) -> bool:
        """Take a page of the ranges, and commit it; return whether it has a new case."""
        self._progress.fetched += 1
        brings_cases = False
        for fetched, lines in _new_cases(ranges, self._sound(page)):
            if lines:
                brings_cases = True
                self._spool.put(fetched, lines)
        self._save()
        return brings_cases

    def _sound(self, page: RawPage, *, comes_again: bool = False) -> RawPage:
        """Return a page without the cases that cannot be decoded: they are set aside, or end the run.

        Args:
            page: the page.
            comes_again: whether its cases come again in an iteration, and count only then.
        """
        if self._sets_aside:
            page = page.sound()
        if page.aside and not comes_again:
            if not self._sets_aside:
                with naming(page.call):
                    raise page.aside[0].error
            self._spool.put_aside(each.line for each in page.aside)
        return page

    def _review(self, fetched: FetchedRange) -> None:
        fetchers, busy = self._fetchers, len(self._busy)
        few = busy == 1 or busy < fetchers.size or fetched.pages == 1
        if (few or self._progress.fetched % _PAGES_A_REVIEW == 0) and fetchers.may_grow and self._ranges.explored:
            self._grow(first=False)
        if busy < fetchers.size:
            self._idle.set()

    def _grow(self, *, first: bool) -> None:
        if self._bounded:
            self._fetchers.grow(*self._work, self._source.limiter_state, first=first)

    def _wants_others(self) -> bool:
        """Return whether a second fetcher is worth the request for the far end."""
        left, parts = self._work
        return self._fetchers.wanted(left + 1, parts, self._source.limiter_state, first=False) > 1

    @property
    def _work(self) -> tuple[float, int]:
        return self._ranges.pages_left, self._ranges.parts_of(self._fetchers.worth)

    # ---- the commits -------------------------------------------------------------------------------------------------

    def _save(self) -> None:
        """Commit the cases taken, immediately or as soon as the disk allows."""
        if not self._saving and self._spool.commit_at_once(self._ranges):
            self._tell()
            return
        self._unsaved = True
        if not self._saving:
            self._saving = True
            self._group.create_task(self._save_all())

    async def _save_all(self) -> None:
        while self._unsaved:
            self._unsaved = False
            await self._spool.commit(self._ranges)
            self._committed.set()
            self._committed = asyncio.Event()
            self._tell()
        self._saving = False

    def _tell(self) -> None:
        """Report the committed progress to the listener, but not so often that it is costly."""
        if self._progress.on_progress is None:
            return
        now = self._stopwatch.wall()
        if not self._unsaved and now - self._told_at > _SECONDS_UNTOLD:
            self._told_at = now
            self._progress.tell(**self._state())

    def _state(self) -> dict[str, int]:
        ranges = self._ranges.all
        return {
            "cases": sum(each.cases for each in ranges),
            "pages": sum(each.pages for each in ranges),
            "size": sum(each.size for each in ranges),
            "pages_left": max(0, round(self._ranges.pages_left)),
        }


def _reached(ranges: list[FetchedRange]) -> int:
    """Return a number that grows when a range comes further in time."""
    return sum(each.position for each in ranges)


def _new_cases(ranges: list[FetchedRange], page: RawPage) -> Iterator[tuple[FetchedRange, Sequence[Line]]]:
    """Yield the new cases of a page, by range; an error in the page names its call."""
    with naming(page.call):
        if len(ranges) > 1:
            yield from take_together(ranges, page)
        else:
            yield ranges[0], ranges[0].take(page)
