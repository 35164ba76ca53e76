"""`ChangeTask`: the arguments of `change_many` and `change_each`, checked."""

from __future__ import annotations

import inspect
import os
from collections.abc import Awaitable, Callable, Iterable, Mapping
from pathlib import Path
from typing import Any, Final, TypeAlias, cast

import attrs

from persona_cases.changes.change_values import Change, Update, Upload, as_change
from persona_cases.errors import InvalidArgumentError
from persona_cases.models import Case
from persona_cases.protocol.addresses.urls import segment
from persona_cases.protocol.checks import flag, whole_number
from persona_cases.query import Predicate
from persona_cases.query.entry import as_predicate
from persona_cases.query.matching import check_decidable
from persona_cases.query.planner import DEFAULT_MAX_SEARCHES
from persona_cases.query.relative import as_written
from persona_cases.resources.changing.change_report import ChangePlan, ChangeProgress
from persona_cases.resources.changing.effects import change_digest, digest
from persona_cases.resources.reading.searches import Search
from persona_cases.resources.requests.argument_checks import callback, file_path

__all__ = ["ChangeTask", "Changing", "Confirm", "OnChange", "Rows", "changing_of", "pairs_of", "selection_of"]

ChangeOf: TypeAlias = Callable[[Case], Change | None]
"""Returns the change of a case; None to skip the case."""


@attrs.frozen(repr=False)
class Each:
    """One change per row."""

    changes: tuple[Change, ...]


@attrs.frozen(repr=False)
class Made:
    """A function that makes the change of each case."""

    make: ChangeOf


Changing: TypeAlias = Change | Each | Made
"""One change for all rows, one per row, or a function that makes it."""

Rows: TypeAlias = Predicate | tuple[str, ...]
"""The expression that finds the cases, or their ids."""

OnChange: TypeAlias = Callable[[ChangeProgress], object]
"""Called when a row finishes."""

Confirm: TypeAlias = Callable[[ChangePlan], bool | Awaitable[bool]]
"""Decides before the first write whether to continue."""

_FUNCTION: Final = "a function"
_ABOUT: Final = ("selection", "change", "only_if")


def _path(journal: object) -> Path | None:
    if journal is None:
        return None
    file_path(journal, "journal")
    path = Path(os.fsdecode(cast("str | os.PathLike[str]", journal)))
    if not path.name:
        raise InvalidArgumentError("journal must be the path of a file, such as 'close.journal'")
    return path


@attrs.frozen(kw_only=True, repr=False)
class ChangeTask:
    """The arguments of `change_many` and `change_each`, which have their description.

    Raises:
        InvalidArgumentError: if an argument is invalid.
        QueryError: if no search can evaluate `where`, or cases do not show what `only_if` compares.
    """

    rows: Rows
    changing: Changing
    journal: Path | None = attrs.field(converter=_path)
    dry_run: bool
    restart: bool
    only_if: Predicate | None
    max_failures: int | None
    retry_failed: bool
    concurrency: int
    on_progress: OnChange | None
    confirm: Confirm | None

    def __attrs_post_init__(self) -> None:
        for name in ("dry_run", "restart", "retry_failed"):
            flag(getattr(self, name), name)
        if self.journal is None and not self.dry_run:
            raise InvalidArgumentError("journal: None is for a dry run only: give the path of a file")
        whole_number(self.concurrency, "concurrency")
        if self.max_failures is not None:
            whole_number(self.max_failures, "max_failures")
        callback(self.on_progress, "on_progress")
        callback(self.confirm, "confirm")
        if self.only_if is not None:
            check_decidable(as_predicate(self.only_if, "only_if"))
        if isinstance(self.rows, Predicate):
            # Raise for expressions that no search can evaluate before anything is sent.
            Search.of(self.rows, None, DEFAULT_MAX_SEARCHES, None)

    @property
    def given_changes(self) -> tuple[Change, ...]:
        """Return the changes that are known before any case is read."""
        match self.changing:
            case Each(changes=changes):
                return changes
            case Made():
                return ()
            case change:
                return (change,)

    def change_of(self, row: int) -> Change | None:
        """Return the change of a row; None if a function makes it."""
        if isinstance(self.changing, Each):
            return self.changing.changes[row]
        return None if isinstance(self.changing, Made) else self.changing

    def change_for(self, row: int, case: Case | None) -> Change | None:
        """Return the change of a row, made by the function if there is one.

        Raises:
            InvalidArgumentError: if the function returns anything but a change or None.
        """
        if case is None or not isinstance(self.changing, Made):
            return self.change_of(row)
        made: object = self.changing.make(case)
        if inspect.iscoroutine(made):
            made.close()
        return None if made is None else as_change(made, "change: what the function returned")

    def about(self, key: str) -> dict[str, str]:
        """Return digests that identify a run, by argument. Functions cannot be compared, so they have none."""
        rows: object = as_written(self.rows) if isinstance(self.rows, Predicate) else list(self.rows)
        match self.changing:
            case Each(changes=each):
                changes: object = [change_digest(change, key) for change in each]
            case Made():
                changes = _FUNCTION
            case change:
                changes = change_digest(change, key)
        only_if = None if self.only_if is None else as_written(self.only_if)
        return {name: digest(key, name, value) for name, value in zip(_ABOUT, (rows, changes, only_if), strict=True)}


