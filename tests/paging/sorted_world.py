"""Sorted things behind several searches, in memory: what merges are tested against."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

import attrs
from hypothesis import strategies as st

from persona_cases.errors import ConnectionFailedError
from persona_cases.paging import Fetch, Merge, Page, Pager, Position, WalkOptions

KINDS = {bool: 0, int: 1, float: 1, str: 2, datetime: 3}
GAP = "gap."


@attrs.frozen
class Thing:
    id: str
    value: Any = None


@attrs.define
class World:
    """All things there ever were, in the server's order, and which of them each search finds.

    A cursor is the id of a thing and means what lies behind it, whether or not the search still finds the thing.
    """

    order: list[Thing]
    found: list[set[str]]
    descending: bool = False
    most: int = 100
    gaps: frozenset[int] = frozenset()
    fails_at: set[int] = attrs.field(factory=set)
    loops_at: str | None = None
    gate: asyncio.Event | None = None
    free: int = 0
    asked: list[tuple[int, Position]] = attrs.field(factory=list)
    answered: list[tuple[int, list[str]]] = attrs.field(factory=list)
    running: int = 0
    cancelled: int = 0

    @property
    def fetches(self) -> tuple[Fetch[Thing], ...]:
        return tuple(partial(self._fetch, search) for search in range(len(self.found)))

    def merge(self) -> Merge[Thing]:
        return Merge(fetches=self.fetches, key=lambda it: it.value, descending=self.descending, fingerprint="the query")

    def pager(self, **settings: Any) -> Pager[Thing]:
        return Pager(fetch=self.merge(), options=WalkOptions(**{"page_size": 10, **settings}))

    def expected(self) -> list[str]:
        """The documented order, worked out without merging."""
        present = {ranked(thing.value) for thing in self.order if thing.value is not None}
        groups = [*sorted(present, reverse=self.descending), None]
        ids = [
            thing.id
            for group in groups
            for search in self.found
            for thing in self.order
            if (None if thing.value is None else ranked(thing.value)) == group and thing.id in search
        ]
        return list(dict.fromkeys(ids))

    async def _fetch(self, search: int, position: Position) -> Page[Thing]:
        self.asked.append((search, position))
        number = len(self.asked)
        self.running += 1
        try:
            # Answers come in another order than questions.
            for _ in range((number * 7) % 5):
                await asyncio.sleep(0)
            if self.gate is not None and number > self.free:
                await self.gate.wait()
            if number in self.fails_at:
                raise ConnectionFailedError("lost")
            page = self._page(search, position)
        except asyncio.CancelledError:
            self.cancelled += 1
            raise
        finally:
            self.running -= 1
        self.answered.append((search, ids(page.items)))
        return page

    def _page(self, search: int, position: Position) -> Page[Thing]:
        cursor = (position.cursor or "").removeprefix(GAP)
        start = next(i for i, thing in enumerate(self.order, 1) if thing.id == cursor) if cursor else 0
        if start in self.gaps and not (position.cursor or "").startswith(GAP):
            return Page(items=(), next_cursor=GAP + cursor)
        found = [thing for thing in self.order[start:] if thing.id in self.found[search]]
        items = tuple(found[: min(position.size, self.most)])
        following = items[-1].id if len(items) < len(found) else None
        if following is not None and following == self.loops_at:
            following = position.cursor or self.order[0].id
        return Page(items=items, next_cursor=following)


def ids(things: Iterable[Any]) -> list[str]:
    return [thing.id for thing in things]


def ranked(value: Any) -> tuple[int, Any]:
    return KINDS[type(value)], value


def arranged(values: Iterable[Any], *, descending: bool) -> list[Thing]:
    """Things with these values in the order of a server, whose ties are in the order of the values."""
    things = [Thing(f"case_{number}", value) for number, value in enumerate(values)]
    present = [thing for thing in things if thing.value is not None]
    present.sort(key=lambda thing: ranked(thing.value), reverse=descending)
    return present + [thing for thing in things if thing.value is None]


def world_of(*searches: Iterable[int], descending: bool = False, **settings: Any) -> World:
    """Searches that find things `case_<n>` whose value is n."""
    found = [[*search] for search in searches]
    values = range(max((n for search in found for n in search), default=-1) + 1)
    order = arranged(values, descending=descending)
    return World(order, [{f"case_{n}" for n in search} for search in found], descending=descending, **settings)


SOME_TIME = datetime(2026, 1, 1, tzinfo=UTC)
VALUES = st.one_of(
    st.none(),
    st.integers(0, 3),
    st.sampled_from([0.5, 1.0, 2.5]),
    st.booleans(),
    st.sampled_from(["", "a", "B", "b", "é"]),
    st.integers(0, 2).map(lambda days: SOME_TIME + timedelta(days=days)),
)


@st.composite
def worlds(draw: st.DrawFn) -> World:
    descending = draw(st.booleans())
    values = draw(st.lists(VALUES, max_size=4) | st.lists(VALUES, min_size=8, max_size=25))
    order = arranged(values, descending=descending)
    count = draw(st.integers(1, 4))
    found = [set[str]() for _ in range(count)]
    for thing in order:
        for search in draw(st.sets(st.integers(0, count - 1))):
            found[search].add(thing.id)
    return World(
        order,
        found,
        descending=descending,
        most=draw(st.sampled_from([100, 3])),
        gaps=frozenset(draw(st.sets(st.integers(0, len(order)), max_size=3))),
    )
