"""`RawPage`: a page of cases split into lines with minimal decoding, for copying many cases cheaply.

To copy a page, it is enough to know where its cases begin and end. The id and the creation time of a case are read on
demand.

A moment is a whole number of milliseconds since 1970, the precision of the API's times; a finer time is truncated. When
iterating from new to old, time runs backward: moments are negated, so that they ascend in every iteration.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Collection, Iterable, Sequence
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Final, Self, TypeAlias

import msgspec
from msgspec.structs import replace

from persona_cases.errors import Answered, DecodeError
from persona_cases.models import decoding
from persona_cases.models.decoding.jsontext import REFUSED
from persona_cases.models.decoding.page_split import split_page
from persona_cases.models.decoding.records import AwareDatetime, Links

if TYPE_CHECKING:
    from persona_cases.models.decoding.undecodable import UndecodableCase

__all__ = ["Line", "RawPage", "decode_raw_page", "moment_of", "time_of"]

Line: TypeAlias = bytes | msgspec.Raw
"""One case: any object that can be joined into bytes."""

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECOND: Final = timedelta(milliseconds=1)


class Birth(msgspec.Struct, frozen=True, gc=False):
    """When a case was created."""

    created_at: AwareDatetime


class Stamp(msgspec.Struct, frozen=True, gc=False):
    """What is read of a case: its id and its creation time."""

    id: str
    attributes: Birth


_decode_stamp: Final = msgspec.json.Decoder(Stamp).decode
_decode_time: Final = msgspec.json.Decoder(AwareDatetime).decode
_decode_links: Final = msgspec.json.Decoder(Links | None).decode
_NO_STAMP: Final = "not a case with an id and a creation time"


def moment_of(time: datetime) -> int:
    """Return an aware time as whole milliseconds since 1970."""
    return (time - _EPOCH) // _MILLISECOND


def time_of(moment: int) -> datetime:
    """Return the time of a moment."""
    return _EPOCH + moment * _MILLISECOND


class RawPage(msgspec.Struct, frozen=True, eq=False):
    """Consecutive cases, each as the bytes of one line.

    Attributes:
        lines: the cases on one line each, without line ends.
        next_cursor: where the next page begins; None if this is the last page.
        backward: whether time runs backward.
        unwanted: indexes of cases that only show how far the iteration has come.
        aside: cases of the page that are not among the lines, because they cannot be decoded.
        following: the query parameters in the server's link to the next page.
        call: the call that fetched the page; errors found later name it.
        stamps: the ids and creation times that were read, by the index of the line.
    """

    lines: Sequence[Line]
    next_cursor: str | None = None
    backward: bool = False
    unwanted: Collection[int] = frozenset()
    aside: Sequence[UndecodableCase] = ()
    following: tuple[tuple[str, str], ...] = ()
    call: Answered | None = None
    stamps: dict[int, Stamp] = msgspec.field(default_factory=dict[int, Stamp])

    def __repr__(self) -> str:
        return f"RawPage(lines=<{len(self.lines)} lines>, next_cursor={self.next_cursor!r})"

    def __rich_repr__(self) -> list[tuple[str, Any]]:
        # Otherwise rich would show the fields of the struct in a traceback with locals.
        return [("lines", len(self.lines)), ("next_cursor", self.next_cursor)]

    def __len__(self) -> int:
        return len(self.lines)

    def sound(self) -> Self:
        """Return the page with each case set aside that has no id or no creation time."""
        kept, aside = list[int](), list(self.aside)
        for index in range(len(self)):
            failure = self._failure(index)
            if failure is None:
                kept.append(index)
            else:
                aside.append(decoding.UndecodableCase(bytes(self.lines[index]), failure))
        unwanted = frozenset(place for place, index in enumerate(kept) if index in self.unwanted)
        return self._with_lines([self.lines[index] for index in kept], unwanted=unwanted, aside=aside)

    def created_at(self, index: int) -> datetime:
        """Return when a case was created; see `moment` for its errors."""
        return self.stamp(index).attributes.created_at

    def id(self, index: int) -> str:
        """Return the id of a case; see `moment` for its errors."""
        return self.stamp(index).id

    def stamp(self, index: int) -> Stamp:
        """Return the id and the creation time of a case; see `moment` for its errors."""
        return self.stamps.get(index) or self._read(index)

    def ids_at(self, moment: int, stop: int) -> tuple[str, ...]:
        """Return the ids of the last cases before `stop`, which were created at one moment.

        Args:
            moment: what `moment` returned for the last of them.
            stop: the index after them.

        Raises:
            DecodeError: if the line before them is not a case, or has no creation time.
        """
        start = stop - 1
        ids = [self.stamps[start].id]
        while start and self.moment(start - 1) == moment:
            start -= 1
            ids.append(self.stamps[start].id)
        return tuple(ids[::-1])

    def first(self, count: int) -> Sequence[Line]:
        """Return the lines of the first cases, without unwanted ones."""
        return self.wanted(range(count)) if self.unwanted else self.lines[:count]

    def wanted(self, indexes: Iterable[int]) -> list[Line]:
        """Return the lines of the cases at these indexes, without unwanted ones."""
        return [self.lines[index] for index in indexes if index not in self.unwanted]

    def marks(self) -> list[str]:
        """Return marks that identify the page: the ids of its first and last case, or their lines if they have no ids.

        Reading the ids of all cases only for this would be too costly.
        """
        try:
            return [self._read(0).id, self._read(len(self.lines) - 1).id] if self.lines else []
        except DecodeError:
            return [bytes(line).hex() for line in (self.lines[0], self.lines[-1])]

    def between(self, part: range, next_cursor: str | None) -> Self:
        """Return some of the cases as a page with a cursor."""
        unwanted = frozenset(index - part.start for index in self.unwanted if index in part)
        return self._with_lines(self.lines[part.start : part.stop], next_cursor=next_cursor, unwanted=unwanted)

    def moment(self, index: int) -> int:
        """Return when a case was created, in milliseconds since 1970, negated if time runs backward.

        Raises:
            DecodeError: if the line is not a case, or has no creation time.
        """
        # Not by `stamp`, because each page asks for several.
        stamp = self.stamps.get(index) or self._read(index)
        moment = (stamp.attributes.created_at - _EPOCH) // _MILLISECOND
        return -moment if self.backward else moment

    def turned(self) -> Self:
        """Return the page with time running in the opposite direction."""
        return replace(self, backward=not self.backward)

    def first_from(self, moment: int) -> int:
        """Return the index of the first case created at a moment or later; the cases must be in order."""
        return bisect_left(range(len(self)), moment, key=self.moment)

    def _with_lines(self, lines: Sequence[Line], **changes: Any) -> Self:
        return replace(self, lines=lines, stamps={}, **changes)

    def _read(self, index: int) -> Stamp:
        try:
            stamp = _decode_stamp(self.lines[index])
        except REFUSED:
            # The decoder may reject something else in the case. It is read again outside of this clause, because an
            # error raised there must not have this one as its context.
            stamp = None
        stamp = self.stamps[index] = stamp or _stamp_alone(self.lines[index], index)
        return stamp

    def _failure(self, index: int) -> DecodeError | None:
        try:
            self.id(index)
        except DecodeError as error:
            return error
        return None


def decode_raw_page(body: bytes) -> tuple[RawPage, Links]:
    """Split the response of `GET /cases` or `POST /cases/search` into lines.

    A case that is valid JSON becomes a line, whatever its numbers and strings are. Other cases are set aside.

    Args:
        body: the body of a response in snake_case.

    Returns:
        The page, without its cursor, and the links, which contain the cursor.

    Raises:
        DecodeError: if the body is not JSON, or not a page of cases; `pointer` says where.
    """
    split = split_page(body)
    if split is not None:
        record, links = split
        # A line break can occur only between the tokens of JSON text. Most pages have none.
        return RawPage(record.data if _on_one_line(body) else [_line(bytes(each)) for each in record.data]), links
    try:
        document = decoding.decode_page(body)
    except DecodeError as error:
        failure = error
    else:
        return RawPage([case.raw_line for case in document.cases]), document.links
    apart = _taken_apart(body)
    if apart is None:
        raise failure
    return apart


def _taken_apart(body: bytes) -> tuple[RawPage, Links] | None:
    """Return the page without looking at the values of its cases; None if its cases cannot be separated."""
    apart = decoding.separated(body)
    if apart is None:
        return None
    lines, aside, links = apart
    try:
        return RawPage(lines, aside=aside), _decode_links(links) or Links()
    except REFUSED:
        return None


def _on_one_line(text: bytes) -> bool:
    return b"\n" not in text and b"\r" not in text


def _line(raw: bytes) -> bytes:
    return raw if _on_one_line(raw) else msgspec.json.format(raw, indent=-1)


def _stamp_alone(line: Line, index: int) -> Stamp:
    """Read the id and the creation time by themselves, whatever else is in the case."""
    text = bytes(line)
    id_ = decoding.id_of(text)
    try:
        created_at = _decode_time(decoding.creation_of(text))
    except REFUSED:
        created_at = None
    if id_ is None or created_at is None:
        raise DecodeError(_NO_STAMP, pointer=f"/data/{index}", case_id=id_)
    return Stamp(id_, Birth(created_at))