def selection_of(where: object) -> Rows:
    """Check the selected cases; duplicates become one row.

    Raises:
        InvalidArgumentError: if it is neither an expression nor a list of ids or cases.
    """
    if where is None:
        raise InvalidArgumentError(
            "where: None would mean all cases, which is too much to say by accident: give Q.all_of([]) for all cases"
        )
    if isinstance(where, Predicate):
        return where
    if isinstance(where, (str, bytes, Case, Mapping)) or not isinstance(where, Iterable):
        raise InvalidArgumentError(
            "where must be an expression of Q, or a list of ids or cases: put a single case into a list, read a text "
            "with parse(...), and collect a pager with await pager.collect()"
        )
    return tuple(dict.fromkeys(_id_of(each, "each of where") for each in cast("Iterable[object]", where)))


def changing_of(change: object) -> Changing:
    """Check the change of `change_many`.

    Raises:
        InvalidArgumentError: if it is neither a change nor a function.
    """
    if callable(change) and not isinstance(change, type):
        if inspect.iscoroutinefunction(change):
            raise InvalidArgumentError("change: the function is async: define it with def")
        return Made(cast("ChangeOf", change))
    return _lasting(as_change(change), "change")


def pairs_of(pairs: object) -> tuple[tuple[str, ...], Each]:
    """Check the pairs of `change_each`.

    Raises:
        InvalidArgumentError: if one is not a pair of a case and a change; the message says which.
    """
    if isinstance(pairs, (str, bytes, Mapping)) or not isinstance(pairs, Iterable):
        raise InvalidArgumentError("pairs must be a list of pairs of a case or its id and a change")
    ids: list[str] = []
    changes: list[Change] = []
    for number, pair in enumerate(cast("Iterable[object]", pairs)):
        which = f"pairs[{number}]"
        if not isinstance(pair, tuple | list) or len(cast("tuple[object, ...]", pair)) != 2:
            raise InvalidArgumentError(f"{which} must be a pair of a case or its id and a change")
        case, change = cast("tuple[object, object]", pair)
        ids.append(_id_of(case, f"{which}: the case"))
        changes.append(_lasting(as_change(change, f"{which}: the change"), which))
    return tuple(ids), Each(tuple(changes))


def _id_of(case: object, argument: str) -> str:
    given = case.id if isinstance(case, Case) else case
    segment(given, argument)
    return str.__str__(cast("str", given))


def _lasting(change: Change, argument: str) -> Change:
    files: tuple[Any, ...] = change.attachments if isinstance(change, Update) else ()
    if any(isinstance(file, Upload) and not isinstance(file.content, bytes) for file in files):
        raise InvalidArgumentError(
            f"{argument}: an open file can be read only once, and a run may need it again: attach its path or its bytes"
        )
    return change
