"""The manifest of an export under way: what was asked for, and how much of it is safely on disk."""

from __future__ import annotations

import hashlib
import zlib
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, Final

import attrs
import msgspec

from persona_cases.errors import InvalidArgumentError
from persona_cases.export.ranges.fetched_ranges import Frontier

_FORMAT: Final = 4
_UNKNOWN: Final = datetime(1970, 1, 1, tzinfo=UTC)
# The first member of the document; its value is the checksum of everything behind it.
_CHECK: Final = b'{"check":"%08x",'
_CHECK_LENGTH: Final = len(_CHECK % 0)


class DamagedError(Exception):
    """What is on the disk is not what was written there."""


@attrs.frozen
class Extent:
    """How much of a file counts, and what it has to be.

    Attributes:
        size: how many bytes count.
        check: their checksum, CRC-32.
    """

    size: int = 0
    check: int = 0

    def plus(self, data: bytes | memoryview) -> Extent:
        """Return the extent with more bytes behind it."""
        return Extent(self.size + len(data), zlib.crc32(data, self.check))


@attrs.frozen
class Tally:
    """A number of lines, and the bytes that they take."""

    lines: int = 0
    size: int = 0

    def __add__(self, other: Tally) -> Tally:
        return Tally(self.lines + other.lines, self.size + other.size)


@attrs.frozen
class Description:
    """What an export is an export of. An export goes on only under the same description.

    Attributes:
        settings: by name, what decides about the content of the file, as plain JSON: the expression, the order, the
            attributes, the format and so on. They stay on the disk beside the file as long as it is not finished.
        library: the version of this library. A different one does not keep an export from going on.
        snapshot_at: when the export began, by the clock of the system. A later run keeps it.
        where: the expression as the first run sent it, as JSON. A later run keeps it too, so that relative times mean
            the same; by `settings` it is recognised.
    """

    settings: Mapping[str, Any] = attrs.field(repr=False)
    library: str
    snapshot_at: datetime = _UNKNOWN
    where: Any = attrs.field(default=None, repr=False)

    @property
    def digest(self) -> str:
        """Identifies the settings."""
        return hashlib.sha256(msgspec.json.encode(self.settings, order="sorted")).hexdigest()

    def check_age(self, now: datetime, most: float, where: str) -> None:
        """Check that what an export found when it began is not too old to go on with.

        Args:
            now: what the clock of the system says.
            most: the largest age, in seconds.
            where: the name of the file, for the error.

        Raises:
            InvalidArgumentError: if it is older. If it seems to be as far in the future, the clock was changed, and how
                old it is is not known.
        """
        if abs((now - self.snapshot_at).total_seconds()) > most:
            raise InvalidArgumentError(
                f"{where}: an unfinished export began too long ago to be resumed silently, so its file would miss what "
                "came since: use restart to start over, or a larger resume_max_age to resume it"
            )

    def differences(self, other: Description) -> list[str]:
        """Return the names of the settings that are not the same."""
        names = sorted({*self.settings, *other.settings})
        return [name for name in names if self._text(name) != other._text(name)]

    def _text(self, name: str) -> bytes | None:
        return msgspec.json.encode(self.settings[name], order="sorted") if name in self.settings else None


@attrs.frozen(kw_only=True)
class Manifest:
    """What is on disk.

    Attributes:
        format: the version of this document.
        description: what the export is one of.
        digest: that of the description.
        log: how much of the log counts.
        head: how much of the head counts for certain.
        frontier: what was walked.
    """

    format: int
    description: Description
    digest: str
    log: Extent
    head: Extent
    frontier: Frontier

    def check(self, description: Description, where: str) -> None:
        """Check that an export can go on under a description.

        Args:
            description: what is asked for now.
            where: the name of the file, for the error.

        Raises:
            InvalidArgumentError: if it is another one; the message names the settings that differ, without values.
        """
        if self.digest == description.digest:
            return
        names = ", ".join(self.description.differences(description))
        raise InvalidArgumentError(
            f"{where}: an unfinished export with different {names} exists: rerun it with the original arguments to "
            "resume it, or use restart to discard it"
        )


def encode_manifest(description: Description, *, log: Extent, head: Extent, frontier: msgspec.Raw) -> bytes:
    """Return the document of a manifest.

    Args:
        description: what the export is one of.
        log: how much of the log counts.
        head: how much of the head counts for certain.
        frontier: what was walked, as JSON.
    """
    document = {"format": _FORMAT, "description": description, "digest": description.digest}
    text = msgspec.json.encode({**document, "log": log, "head": head, "frontier": frontier})
    return _CHECK % zlib.crc32(text[1:]) + text[1:]


def decode_manifest(text: bytes) -> Manifest | None:
    """Read a manifest; None if it is none, damaged, or of another version."""
    if text[:_CHECK_LENGTH] != _CHECK % zlib.crc32(text[_CHECK_LENGTH:]):
        return None
    try:
        if msgspec.json.decode(text, type=dict[str, Any])["format"] == _FORMAT:
            return msgspec.json.decode(text, type=Manifest)
    except (msgspec.DecodeError, KeyError, UnicodeDecodeError):
        pass
    return None
