"""A change of one case, which is printed, or of many, which are reported on."""

from __future__ import annotations

import shlex
from collections.abc import Callable, Coroutine
from functools import partial
from typing import Any, NoReturn

from persona_cases.changes import Change, Update
from persona_cases.cli.changing.bulk_changes import Same, change_cases
from persona_cases.cli.changing.change_case import CaseChange, KeyedAct, change_case, keyed
from persona_cases.cli.exits import ExitCode
from persona_cases.cli.options.bulk_options import Which
from persona_cases.cli.options.change_options import Posting
from persona_cases.cli.options.option_groups import Connection
from persona_cases.cli.running import execute

__all__ = ["change", "one_or_many", "posted"]


def change(
    which: Which, make: Callable[[], Change], question: str, posting: Posting, connection: Connection
) -> NoReturn:
    """Make the same change of one case or of many.

    Args:
        which: the cases.
        make: makes the change. It may read stdin, so it is called before there is an event loop.
        question: what to ask before many are changed, with `{}` in place of the cases.
        posting: how to send the change and print the case.
        connection: how to reach the API.
    """

    def one(case_id: str) -> CaseChange:
        made = make()
        if isinstance(made, Update):
            return CaseChange(act=lambda persona: persona.cases.apply(case_id, made), look=_look(case_id))
        return posted(case_id, lambda persona, key: persona.cases.apply(case_id, made, idempotency_key=key), posting)

    one_or_many(which, one=one, make=make, question=question, posting=posting, connection=connection)


def one_or_many(
    which: Which,
    *,
    one: Callable[[str], CaseChange],
    make: Callable[[], Change],
    question: str,
    posting: Posting,
    connection: Connection,
) -> NoReturn:
    """Do the same, with a way of its own for one case: `one` takes the id and returns what to do."""

    def work() -> Coroutine[Any, Any, ExitCode]:
        case_id = which.one
        if case_id is not None:
            return change_case(partial(one, case_id), posting.output, connection)
        return change_cases(
            lambda: Same(question, which.selected(), make()),
            which.bulk,
            posting.idempotency_key,
            posting.output,
            connection,
        )

    execute(work, verbose=connection.verbose)


def posted(case_id: str, act: KeyedAct, posting: Posting) -> CaseChange:
    """Return a change of one case under the idempotency key of the options, or a new one."""
    return keyed(act, posting.idempotency_key, _look(case_id))


def _look(case_id: str) -> str:
    return f"persona-cases get {shlex.quote(case_id)}"
