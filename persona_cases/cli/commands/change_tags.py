"""The work of `tag add`, `tag remove` and `tag set`."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import Protocol, TypeAlias

import attrs

from persona_cases.cli.commands.change_case import KeyedAct
from persona_cases.client import PersonaClient
from persona_cases.errors import InvalidArgumentError
from persona_cases.models import Case

__all__ = ["TagChoice", "changing_each", "setting"]


class ChangeTag(Protocol):
    """Adds one tag to a case, or removes it."""

    def __call__(
        self, case: str, name: str | None, *, tag_id: str | None, idempotency_key: str | None
    ) -> Awaitable[Case]:
        """Change one tag."""
        ...


Choose: TypeAlias = Callable[[PersonaClient], ChangeTag]


@attrs.frozen
class TagChoice:
    """Tags, by name and by id."""

    names: tuple[str, ...] = ()
    ids: tuple[str, ...] = ()

    @classmethod
    def of(cls, names: Sequence[str] | None, ids: Sequence[str] | None) -> TagChoice:
        """Return the tags that the command line names, without duplicates."""
        return cls(tuple(dict.fromkeys(names or ())), tuple(dict.fromkeys(ids or ())))

    def each(self) -> list[tuple[str | None, str | None]]:
        """Return the name and id of each tag; one of the two is None."""
        return [*((name, None) for name in self.names), *((None, tag_id) for tag_id in self.ids)]


def changing_each(id: str, tags: TagChoice, choose: Choose) -> KeyedAct:
    """Return the function that adds or removes tags one by one.

    Args:
        id: the id of the case.
        tags: the tags; at least one.
        choose: returns the method that changes one tag.
    """

    async def act(persona: PersonaClient, key: str) -> Case:
        each, change = tags.each(), choose(persona)
        if not each:
            raise InvalidArgumentError("no tag given: give its name, or its id with --id")
        # Each request needs its own key, which stays the same when the command is repeated with its key.
        keys = [key] if len(each) == 1 else [f"{key}-{number}" for number in range(1, len(each) + 1)]
        cases = [
            await change(id, name, tag_id=tag_id, idempotency_key=own_key)
            for (name, tag_id), own_key in zip(each, keys, strict=True)
        ]
        return cases[-1]

    return act


def setting(id: str, tags: TagChoice, *, none: bool) -> KeyedAct:
    """Return the function that replaces the tags of a case.

    Args:
        id: the id of the case.
        tags: the new tags; none only if `none` is true.
        none: whether to remove all tags.
    """

    def act(persona: PersonaClient, key: str) -> Awaitable[Case]:
        if bool(tags.each()) == none:
            raise InvalidArgumentError("give either the new tags, or --none to remove all")
        names = None if tags.ids and not tags.names else tags.names
        return persona.cases.set_tags(id, names, tag_ids=tags.ids or None, idempotency_key=key)

    return act
