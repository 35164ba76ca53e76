"""Our own cursors: for the beginning of an iteration, and for a position in several merged searches.

A merged cursor encodes the position of each search as one opaque string. It holds the cursors and ids of the searches,
counts, and a digest that identifies the query, but no value of the query or of a result.
"""

from __future__ import annotations

import hashlib
import re
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Sequence
from typing import Any, Final

import msgspec

from persona_cases.errors import APIError, InvalidArgumentError, PersonaError

BEGINNING: Final = "b1."
"""The cursor of an error raised before the first page: it resumes from the beginning."""

NEWEST: Final = "n1."
"""The cursor of an error that a watch raised before it knew which case was the newest."""

# The API does not document with which of these it responds to an unknown cursor.
_REFUSAL: Final = frozenset({400, 404, 410, 422})

_VERSION = "m1."
_ANY_VERSION = re.compile(r"m\d+\.")
_DIGEST_BYTES = 9


class Place(msgspec.Struct, frozen=True, kw_only=True):
    """The position of one search in a merged iteration.

    Attributes:
        cursor: the cursor to continue after; None for the beginning.
        taken: how many items after the cursor were already taken: those of the current group of equal values.
        last: the id of the last of them; empty if there are none.
        ended: whether the search has no more items.
    """

    cursor: str | None = None
    taken: int = 0
    last: str = ""
    ended: bool = False


def is_beginning(cursor: str) -> bool:
    """Return whether a cursor stands for the beginning of an iteration or a watch, so that resuming means starting."""
    return cursor in {BEGINNING, NEWEST}


def is_refusal(error: PersonaError) -> bool:
    """Return whether an error may mean that the server no longer knows a cursor, or does not accept the request."""
    return isinstance(error, APIError) and error.status in _REFUSAL


def mark_refused_place(error: PersonaError, cursor: str | None) -> None:
    """Record in an error that the server may no longer know the cursor.

    Args:
        error: the error that ended the request for a page.
        cursor: the cursor in the request; None if it requested the beginning.
    """
    if cursor is not None and isinstance(error, APIError) and is_refusal(error):
        error.place_refused = True


def is_merged(cursor: str) -> bool:
    """Return whether a cursor comes from merged searches, in this or another version of the library."""
    return _ANY_VERSION.match(cursor) is not None


def encode(places: Sequence[Place], fingerprint: str) -> str:
    """Encode the positions of all searches as a URL-safe cursor.

    Args:
        places: the positions of the searches, in the order of the plan.
        fingerprint: identifies the query and its order.
    """
    document = msgspec.json.encode([_digest(fingerprint), [_to_json(place) for place in places]])
    return _VERSION + urlsafe_b64encode(document).decode().rstrip("=")


def decode(cursor: str, fingerprint: str, searches: int) -> tuple[Place, ...]:
    """Decode a cursor.

    Args:
        cursor: what `encode` returned, in this process or another.
        fingerprint: identifies the query and its order.
        searches: how many searches there are.

    Returns:
        The positions of the searches.

    Raises:
        InvalidArgumentError: if it is not such a cursor, or belongs to another query or order.
    """
    if not is_merged(cursor):
        raise InvalidArgumentError(
            f"cursor must come from a page or an error of this query: it merges {searches} searches, in which the "
            "id of a case is not a cursor"
        )
    if not cursor.startswith(_VERSION):
        raise InvalidArgumentError(
            "cursor was made by another version of this library: start again from the first page"
        )
    try:
        digest, entries = _read(cursor.removeprefix(_VERSION))
        places = tuple(map(_from_json, entries))
    except (ValueError, msgspec.MsgspecError):
        raise InvalidArgumentError("cursor is damaged: pass it exactly as the page or the error had it") from None
    if digest != _digest(fingerprint) or len(places) != searches:
        raise InvalidArgumentError("cursor belongs to another query or sort order: resume the one that it came from")
    return places


def _digest(fingerprint: str) -> str:
    return urlsafe_b64encode(hashlib.blake2b(fingerprint.encode(), digest_size=_DIGEST_BYTES).digest()).decode()


def _read(text: str) -> tuple[str, list[list[Any]]]:
    document = urlsafe_b64decode(text + "=" * (-len(text) % 4))
    return msgspec.json.decode(document, type=tuple[str, list[list[Any]]])


def _to_json(place: Place) -> list[Any]:
    if place.taken:
        return [place.cursor, place.taken, place.last]
    return [] if place.ended else [place.cursor]


def _from_json(entry: list[Any]) -> Place:
    match entry:
        case []:
            return Place(ended=True)
        case [None | str() as cursor] if cursor != "":
            return Place(cursor=cursor)
        case [None | str() as cursor, int() as taken, str() as last] if cursor != "" and taken > 0 and last:
            return Place(cursor=cursor, taken=taken, last=last)
        case _:
            raise ValueError
