"""Cursors of our own: the beginning of a walk, and the place of a merged walk.

The cursor of a merged walk says where each of its searches stands, as one opaque text. It holds the cursors and ids of
the searches, counts, and a digest that tells one query from another: no value of the query and none of a result.
"""

from __future__ import annotations

import hashlib
import re
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Sequence
from typing import Any, Final

import attrs
import msgspec

from persona_cases.errors import APIError, InvalidArgumentError, PersonaError

BEGINNING: Final = "b1."
"""The cursor of an error that a walk raised before it had any page: the walk is resumed from its beginning."""

NEWEST: Final = "n1."
"""The cursor of an error that a watch raised before it knew the newest case."""

# Which of them answers a cursor that is not known is not documented.
_REFUSAL: Final = frozenset({400, 404, 410, 422})

_VERSION = "m1."
_ANY_VERSION = re.compile(r"m\d+\.")
_DIGEST_BYTES = 9


@attrs.frozen(kw_only=True)
class Place:
    """Where one search of a merged walk stands.

    Attributes:
        cursor: what to go on behind; None for the beginning.
        taken: how many items behind the cursor were taken already: those of the group of equal values that the walk
            is in.
        last: the id of the last of them; empty if there is none.
        ended: whether the search has nothing more.
    """

    cursor: str | None = None
    taken: int = 0
    last: str = ""
    ended: bool = False


def is_beginning(cursor: str) -> bool:
    """Whether a cursor stands for the beginning of a walk or a watch, so that resuming is the same as starting."""
    return cursor in {BEGINNING, NEWEST}


def is_refusal(error: PersonaError) -> bool:
    """Whether the server may not know a cursor any more, or not take the question."""
    return isinstance(error, APIError) and error.status in _REFUSAL


def mark_refused_place(error: PersonaError, cursor: str | None) -> None:
    """Let an error say that it may be the place that the server does not know any more.

    Args:
        error: what the request for a page ended in.
        cursor: the cursor that it asked with; None if it asked for the beginning.
    """
    if cursor is not None and isinstance(error, APIError) and is_refusal(error):
        error.place_refused = True


def is_merged(cursor: str) -> bool:
    """Whether a cursor comes from a merged walk, of this or of another version of the library."""
    return _ANY_VERSION.match(cursor) is not None


def encode(places: Sequence[Place], fingerprint: str) -> str:
    """Write the places of all searches as a cursor of characters that are safe in a URL.

    Args:
        places: where the searches stand, in the order of the plan.
        fingerprint: identifies the query and its order.
    """
    document = msgspec.json.encode([_digest(fingerprint), [_to_json(place) for place in places]])
    return _VERSION + urlsafe_b64encode(document).decode().rstrip("=")


def decode(cursor: str, fingerprint: str, searches: int) -> tuple[Place, ...]:
    """Read a cursor.

    Args:
        cursor: what `encode` wrote, in this process or another.
        fingerprint: identifies the query and its order.
        searches: how many searches there are.

    Raises:
        InvalidArgumentError: if it is no such cursor, or one of another query or order.
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
