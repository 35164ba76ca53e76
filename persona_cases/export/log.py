"""`BlockLog`: one file that blocks of several stretches are appended to, and read from in another order.

One file is one file to make durable, however many stretches there are. Before each block stands whose it is and how
long.
"""

from __future__ import annotations

import io
import os
import struct
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Final

from persona_cases.errors import DecodeError
from persona_cases.export.writing import BYTES_AT_ONCE, write_whole

# Magic number, stretch, length of the block.
_HEADER: Final = struct.Struct("<IIQ")
_MAGIC: Final = 0x53434C4F


class BlockLog:
    """A file of blocks.

    Args:
        path: the file; it is made if it is not there.
        size: how many bytes of it count. What is behind them is written over.

    Raises:
        DecodeError: if the file is shorter, or is none of blocks.
    """

    def __init__(self, path: Path, size: int) -> None:
        self._file = io.FileIO(path, "r+" if path.exists() else "x+")
        self._blocks: dict[int, list[tuple[int, int]]] = {}
        try:
            # Not cut off there: after a loss of power, an older manifest may count that tells of more.
            self._read_headers(size)
        except BaseException:
            self._file.close()
            raise
        self.size = size
        """How many bytes there are."""

    def append(self, blocks: Mapping[int, Sequence[bytes]]) -> None:
        """Append blocks by stretch; they outlive this process, and after `sync` the system."""
        place, pieces = self.size, list[bytes]()
        for number, parts in blocks.items():
            length = sum(map(len, parts))
            pieces += (_HEADER.pack(_MAGIC, number, length), *parts)
            self._blocks.setdefault(number, []).append((place + _HEADER.size, length))
            place += _HEADER.size + length
        self._file.seek(self.size)
        for piece in pieces:
            write_whole(self._file.fileno(), memoryview(piece))
        self.size = place

    def sync(self) -> None:
        """Wait until everything is on the disk."""
        os.fdatasync(self._file.fileno())

    def read(self, numbers: Iterable[int], *, backward: bool = False) -> Iterator[bytes]:
        """Read the blocks of stretches.

        Args:
            numbers: the stretches, one after the other.
            backward: whether each one's last block comes first.
        """
        for place, length in self._places(numbers, backward=backward):
            yield os.pread(self._file.fileno(), length, place)

    def copy(self, numbers: Iterable[int], target: int, *, backward: bool = False) -> None:
        """Write the blocks of stretches to an open file; see `read`."""
        # This is cheaper than to ask the kernel for it.
        buffer, source = memoryview(bytearray(BYTES_AT_ONCE)), self._file.fileno()
        for place, length in self._places(numbers, backward=backward):
            done = 0
            while done < length:
                there = os.preadv(source, [buffer[: length - done]], place + done)
                if not there:
                    raise DecodeError("the file is damaged")
                write_whole(target, buffer[:there])
                done += there

    def forget(self) -> None:
        """Let nothing count any more, without a change of the file."""
        self._blocks, self.size = {}, 0

    def close(self) -> None:
        """Close the file."""
        self._file.close()

    def _places(self, numbers: Iterable[int], *, backward: bool) -> Iterator[tuple[int, int]]:
        for number in numbers:
            blocks = self._blocks.get(number, [])
            yield from reversed(blocks) if backward else blocks

    def _read_headers(self, size: int) -> None:
        place = 0
        there = os.fstat(self._file.fileno()).st_size
        while place < size <= there:
            magic, number, length = _HEADER.unpack(os.pread(self._file.fileno(), _HEADER.size, place))
            if magic != _MAGIC:
                break
            self._blocks.setdefault(number, []).append((place + _HEADER.size, length))
            place += _HEADER.size + length
        if place != size:
            raise DecodeError("the file is damaged")
