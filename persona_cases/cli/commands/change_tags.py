"""The work of `tag add`, `tag remove` and `tag set`."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import Protocol, TypeAlias

import attrs

from persona_cases.cli.commands.change_case import KeyedAct
from persona_cases.client import PersonaClient
from persona_cases.errors import InvalidArgumentError
from persona_cases.models import Case

__all__ = ["Tags", "changing_each", "setting"]


class ChangeTag(Protocol):
    """Adds a tag to a case, or removes it."""

    def __call__(
        self, case: str, name: str | None, *, tag_id: str | None, idempotency_key: str | None
    ) -> Awaitable[Case]:
        """Change one tag."""
        ...


Choose: TypeAlias = Callable[[PersonaClient], ChangeTag]


@attrs.frozen
class Tags:
    """Tags by their names and by their ids."""

    names: tuple[str, ...] = ()
    ids: tuple[str, ...] = ()

    @classmethod
    def of(cls, names: Sequence[str] | None, ids: Sequence[str] | None) -> Tags:
        """Return the tags that arguments and options name, each once."""
        return cls(tuple(dict.fromkeys(names or ())), tuple(dict.fromkeys(ids or ())))

    def each(self) -> list[tuple[str | None, str | None]]:
        """Return name and id of each tag, one of which is None."""
        return [*((name, None) for name in self.names), *((None, tag_id) for tag_id in self.ids)]


def changing_each(id: str, tags: Tags, choose: Choose) -> KeyedAct:
    """Return what changes one tag of a case after the other, and refuses to work without a tag.

    Args:
        id: the id of the case.
        tags: the tags.
        choose: how to change one.
    """

    async def act(persona: PersonaClient, key: str) -> Case:
        each, change = tags.each(), choose(persona)
        if not each:
            raise InvalidArgumentError("give a tag by its name, or by --id")
        # Each request has a key of its own, and the same one when the command is repeated with its key.
        keys = [key] if len(each) == 1 else [f"{key}-{number}" for number in range(1, len(each) + 1)]
        cases = [
            await change(id, name, tag_id=tag_id, idempotency_key=own_key)
            for (name, tag_id), own_key in zip(each, keys, strict=True)
        ]
        return cases[-1]

    return act


def setting(id: str, tags: Tags, *, none: bool) -> KeyedAct:
    """Return what gives a case exactly these tags, and refuses to remove all unless that is asked for.

    Args:
        id: the id of the case.
        tags: the tags.
        none: whether the case is to have none.
    """

    def act(persona: PersonaClient, key: str) -> Awaitable[Case]:
        if bool(tags.each()) == none:
            raise InvalidArgumentError("give the tags that the case is to have, or --none to remove all")
        names = None if tags.ids and not tags.names else tags.names
        return persona.cases.set_tags(id, names, tag_ids=tags.ids or None, idempotency_key=key)

    return act
