"""`RowWork`: processes the rows of a run, several at a time."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Awaitable, Iterator
from contextlib import suppress
from itertools import count
from typing import Any, Final, Protocol

from persona_cases.changes import Change, Update
from persona_cases.errors import (
    AuthenticationError,
    ClientStateError,
    ConflictError,
    DecodeError,
    IndeterminateError,
    InvalidArgumentError,
    PersonaError,
    RateLimitError,
    ServerError,
    TransportError,
)
from persona_cases.models import Case
from persona_cases.paging import Pager
from persona_cases.query import Predicate
from persona_cases.resources.changing.change_report import ChangeProgress, ChangeRow
from persona_cases.resources.changing.change_task import ChangeTask
from persona_cases.resources.changing.effects import can_repeat, change_digest, digest, effects_of
from persona_cases.resources.changing.journal_file import Journal
from persona_cases.resources.changing.journal_lines import Ended, JournalState, Outcome, RowState, Withdrawn, begun
from persona_cases.resources.changing.row_decision import End, Write, decide, must_look
from persona_cases.resources.endpoint import Api

__all__ = ["Changer", "RowWork"]

_ANSWER: Final = ("status",)
_GRACE: Final = 3.0
"""Seconds that a cancelled run gives to the rows in progress."""
_STALE: Final = "stale object error"
_FATAL: Final = (AuthenticationError, ClientStateError, InvalidArgumentError, RateLimitError)
"""Errors that would stop every other row too."""
_PASSING: Final = (TransportError, ServerError, DecodeError)
"""Errors that are not about the row, so the next run tries it again."""


class Changer(Protocol):
    """The methods of `persona.cases` that a run needs."""

    _api: Api

    def get(self, case: Case | str) -> Awaitable[Case]:
        """Retrieve a case."""
        ...

    def search(self, where: Predicate | None = None, *, only: Any = None) -> Pager[Case]:
        """Search cases."""
        ...

    def apply(
        self, case: Case | str, change: Change, *, only: Any = None, idempotency_key: str | None = None
    ) -> Awaitable[Case]:
        """Make a change."""
        ...


class RowWork:
    """Processes rows until they have ended.

    Args:
        cases: the methods that reach the API.
        task: the task.
        state: the state of the rows in the journal, which this keeps up to date.
        journal: the journal to write to; None for a dry run, which changes nothing.
        seen: cases that a dry run need not read again, by id.
    """

    def __init__(
        self,
        cases: Changer,
        task: ChangeTask,
        state: JournalState,
        journal: Journal | None,
        seen: dict[str, Case] | None = None,
    ) -> None:
        self._cases = cases
        self._task = task
        self._rows = state.rows
        self._open = [row for row in state.rows if row.ended is None]
        self._key = state.header.run
        self._journal = journal
        self._seen = seen or {}
        self._made: dict[int, Change] = {}
        self._passing: dict[int, PersonaError] = {}
        self._failures = 0
        self._counts = Counter(row.ended.outcome for row in self._rows if row.ended is not None)
        self._stopped: Exception | bool = False

    async def run(self) -> None:
        """Process all open rows, until `max_failures` is exceeded.

        Raises:
            PersonaError: if an error occurs that would stop every other row too.
            OSError: if the journal cannot be written.
            Exception: any error that the caller's function raises.
        """
        groups = iter(_by_case(self._open))
        workers = [asyncio.create_task(self._work(groups)) for _ in range(min(self._task.concurrency, len(self._open)))]
        try:
            if workers:
                await asyncio.wait(workers)
        except asyncio.CancelledError:
            self._stopped = self._stopped or True
            await _wind_up(workers)
            raise
        if isinstance(self._stopped, Exception):
            ended = f"{self._counts.total():,} of {len(self._rows):,} rows have ended"
            self._stopped.add_note(f"{ended}: run the same again to resume from the journal")
            raise self._stopped

    def report_rows(self) -> tuple[ChangeRow, ...]:
        """Return each row with its outcome."""
        return tuple(map(self._report, self._rows))

    @property
    def requests_of_a_run(self) -> int:
        """Return how many requests the run takes after this dry run, if nothing fails."""
        writes = sum(row.ended is not None and row.ended.outcome == "changed" for row in self._open)
        return writes + sum(map(self._looks_at, self._open))

    @property
    def requests_at_most(self) -> int:
        """Return the maximum number of requests for the open rows, if nothing fails."""
        return sum(1 + self._looks_at(row) for row in self._open)

    async def _work(self, groups: Iterator[list[RowState]]) -> None:
        for group in groups:
            for row in group:
                if self._stopped:
                    return
                try:
                    await self._bring_to_end(row)
                except Exception as error:  # noqa: BLE001 - raised by `run`, when the other rows under way have ended
                    self._stopped = self._stopped or error

    async def _bring_to_end(self, row: RowState) -> None:
        retry, timing = self._cases._api.options.retry, self._cases._api.transport.timing
        for failures in count(1):
            try:
                await self._step(row, renewed=failures > 1)
            except _FATAL:
                raise
            except _PASSING as error:
                self._passing[row.number] = error
                self._count_failure()
                self._tell()
            except PersonaError as error:
                if failures < retry.attempts and _may_be_tried_again(error, row):
                    await timing.sleep(retry.wait(failures, timing.draw()))
                    continue
                await self._end(row, "indeterminate" if isinstance(error, IndeterminateError) else "failed", error)
            return

    async def _step(self, row: RowState, *, renewed: bool) -> None:
        """Read the case of a row, decide, and change it if needed.

        Raises:
            PersonaError: if the row has not ended.
        """
        task = self._task
        case = await self._look(row)
        change = task.change_for(row.number, case)
        if change is not None:
            self._made[row.number] = change
        match decide(change, case, only_if=task.only_if, doubt=row.doubt, key=self._key):
            case End(outcome=outcome, reason=reason):
                await self._end(row, outcome, reason=reason)
            case Write(change=change):
                if self._journal is not None:
                    await self._write(self._journal, row, change, renewed=renewed)
                await self._end(row, "changed")

    async def _look(self, row: RowState) -> Case | None:
        if (seen := self._seen.pop(row.case_id, None)) is not None:
            return seen
        # A dry run reads every case, if only to check that it exists.
        return await self._cases.get(row.case_id) if self._journal is None or self._looks_at(row) else None

    def _looks_at(self, row: RowState) -> bool:
        return must_look(self._task.change_of(row.number), self._task.only_if, row.doubt, self._key)

    async def _write(self, journal: Journal, row: RowState, change: Change, *, renewed: bool) -> None:
        # Resend a write from before a crash under its old key. If a failure is stored under that key, send it again
        # under a new one.
        number = row.doubt.number if row.doubt is not None and not renewed else row.writes + 1
        operation = change_digest(change, self._key)
        key = None if isinstance(change, Update) else digest(self._key, f"row {row.number} write {number}", operation)
        entry = begun(row.number, number, effects_of(change, self._key), once=not can_repeat(change))
        await journal.write(entry)
        row.take(entry)
        try:
            await self._cases.apply(row.case_id, change, only=_ANSWER, idempotency_key=key)
        except IndeterminateError:
            raise
        except PersonaError:
            withdrawn = Withdrawn(row.number)
            await journal.write(withdrawn)
            row.take(withdrawn)
            raise

    async def _end(
        self, row: RowState, outcome: Outcome, error: PersonaError | None = None, *, reason: str | None = None
    ) -> None:
        entry = Ended(row.number, outcome, reason) if error is None else _failed(row, outcome, error)
        if self._journal is not None:
            await self._journal.write(entry)
        row.take(entry)
        self._counts[outcome] += 1
        if outcome == "failed":
            self._count_failure()
        self._tell()

    def _count_failure(self) -> None:
        self._failures += 1
        if self._task.max_failures is not None and self._failures >= self._task.max_failures:
            self._stopped = self._stopped or True

    def _tell(self) -> None:
        if self._task.on_progress is None:
            return
        ended, passing = self._counts, len(self._passing)
        self._task.on_progress(
            ChangeProgress(
                done=ended.total() + passing,
                total=len(self._rows),
                failed=ended["failed"] + passing,
                indeterminate=ended["indeterminate"],
            )
        )

    def _report(self, row: RowState) -> ChangeRow:
        change = self._made.get(row.number) or self._task.change_of(row.number)
        error = self._passing.get(row.number)
        ended = row.ended if error is None or row.ended is not None else _failed(row, "failed", error)
        if ended is None:
            return ChangeRow(case_id=row.case_id, change=change, outcome="pending", reason="the run ended before")
        return ChangeRow(
            case_id=row.case_id,
            change=change,
            outcome=ended.outcome,
            reason=ended.reason,
            status=ended.status,
            titles=ended.titles,
            request_id=ended.request_id,
        )


def _failed(row: RowState, outcome: Outcome, error: PersonaError) -> Ended:
    return Ended(
        row.number,
        outcome,
        str(error),
        getattr(error, "status", None),
        tuple(item.title for item in getattr(error, "errors", ())),
        getattr(error, "request_id", None),
    )


async def _wind_up(workers: list[asyncio.Task[None]]) -> None:
    """Wait briefly for rows in progress, whose outcome would otherwise be unknown.

    A second cancellation ends the wait.
    """
    try:
        with suppress(asyncio.CancelledError):
            await asyncio.wait(workers, timeout=_GRACE)
    finally:
        for worker in workers:
            worker.cancel()
        await asyncio.wait(workers)


def _by_case(rows: list[RowState]) -> list[list[RowState]]:
    """Return the rows of each case, which are processed in sequence."""
    groups: dict[str, list[RowState]] = {}
    for row in rows:
        groups.setdefault(row.case_id, []).append(row)
    return list(groups.values())


def _may_be_tried_again(error: PersonaError, row: RowState) -> bool:
    if isinstance(error, IndeterminateError):
        return row.doubt is None or not row.doubt.once
    return isinstance(error, ConflictError) and any(title.casefold() == _STALE for title in error.titles)
