"""Key inflection: which spelling the keys of a case have, and conversion to another spelling.

The vendor spells keys in kebab-case, snake_case or camelCase, depending on `Key-Inflection` or the setting of the API
key or webhook (https://docs.withpersona.com/api-key-inflection). The spelling applies to the names of attributes and
relationships and to the keys of known nested structures (attachments, field schemas). `type` values, ids, keys inside
`attributes.fields` and the contents of attributes that this library does not know never change.

Conversion is not one-to-one for keys that no API would choose (`foo_1`, `_x`, `HTTPStatus`), so three rules preserve
every key:

* A key that is not written in the spelling of its document stays as sent.
* A key that could not be converted back from the other spelling stays as it is.
* Keys of one object that differ only in spelling (`a_b` and `aB`) all stay as they are.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable
from functools import lru_cache
from itertools import chain
from typing import Any, Literal, TypeAlias, TypeVar

from persona_cases.errors import InvalidArgumentError
from persona_cases.models.decoding import records as wire
from persona_cases.models.decoding.jsontext import is_array, is_object

__all__ = [
    "Inflection",
    "check_inflection",
    "fold_resource",
    "respell_pointer",
    "respell_resource",
    "snake",
    "spell",
    "spelling_of",
    "without_spelling",
]

T = TypeVar("T")

Inflection: TypeAlias = Literal["snake", "kebab", "camel"]

_INFLECTIONS: tuple[Inflection, ...] = ("snake", "kebab", "camel")
_WORDS = re.compile(r"[A-Za-z0-9_-]+")
_HUMP = re.compile(r"(?<=[a-z0-9])([A-Z])")
_GAP = re.compile(r"(?<=[a-z0-9])_([a-z])")


def check_inflection(inflection: object) -> Inflection:
    """Raise for an inflection that does not exist."""
    for known in _INFLECTIONS:
        if isinstance(inflection, str) and inflection == known:
            return known
    raise InvalidArgumentError(f"inflection must be one of {', '.join(_INFLECTIONS)}")


@lru_cache(maxsize=4096)
def snake(key: str) -> str:
    """Return a key of any spelling in snake_case; a key that is not an identifier stays as it is."""
    if not _WORDS.fullmatch(key):
        return key
    return _HUMP.sub(r"_\1", key).replace("-", "_").lower()


def without_spelling(key: str) -> str:
    """Return only the letters of a key: the same for `created_at`, `created-at` and `createdAt`."""
    return key.replace("-", "").replace("_", "").lower()


def spell(name: str, inflection: Inflection) -> str:
    """Return a snake_case name in another spelling."""
    match inflection:
        case "snake":
            return name
        case "kebab":
            return name.replace("_", "-")
        case "camel":
            return _GAP.sub(lambda gap: gap[1].upper(), name)


def spelling_of(*resources: object) -> Inflection:
    """Return the spelling of most known multi-word names in a response; snake_case if there are none.

    A key that one object holds in more than one spelling does not count.

    Args:
        resources: a case and its included objects.
    """
    objects = list(chain.from_iterable(map(_keyed_objects, resources)))
    if all(map(_FOREIGN.isdisjoint, objects)):
        return "snake"
    votes: Counter[Inflection] = Counter()
    for keyed in objects:
        spelled = Counter(map(snake, keyed))
        votes.update(_TELLING[key] for key in keyed if key in _TELLING and spelled[snake(key)] == 1)
    return max(_INFLECTIONS, key=lambda inflection: votes[inflection])


def respell_resource(resource: T, source: Inflection, target: Inflection) -> T:
    """Return a resource object with its keys in another spelling.

    Args:
        resource: the JSON object as sent; it is not changed. Any other value is returned as it is, so that its reader
            raises.
        source: its spelling.
        target: the wanted spelling.
    """
    return resource if source == target else _rename(resource, lambda key: _respell(key, source, target))


def fold_resource(resource: Any) -> Any:
    """Return a resource object with normalised keys, equal for objects that differ only in spelling."""
    return _rename(resource, snake)


def respell_pointer(pointer: str, target: Inflection) -> str:
    """Return a JSON pointer into a snake_case resource with its names as they were sent."""
    return "/".join(_respell(segment, "snake", target) for segment in pointer.split("/"))


def _respell(key: str, source: Inflection, target: Inflection) -> str:
    name = snake(key)
    respelled = spell(name, target)
    return respelled if spell(name, source) == key and snake(respelled) == name else key


def _keyed_objects(resource: object) -> list[dict[str, Any]]:
    if not is_object(resource):
        return []
    attributes = resource.get("attributes")
    found = [attributes, resource.get("relationships")]
    attachments = attributes.get("attachments") if is_object(attributes) else None
    found += attachments if is_array(attachments) else []
    return [each for each in found if is_object(each)]


def _rename(resource: Any, rename: Callable[[str], str]) -> Any:
    if not is_object(resource):
        return resource
    renamed = {**resource}
    for section in ("attributes", "relationships"):
        if section in renamed:
            renamed[section] = _rename_keys(renamed[section], rename)
    attributes: Any = renamed.get("attributes")
    _rename_nested(attributes, "attachments", lambda each: _rename_keys(each, rename))
    _rename_nested(attributes, "field_schemas", lambda each: _rename_schema(each, rename))
    return renamed


def _rename_keys(value: Any, rename: Callable[[str], str]) -> Any:
    if not is_object(value):
        return value
    spelled = Counter(map(snake, value))
    return {rename(key) if spelled[snake(key)] == 1 else key: each for key, each in value.items()}


def _rename_schema(value: Any, rename: Callable[[str], str]) -> Any:
    schema = _rename_keys(value, rename)
    if is_object(schema) and "config" in schema:
        config = schema["config"] = _rename_keys(schema["config"], rename)
        for nested in ("item_schema", "item_schemas"):
            _rename_nested(config, nested, lambda each: _rename_schema(each, rename))
    return schema


def _rename_nested(owner: Any, name: str, change: Callable[[Any], Any]) -> None:
    """Change the value under a name of any spelling, or all items of an array, in an object that is already a copy."""
    if is_object(owner):
        for key, value in owner.items():
            if snake(key) == name:
                owner[key] = [change(each) for each in value] if is_array(value) else change(value)


_OF_TEMPLATES = ("archived_at", "field_schemas")
"""Multi-word attributes that templates have and cases do not."""

_TELLING: dict[str, Inflection] = {
    spell(name, inflection): inflection
    for name in (*wire.ATTRIBUTES, *wire.RELATIONSHIPS, *wire.AttachmentRecord.__struct_fields__, *_OF_TEMPLATES)
    for inflection in _INFLECTIONS
    if "_" in name
}
"""Known multi-word names, from which the spelling is detected."""
_FOREIGN = frozenset(key for key, inflection in _TELLING.items() if inflection != "snake")
