"""Getting many cases by their ids, several at a time."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from typing import Final, overload

import attrs

from persona_cases.errors import (
    AuthenticationError,
    ClientStateError,
    InvalidArgumentError,
    NotFoundError,
    PersonaError,
)
from persona_cases.models import Case
from persona_cases.protocol.addresses.urls import segment
from persona_cases.protocol.checks import texts, whole_number
from persona_cases.resources.client_lessons import MANY_CASES
from persona_cases.surface import publish
from persona_cases.teaching import taught

DEFAULT_CONCURRENCY = 10


_NOT_THERE: Final = "record not found"


@taught(MANY_CASES)
@attrs.frozen(repr=False)
class ManyCases(Sequence[Case]):
    """The cases that were asked for by id, in the order of the ids.

    Attributes:
        cases: the cases that came.
        missing: the ids of which the API says that there is no such case.
        failed: the errors of all other ids that gave no case, by id. An export that must be whole looks here.
    """

    cases: tuple[Case, ...] = attrs.field(repr=False)
    missing: tuple[str, ...] = attrs.field(default=(), repr=False)
    failed: Mapping[str, PersonaError] = attrs.field(factory=dict[str, PersonaError], hash=False, repr=False)

    @overload
    def __getitem__(self, index: int) -> Case: ...
    @overload
    def __getitem__(self, index: slice) -> tuple[Case, ...]: ...
    def __getitem__(self, index: int | slice) -> Case | tuple[Case, ...]:
        return self.cases[index]

    def __len__(self) -> int:
        return len(self.cases)

    def __repr__(self) -> str:
        return f"<ManyCases: {len(self.cases)} cases, {len(self.missing)} missing, {len(self.failed)} failed>"


async def get_many(get: Callable[[str], Awaitable[Case]], ids: Iterable[str], concurrency: int) -> ManyCases:
    """Get cases by their ids; an id that is given twice is asked for once.

    Args:
        get: gets one case.
        ids: the ids.
        concurrency: how many requests may be under way at the same time.

    Raises:
        InvalidArgumentError: if an argument cannot work, before anything is sent.
        AuthenticationError: if the key is refused.
        ClientStateError: if the client cannot be used.
    """
    whole_number(concurrency, "concurrency")
    asked = texts(ids, "ids", least=0)
    for id in asked:
        segment(id, "each of ids")
    found: dict[str, Case | PersonaError] = {}
    waiting = iter(dict.fromkeys(asked))

    async def work() -> None:
        for id in waiting:
            try:
                found[id] = await get(id)
            except (AuthenticationError, ClientStateError, InvalidArgumentError):
                # No other id would fare better.
                raise
            except PersonaError as error:
                found[id] = error

    try:
        async with asyncio.TaskGroup() as group:
            for _ in range(min(concurrency, len(asked))):
                group.create_task(work())
    except BaseExceptionGroup as failures:
        # The first failure ended the others; it says what is the matter.
        raise failures.exceptions[0] from None
    return _sorted(asked, found)


def _sorted(asked: Iterable[str], found: Mapping[str, Case | PersonaError]) -> ManyCases:
    """Say what came of each id."""
    cases = tuple(case for id in asked if isinstance(case := found[id], Case))
    errors = {id: error for id in asked if isinstance(error := found[id], PersonaError)}
    missing = tuple(id for id, error in errors.items() if _is_missing(error))
    return ManyCases(cases, missing, {id: error for id, error in errors.items() if not _is_missing(error)})


def _is_missing(error: PersonaError) -> bool:
    """Whether the API says that there is no such case: a gateway or a wrong base URL answers 404 as well."""
    return isinstance(error, NotFoundError) and any(title.casefold() == _NOT_THERE for title in error.titles)


publish("persona_cases", ManyCases)
