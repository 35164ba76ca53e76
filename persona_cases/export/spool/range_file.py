"""`FilePart`: the cases of one time range on disk, one per line, as they will be in the output.

The file of a range contains only lines, because the file of the first range becomes the output. The checkpoint records
its valid size and its checksum.
"""

from __future__ import annotations

import io
import zlib
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Final

import msgspec

from persona_cases.export.spool.disk import open_private

# A page or two.
_BYTES_AT_ONCE: Final = 1 << 18


class DamagedError(Exception):
    """The data on disk differs from the data that was written."""


class FilePart(msgspec.Struct, frozen=True):
    """A part of a file, with its checksum.

    Attributes:
        path: the file.
        start: the offset of its first byte.
        size: its size in bytes.
        check: its checksum, CRC-32.
    """

    path: Path
    start: int
    size: int
    check: int

    def pieces(self) -> Iterator[memoryview]:
        """Read the bytes in pieces. A piece is valid until the next one is read.

        Raises:
            DamagedError: at the end, if the data was changed.
        """
        if not self.size:
            return
        # One buffer for all pieces, because new memory for each would cost more than the checksum.
        buffer, left, check = memoryview(bytearray(_BYTES_AT_ONCE)), self.size, 0
        with self._opened() as file:
            file.seek(self.start)
            while there := file.readinto(buffer[:left]):
                check, left = zlib.crc32(buffer[:there], check), left - there
                yield buffer[:there]
        if left or check != self.check:
            raise DamagedError

    def verify(self) -> None:
        """Read the part once to check it.

        Raises:
            DamagedError: if the data was changed.
        """
        for _ in self.pieces():
            pass

    def batches(self, *, backward: bool = False) -> Iterator[list[bytes]]:
        """Read the lines without line breaks, in batches.

        Args:
            backward: whether the last line comes first.

        Raises:
            DamagedError: if the data was changed: at the end, or before the first line when reading backward.
        """
        if not backward:
            yield from _lines(self.pieces())
            return
        self.verify()
        yield from self._backward()

    def _opened(self) -> io.FileIO:
        try:
            return open_private(self.path, "r")
        except FileNotFoundError:
            raise DamagedError from None

    def _backward(self) -> Iterator[list[bytes]]:
        if not self.size:
            return
        # Without the last line break, each one is between two lines.
        stop, left = self.size - 1, b""
        with self._opened() as file:
            while stop:
                start = max(0, stop - _BYTES_AT_ONCE)
                file.seek(self.start + start)
                left, *lines = (file.read(stop - start) + left).split(b"\n")
                yield lines[::-1]
                stop = start
        yield [left]


def _lines(pieces: Iterable[memoryview]) -> Iterator[list[bytes]]:
    left = b""
    for piece in pieces:
        *lines, left = (left + piece).split(b"\n")
        if lines:
            yield lines
