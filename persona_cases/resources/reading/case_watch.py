"""A watch for new cases, which lists the cases newer than the newest known one."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta

from persona_cases.errors import PersonaError
from persona_cases.models import Case
from persona_cases.paging import BEGINNING, NEWEST, Pager
from persona_cases.protocol.checks import seconds
from persona_cases.resources.client_lessons import WATCH
from persona_cases.surface import publish
from persona_cases.teaching import taught

_EARLIEST = datetime.min.replace(tzinfo=UTC)


@taught(WATCH)
class CaseWatch:
    """An endless iteration over new cases as they appear, oldest first, each once.

    Attributes:
        cursor: where another watch resumes (`since=`): the id of the last case returned; None before the first step.

    Args:
        newer: lists the cases before a cursor, or all cases without one.
        since: the id of a case, or the cursor of a watch or of its error; only newer cases are returned. None starts
            after the newest case that exists at the first step.
        interval: time between two requests while new cases arrive; a number is in seconds.
        max_interval: maximum time between two requests; the time doubles whenever nothing is new.
        sleep: waits for a number of seconds.
    """

    def __init__(
        self,
        newer: Callable[[str | None], Pager[Case]],
        since: str | None,
        *,
        interval: float | timedelta,
        max_interval: float | timedelta,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self.cursor = None if since == NEWEST else since
        self._newer = newer
        self._shortest = seconds(interval, "interval")
        self._longest = max(self._shortest, seconds(max_interval, "max_interval"))
        self._sleep = sleep
        self._wait = 0.0
        self._started = self.cursor is not None
        self._ready: deque[Case] = deque()

    def __repr__(self) -> str:
        since = "what is new" if self.cursor is None else f"what comes after {self.cursor}"
        return f"<CaseWatch: {since}, asked for every {self._shortest:g} to {self._longest:g} s>"

    def __aiter__(self) -> CaseWatch:
        return self

    async def __anext__(self) -> Case:
        try:
            if not self._started:
                await self._start()
            while not self._ready:
                await self._poll()
        except PersonaError as error:
            error.cursor = self.cursor or NEWEST
            raise
        case = self._ready.popleft()
        self.cursor = case.id
        return case

    async def _start(self) -> None:
        newest = await self._newer(None).first()
        self.cursor = BEGINNING if newest is None else newest.id
        self._started = True
        self._wait = self._shortest

    async def _poll(self) -> None:
        await self._sleep(self._wait)
        found = await self._newer(None if self.cursor == BEGINNING else self.cursor).collect()
        # The API does not document the order of pages before a cursor, so only the dates show it.
        newest_last = {case.id: case for case in reversed(found)}
        self._ready.extend(sorted(newest_last.values(), key=_created))
        self._wait = self._shortest if found else min(self._longest, max(self._shortest, self._wait * 2))


def _created(case: Case) -> datetime:
    return case.created_at or _EARLIEST


publish("persona_cases", CaseWatch)
