"""`CaseOut` and `CasePage`: response models for cases, with a schema in the OpenAPI document."""

import re
from collections.abc import Collection, Iterable
from datetime import datetime
from types import new_class
from typing import Any, ClassVar, Final, Generic, Self, TypeGuard

from pydantic import BaseModel, Field
from pydantic_core import core_schema
from typing_extensions import TypeVar

from persona_cases import APIError, Case, InvalidArgumentError, Pager, QueryError
from persona_cases.models import Attachment, Fieldset, ResourceIdentifier
from persona_cases.models.pydantic_schema import attribute_schemas
from persona_cases.name_prefixes import CUSTOM, EXTRA, RELATIONSHIP
from persona_cases.surface import publish

__all__ = ["CaseOut", "CasePage"]

_ID: Final = {"type": "string"}
_IDS: Final = {"type": "array", "items": _ID}
_TO_ONE: Final = frozenset({"case_template", "case_queue"})
_WORD: Final = re.compile(r"[A-Za-z0-9]+")


class CaseOut:
    """A response model for a case: a JSON object with only its id and the chosen attributes.

    Choose them with `CaseOut.only(...)`, or in a class of your own, which type checkers accept as an annotation:

    .. code-block:: python

        class Summary(CaseOut, only=("status", "fields.priority")): ...

    As a response model, it also accepts a `Case`. Custom fields are grouped under `fields`. A relationship is an id, or
    a list of ids. An attachment has its name, its size and its `url`, which gives access to the file.

    Args:
        case: the case.

    Raises:
        NotLoadedError: if a sparse fieldset left a chosen attribute out.

    Attributes:
        names: the chosen attributes, for example for `persona.cases.get(case_id, only=Summary.names)`.
    """

    names: ClassVar[tuple[str, ...]] = ()

    def __init__(self, case: Case) -> None:
        self._shown = shown_of(case, self.names)

    def __init_subclass__(cls, *, only: Iterable[str] = (), **options: Any) -> None:
        super().__init_subclass__(**options)
        cls.names = cls.names + tuple(name for name in Fieldset.of(only).names if name not in cls.names)

    @classmethod
    def only(cls, *names: str, title: str | None = None) -> type[Self]:
        """Return a response model that shows these attributes.

        Args:
            names: names as for `only=` of a read, such as `"status"` or `"fields.priority"`; `"fields"` means all
                custom fields.
            title: the name in the OpenAPI document. Default: derived from the names.

        Returns:
            The model, a subclass.

        Raises:
            InvalidArgumentError: if there is no name, or cases have no attribute of a name.
        """
        if not names:
            raise InvalidArgumentError("names: name what to show, such as CaseOut.only('status', 'fields.priority')")
        Fieldset.of(names)
        words = (word for name in names for word in _WORD.findall(name))
        title = title or "Case" + "".join(word[:1].upper() + word[1:] for word in words)
        about = {"__module__": cls.__module__, "__doc__": f"A case, shown as {', '.join(names)}."}
        return new_class(title, (cls,), {"only": names}, lambda namespace: namespace.update(about))

    def to_dict(self) -> dict[str, Any]:
        """Return the shown attributes as a new dict."""
        return {name: dict(value) if name == "fields" else value for name, value in self._shown.items()}

    def __repr__(self) -> str:
        return f"{type(self).__name__}(id={self._shown['id']!r})"

    @classmethod
    def __get_pydantic_core_schema__(cls, source: Any, handler: Any) -> Any:
        def validated(value: object) -> CaseOut:
            if isinstance(value, Case):
                return cls(value)
            if isinstance(value, cls):
                return value
            raise ValueError(f"expected a Case or a {cls.__name__}")

        return core_schema.no_info_plain_validator_function(
            validated,
            serialization=core_schema.plain_serializer_function_ser_schema(cls.to_dict),
            # Two services in one process may choose different attributes under one title.
            ref=f"{cls.__module__}.{cls.__qualname__}:{id(cls)}",
        )

    @classmethod
    def __get_pydantic_json_schema__(cls, schema: Any, handler: Any) -> dict[str, Any]:
        return schema_of(cls.__name__, cls.names)


