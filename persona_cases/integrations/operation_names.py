"""Operation names of calls for telemetry: `cases.search` for `POST /cases/search`. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from typing import Final

__all__ = ["PAGED", "operation_name"]

_COLLECTION: Final[Mapping[str, str]] = {"GET": "list", "POST": "create"}
_OBJECT: Final[Mapping[str, str]] = {"GET": "get", "PATCH": "update", "PUT": "update", "DELETE": "delete"}
# The API redacts a case with the request that deletes other objects.
_OWN: Final[Mapping[tuple[str, str], str]] = {("DELETE", "/cases/{id}"): "redact"}

PAGED: Final = ("list", "search")
"""The actions whose calls fetch a page."""


@lru_cache(maxsize=256)
def operation_name(method: str, path_template: str) -> str:
    """Return the collection and the action of a call, named like the methods of the client.

    Args:
        method: the HTTP method.
        path_template: the path with `{id}` in place of ids.
    """
    collection, *further = path_template.strip("/").split("/")
    if (method, path_template) in _OWN:
        action = _OWN[method, path_template]
    elif not further:
        action = _COLLECTION.get(method, method.lower())
    elif further[-1] == "{id}":
        action = _OBJECT.get(method, method.lower())
    else:
        action = further[-1].replace("-", "_")
    # The first segment of an undocumented path may be an id.
    return f"{'other' if collection == '{id}' else collection.replace('-', '_')}.{action}"
