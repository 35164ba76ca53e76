"""`Sort`: the order in which a search returns its cases."""

from __future__ import annotations

from typing import Final, Literal, TypeAlias, cast, get_args

import attrs

from persona_cases.errors import QueryError, UnknownAttributeError
from persona_cases.name_prefixes import custom_key
from persona_cases.query.attributes import SEARCHABLE, attribute_named, require_name, spell
from persona_cases.teaching import nearest, shortened

__all__ = ["Direction", "Sort"]

Direction: TypeAlias = Literal["asc", "desc"]
DIRECTIONS: Final[tuple[str, ...]] = get_args(Direction)


@attrs.frozen(repr=False)
class Sort:
    """One attribute and a direction, usually made by `Q.created_at.desc()`.

    Attributes:
        attribute: its API name; `fields.<key>` for a custom field.
        direction: `asc` or `desc`.

    Raises:
        UnknownAttributeError: if there is no such attribute. For one newer than this library, write
            `Q.attribute("name").desc()`.
        QueryError: if the API cannot sort by it, or the direction is invalid.

    See https://docs.withpersona.com/api-reference/cases/search-cases.
    """

    attribute: str
    direction: Direction = "asc"

    def __attrs_post_init__(self) -> None:
        object.__setattr__(self, "attribute", require_name(self.attribute))
        _require_known(self.attribute)
        _require_sortable(self.attribute)
        if self.direction not in DIRECTIONS:
            raise QueryError("the direction of a sort must be asc or desc")

    @classmethod
    def by_any(cls, attribute: str, direction: Direction) -> Sort:
        """Return a sort by an attribute that need not be in the table, for `Q.attribute`.

        Args:
            attribute: the API's name of the attribute.
            direction: `asc` or `desc`.

        Returns:
            The sort.
        """
        name = require_name(attribute)
        _require_sortable(name)
        sort = cls.__new__(cls)
        object.__setattr__(sort, "attribute", name)
        object.__setattr__(sort, "direction", direction)
        return sort

    @classmethod
    def parse(cls, text: str) -> Sort:
        """Parse `created_at`, `created_at:asc`, `created_at:desc` or `-created_at` (descending).

        Args:
            text: the sort order in one of these forms.

        Returns:
            The sort.

        Raises:
            QueryError: if it is none of these, or the API cannot sort by the attribute.
        """
        name = text.strip()
        if name.startswith("-"):
            return cls(name[1:], "desc")
        attribute, colon, direction = name.rpartition(":")
        return cls(attribute, cast("Direction", direction)) if colon else cls(name)

    def to_dict(self) -> dict[str, str]:
        """Return the `sort` of a search request."""
        return {"attribute": self.attribute, "direction": self.direction}

    def __repr__(self) -> str:
        return f"{spell(self.attribute)}.{self.direction}()"


def _require_known(name: str) -> None:
    if name in SEARCHABLE or custom_key(name) is not None:
        return
    guess = nearest(name, (known for known, attribute in SEARCHABLE.items() if attribute.sortable))
    hint = f"; did you mean {guess}?" if guess else f"; choose one of {_sortable_names()}, or fields.<key>"
    raise UnknownAttributeError(f"there is no attribute {shortened(name)!r} to sort by{hint}")


def _require_sortable(name: str) -> None:
    if not attribute_named(name).sortable:
        raise QueryError(f"the API cannot sort by {name}: choose one of {_sortable_names()}, or fields.<key>")


def _sortable_names() -> str:
    return ", ".join(name for name, attribute in SEARCHABLE.items() if attribute.sortable)
