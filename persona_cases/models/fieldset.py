"""`Fieldset`: what a request with a sparse fieldset asked for."""

from __future__ import annotations

from collections.abc import Iterable

import attrs

from persona_cases.errors import InvalidArgumentError
from persona_cases.models.spelling import snake

__all__ = ["Fieldset"]

_CUSTOM = "fields."


@attrs.frozen
class Fieldset:
    """The attributes, relationships and custom fields that a request asked for.

    Make one with `Fieldset.of`. It decides whether something that is missing from an answer is null or was
    never asked for. See https://docs.withpersona.com/response-body.

    Attributes:
        names: attributes and relationships in snake_case and custom fields as `fields.<key>`, as asked, no name twice.
    """

    names: tuple[str, ...]

    @classmethod
    def of(cls, names: Iterable[str]) -> Fieldset:
        """Read what a caller asked for.

        Args:
            names: attributes and relationships in any spelling (`created_at`, `created-at`, `createdAt`); a custom
                field as `fields.<key>`, its key exactly as the template has it; `fields` for all of them.

        Raises:
            InvalidArgumentError: a bare string instead of a collection, or a name that can not be one.
        """
        if isinstance(names, str):
            raise InvalidArgumentError(f"only must be a collection of names: write [{names!r}]")
        return cls(tuple(dict.fromkeys(map(_name, names))))

    def __contains__(self, name: str) -> bool:
        return name in self.names or (name.startswith(_CUSTOM) and "fields" in self.names)

    def has_custom_field(self, key: str) -> bool:
        """Whether the custom field of this key was asked for, alone or with all others."""
        return _CUSTOM + key in self

    @property
    def has_custom_fields(self) -> bool:
        """Whether any custom field was asked for."""
        return any(name == "fields" or name.startswith(_CUSTOM) for name in self.names)

    def wire(self) -> str:
        """The value of the query parameter `fields[case]`, not yet percent-encoded."""
        return ",".join(self.names)


def _name(name: object) -> str:
    if not isinstance(name, str):
        raise InvalidArgumentError(f"only must hold strings, got {type(name).__name__}")
    if not name or name == _CUSTOM or "," in name or name != name.strip():
        raise InvalidArgumentError(
            f"only holds {name!r}: give each attribute or `fields.<key>` as an item of its own, without blanks around"
        )
    return name if name.startswith(_CUSTOM) else snake(name)
