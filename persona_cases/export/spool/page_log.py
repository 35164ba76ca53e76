"""`BlockLog`: one file that blocks of several stretches are appended to, and read from in another order.

One file is one file to make durable, however many stretches there are. Before each block stands whose it is, how long,
and a checksum. That continues the one of the block before, so that no block can be changed, lost or moved unnoticed.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Final

import attrs

from persona_cases.export.spool.checkpoint import DamagedError, Extent, Tally
from persona_cases.export.spool.disk import BYTES_AT_ONCE, make_durable, open_private, write_whole

# Magic number, stretch, length of the block.
_HEADER: Final = struct.Struct("<IIQ")
_CHECK: Final = struct.Struct("<I")
_BEFORE_BLOCK: Final = _HEADER.size + _CHECK.size
_MAGIC: Final = 0x53434C4F


@attrs.frozen
class _Block:
    """Where a block is with its header, the length without it, and the checksums before and after."""

    place: int
    length: int
    before: int
    after: int


class BlockLog:
    """A file of blocks.

    Args:
        path: the file; it is made if it is not there.
        extent: how much of it counts. What is behind that is written over.

    Attributes:
        tallies: what the blocks of each stretch hold of what counted at the beginning.

    Raises:
        DamagedError: if the file is not what was written.
        InvalidArgumentError: if it is a link.
    """

    def __init__(self, path: Path, extent: Extent) -> None:
        self.tallies: dict[int, Tally] = {}
        self.extent: Extent = Extent()
        """How much there is, and the checksum of the last block."""
        self._file = open_private(path)
        self._blocks: dict[int, list[_Block]] = {}
        self._buffer = bytearray(BYTES_AT_ONCE)
        try:
            # Not cut off there: after a loss of power, an older manifest may count that tells of more.
            self._read_all(extent)
        except BaseException:
            self._file.close()
            raise

    def append(self, blocks: Mapping[int, Sequence[bytes]]) -> None:
        """Append blocks by stretch; they outlive this process, and after `sync` the system."""
        added, pieces, extent = list[tuple[int, _Block]](), list[bytes](), self.extent
        for number, parts in blocks.items():
            length = sum(map(len, parts))
            header = _HEADER.pack(_MAGIC, number, length)
            check = zlib.crc32(header, extent.check)
            for part in parts:
                check = zlib.crc32(part, check)
            pieces += (header, _CHECK.pack(check), *parts)
            added.append((number, _Block(extent.size, length, extent.check, check)))
            extent = Extent(extent.size + _BEFORE_BLOCK + length, check)
        self._file.seek(self.extent.size)
        for piece in pieces:
            write_whole(self._file.fileno(), memoryview(piece))
        for number, block in added:
            self._blocks.setdefault(number, []).append(block)
        self.extent = extent

    def sync(self) -> None:
        """Wait until everything is on the disk."""
        make_durable(self._file.fileno())

    def read(self, numbers: Iterable[int], *, backward: bool = False) -> Iterator[bytes]:
        """Read the blocks of stretches.

        Args:
            numbers: the stretches, one after the other.
            backward: whether each one's last block comes first.

        Raises:
            DamagedError: if a block is not what was written.
        """
        for block in self._chosen(numbers, backward=backward):
            yield b"".join(bytes(piece) for piece in self._pieces(block))

    def copy(self, numbers: Iterable[int], write: Callable[[memoryview], object], *, backward: bool = False) -> None:
        """Write the blocks of stretches somewhere else; see `read`."""
        for block in self._chosen(numbers, backward=backward):
            for piece in self._pieces(block):
                write(piece)

    def forget(self) -> None:
        """Let nothing count any more, without a change of the file."""
        self._blocks, self.extent = {}, Extent()

    def close(self) -> None:
        """Close the file."""
        self._file.close()

    def _chosen(self, numbers: Iterable[int], *, backward: bool) -> Iterator[_Block]:
        for number in numbers:
            blocks = self._blocks.get(number, [])
            yield from reversed(blocks) if backward else blocks

    def _pieces(self, block: _Block) -> Iterator[memoryview]:
        """Read a block, and check at its end that it is what was written. A piece is good until the next one."""
        self._file.seek(block.place)
        header = self._file.read(_BEFORE_BLOCK)
        check, left, buffer = zlib.crc32(header[: _HEADER.size], block.before), block.length, memoryview(self._buffer)
        while left:
            there = self._file.readinto(buffer[: min(left, BYTES_AT_ONCE)])
            if not there:
                break
            check, left = zlib.crc32(buffer[:there], check), left - there
            yield buffer[:there]
        if left or check != block.after or header[_HEADER.size :] != _CHECK.pack(check):
            raise DamagedError

    def _read_all(self, extent: Extent) -> None:
        while self.extent.size < extent.size:
            self._file.seek(self.extent.size)
            header = self._file.read(_BEFORE_BLOCK)
            if len(header) < _BEFORE_BLOCK:
                raise DamagedError
            magic, number, length = _HEADER.unpack_from(header)
            (check,) = _CHECK.unpack_from(header, _HEADER.size)
            end = self.extent.size + _BEFORE_BLOCK + length
            if magic != _MAGIC or end > extent.size:
                raise DamagedError
            block = _Block(self.extent.size, length, self.extent.check, check)
            lines = sum(self._buffer.count(b"\n", 0, len(piece)) for piece in self._pieces(block))
            self.tallies[number] = self.tallies.get(number, Tally()) + Tally(lines, length)
            self._blocks.setdefault(number, []).append(block)
            self.extent = Extent(end, check)
        if self.extent != extent:
            raise DamagedError
