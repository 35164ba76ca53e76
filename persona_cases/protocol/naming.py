"""Names for calls, without personal data."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from functools import lru_cache
from types import MappingProxyType

__all__ = ["missing_from", "path_template"]

_COLLECTION = re.compile(r"[a-z]{1,40}(-[a-z]{1,40}){0,5}")
# After the first segment, only the vendor's words are shown, because any other segment may be an id or a name.
_WORDS = frozenset(
    {
        "search",
        "assign",
        "add-objects",
        "remove-objects",
        "set-status",
        "add-tag",
        "remove-tag",
        "set-tags",
        "add-comment",
        "resume",
        "expire",
        "approve",
        "decline",
        "mark-for-review",
        "generate-one-time-link",
        "print",
        "redact",
        "consolidate",
        "import",
        "review",
        "dismiss",
        "pause",
        "run",
        "rotate-secret",
        "enable",
        "disable",
        "archive",
        "relations",
    }
)
_WHAT: Mapping[tuple[str, str], tuple[str, ...]] = MappingProxyType(
    {
        ("POST", "/cases"): ("the template", "the queue", "the creator", "an object"),
        ("PATCH", "/cases/{id}"): ("the case", "the queue"),
        ("POST", "/cases/{id}/assign"): ("the case", "the user"),
        ("POST", "/cases/{id}/add-objects"): ("the case", "an object"),
        ("POST", "/cases/{id}/remove-objects"): ("the case", "an object"),
        ("POST", "/cases/{id}/add-tag"): ("the case", "the tag"),
        ("POST", "/cases/{id}/remove-tag"): ("the case", "the tag"),
        ("POST", "/cases/{id}/set-tags"): ("the case", "a tag"),
    }
)
_CASE = "the case"
_LETTERS = re.compile(r"[a-z]+")


# Each page of a walk asks for the same path again.
@lru_cache(maxsize=16)
def path_template(path: str) -> str:
    """Return a path with `{id}` in place of every part that may be an id, such as `/cases/{id}/assign`."""
    first, *others = path.removeprefix("/").split("/")
    shown = [first if _COLLECTION.fullmatch(first) or first.startswith("{") else "{id}"]
    shown += [part if part in _WORDS else "{id}" for part in others]
    return f"/{'/'.join(shown)}"


def missing_from(method: str, template: str, details: Iterable[str] = ()) -> str | None:
    """Return which object a 404 is about, if that is not obvious.

    The API responds `Record not found` both for the object in the path and for objects that the body refers to.

    Args:
        method: the method of the call.
        template: the template of its path.
        details: the details in the API's error. They may name an object in the body; only that name is used.
    """
    what = _WHAT.get((method, template))
    if what is None:
        return None
    said = {word for text in details for word in _LETTERS.findall(text.lower())}
    # "case" alone says little: it also stands in the names of templates and queues.
    named = [each for each in what if each != _CASE and {each.split()[1], f"{each.split()[1]}s"} & said]
    if len(named) == 1:
        return named[0]
    return f"{', '.join(what[:-1])} or {what[-1]}"
