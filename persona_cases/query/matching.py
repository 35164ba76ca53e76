"""Local evaluation of an expression on one case, without a request.

A case does not show everything that the search index holds. Where both hold the same data, this is the API's own logic.
Elsewhere it raises an error instead of guessing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from inspect import getattr_static
from typing import Any, Final, NamedTuple, cast

from persona_cases.errors import NotLoadedError, QueryError, QueryTypeError
from persona_cases.name_prefixes import custom_key
from persona_cases.query.attributes import SEARCHABLE, Attribute, CaseLike, attribute_named
from persona_cases.query.evaluation import decider, test_of
from persona_cases.query.nodes import Comparison, Predicate, leaves_of
from persona_cases.query.values import Scalar, to_scalar

__all__ = ["check_decidable", "matches"]

_RELATED: Final = {known.related for known in SEARCHABLE.values() if known.related is not None}


def matches(predicate: Predicate, case: CaseLike | Mapping[str, Any]) -> bool:
    """Evaluate an expression on a `Case` or on a case as plain API JSON."""
    return decider(predicate, _prepared)(_view_of(case))


def _prepared(leaf: Comparison) -> Callable[[_CaseView | _JsonView], bool]:
    test = test_of(leaf)
    return lambda view: test(_shown(leaf, view))


def check_decidable(predicate: Predicate) -> None:
    """Raise if an expression compares what cases do not show, so that `matches` would raise for every case."""
    for leaf in leaves_of(predicate):
        known = attribute_named(leaf.attribute)
        if known.person and _is_user_id(leaf.value):
            raise _other_naming(known.name)
        if known.shown_as is None and known.related is None and custom_key(known.name) is None:
            raise _not_shown(known)


def _view_of(case: object) -> _CaseView | _JsonView:
    if isinstance(case, Mapping):
        return _JsonView.of(cast("Mapping[str, Any]", case))
    if getattr_static(case, "relationships", None) is None:
        raise QueryTypeError(f"matches takes one Case, or one case as API JSON, not {type(case).__name__}")
    return _CaseView(cast("CaseLike", case))


def _shown(leaf: Comparison, view: _CaseView | _JsonView) -> object:
    known = attribute_named(leaf.attribute)
    if known.shown_as is not None:
        shown = _scalar(view.attribute(known.shown_as), known.name)
        if known.person:
            _require_same_naming(leaf, shown)
        return shown
    if known.related is not None:
        return _related(known.name, known.related, view)
    key = custom_key(known.name)
    if key is not None:
        return _scalar(view.custom(key), known.name)
    raise _not_shown(known)


def _not_shown(known: Attribute) -> QueryError:
    return QueryError(f"{known.name} cannot be evaluated locally: {known.hidden}; search for it instead")


def _scalar(shown: object, name: str) -> Scalar | None:
    match shown:
        case None | str() | int() | float():
            return shown
        case datetime():
            return to_scalar(shown, name)
        case _:
            raise QueryError(
                f"{name} cannot be evaluated locally: the case shows an array or an object there,"
                " and the API does not document how it compares these"
            )


def _require_same_naming(leaf: Comparison, shown: Scalar | None) -> None:
    """Raise for a user id: searches use user ids, cases show email addresses, and nothing local relates the two."""
    sides = (shown, leaf.value)
    if any(_is_user_id(side) for side in sides) and any(_is_address(side) for side in sides):
        raise _other_naming(leaf.attribute)


def _other_naming(name: str) -> QueryError:
    return QueryError(
        f"{name} cannot be evaluated locally: searches take a user id (user_...), and cases show an email address"
    )


def _is_user_id(value: object) -> bool:
    return isinstance(value, str) and value.startswith("user_")


def _is_address(value: object) -> bool:
    return isinstance(value, str) and "@" in value


def _related(name: str, relationship: str, view: _CaseView | _JsonView) -> tuple[str, ...]:
    ids = view.related(relationship)
    if not ids and not view.shows_relationships():
        raise QueryError(f"{name} cannot be evaluated locally: the case was sent without its relationships")
    return ids


class _CaseView(NamedTuple):
    """View of a `Case`. It raises `NotLoadedError` for attributes that a sparse fieldset left out."""

    case: CaseLike

    def attribute(self, name: str) -> object:
        return getattr(self.case, name)

    def custom(self, key: str) -> object:
        try:
            return self.case.fields[key]
        except KeyError:
            return None

    def related(self, name: str) -> tuple[str, ...]:
        found: Any = getattr(self.case.relationships, name)
        linked = cast("Iterable[Any]", found if isinstance(found, tuple) else (found,))
        return tuple(each.id for each in linked if each is not None)

    def shows_relationships(self) -> bool:
        try:
            return any(self.related(name) for name in _RELATED)
        except NotLoadedError:
            # With a sparse fieldset, the case itself distinguishes what was left out from what is empty.
            return True


class _JsonView(NamedTuple):
    """View of a case as plain API JSON. Missing means null, as everywhere in the API."""

    attributes: Mapping[str, Any]
    relationships: Mapping[str, Any]

    @classmethod
    def of(cls, json: Mapping[str, Any]) -> _JsonView:
        case = json if "attributes" in json else _object(json.get("data"))
        if not isinstance(case.get("attributes"), Mapping):
            raise QueryTypeError('matches takes one case: a JSON object with "attributes", or one such as "data"')
        return cls(_object(case["attributes"]), _object(case.get("relationships")))

    def attribute(self, name: str) -> object:
        return _respelled(self.attributes, name)

    def custom(self, key: str) -> object:
        value: object = _object(self.attributes.get("fields")).get(key)
        wrapped = _object(value)
        is_wrapped = set(wrapped) == {"type", "value"} and isinstance(wrapped["type"], str)
        return wrapped["value"] if is_wrapped else value

    def related(self, name: str) -> tuple[str, ...]:
        data = _object(_respelled(self.relationships, name)).get("data")
        linked = cast("list[object]", data) if isinstance(data, list) else [data]
        return tuple(each["id"] for each in map(_object, linked) if isinstance(each.get("id"), str))

    def shows_relationships(self) -> bool:
        return bool(self.relationships)


def _object(value: object) -> Mapping[str, Any]:
    return cast("Mapping[str, Any]", value) if isinstance(value, Mapping) else {}


def _respelled(members: Mapping[str, Any], name: str) -> object:
    """Return a member by its snake_case name, in any `Key-Inflection` of the JSON."""
    return next((members[spelling] for spelling in _spellings(name) if spelling in members), None)


def _spellings(name: str) -> tuple[str, str, str]:
    first, *others = name.split("_")
    return name, name.replace("_", "-"), first + "".join(map(str.title, others))
