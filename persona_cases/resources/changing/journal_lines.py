"""The lines of a journal, and the state of each row that follows from them. Pure.

A journal begins with a header and the case ids of the rows. Each write adds a line before it and a line after it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final, Literal, TypeAlias

import attrs
import msgspec

from persona_cases.resources.changing.effects import Effects

__all__ = [
    "VERSION",
    "Begun",
    "DamagedJournalError",
    "Ended",
    "Entry",
    "JournalHeader",
    "JournalState",
    "Outcome",
    "RowState",
    "Rows",
    "Withdrawn",
    "begun",
    "encode_entry",
    "is_journal",
    "new_journal",
    "read_journal",
]

VERSION: Final = 1

Outcome: TypeAlias = Literal["changed", "unchanged", "skipped", "failed", "indeterminate"]
"""How a row ended."""


class JournalHeader(msgspec.Struct, frozen=True, tag_field="entry", tag="journal", omit_defaults=True):
    """The first line.

    Attributes:
        version: the version of the format.
        run: the key of the run, from which digests and idempotency keys are derived.
        began: when the run began.
        about: digests that identify the run, by argument.
        rows: number of rows.
    """

    version: int
    run: str
    began: str
    about: dict[str, str]
    rows: int


class Rows(msgspec.Struct, frozen=True, tag_field="entry", tag="rows"):
    """The case ids of the next rows."""

    ids: list[str]


class Begun(msgspec.Struct, frozen=True, tag_field="entry", tag="begun", omit_defaults=True):
    """A write is about to be sent.

    Attributes:
        row: the number of the row, from 0.
        number: the number of the write within the row, from 1.
        once: whether it must not be made twice.
        shows: see `Effects`; None if the case does not show whether the write was made.
        has: see `Effects`.
        lacks: see `Effects`.
    """

    row: int
    number: int
    once: bool = False
    shows: dict[str, str] | None = None
    has: tuple[str, ...] = ()
    lacks: tuple[str, ...] = ()

    @property
    def effects(self) -> Effects | None:
        """The effects of the write; None if the case does not show whether it was made."""
        return None if self.shows is None else Effects(self.shows, self.has, self.lacks)


class Withdrawn(msgspec.Struct, frozen=True, tag_field="entry", tag="withdrawn"):
    """The last write was certainly not made."""

    row: int


class Ended(msgspec.Struct, frozen=True, tag_field="entry", tag="ended", omit_defaults=True):
    """A row has ended.

    Attributes:
        row: the number of the row.
        outcome: how it ended.
        reason: the reason in words.
        status: the HTTP status of the error.
        titles: the titles of the API's errors.
        request_id: the vendor's id of the request.
    """

    row: int
    outcome: Outcome
    reason: str | None = None
    status: int | None = None
    titles: tuple[str, ...] = ()
    request_id: str | None = None


Entry: TypeAlias = JournalHeader | Rows | Begun | Withdrawn | Ended

_BEGINNING: Final = b'{"entry":"journal"'
_encoder: Final = msgspec.json.Encoder()
_decoder: Final = msgspec.json.Decoder(Entry)


class DamagedJournalError(Exception):
    """A line of a journal cannot be read."""


@attrs.define
class RowState:
    """The state of a row in a journal.

    Attributes:
        number: the number of the row, from 0.
        case_id: the id of its case.
        writes: number of writes that were started.
        doubt: the last write that was started, unless its outcome is known.
        ended: how the row ended; None if it has not.
    """

    number: int
    case_id: str
    writes: int = 0
    doubt: Begun | None = None
    ended: Ended | None = None

    def take(self, entry: Begun | Withdrawn | Ended) -> None:
        """Apply a line about the row."""
        match entry:
            case Begun():
                self.writes, self.doubt, self.ended = max(self.writes, entry.number), entry, None
            case Withdrawn():
                self.doubt = None
            case Ended():
                self.ended = entry
                if entry.outcome != "indeterminate":
                    self.doubt = None

    def reopen(self) -> None:
        """Reopen a row that is failed or indeterminate, so that it is tried again.

        A write that must not be made twice stays as it is.
        """
        if self.ended is None or self.ended.outcome not in {"failed", "indeterminate"}:
            return
        if self.doubt is None or not self.doubt.once:
            self.ended = None


@attrs.define
class JournalState:
    """The state of a journal.

    Attributes:
        header: its first line.
        rows: the rows in their order.
        size: size of the complete lines in bytes; anything after them was written incompletely.
    """

    header: JournalHeader
    rows: list[RowState]
    size: int = 0


def encode_entry(entry: Entry) -> bytes:
    """Return the line of an entry."""
    return _encoder.encode(entry) + b"\n"


def begun(row: int, number: int, effects: Effects | None, *, once: bool) -> Begun:
    """Return the line before a write."""
    if effects is None:
        return Begun(row, number, once)
    return Begun(row, number, once, dict(effects.shows), effects.has, effects.lacks)


def new_journal(run: str, began: str, about: Mapping[str, str], ids: Sequence[str]) -> tuple[JournalState, bytes]:
    """Return the state and the lines of a new journal."""
    header = JournalHeader(VERSION, run, began, dict(about), len(ids))
    lines = [encode_entry(header), *(encode_entry(Rows(list(part))) for part in _parts(ids))]
    data = b"".join(lines)
    return JournalState(header, [RowState(number, id) for number, id in enumerate(ids)], len(data)), data


def is_journal(data: bytes) -> bool:
    """Return whether a file begins like a journal. An empty file does."""
    return not data or data.startswith(_BEGINNING)


def read_journal(data: bytes) -> JournalState:
    """Read a journal, ignoring an incomplete last line.

    Raises:
        DamagedJournalError: if another line cannot be read, or the file is not a journal.
    """
    whole = data[: data.rfind(b"\n") + 1]
    header: JournalHeader | None = None
    rows: list[RowState] = []
    for number, line in enumerate(whole.splitlines(), start=1):
        try:
            entry = _decoder.decode(line)
            match entry:
                case JournalHeader() if header is None and entry.version == VERSION:
                    header = entry
                case Rows() if header is not None:
                    rows.extend([RowState(number, id) for number, id in enumerate(entry.ids, start=len(rows))])
                case Begun() | Withdrawn() | Ended() if header is not None:
                    rows[entry.row].take(entry)
                case _:
                    raise DamagedJournalError(f"line {number} is out of place")
        except (msgspec.MsgspecError, UnicodeDecodeError, IndexError):
            raise DamagedJournalError(f"line {number} cannot be read") from None
    if header is None or len(rows) != header.rows:
        raise DamagedJournalError("its first lines are missing")
    return JournalState(header, rows, len(whole))


def _parts(ids: Sequence[str]) -> list[Sequence[str]]:
    return [ids[start : start + 1000] for start in range(0, len(ids), 1000)]