def shown_of(case: Case, names: Collection[str]) -> dict[str, Any]:
    """Return the values of some attributes of a case, and its id.

    Raises:
        NotLoadedError: if a sparse fieldset left one out.
    """
    shown: dict[str, Any] = {"id": case.id}
    for name in names:
        if name.startswith(CUSTOM):
            key = name.removeprefix(CUSTOM)
            shown.setdefault("fields", {})[key] = case.fields.get(key)
        elif name == "fields":
            shown["fields"] = dict(case.fields)
        elif name.startswith(EXTRA):
            shown[name.removeprefix(EXTRA)] = case.extras.get(name.removeprefix(EXTRA))
        elif name.startswith(RELATIONSHIP):
            shown[name.removeprefix(RELATIONSHIP)] = case.relationships.extras.get(name.removeprefix(RELATIONSHIP))
        elif name in attribute_schemas() or name == "id":
            shown[name] = _plain(getattr(case, name))
        else:
            shown[name] = _plain(getattr(case.relationships, name))
    return shown


def _is_many(value: Any) -> TypeGuard[tuple[Any, ...]]:
    return isinstance(value, tuple)


def _plain(value: Any) -> Any:
    match value:
        case datetime():
            return value.isoformat().replace("+00:00", "Z")
        case ResourceIdentifier(id=found):
            return found
        case Attachment(filename=filename, url=url, byte_size=size):
            return {"filename": filename, "url": url, "byte_size": size}
        case _ if _is_many(value):
            return [_plain(each) for each in value]
        case _:
            return value


def schema_of(title: str, names: Collection[str]) -> dict[str, Any]:
    """Return the JSON schema of the result of `shown_of`."""
    properties: dict[str, Any] = {"id": _ID}
    for name in names:
        if name.startswith(CUSTOM):
            fields = properties.setdefault("fields", {"type": "object", "properties": {}, "required": []})
            if "properties" in fields:
                fields["properties"][name.removeprefix(CUSTOM)] = {}
                fields["required"].append(name.removeprefix(CUSTOM))
        elif name == "fields":
            properties["fields"] = {"type": "object"}
        elif name.startswith((EXTRA, RELATIONSHIP)):
            properties[name.removeprefix(EXTRA).removeprefix(RELATIONSHIP)] = {}
        elif name in attribute_schemas():
            properties[name] = attribute_schemas()[name]
        elif name != "id":
            properties[name] = {"anyOf": [_ID, {"type": "null"}]} if name in _TO_ONE else _IDS
    return {"title": title, "type": "object", "properties": properties, "required": list(properties)}


C = TypeVar("C", default=Case)


class CasePage(BaseModel, Generic[C]):
    """A response model for one page of cases, with the cursor of the next page.

    `CasePage` shows whole cases, and `CasePage[Summary]` shows the attributes of your `CaseOut`.

    Attributes:
        items: the cases of the page.
        next_cursor: the cursor of the next page; None if this is the last.
    """

    items: list[C] = Field(description="The cases of the page.")
    next_cursor: str | None = Field(description="The cursor of the next page; null if this is the last.")

    @classmethod
    async def of(cls, pager: Pager[Case], cursor: str | None = None) -> Self:
        """Fetch one page, with one request per search that the query takes.

        Args:
            pager: the pager, such as `persona.cases.list(page_size=20)`.
            cursor: the `next_cursor` of the previous page, as the browser sent it; None for the first page.

        Returns:
            The page.

        Raises:
            QueryError: if the cursor does not belong to this query; `add_error_handlers` turns it into a 422.
            PersonaError: any error that the request raises.
        """
        try:
            page = await (pager if cursor is None else pager.resume(cursor))
        except (InvalidArgumentError, APIError) as error:
            # A browser sent the cursor, so this is a mistake of neither the program nor the service.
            if cursor is None or (isinstance(error, APIError) and not error.place_refused):
                raise
        else:
            return cls.model_validate({"items": list(page), "next_cursor": page.next_cursor})
        raise QueryError("cursor: it does not belong to this query: begin with the first page")


publish("persona_cases.integrations.fastapi", CaseOut, CasePage)
