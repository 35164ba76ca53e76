"""Getting many cases by their ids, several at a time."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Iterator

import attrs

from persona_cases.errors import NotFoundError
from persona_cases.models import Case
from persona_cases.protocol.checks import whole_number
from persona_cases.resources import bodies

DEFAULT_CONCURRENCY = 10


@attrs.frozen
class ManyCases:
    """The cases that were asked for by id, in the order of the ids.

    Attributes:
        cases: those that there are.
        missing: the ids of those that there are not.
    """

    cases: tuple[Case, ...]
    missing: tuple[str, ...] = ()

    def __iter__(self) -> Iterator[Case]:
        return iter(self.cases)

    def __len__(self) -> int:
        return len(self.cases)


async def get_many(get: Callable[[str], Awaitable[Case]], ids: Iterable[str], concurrency: int) -> ManyCases:
    """Get cases by their ids; an id that is given twice is asked for once.

    Args:
        get: gets one case.
        ids: the ids.
        concurrency: how many requests may be under way at the same time.
    """
    whole_number(concurrency, "concurrency")
    asked = bodies.texts(ids, "ids", least=0)
    found: dict[str, Case | None] = {}
    waiting = iter(dict.fromkeys(asked))

    async def work() -> None:
        for id in waiting:
            try:
                found[id] = await get(id)
            except NotFoundError:
                found[id] = None

    try:
        async with asyncio.TaskGroup() as group:
            for _ in range(min(concurrency, len(asked))):
                group.create_task(work())
    except BaseExceptionGroup as failures:
        # The first failure ended the others; it says what is the matter.
        raise failures.exceptions[0] from None
    cases = tuple(case for id in asked if (case := found[id]) is not None)
    return ManyCases(cases, tuple(id for id in dict.fromkeys(asked) if found[id] is None))
