"""`Fieldset`: the names that a request with a sparse fieldset loads."""

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
    """The attributes, relationships and custom fields that a request loads.

    Make one with `Fieldset.of`. It decides whether a value missing from a response is null or was not requested. See
    https://docs.withpersona.com/response-body.

    Attributes:
        names: attributes and relationships in snake_case, custom fields as `fields.<key>`, and names newer than this
            library as `extra.<name>` or `relationships.<name>`, without duplicates.
    """

    names: tuple[str, ...]

    @classmethod
    def of(cls, names: Iterable[str]) -> Fieldset:
        """Make a fieldset from the names that a caller passes.

        Args:
            names: attributes and relationships in any spelling (`created_at`, `created-at`, `createdAt`); a custom
                field as `fields.<key>`, with its key exactly as in the template; `fields` for all custom fields. Write
                `extra.<attribute>` or `relationships.<relationship>` for names newer than this library.

        Returns:
            The fieldset.

        Raises:
            InvalidArgumentError: if `names` is a string instead of a collection, or has a name that cases do not have.
        """
        if isinstance(names, (str, bytes)) or not isinstance(cast("object", names), Iterable):
            raise InvalidArgumentError("only must be a list of names, such as ['status', 'fields.priority']")
        return cls(tuple(dict.fromkeys(attribute_asked(name, "only") for name in names)))

    def __contains__(self, name: str) -> bool:
        asked = (name, EXTRA + name, RELATIONSHIP + name)
        return any(each in self.names for each in asked) or (name.startswith(CUSTOM) and "fields" in self.names)

    def has_custom_field(self, key: str) -> bool:
        """Return whether the custom field with this key was requested, alone or with all others.

        Args:
            key: the key of the field.

        Returns:
            True if it was requested.
        """
        return CUSTOM + key in self

    @property
    def has_custom_fields(self) -> bool:
        """Return whether any custom field was requested."""
        return any(name == "fields" or name.startswith(CUSTOM) for name in self.names)

    def wire(self) -> str:
        """Return the value of the query parameter `fields[case]`, not yet percent-encoded."""
        return ",".join(map(bare, self.names))


publish("persona_cases.models", Fieldset)
