"""The work of `tag add`, `tag remove` and `tag set`."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import Final, Protocol, TypeAlias

import attrs

from persona_cases.changes import AddTag, RemoveTag, SetTags
from persona_cases.cli.changing.change_case import KeyedAct
from persona_cases.client import PersonaClient
from persona_cases.errors import InvalidArgumentError
from persona_cases.models import Case

__all__ = ["TagChoice", "adding", "changing_each", "removing", "setting"]

_NO_TAG: Final = "no tag given: give its name, or its id with --id"


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
            raise InvalidArgumentError(_NO_TAG)
        # Each request needs its own key, which stays the same when the command is repeated with its key.
        keys = [key] if len(each) == 1 else [f"{key}-{number}" for number in range(1, len(each) + 1)]
        cases = [
            await change(id, name, tag_id=tag_id, idempotency_key=own_key)
            for (name, tag_id), own_key in zip(each, keys, strict=True)
        ]
        return cases[-1]

    return act


def adding(tags: TagChoice) -> AddTag:
    """Return the change that adds a tag.

    Raises:
        InvalidArgumentError: if it is not exactly one.
    """
    name, tag_id = _only(tags)
    return AddTag(name, tag_id=tag_id)


def removing(tags: TagChoice) -> RemoveTag:
    """Return the change that removes a tag.

    Raises:
        InvalidArgumentError: if it is not exactly one.
    """
    name, tag_id = _only(tags)
    return RemoveTag(name, tag_id=tag_id)


def setting(tags: TagChoice, *, none: bool) -> SetTags:
    """Return the change that replaces the tags of a case.

    Args:
        tags: the new tags; none only if `none` is true.
        none: whether to remove all tags.

    Raises:
        InvalidArgumentError: if neither tags nor `none` are given, or both.
    """
    if bool(tags.each()) == none:
        raise InvalidArgumentError("give either the new tags, or --none to remove all")
    return SetTags(None if tags.ids and not tags.names else tags.names, tag_ids=tags.ids or None)


def _only(tags: TagChoice) -> tuple[str | None, str | None]:
    each = tags.each()
    if not each:
        raise InvalidArgumentError(_NO_TAG)
    if len(each) > 1:
        raise InvalidArgumentError("give one tag: many cases get one tag at a time, each with a journal of its own")
    return each[0]
