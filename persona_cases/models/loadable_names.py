"""The names with which callers choose what to load of a case: known names, and names newer than this library. Pure."""

from __future__ import annotations

import re
from typing import Final

from persona_cases.errors import InvalidArgumentError
from persona_cases.models.decoding.key_inflection import snake
from persona_cases.models.decoding.records import ATTRIBUTES, RELATIONSHIPS
from persona_cases.name_prefixes import CUSTOM, EXTRA, RELATIONSHIP
from persona_cases.teaching import LONGEST_NAME, nearest

__all__ = ["attribute_asked", "bare", "related_asked"]

# The names of relationships in `Case` and in the columns of tables.
_RELATED: Final = {
    "account_ids": "accounts",
    "case_comment_ids": "case_comments",
    "case_queue_id": "case_queue",
    "case_template_id": "case_template",
    "comments": "case_comments",
    "inquiry_ids": "inquiries",
    "queue": "case_queue",
    "report_ids": "reports",
    "template": "case_template",
    "transaction_ids": "txns",
    "transactions": "txns",
    "verification_ids": "verifications",
}
_ATTRIBUTES: Final = frozenset({"id", *ATTRIBUTES, *RELATIONSHIPS})


def attribute_asked(name: object, argument: str) -> str:
    """Read the name of an attribute or relationship to load.

    Args:
        name: the name in any spelling (`created_at`, `created-at`, `createdAt`); a custom field as `fields.<key>`, with
            its key exactly as in the template; an attribute newer than this library as `extra.<name>`, a relationship
            as `relationships.<name>`.
        argument: the name of the caller's argument.

    Returns:
        The name in snake_case; with its prefix, if it has one.

    Raises:
        InvalidArgumentError: if it is none of these; the message suggests the most similar name.
    """
    text = _checked(name, argument)
    for prefix in (CUSTOM, EXTRA, RELATIONSHIP):
        if text.startswith(prefix) and text != prefix:
            return text if prefix is CUSTOM else prefix + snake(text.removeprefix(prefix))
    known = snake(text)
    known = _RELATED.get(known, known)
    if known in _ATTRIBUTES:
        return known
    prefix, _, key = text.partition(".")
    guess = nearest(known, _ATTRIBUTES) or CUSTOM + (key or prefix)
    raise InvalidArgumentError(
        f"{argument}: cases have no attribute {_shown(text)}: did you mean {_shown(guess)}? Custom fields are written "
        f"{CUSTOM}<key>, and an attribute newer than this library {EXTRA}<name>"
    )


def related_asked(name: object, argument: str) -> str:
    """Read a relationship whose objects to include.

    Args:
        name: the relationship, or the property of `Case` that reads it, in any spelling; `accounts.inquiries` goes one
            level deeper; `relationships.<name>` names a relationship newer than this library.
        argument: the name of the caller's argument.

    Returns:
        The path as the API spells it.

    Raises:
        InvalidArgumentError: if a case has no such relationship, or the path is too deep; the message suggests the most
            similar name.
    """
    text = _checked(name, argument)
    unknown = text.startswith(RELATIONSHIP)
    first, *further = map(snake, text.removeprefix(RELATIONSHIP).split("."))
    if len(further) > 1 or not all((first, *further)):
        raise InvalidArgumentError(f"{argument}: a name has one dot at most, such as 'accounts.inquiries'")
    first = first if unknown else _RELATED.get(first, first)
    if not unknown and first not in RELATIONSHIPS:
        guess = nearest(first, (*RELATIONSHIPS, *_RELATED))
        listed = ", ".join(_kebab(each) for each in sorted(RELATIONSHIPS))
        hint = f"did you mean {_kebab(_RELATED.get(guess, guess))!r}?" if guess else f"there are {listed}."
        raise InvalidArgumentError(
            f"{argument}: cases have no relationship {_shown(text)}: {hint} One newer than this library is written "
            f"{RELATIONSHIP}<name>"
        )
    return ".".join(map(_kebab, (first, *further)))


def bare(name: str) -> str:
    """Return a name as the API knows it, without the prefix for names that this library does not know."""
    return name.removeprefix(EXTRA).removeprefix(RELATIONSHIP)


def _checked(name: object, argument: str) -> str:
    if not isinstance(name, str):
        raise InvalidArgumentError(f"{argument} must hold strings, got {type(name).__name__}")
    text = str.__str__(name)
    if not text or "," in text or text != text.strip():
        raise InvalidArgumentError(
            f"{argument}: give each name as an item of its own, without commas or surrounding spaces"
        )
    if re.search(r"[\ud800-\udfff]", text):
        raise InvalidArgumentError(f"{argument}: a name has an unpaired surrogate, which UTF-8 cannot carry: remove it")
    return text


def _kebab(name: str) -> str:
    return name.replace("_", "-")


def _shown(name: str) -> str:
    return repr(name if len(name) <= LONGEST_NAME else f"{name[:LONGEST_NAME]}…")
