"""Names for calls that tell nothing of whom they concern."""

from __future__ import annotations

import re
from collections.abc import Mapping
from types import MappingProxyType

__all__ = ["missing_from", "path_template"]

_COLLECTION = re.compile(r"[a-z]{1,40}(-[a-z]{1,40}){0,5}")
# Only words of the vendor's are shown beyond the first: any other part of a path may be an id, or a name.
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
_MISSING: Mapping[tuple[str, str], str] = MappingProxyType(
    {
        ("POST", "/cases"): "the template, the queue, the creator or an object",
        ("PATCH", "/cases/{id}"): "the case or the queue",
        ("POST", "/cases/{id}/assign"): "the case or the user",
        ("POST", "/cases/{id}/add-objects"): "the case or an object",
        ("POST", "/cases/{id}/remove-objects"): "the case or an object",
        ("POST", "/cases/{id}/add-tag"): "the case or the tag",
        ("POST", "/cases/{id}/remove-tag"): "the case or the tag",
        ("POST", "/cases/{id}/set-tags"): "the case or a tag",
    }
)


def path_template(path: str) -> str:
    """Return a path with `{id}` in place of every part that may be an id, such as `/cases/{id}/assign`."""
    first, *others = path.removeprefix("/").split("/")
    shown = [first if _COLLECTION.fullmatch(first) or first.startswith("{") else "{id}"]
    shown += [part if part in _WORDS else "{id}" for part in others]
    return f"/{'/'.join(shown)}"


def missing_from(method: str, template: str) -> str | None:
    """Return what a 404 may be about, if that is not plain.

    The API answers `Record not found` for the object in the path and for those that the body refers to alike.
    """
    return _MISSING.get((method, template))
