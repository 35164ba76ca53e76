"""`Q`, the namespace where every search expression starts."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Final, NoReturn

from persona_cases.errors import QueryTypeError, UnknownAttributeError
from persona_cases.query.attributes import SEARCHABLE, custom_name, require_name, untyped
from persona_cases.query.entry import as_predicates
from persona_cases.query.field import AnyValue, OrderedField, TimeField
from persona_cases.query.nodes import AllOf, AnyOf, Predicate
from persona_cases.query.query_lessons import NAMESPACE
from persona_cases.teaching import nearest, shortened, taught

__all__ = ["CustomFields", "Namespace", "Q"]


class CustomFields:
    """The custom fields of your case templates: `Q.fields.priority`, `Q.fields["any key"]`.

    A template decides whether its fields are searchable. The API does not report it, so nothing is checked here.
    """

    __slots__ = ()

    def __getitem__(self, key: str) -> OrderedField[AnyValue]:
        return OrderedField(untyped(custom_name(key)))

    def __getattr__(self, key: str) -> OrderedField[AnyValue]:
        if key.startswith("_"):
            raise AttributeError(f"names with a leading underscore are Python's: write Q.fields[{key!r}]")
        return self[key]

    if not TYPE_CHECKING:  # So that type checkers reject it too.

        def __iter__(self) -> NoReturn:
            # Without this, Python would try Q.fields[0], Q.fields[1], ...
            raise QueryTypeError("Q.fields cannot be listed: the fields are those of your case templates")

    def __repr__(self) -> str:
        return "Q.fields"


@taught(NAMESPACE)
class Namespace:
    """Every searchable attribute by name, the custom fields, and combinators that take lists.

    See https://docs.withpersona.com/api-reference/cases/search-cases.
    """

    __slots__ = ()

    template: Final = OrderedField[str](SEARCHABLE["template"])
    status: Final = OrderedField[str](SEARCHABLE["status"])
    state: Final = OrderedField[str](SEARCHABLE["state"])
    created_at: Final = TimeField(SEARCHABLE["created_at"])
    updated_at: Final = TimeField(SEARCHABLE["updated_at"])
    resolved_at: Final = TimeField(SEARCHABLE["resolved_at"])
    sla_expires_at: Final = TimeField(SEARCHABLE["sla_expires_at"])
    assignee: Final = OrderedField[str](SEARCHABLE["assignee"])
    case_queue: Final = OrderedField[str](SEARCHABLE["case_queue"])
    resolver: Final = OrderedField[str](SEARCHABLE["resolver"])
    case_template_id: Final = OrderedField[str](SEARCHABLE["case_template_id"])
    case_queue_id: Final = OrderedField[str](SEARCHABLE["case_queue_id"])
    resolution: Final = OrderedField[str](SEARCHABLE["resolution"])
    account_id: Final = OrderedField[str](SEARCHABLE["account_id"])
    inquiry_id: Final = OrderedField[str](SEARCHABLE["inquiry_id"])
    tag_id: Final = OrderedField[str](SEARCHABLE["tag_id"])
    fields: Final = CustomFields()

    def attribute(self, name: str) -> OrderedField[AnyValue]:
        """Return an attribute that this library does not know yet. Neither the name nor the values are checked.

        Args:
            name: the API's name of the attribute, in snake_case.

        Returns:
            The attribute, to compare or to sort by.

        Raises:
            QueryError: if the name is empty.
        """
        return OrderedField(untyped(require_name(name)))

    def all_of(self, parts: Iterable[Predicate]) -> Predicate:
        """Make one conjunction of exactly these parts. Nothing is merged; without parts it matches every case.

        Args:
            parts: a list or another iterable of expressions.

        Returns:
            The conjunction.
        """
        return AllOf(as_predicates(parts, "all_of"))

    def any_of(self, parts: Iterable[Predicate]) -> Predicate:
        """Make one disjunction of exactly these parts. Nothing is merged; without parts it matches no case.

        Args:
            parts: a list or another iterable of expressions.

        Returns:
            The disjunction.
        """
        return AnyOf(as_predicates(parts, "any_of"))

    if not TYPE_CHECKING:  # So that type checkers reject a wrong name too.

        def __getattr__(self, name: str) -> NoReturn:
            guess = nearest(name, (*SEARCHABLE, "fields", "attribute", "all_of", "any_of"))
            nearby = f"; did you mean Q.{guess}?" if guess else "."
            raise UnknownAttributeError(
                f"Q has no attribute {shortened(name)!r}{nearby} Custom fields are Q.fields[...],"
                " and Q.attribute(...) takes a name that is newer than this library"
            )

    def __repr__(self) -> str:
        return "Q"

    def __reduce__(self) -> str:
        return "Q"


Q: Final = Namespace()
