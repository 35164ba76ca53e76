"""`CaseFields`: the custom fields of a case."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, TypeGuard

import attrs

from persona_cases.models.case_lessons import FIELDS, custom_field
from persona_cases.models.decoding.jsontext import is_array, is_object
from persona_cases.models.fieldset import Fieldset
from persona_cases.models.loading import refuse_unasked
from persona_cases.name_prefixes import CUSTOM
from persona_cases.surface import publish
from persona_cases.teaching import taught

__all__ = ["CaseFields", "FieldValue"]


@attrs.frozen
class FieldValue:
    """The value of a custom field and the type that the API declares for it.

    Attributes:
        type: such as `string`, `integer`, `multi_choices`, `hash`; None if the API sent the bare value.
        value: the unwrapped value.
    """

    type: str | None
    value: Any = attrs.field(repr=False, hash=False)


def _own_key(fields: CaseFields, name: str) -> str | None:
    """Say how to read a field that was written like an attribute."""
    return custom_field(name) if name in fields._sent else None


@taught(FIELDS, _own_key)
@attrs.frozen(repr=False, eq=False)
class CaseFields(Mapping[str, Any]):
    """The custom fields of a case, by key exactly as in the template.

    `fields["priority"]` is the value, whether the API sent `"high"` or `{"type": "string", "value": "high"}`. Hashes
    and arrays are unwrapped at every level. Nested values are new copies. If a sparse fieldset left a key out, reading
    it, `get` and `in` raise `NotLoadedError`; iteration yields the loaded keys. It equals every mapping with the same
    unwrapped values.

    See https://docs.withpersona.com/integration-guide-understanding-a-persona-api-payload.
    """

    _sent: dict[str, Any] = attrs.field(alias="sent", repr=False)
    _fieldset: Fieldset | None = attrs.field(alias="fieldset", default=None, repr=False)

    def __getitem__(self, key: str) -> Any:
        return _unwrap(self._lookup(key))

    def __iter__(self) -> Iterator[str]:
        return iter(self._sent)

    def __len__(self) -> int:
        return len(self._sent)

    def __hash__(self) -> int:
        return hash(frozenset(self._sent))

    def __repr__(self) -> str:
        return f"<CaseFields, {len(self._sent)} {'key' if len(self._sent) == 1 else 'keys'}>"

    def typed(self, key: str) -> FieldValue:
        """Return the value of a field together with its declared type.

        Args:
            key: the key of the field.

        Returns:
            The value and its type.

        Raises:
            KeyError: if the case has no such field.
            NotLoadedError: if a sparse fieldset left it out.
        """
        sent = self._lookup(key)
        return FieldValue(sent["type"] if _is_wrapped(sent) else None, _unwrap(sent))

    @property
    def raw(self) -> dict[str, Any]:
        """Return a copy of the mapping as the API sent it."""
        copied: dict[str, Any] = _copied(self._sent, verbatim=True)
        return copied

    def _lookup(self, key: str) -> Any:
        if key not in self._sent and self._fieldset is not None and not self._fieldset.has_custom_field(key):
            refuse_unasked(CUSTOM + key, self._fieldset)
        return self._sent[key]


def _is_wrapped(sent: Any) -> TypeGuard[dict[str, Any]]:
    return is_object(sent) and sent.keys() == {"type", "value"} and isinstance(sent["type"], str)


def _unwrap(sent: Any) -> Any:
    return _copied(sent, verbatim=False)


def _copied(sent: Any, *, verbatim: bool) -> Any:
    """Return a copy of a JSON value, without the wrappers that declare types unless `verbatim`."""
    result = [sent]
    # A loop, because a decoded value may be nested deeper than Python can recurse here.
    left: list[tuple[Any, Any, bool]] = [(result, 0, verbatim)]
    while left:
        holder, place, as_is = left.pop()
        value = holder[place]
        while not as_is and _is_wrapped(value):
            # A field of type `json` holds arbitrary data: anything in it that looks like a wrapper is content.
            as_is, value = value["type"] == "json", value["value"]
        if is_object(value):
            value = dict(value)
            left += [(value, key, as_is) for key, each in value.items() if is_object(each) or is_array(each)]
        elif is_array(value):
            value = list(value)
            left += [(value, index, as_is) for index, each in enumerate(value) if is_object(each) or is_array(each)]
        holder[place] = value
    return result[0]


publish("persona_cases.models", CaseFields, FieldValue)
