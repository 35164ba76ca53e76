"""The tags of an organisation: names with an id each, and no more than it may have."""

from __future__ import annotations

from collections.abc import Iterable

from persona_cases.errors import InvalidArgumentError
from persona_cases.testing.world.identifiers import named_id

__all__ = ["DEFAULT_TAG_CAP", "Tags"]

DEFAULT_TAG_CAP = 1000


class Tags:
    """All tags ever used.

    Args:
        names: the tags to begin with.
        cap: how many the API lets an organisation have.

    Raises:
        InvalidArgumentError: the cap is negative.
    """

    def __init__(self, names: Iterable[str], cap: int = DEFAULT_TAG_CAP) -> None:
        if cap < 0:
            raise InvalidArgumentError("tag_cap: needs to be zero or more")
        self.cap = cap
        self._ids: dict[str, str] = {}
        self._names: dict[str, str] = {}
        for name in names:
            self.id(name)

    def __len__(self) -> int:
        return len(self._ids)

    def __contains__(self, name: object) -> bool:
        return name in self._ids

    def id(self, name: str) -> str:
        """The id of a tag; a name never used before becomes a new tag, whatever the cap."""
        known = self._ids.get(name)
        if known is None:
            known = self._ids[name] = named_id("tag", name)
            self._names[known] = name
        return known

    def name(self, tag_id: str) -> str | None:
        """The name of the tag with that id."""
        return self._names.get(tag_id)

    def have_room_for(self, names: Iterable[str]) -> bool:
        """Whether those of `names` that are new would stay within the cap."""
        new = {name for name in names if name not in self._ids}
        return not new or len(self._ids) + len(new) <= self.cap
