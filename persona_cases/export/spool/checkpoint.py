"""The checkpoints of an unfinished export: its settings, and how much of it is committed."""

from __future__ import annotations

import hashlib
import zlib
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, Final, TypeVar

import attrs
import msgspec
from msgspec.structs import replace

from persona_cases.errors import InvalidArgumentError
from persona_cases.export.ranges.fetched_range import FetchedRange
from persona_cases.export.ranges.fetched_ranges import FetchedRanges
from persona_cases.export.spool.range_file import FilePart

_FORMAT: Final = 6
_UNKNOWN: Final = datetime(1970, 1, 1, tzinfo=UTC)
_CHECK_LENGTH: Final = 8
_Kind = TypeVar("_Kind")

_encode: Final = msgspec.json.Encoder().encode


@attrs.frozen
class Description:
    """What defines an export. An unfinished export resumes only under the same description.

    Attributes:
        settings: the settings that determine the content of the file, by name, as plain JSON: the expression, the sort
            order, the attributes, the format and so on. They stay on disk next to the file until it is finished.
        library: the version of this library. A different version does not prevent a resume.
        snapshot_at: when the export began, by the system clock. Later runs keep it.
        where: the expression as the first run sent it, as JSON. Later runs keep it, so that relative times mean the
            same; `settings` identifies it.
    """

    settings: Mapping[str, Any] = attrs.field(repr=False)
    library: str
    snapshot_at: datetime = _UNKNOWN
    where: Any = attrs.field(default=None, repr=False)

    @property
    def digest(self) -> str:
        """Return a digest that identifies the settings."""
        return hashlib.sha256(msgspec.json.encode(self.settings, order="sorted")).hexdigest()

    def check_age(self, now: datetime, most: float, where: str) -> None:
        """Check that an unfinished export is not too old to resume.

        Args:
            now: the time on the system clock.
            most: the maximum age, in seconds.
            where: the name of the file, for the error.

        Raises:
            InvalidArgumentError: if it is older. If it seems equally far in the future, the clock was changed and its
                age is unknown, so that raises too.
        """
        if abs((now - self.snapshot_at).total_seconds()) > most:
            raise InvalidArgumentError(
                f"{where}: the unfinished export is too old to resume silently, because its file would miss newer "
                "cases: use restart to start over, or a larger resume_max_age to resume it"
            )

    def differences(self, other: Description) -> list[str]:
        """Return the names of the settings that differ."""
        names = sorted({*self.settings, *other.settings})
        return [name for name in names if self._text(name) != other._text(name)]

    def _text(self, name: str) -> bytes | None:
        return msgspec.json.encode(self.settings[name], order="sorted") if name in self.settings else None

    def check_same(self, other: Description, name: str) -> None:
        """Check that an export can be resumed under a description.

        Args:
            other: the description of the current call.
            name: the name of the file, for the error.

        Raises:
            InvalidArgumentError: if it differs; the message names the different settings, without values.
        """
        if self.digest != other.digest:
            raise InvalidArgumentError(
                f"{name}: an unfinished export with different {', '.join(self.differences(other))} exists: rerun it "
                "with the original arguments to resume it, or use restart to discard it"
            )


class Checkpoint(msgspec.Struct, frozen=True):
    """The state of an export, and how much of its files is valid.

    Attributes:
        ranges: the time ranges, each with the size and checksum of its file.
        joined: how many of them are already in the file of the first one, in order of time.
        aside_size: the valid size, in bytes, of the file of cases that were set aside.
        aside_check: its checksum.
    """

    ranges: FetchedRanges
    joined: int = 0
    aside_size: int = 0
    aside_check: int = 0


class _Header(msgspec.Struct, frozen=True, kw_only=True):
    format: int
    description: Description


class _Entry(msgspec.Struct, frozen=True, kw_only=True):
    number: int
    durable: bool
    changed: list[FetchedRange]
    end_density: float
    joined: int
    aside_size: int
    aside_check: int


class CheckpointEncoder:
    """Encodes the checkpoints of an export: one entry per checkpoint, with only the ranges that changed.

    The first one follows a header. Each line begins with a checksum of the rest of the line.

    Args:
        description: the description of the export.
    """

    def __init__(self, description: Description) -> None:
        self._header = _line({"format": _FORMAT, "description": description})
        self._number = 0
        # Each range as the latest entry that has it says.
        self._known: dict[int, FetchedRange] = {}

    def encode(self, ranges: FetchedRanges, joined: int, aside: FilePart, *, durable: bool) -> bytes:
        """Return the next entry; see `Checkpoint` for what it says.

        Args:
            ranges: the time ranges.
            joined: how many of them are already in the file of the first one.
            aside: the cases that were set aside.
            durable: whether all data that the checkpoint refers to was made durable before the entry is written.
        """
        changed: list[FetchedRange] = []
        for each in ranges.all:
            if self._known.get(each.number) != each:
                # A range changes until it is done.
                self._known[each.number] = each if each.done else replace(each)
                changed.append(each)
        entry = {
            "number": self._number,
            "durable": durable,
            "changed": changed,
            "end_density": ranges.end_density,
            "joined": joined,
            "aside_size": aside.size,
            "aside_check": aside.check,
        }
        header = b"" if self._number else self._header
        self._number += 1
        return header + _line(entry)


def decode_checkpoints(text: bytes) -> tuple[Description, list[Checkpoint]] | None:
    """Decode checkpoints; None if they are damaged, or of another version.

    Returns:
        The description of the export, and the candidate checkpoints: the newest, and the newest durable one if it is
        different. Later entries that a kill or power loss damaged are skipped.
    """
    first, *rest = text.split(b"\n")
    header = _decode(first, _Header)
    found = [_decode(line, _Entry) for line in rest]
    entries = list[_Entry]()
    for entry in found:
        if entry is None or entry.number != len(entries):
            break
        entries.append(entry)
    if header is None or header.format != _FORMAT or not entries:
        return None
    if any(entry is not None and entry.durable for entry in found[len(entries) :]):
        # Everything before a durable entry was durable too.
        return None
    durable = max(index for index, entry in enumerate(entries) if entry.durable) + 1
    return header.description, [_replay(entries[:count]) for count in dict.fromkeys((len(entries), durable))]


def _replay(entries: Sequence[_Entry]) -> Checkpoint:
    ranges, last = {each.number: each for entry in entries for each in entry.changed}, entries[-1]
    return Checkpoint(
        ranges=FetchedRanges(all=sorted(ranges.values(), key=lambda each: each.low), end_density=last.end_density),
        joined=last.joined,
        aside_size=last.aside_size,
        aside_check=last.aside_check,
    )


def _line(content: object) -> bytes:
    text = _encode(content)
    return b"%08x%b\n" % (zlib.crc32(text), text)


def _decode(line: bytes, kind: type[_Kind]) -> _Kind | None:
    text = line[_CHECK_LENGTH:]
    if line[:_CHECK_LENGTH] != b"%08x" % zlib.crc32(text):
        return None
    try:
        return msgspec.json.decode(text, type=kind)
    except msgspec.DecodeError:
        return None
