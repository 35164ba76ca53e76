"""A run of changes: select the cases, record them, confirm, change, report."""

from __future__ import annotations

import inspect
import secrets
import time
from datetime import UTC, datetime
from typing import Final

from persona_cases.changes import Update
from persona_cases.errors import InvalidArgumentError
from persona_cases.export.threads import off_loop
from persona_cases.models import Case
from persona_cases.query import Predicate
from persona_cases.resources.changing.change_report import ChangePlan, ChangeReport
from persona_cases.resources.changing.change_task import ChangeTask
from persona_cases.resources.changing.journal_file import Journal, read_state
from persona_cases.resources.changing.journal_lines import JournalState, new_journal
from persona_cases.resources.changing.row_work import Changer, RowWork
from persona_cases.resources.exporting.counting import RequestCount, counted
from persona_cases.resources.requests.uploads import encoded_uploads
from persona_cases.transport.limits.allowance import DOCUMENTED_PERIOD, Allowance, seconds_needed

__all__ = ["run_changes"]

_LOADED: Final = ("created_at",)
"""The attribute that a selection loads in addition to ids, because several searches are merged by it."""
_SECONDS_PER_REQUEST: Final = 0.1
"""Assumed seconds per request, for estimates. The rate limit usually matters more."""


async def run_changes(cases: Changer, task: ChangeTask) -> ChangeReport:
    """Make the changes of a task, or predict them for a dry run.

    Raises:
        InvalidArgumentError: if the journal cannot be used, or belongs to another run.
        ClientStateError: if another run holds the journal.
        PersonaError: if an error occurs that would stop every other row too.
        OSError: if the journal cannot be written.
    """
    began, (changer, count) = time.monotonic(), counted(cases)
    for change in task.given_changes:
        if isinstance(change, Update):
            # Detect an unreadable file before the first write, not at each one.
            await encoded_uploads(change.attachments)
    if task.dry_run or task.journal is None:
        return await _dry_run(changer, task, count, began)
    with Journal(task.journal) as journal:
        state = await off_loop(_resumed, task)
        resumed, lines = state is not None, b""
        if state is None:
            state, lines = _begin(task, await _ids(changer, task))
        work = RowWork(changer, task, state, journal)
        # An empty journal would keep later runs from selecting any cases.
        if state.rows and await _agreed(changer, task, state, work):
            if lines:
                await off_loop(journal.create, lines)
            else:
                await off_loop(journal.continue_at, state.size)
            await work.run()
    elapsed = time.monotonic() - began
    return ChangeReport(rows=work.report_rows(), requests=count.sent, elapsed=elapsed, resumed=resumed)


async def _dry_run(changer: Changer, task: ChangeTask, count: RequestCount, began: float) -> ChangeReport:
    state = await off_loop(_resumed, task)
    resumed, seen = state is not None, dict[str, Case]()
    if state is None:
        if isinstance(task.rows, Predicate):
            seen = {case.id: case async for case in changer.search(task.rows)}
        state, _ = _begin(task, tuple(seen) if isinstance(task.rows, Predicate) else task.rows)
    work = RowWork(changer, task, state, None, seen)
    await work.run()
    return ChangeReport(
        rows=work.report_rows(),
        requests=count.sent,
        elapsed=time.monotonic() - began,
        resumed=resumed,
        dry_run=True,
        seconds=_seconds(changer, task, work.requests_of_a_run),
    )


def _resumed(task: ChangeTask) -> JournalState | None:
    """Return the state in the journal, if there is one to resume.

    Raises:
        InvalidArgumentError: if it belongs to another run.
    """
    state = None if task.journal is None else read_state(task.journal, discard=task.restart)
    if state is None:
        return None
    about = task.about(state.header.run)
    others = [name for name, value in about.items() if state.header.about.get(name) != value]
    if others:
        raise InvalidArgumentError(
            f"journal: it is of a run with another {' and another '.join(others)}: run with the same arguments to "
            "resume it, give another path, or use restart to discard it"
        )
    if task.retry_failed:
        for row in state.rows:
            row.reopen()
    return state


async def _ids(changer: Changer, task: ChangeTask) -> tuple[str, ...]:
    if not isinstance(task.rows, Predicate):
        return task.rows
    return tuple([case.id async for case in changer.search(task.rows, only=_LOADED)])


def _begin(task: ChangeTask, ids: tuple[str, ...]) -> tuple[JournalState, bytes]:
    run = secrets.token_hex(16)
    began = datetime.now(UTC).isoformat(timespec="seconds")
    return new_journal(run, began, task.about(run), ids)


async def _agreed(changer: Changer, task: ChangeTask, state: JournalState, work: RowWork) -> bool:
    open_rows = sum(row.ended is None for row in state.rows)
    if task.confirm is None or not open_rows:
        return True
    requests = work.requests_at_most
    plan = ChangePlan(
        case_ids=tuple(row.case_id for row in state.rows),
        total=len(state.rows),
        done=len(state.rows) - open_rows,
        requests=requests,
        seconds=_seconds(changer, task, requests),
    )
    agreed = task.confirm(plan)
    return await agreed if inspect.isawaitable(agreed) else agreed


def _seconds(changer: Changer, task: ChangeTask, requests: int) -> float:
    allowance = Allowance.of(changer._api.limiter_state, DOCUMENTED_PERIOD)
    return seconds_needed(requests, task.concurrency / _SECONDS_PER_REQUEST, allowance)
