"""Changing many cases: `change_many` and `change_each` of `persona.cases`."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Final

from persona_cases.changes import Change
from persona_cases.models import Case
from persona_cases.query import Predicate
from persona_cases.resources.changing.change_report import ChangeReport
from persona_cases.resources.changing.change_task import (
    ChangeTask,
    Confirm,
    OnChange,
    changing_of,
    pairs_of,
    selection_of,
)

if TYPE_CHECKING:
    from persona_cases.resources.changing.row_work import Changer

__all__ = ["DEFAULT_CHANGES", "ManyChanges"]

DEFAULT_CHANGES: Final = 10
"""How many rows are under way at the same time."""


class ManyChanges:
    """The methods of `persona.cases` that change many cases, each once whatever happens in between."""

    async def change_many(
        self: Changer,
        where: Predicate | Iterable[str | Case],
        change: Change | Callable[[Case], Change | None],
        *,
        journal: str | os.PathLike[str] | None,
        dry_run: bool = False,
        restart: bool = False,
        only_if: Predicate | None = None,
        max_failures: int | None = None,
        retry_failed: bool = False,
        concurrency: int = DEFAULT_CHANGES,
        on_progress: OnChange | None = None,
        confirm: Confirm | None = None,
    ) -> ChangeReport:
        """Make a change to many cases, with a journal from which the same call resumes after any interruption.

        The cases are selected once and written to the journal before the first write, so that a query which the changes
        alter does not run after itself. A line is written to the journal before each write and one after it. A row that
        has ended is not done again. What a write did that was interrupted is read back: the case shows a status, tags,
        an assignee, a queue, fields and objects. It does not show whose comment is whose, nor who attached a file, so
        those rows end as `indeterminate` and are not made twice.

        The journal holds ids of cases, what the API said of failed rows, and digests. It holds no values. It can be
        opened by its owner alone.

        If the call is cancelled, it begins no more rows and leaves those under way three seconds to end.

        Args:
            where: an expression of `Q`, or ids or cases; one that is given twice is changed once. None is refused,
                because it means all cases elsewhere: `Q.all_of([])` says that.
            change: one of `persona_cases.changes`; or a function that takes the case as it is now and returns a change,
                or None for none. If it raises, the run ends when the rows under way have ended.
            journal: the path of the journal; None for a dry run only. Its folder has to exist. One that is there is
                resumed, if it is of a run with the same `where`, `change` and `only_if`. A function cannot be compared
                with another one.
            dry_run: whether only to say what would become of each row. Nothing is changed, and no journal is made.
            restart: whether to discard the journal that is there, and to select the cases again.
            only_if: what must hold of a case right before it is changed, else the row is skipped.
            max_failures: how many rows of this run may fail before it ends; the others are `pending`. None for no
                limit.
            retry_failed: whether to try rows again that an earlier run left as `failed` or `indeterminate`. Comments
                and attachments that are `indeterminate` are not made again.
            concurrency: how many rows may be under way at the same time, inside the rate limit.
            on_progress: called with a `ChangeProgress` when a row has ended.
            confirm: called with a `ChangePlan` before the first write; it may be async. If it returns False, nothing is
                changed and all rows are `pending`.

        Returns:
            What became of each row. Look at `failed` and `indeterminate`.

        Raises:
            InvalidArgumentError: if an argument cannot work; the journal cannot be written, is damaged, or is of
                another run; a file to attach cannot be read.
            ClientStateError: if another run holds the journal, or the client is closed.
            QueryError: if no search finds what `where` asks for, or cases do not show what `only_if` compares.
            AuthenticationError: if the API refuses the key.
            RateLimitError: if the wait for the rate limit is longer than `max_wait` allows.
            OSError: if the disk is full.
        """
        task = ChangeTask(
            rows=selection_of(where),
            changing=changing_of(change),
            journal=journal,
            dry_run=dry_run,
            restart=restart,
            only_if=only_if,
            max_failures=max_failures,
            retry_failed=retry_failed,
            concurrency=concurrency,
            on_progress=on_progress,
            confirm=confirm,
        )
        return await _run(self, task)

    async def change_each(
        self: Changer,
        pairs: Iterable[tuple[str | Case, Change]],
        *,
        journal: str | os.PathLike[str] | None,
        dry_run: bool = False,
        restart: bool = False,
        only_if: Predicate | None = None,
        max_failures: int | None = None,
        retry_failed: bool = False,
        concurrency: int = DEFAULT_CHANGES,
        on_progress: OnChange | None = None,
        confirm: Confirm | None = None,
    ) -> ChangeReport:
        """Make a change of its own to each of many cases, with a journal; see `change_many`.

        Args:
            pairs: cases or their ids, each with its change. Several changes of the same case are made in their order.
            journal: as for `change_many`.
            dry_run: as for `change_many`.
            restart: as for `change_many`.
            only_if: as for `change_many`.
            max_failures: as for `change_many`.
            retry_failed: as for `change_many`.
            concurrency: as for `change_many`.
            on_progress: as for `change_many`.
            confirm: as for `change_many`.

        Returns:
            What became of each row, in the order of the pairs.

        Raises:
            InvalidArgumentError: as for `change_many`; also if a pair is none, and the message says which.
            PersonaError: as for `change_many`.
            OSError: if the disk is full.
        """
        ids, changes = pairs_of(pairs)
        task = ChangeTask(
            rows=ids,
            changing=changes,
            journal=journal,
            dry_run=dry_run,
            restart=restart,
            only_if=only_if,
            max_failures=max_failures,
            retry_failed=retry_failed,
            concurrency=concurrency,
            on_progress=on_progress,
            confirm=confirm,
        )
        return await _run(self, task)


async def _run(cases: Changer, task: ChangeTask) -> ChangeReport:
    # Few programs change many cases.
    from persona_cases.resources.changing.change_run import run_changes  # noqa: PLC0415

    return await run_changes(cases, task)
