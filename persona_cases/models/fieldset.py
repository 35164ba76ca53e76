"""`Fieldset`: what a request with a sparse fieldset asked for."""

from __future__ import annotations

from collections.abc import Iterable
from typing import cast

import attrs

from persona_cases.errors import InvalidArgumentError
from persona_cases.models.loadable_names import attribute_asked, bare
from persona_cases.name_prefixes import CUSTOM, EXTRA, RELATIONSHIP
from persona_cases.surface import publish

__all__ = ["Fieldset"]


@attrs.frozen
class Fieldset:
    """The attributes, relationships and custom fields that a request asked for.

    Make one with `Fieldset.of`. It decides whether something that is missing from an answer is null or was
    never asked for. See https://docs.withpersona.com/response-body.

    Attributes:
        names: attributes and relationships in snake_case, custom fields as `fields.<key>`, and what is newer than this
            library as `extra.<name>` or `relationships.<name>`; no name twice.
    """

    names: tuple[str, ...]

    @classmethod
    def of(cls, names: Iterable[str]) -> Fieldset:
        """Read what a caller asked for.

        Args:
            names: attributes and relationships in any spelling (`created_at`, `created-at`, `createdAt`); a custom
                field as `fields.<key>`, its key exactly as the template has it; `fields` for all of them. What is newer
                than this library is `extra.<attribute>` or `relationships.<relationship>`.

        Raises:
            InvalidArgumentError: a bare string instead of a collection, or a name that cases do not have.
        """
        if isinstance(names, (str, bytes)) or not isinstance(cast("object", names), Iterable):
            raise InvalidArgumentError("only must be a list of names, such as ['status', 'fields.priority']")
        return cls(tuple(dict.fromkeys(attribute_asked(name, "only") for name in names)))

    def __contains__(self, name: str) -> bool:
        asked = (name, EXTRA + name, RELATIONSHIP + name)
        return any(each in self.names for each in asked) or (name.startswith(CUSTOM) and "fields" in self.names)

    def has_custom_field(self, key: str) -> bool:
        """Whether the custom field of this key was asked for, alone or with all others."""
        return CUSTOM + key in self

    @property
    def has_custom_fields(self) -> bool:
        """Whether any custom field was asked for."""
        return any(name == "fields" or name.startswith(CUSTOM) for name in self.names)

    def wire(self) -> str:
        """The value of the query parameter `fields[case]`, not yet percent-encoded."""
        return ",".join(map(bare, self.names))


publish("persona_cases.models", Fieldset)
