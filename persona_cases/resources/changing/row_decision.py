"""The decision about a row, from its journal and its case. Pure."""

from __future__ import annotations

from typing import Final, TypeAlias

import attrs

from persona_cases.changes import Change
from persona_cases.models import Case
from persona_cases.query import Predicate
from persona_cases.resources.changing.effects import effects_of
from persona_cases.resources.changing.journal_lines import Begun, Outcome

__all__ = ["End", "Write", "decide", "must_look"]

_IN_DOUBT: Final = "the outcome of the write is unknown, and the case does not show it"
_OVERTAKEN: Final = "the outcome of the write is unknown, and the case is no longer one to change"


@attrs.frozen
class Write:
    """Make the change."""

    change: Change


@attrs.frozen
class End:
    """End the row without a write.

    Attributes:
        outcome: how the row ends.
        reason: the reason in words.
    """

    outcome: Outcome
    reason: str | None = None


Decision: TypeAlias = Write | End


def must_look(change: Change | None, only_if: Predicate | None, doubt: Begun | None, key: str) -> bool:
    """Return whether the decision needs the case.

    Args:
        change: the change; None if a function makes it from the case.
        only_if: the condition that the case must meet.
        doubt: a write that may or may not have been made.
        key: the key of the run.
    """
    if doubt is not None and doubt.once:
        return False
    return change is None or only_if is not None or doubt is not None or effects_of(change, key) is not None


def decide(
    change: Change | None, case: Case | None, *, only_if: Predicate | None, doubt: Begun | None, key: str
) -> Decision:
    """Decide what to do with a row.

    Args:
        change: the change; None if the function that makes it returned None.
        case: the current case; None if `must_look` is False.
        only_if: the condition that the case must meet.
        doubt: a write that may or may not have been made.
        key: the key of the run.
    """
    if doubt is not None:
        if doubt.once:
            return End("indeterminate", _IN_DOUBT)
        if case is not None and doubt.effects is not None and doubt.effects.in_case(case, key):
            return End("changed")
    if change is None:
        return End("skipped", "the function returned None") if doubt is None else End("indeterminate", _OVERTAKEN)
    if case is not None and only_if is not None and not only_if.matches(case):
        return End("skipped", "only_if does not hold") if doubt is None else End("indeterminate", _OVERTAKEN)
    if case is not None and (effects := effects_of(change, key)) is not None and effects.in_case(case, key):
        # The case already shows the change, whether a write in doubt or someone else made it.
        return End("unchanged") if doubt is None else End("changed")
    return Write(change)
