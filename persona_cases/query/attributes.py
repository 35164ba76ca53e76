"""The one table of attributes: their names in searches, cases and lists, and the values that they take."""

from __future__ import annotations

import keyword
from collections.abc import Iterable, Mapping
from enum import Enum
from types import MappingProxyType
from typing import Any, Final, Protocol

import attrs

from persona_cases.errors import QueryError, QueryTypeError
from persona_cases.name_prefixes import CUSTOM, custom_key
from persona_cases.query.values import Scalar, require_time_text, to_scalar, unwrap_enum

__all__ = [
    "SEARCHABLE",
    "Attribute",
    "CaseLike",
    "Kind",
    "attribute_named",
    "custom_name",
    "is_plain_key",
    "require_name",
    "scalar_for",
    "spell",
    "spell_untyped",
    "untyped",
]


class Kind(Enum):
    """The type of the values of an attribute."""

    TEXT = "text"
    TIME = "time"
    ANY = "any scalar"


@attrs.frozen
class Attribute:
    """A searchable attribute.

    Attributes:
        name: the API's name, in snake_case for every `Key-Inflection`.
        kind: the type of its values.
        sortable: whether the API can sort by it.
        may_lie_ahead: whether its time can be in the future.
        shown_as: the attribute of a case that holds its value; None if no attribute does.
        related: the relationship of a case whose ids are its value; None if no relationship has them.
        person: whether searches take a user id although cases show an email address.
        hidden: the reason, if cases do not show it.
        list_filter: the filter of the list endpoint that finds the same cases; None if there is none.

    See https://docs.withpersona.com/api-reference/cases/search-cases.
    """

    name: str
    kind: Kind = Kind.ANY
    sortable: bool = attrs.field(default=True, kw_only=True)
    may_lie_ahead: bool = attrs.field(default=False, kw_only=True)
    shown_as: str | None = attrs.field(default=None, kw_only=True)
    related: str | None = attrs.field(default=None, kw_only=True)
    person: bool = attrs.field(default=False, kw_only=True)
    hidden: str = attrs.field(default="this library does not know the attribute", kw_only=True)
    list_filter: str | None = attrs.field(default=None, kw_only=True)

    def scalar(self, value: object) -> Scalar:
        """Return the JSON scalar for a value to compare with this attribute, or raise if they cannot be compared."""
        scalar = scalar_for(self.name, value)
        if self.kind is Kind.TEXT and not isinstance(unwrap_enum(value), str):
            raise QueryTypeError(f"{self.name} takes a str, not a value of type {type(value).__name__}")
        if self.kind is Kind.TIME:
            if not isinstance(scalar, str):
                raise QueryTypeError(
                    f"{self.name} takes an aware datetime, a date or an ISO text,"
                    f" not a value of type {type(value).__name__}"
                )
            require_time_text(scalar, self.name)
        return scalar

    def accepts(self, scalar: Scalar) -> bool:
        """Return whether `scalar` would accept this value."""
        try:
            self.scalar(scalar)
        except QueryError:
            return False
        return True


def _by_name(attributes: Iterable[Attribute]) -> Mapping[str, Attribute]:
    return MappingProxyType({attribute.name: attribute for attribute in attributes})


_TEXT, _TIME = Kind.TEXT, Kind.TIME

SEARCHABLE: Final[Mapping[str, Attribute]] = _by_name(
    (
        Attribute("template", _TEXT, related="case_template", list_filter="case-template-id"),
        Attribute("status", _TEXT, shown_as="status", list_filter="status"),
        Attribute("state", _TEXT, hidden="cases do not show it"),
        Attribute("created_at", _TIME, shown_as="created_at"),
        Attribute("updated_at", _TIME, shown_as="updated_at"),
        Attribute("resolved_at", _TIME, shown_as="resolved_at"),
        Attribute("sla_expires_at", _TIME, shown_as="sla_expires_at", may_lie_ahead=True),
        Attribute("assignee", _TEXT, shown_as="assignee_id", person=True),
        Attribute("case_queue", _TEXT, related="case_queue"),
        Attribute("resolver", _TEXT, shown_as="resolver_id", person=True),
        Attribute("case_template_id", _TEXT, sortable=False, related="case_template", list_filter="case-template-id"),
        Attribute("case_queue_id", _TEXT, sortable=False, related="case_queue"),
        Attribute("resolution", _TEXT, sortable=False, shown_as="resolution"),
        Attribute("account_id", _TEXT, sortable=False, related="accounts", list_filter="account-id"),
        Attribute("inquiry_id", _TEXT, sortable=False, related="inquiries", list_filter="inquiry-id"),
        Attribute("tag_id", _TEXT, sortable=False, hidden="cases show the names of their tags, not the ids"),
    )
)


class CaseLike(Protocol):
    """The interface of a `Case`, which this room does not import.

    A case also has the API's attributes (`status`, `created_at`, ...). `Case` defines them as descriptors, which type
    checkers do not accept as members of a protocol.
    """

    @property
    def fields(self) -> Mapping[str, Any]:
        """The unwrapped values of the custom fields."""
        ...

    @property
    def relationships(self) -> object:
        """The related objects: `case_template`, `case_queue`, `accounts`, `inquiries`, each with ids."""
        ...


def attribute_named(name: str) -> Attribute:
    """Return the attribute from the table, or one of which only the name is known."""
    return SEARCHABLE.get(name) or Attribute(name)


def untyped(name: str) -> Attribute:
    """Return the attribute of that name as one that takes any value."""
    return Attribute(name, sortable=attribute_named(name).sortable)


def scalar_for(name: str, value: object) -> Scalar:
    """Return the JSON scalar for a value. A date becomes its day for a custom field, or else its UTC midnight."""
    return to_scalar(value, name, whole_days=custom_key(name) is not None)


def custom_name(key: object) -> str:
    """Return the attribute name of the custom field with that key."""
    if not isinstance(key, str):
        raise QueryTypeError(f"the key of a custom field must be a str, not {type(key).__name__}")
    if not key:
        raise QueryError("the key of a custom field must not be empty")
    return require_name(CUSTOM + key)


def is_plain_key(key: str) -> bool:
    """Return whether a custom field can be written with a dot.

    Python and its tools reserve names with a leading underscore, and Python normalises non-ASCII letters.
    """
    return key.isascii() and key.isidentifier() and not keyword.iskeyword(key) and not key.startswith("_")


def require_name(name: object) -> str:
    """Return an attribute name as a plain str, or raise if it is empty or no request can carry it."""
    if not isinstance(name, str):
        raise QueryTypeError(f"an attribute name must be a str, not {type(name).__name__}")
    if not name:
        raise QueryError("an attribute name must not be empty")
    to_scalar(name, "an attribute name")
    return str.__str__(name)


def spell(name: str) -> str:
    """Return the shortest way to write the attribute of that name in Python."""
    if name in SEARCHABLE:
        return f"Q.{name}"
    key = custom_key(name)
    if key is None:
        return spell_untyped(name)
    return f"Q.fields.{key}" if is_plain_key(key) else f"Q.fields[{key!r}]"


def spell_untyped(name: str) -> str:
    """Return the Python expression for an attribute that takes any value."""
    return f"Q.attribute({name!r})"
