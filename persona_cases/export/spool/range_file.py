"""`FilePart`: the cases of one time range on the disk, a line each, as they will be in the output.

The file of a range has nothing but lines, because the first one becomes the output. The checkpoint says how much of it
counts, and with which checksum.
"""

from __future__ import annotations

import io
import zlib
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Final

import attrs

from persona_cases.export.spool.disk import open_private

# A page or two.
_BYTES_AT_ONCE: Final = 1 << 18


class DamagedError(Exception):
    """What is on the disk is not what was written there."""


@attrs.frozen
class FilePart:
    """Some bytes of a file, and what they have to be.

    Attributes:
        path: the file.
        start: where they begin.
        size: how many there are.
        check: their checksum, CRC-32.
    """

    path: Path
    start: int
    size: int
    check: int

    def pieces(self) -> Iterator[memoryview]:
        """Read the bytes, some at a time. A piece is good until the next one.

        Raises:
            DamagedError: at the end, if they are not what was written.
        """
        if not self.size:
            return
        # One buffer for all pieces: new memory for each would cost more than the checksum.
        buffer, left, check = memoryview(bytearray(_BYTES_AT_ONCE)), self.size, 0
        with self._opened() as file:
            file.seek(self.start)
            while there := file.readinto(buffer[:left]):
                check, left = zlib.crc32(buffer[:there], check), left - there
                yield buffer[:there]
        if left or check != self.check:
            raise DamagedError

    def verify(self) -> None:
        """Read all of it once.

        Raises:
            DamagedError: if it is not what was written.
        """
        for _ in self.pieces():
            pass

    def batches(self, *, backward: bool = False) -> Iterator[list[bytes]]:
        """Read the lines without their ends, some at a time.

        Args:
            backward: whether the last line comes first.

        Raises:
            DamagedError: at the end, if they are not what was written; before the first line if read backward.
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
        # Without the last line end, each one stands between two lines.
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
