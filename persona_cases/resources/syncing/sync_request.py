"""`SyncRequest`: the arguments of a sync, checked."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import Final, Literal, TypeAlias, cast, get_args

import attrs
import msgspec

from persona_cases.errors import InvalidArgumentError, QueryError
from persona_cases.mirror.mirror_protocol import Mirror, MirrorSettings
from persona_cases.mirror.targets.open_mirror import mirror_at
from persona_cases.protocol.addresses.urls import segment
from persona_cases.protocol.checks import flag, one_of, seconds, texts
from persona_cases.query import Predicate, Q
from persona_cases.query.entry import as_predicate
from persona_cases.query.matching import check_decidable
from persona_cases.query.nodes import leaves_of
from persona_cases.query.relative import as_written
from persona_cases.resources.exporting.export_request import Undecodable
from persona_cases.resources.reading.searches import Search

__all__ = ["Reconcile", "SyncRequest"]

Reconcile: TypeAlias = bool | Literal["full"]
"""Whether to compare the mirror with the list: by ids and times, or by whole cases."""

_LONGEST_OVERLAP: Final = timedelta(days=365)
_SOME_TIME: Final = datetime(2026, 1, 1, tzinfo=UTC)


@attrs.frozen(kw_only=True)
class SyncRequest:
    """The arguments of `cases.sync`, which has their description.

    Attributes:
        mirror: the mirror that `to` names.
        local: whether cases show whether they match.

    Raises:
        InvalidArgumentError: if an argument is invalid.
        QueryError: if no search can evaluate `where`.
    """

    where: Predicate | None
    mirror: Mirror
    overlap: timedelta
    reconcile: Reconcile
    dirty: tuple[str, ...] = attrs.field(repr=False)
    history: bool
    undecodable: Undecodable
    max_searches: int
    local: bool

    @classmethod
    def of(
        cls,
        where: object,
        *,
        to: object,
        overlap: object,
        reconcile: object,
        dirty: object,
        history: object,
        undecodable: object,
        max_searches: int,
    ) -> SyncRequest:
        """Check the arguments."""
        if not isinstance(reconcile, bool) and not (isinstance(reconcile, str) and reconcile == "full"):
            raise InvalidArgumentError("reconcile must be True, False or 'full'")
        if isinstance(dirty, str) or not isinstance(dirty, Iterable):
            raise InvalidArgumentError("dirty must be a list of case ids")
        ids = tuple(dict.fromkeys(texts(cast("Iterable[object]", dirty), "dirty", least=0)))
        for id in ids:
            segment(id, "each of dirty")
        predicate = None if where is None else _fixed(as_predicate(where, "where"))
        request = cls(
            where=predicate,
            mirror=mirror_at(to),
            overlap=_overlap(overlap),
            reconcile=reconcile if isinstance(reconcile, bool) else "full",
            dirty=ids,
            history=flag(history, "history"),
            undecodable=cast("Undecodable", one_of(undecodable, "undecodable", get_args(Undecodable))),
            max_searches=max_searches,
            local=predicate is None or _is_decidable(predicate),
        )
        request.check_searches()
        return request

    @property
    def sets_aside(self) -> bool:
        """Whether undecodable cases are set aside instead of ending the sync."""
        return self.undecodable == "set_aside"

    @property
    def settings(self) -> MirrorSettings:
        """Return the settings that identify the mirror."""
        where = None if self.where is None else msgspec.json.encode(as_written(self.where)).decode()
        return MirrorSettings(where=where, history=self.history)

    def check_searches(self) -> None:
        """Plan all searches that a sync may send, so that a query that is too complex raises before the first.

        Raises:
            QueryTooComplexError: if the query takes more than `max_searches` searches.
        """
        if self.where is None:
            return
        later = Q.updated_at.gte(_SOME_TIME) & Q.created_at.gte(_SOME_TIME)
        for where in (self.where & later,) if self.local else (self.where & later, ~self.where & later):
            Search.of(where, Q.created_at.asc(), self.max_searches, None)


def _fixed(where: Predicate) -> Predicate:
    if any(leaf.relative is not None for leaf in leaves_of(where)):
        raise InvalidArgumentError(
            "where: a mirror cannot follow times relative to now, because cases would enter and leave without a change:"
            " give fixed times"
        )
    return where


def _is_decidable(where: Predicate) -> bool:
    try:
        check_decidable(where)
    except QueryError:
        return False
    return True


def _overlap(overlap: object) -> timedelta:
    given = seconds(overlap, "overlap", least=0)
    if given > _LONGEST_OVERLAP.total_seconds():
        raise InvalidArgumentError(f"overlap must be at most {_LONGEST_OVERLAP.days} days")
    return timedelta(seconds=given)
