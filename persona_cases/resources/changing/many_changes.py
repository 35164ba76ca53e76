"""Changing many cases: `change_many` and `change_each` of `persona.cases`."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from persona_cases.changes import Change
    from persona_cases.models import Case
    from persona_cases.query import Predicate
    from persona_cases.resources.changing.change_report import ChangeReport
    from persona_cases.resources.changing.change_task import ChangeTask, Confirm, OnChange
    from persona_cases.resources.changing.row_work import Changer

__all__ = ["DEFAULT_CHANGES", "ManyChanges"]

DEFAULT_CHANGES: Final = 10
"""Number of rows in progress at the same time."""


class ManyChanges:
    """The methods of `persona.cases` that change many cases, each at most once despite interruptions."""

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

        The cases are selected once, and their ids are written to the journal before the first change, so the changes
        cannot affect the selection. The journal gets a line before and after each write. A resumed run skips finished
        rows. It checks interrupted writes by reading the case, which shows its status, tags, assignee, queue, fields
        and objects. A case does not show who wrote a comment or attached a file, so such rows end as `indeterminate`
        and the change is not made twice.

        The journal holds case ids, the API's error titles of failed rows, and digests, but no values. Only its owner
        can open it.

        If the call is cancelled, it starts no more rows and gives those in progress three seconds to finish.

        Args:
            where: an expression of `Q`, or ids or cases, of which duplicates are changed once. None raises, because
                elsewhere it means all cases: for all cases, pass `Q.all_of([])`.
            change: one of `persona_cases.changes`; or a function that takes the current case and returns a change, or
                None to skip the case. If the function raises, the run ends once the rows in progress have finished.
            journal: the path of the journal; None is allowed only for a dry run. Its folder must exist. An existing
                journal is resumed if it belongs to a run with the same `where`, `change` and `only_if`. Functions
                cannot be compared.
            dry_run: whether to predict the outcome of each row only. Nothing is changed, and no journal is written.
            restart: whether to discard an existing journal and select the cases again.
            only_if: the condition that a case must meet right before it is changed; otherwise its row is skipped.
            max_failures: maximum number of rows of this run that may fail before it ends; the others stay `pending`.
                None for no limit.
            retry_failed: whether to retry rows that an earlier run left as `failed` or `indeterminate`. Comments and
                attachments that are `indeterminate` are not made again.
            concurrency: maximum number of rows in progress at the same time, within the rate limit.
            on_progress: called with a `ChangeProgress` when a row finishes.
            confirm: called with a `ChangePlan` before the first write; it may be async. If it returns False, nothing is
                changed and all rows are `pending`.

        Returns:
            The outcome of each row. Check `failed` and `indeterminate`.

        Raises:
            InvalidArgumentError: if an argument is invalid; the journal cannot be written, is damaged, or belongs to
                another run; a file to attach cannot be read.
            ClientStateError: if another run holds the journal, or the client is closed.
            QueryError: if no search can evaluate `where`, or cases do not show what `only_if` compares.
            AuthenticationError: if the API does not accept the key.
            RateLimitError: if the wait for the rate limit would exceed `max_wait`.
            OSError: if the disk is full.
        """
        from persona_cases.resources.changing.change_task import ChangeTask, changing_of, selection_of  # noqa: PLC0415

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
        """Make a separate change to each of many cases, with a journal; see `change_many`.

        Args:
            pairs: cases or their ids, each with its change. Several changes of the same case are made in order.
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
            The outcome of each row, in the order of the pairs.

        Raises:
            InvalidArgumentError: as for `change_many`; also if an item is not a pair, in which case the message says
                which.
            PersonaError: as for `change_many`.
            OSError: if the disk is full.
        """
        from persona_cases.resources.changing.change_task import ChangeTask, pairs_of  # noqa: PLC0415

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
    # Imported here because few programs change many cases.
    from persona_cases.resources.changing.change_run import run_changes  # noqa: PLC0415

    return await run_changes(cases, task)
