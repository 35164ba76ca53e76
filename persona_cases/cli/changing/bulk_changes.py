"""The work of the commands that change many cases: ask, change, report."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Sequence
from functools import partial
from typing import Any, Final, TypeAlias

import attrs
import typer

from persona_cases.changes import Change
from persona_cases.cli.connect import connected
from persona_cases.cli.exits import ExitCode
from persona_cases.cli.options.bulk_options import Bulk
from persona_cases.cli.options.option_groups import Connection, Format
from persona_cases.cli.options.selection import expression
from persona_cases.cli.screen.change_progress import ShownChanges, show_rows
from persona_cases.cli.screen.question import agreed, check_can_ask
from persona_cases.cli.screen.terminal import visible
from persona_cases.errors import InvalidArgumentError
from persona_cases.export.wording import duration, plural
from persona_cases.query import Predicate
from persona_cases.resources.cases import Cases
from persona_cases.resources.changing.change_report import ChangePlan, ChangeReport
from persona_cases.resources.changing.many_changes import DEFAULT_CHANGES

__all__ = ["Batch", "ChangePairs", "Same", "change_cases"]

_MOST_IDS: Final = 10

Act: TypeAlias = Callable[..., Coroutine[Any, Any, ChangeReport]]


@attrs.frozen
class Same:
    """One change for all cases.

    Attributes:
        question: what to ask, with `{}` in place of the cases.
        cases: the query or the ids.
        change: the change.
    """

    question: str
    cases: Predicate | Sequence[str]
    change: Change

    def of(self, cases: Cases) -> Act:
        """Return what makes the changes."""
        return partial(cases.change_many, self.cases, self.change)


@attrs.frozen
class ChangePairs:
    """A separate change for each case.

    Attributes:
        question: what to ask, with `{}` in place of the cases.
        pairs: ids and changes.
    """

    question: str
    pairs: Sequence[tuple[str, Change]]

    def of(self, cases: Cases) -> Act:
        """Return what makes the changes."""
        return partial(cases.change_each, self.pairs)


Batch: TypeAlias = Same | ChangePairs
"""A change of many cases."""


def change_cases(
    make: Callable[[], Batch], bulk: Bulk, key: str | None, output: Format | None, connection: Connection
) -> Coroutine[Any, Any, ExitCode]:
    """Return the coroutine that changes many cases.

    Args:
        make: makes the batch from the options. It may read stdin, so it is called before there is an event loop.
        bulk: how to change them.
        key: the idempotency key, which many cases cannot share.
        output: the form to print the rows in.
        connection: how to reach the API.

    Raises:
        InvalidArgumentError: if an option is missing or has no effect, or there is no terminal to ask on.
    """
    if key is not None:
        raise InvalidArgumentError("--idempotency-key is for one case: leave it out, each case gets a key of its own")
    if bulk.journal is None and not bulk.dry_run:
        raise InvalidArgumentError(
            "many cases need a journal, from which the same command resumes: give --journal PATH, or --dry-run "
            "(or quotes, if these are the words of one value)"
        )
    if bulk.dry_run and (bulk.yes or bulk.max_failures is not None):
        raise InvalidArgumentError("--yes and --max-failures have no effect with --dry-run: leave them out")
    if not bulk.dry_run and not bulk.yes:
        check_can_ask("nobody can be asked whether to change these cases: give --yes, or see them with --dry-run")
    return _change_cases(make(), bulk, output, connection)


async def _change_cases(batch: Batch, bulk: Bulk, output: Format | None, connection: Connection) -> ExitCode:
    declined = False

    async def confirm(plan: ChangePlan) -> bool:
        nonlocal declined
        declined = not (bulk.yes or await _asked(batch.question, plan))
        return not declined

    async with connected(connection) as there:
        with ShownChanges(there.limiter, live=not connection.verbose) as on_progress:
            try:
                report = await batch.of(there.persona.cases)(
                    journal=bulk.journal,
                    dry_run=bulk.dry_run,
                    restart=bulk.restart,
                    only_if=None if bulk.only_if is None else expression([bulk.only_if], "--only-if"),
                    max_failures=bulk.max_failures,
                    retry_failed=bulk.retry_failed,
                    concurrency=DEFAULT_CHANGES if bulk.concurrency is None else bulk.concurrency,
                    on_progress=on_progress,
                    confirm=confirm,
                )
            except asyncio.CancelledError:
                typer.echo("run the same command again to resume from the journal", err=True)
                raise
    if declined:
        typer.echo("nothing was changed", err=True)
        return ExitCode.FAILURE
    show_rows(report, output)
    typer.echo(str(report), err=True)
    return _code(report, bulk)


async def _asked(question: str, plan: ChangePlan) -> bool:
    for case_id in plan.case_ids[:_MOST_IDS]:
        typer.echo(visible(case_id), err=True)
    if (more := plan.total - _MOST_IDS) > 0:
        typer.echo(f"and {more:,} more", err=True)
    if plan.done:
        typer.echo(f"{plan.done:,} of {plural(plan.total, 'case')} have ended in an earlier run.", err=True)
    left = plural(plan.total - plan.done, "case")
    typer.echo(f"This takes up to {plural(plan.requests, 'request')}, about {duration(plan.seconds)}.", err=True)
    return await agreed(question.format(left))


def _code(report: ChangeReport, bulk: Bulk) -> ExitCode:
    if report.indeterminate:
        typer.echo("hint: check the indeterminate cases: it is unknown whether they were changed", err=True)
    if report.pending:
        typer.echo("hint: run the same command again for the pending cases", err=True)
    if report.failed or report.pending:
        if report.failed and not bulk.retry_failed and not report.dry_run:
            typer.echo("hint: once the reasons are gone, add --retry-failed to try the failed cases again", err=True)
        return ExitCode.FAILURE
    return ExitCode.UNKNOWN if report.indeterminate else ExitCode.OK
