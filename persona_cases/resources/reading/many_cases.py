"""Retrieval of many cases by their ids, several at a time."""

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

_NOT_THERE: Final = "record not found"


@taught(MANY_CASES)
@attrs.frozen(repr=False)
class ManyCases(Sequence[Case]):
    """Cases requested by id, in the order of the ids.

    Attributes:
        cases: the cases that were found.
        missing: the ids that were not found.
        failed: the errors of all other ids that have no case, by id. Check it if you need every case.
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
    """Get cases by their ids; duplicate ids are requested once.

    Args:
        get: gets one case.
        ids: the ids.
        concurrency: maximum number of requests in progress at the same time.

    Raises:
        InvalidArgumentError: if an argument is invalid, before anything is sent.
        AuthenticationError: if the API does not accept the key.
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
                # This error would stop every other id too.
                raise
            except PersonaError as error:
                found[id] = error

    try:
        async with asyncio.TaskGroup() as group:
            for _ in range(min(concurrency, len(asked))):
                group.create_task(work())
    except BaseExceptionGroup as failures:
        # The first failure cancelled the others, so it is the cause.
        raise failures.exceptions[0] from None
    return _sorted(asked, found)


def _sorted(asked: Iterable[str], found: Mapping[str, Case | PersonaError]) -> ManyCases:
    """Sort the outcomes of the ids into found, missing and failed."""
    cases = tuple(case for id in asked if isinstance(case := found[id], Case))
    errors = {id: error for id in asked if isinstance(error := found[id], PersonaError)}
    missing = tuple(id for id, error in errors.items() if _is_missing(error))
    return ManyCases(cases, missing, {id: error for id, error in errors.items() if not _is_missing(error)})


def _is_missing(error: PersonaError) -> bool:
    """Return whether the API itself says that there is no such case: a gateway or a wrong base URL causes 404 too."""
    return isinstance(error, NotFoundError) and any(title.casefold() == _NOT_THERE for title in error.titles)


publish("persona_cases", ManyCases)
