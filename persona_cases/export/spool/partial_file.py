"""`HeadFile`: the beginning of the file that is to be, so that the cases of the first range are written only once.

It has nothing but lines, as it becomes the output. So a file beside it says after each page how long the head is, and
what its checksum: by that, what was written after the last manifest is known to be whole.
"""

from __future__ import annotations

import io
import os
import struct
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Final

from persona_cases.export.spool.checkpoint import DamagedError, Extent, Tally
from persona_cases.export.spool.disk import make_durable, open_private, write_whole

# A page or two.
_BYTES_AT_ONCE: Final = 1 << 18
# Size and checksum of the head at the end of a page.
_MARK: Final = struct.Struct("<QI")


class HeadFile:
    """A file of lines that is only appended to.

    Args:
        path: the file; it is made if it is not there.
        extent: how much of it counts for certain.

    Attributes:
        path: the file.
        extent: how much of it counts.
        tally: what it holds of what counted at the beginning.

    Raises:
        DamagedError: if the file is not what was written.
        InvalidArgumentError: if it is a link.
    """

    def __init__(self, path: Path, extent: Extent) -> None:
        self.path = path
        self.extent: Extent = extent
        self._marks = open_private(path.with_name(f"{path.name}.marks"))
        try:
            # It may have more names: that of the output, when that is complete.
            self._file = open_private(path, names=None)
        except BaseException:
            self._marks.close()
            raise
        try:
            self._refuse_half_an_output()
            self.tally: Tally = Tally(self.verify(), extent.size)
        except BaseException:
            self.close()
            raise
        self._file.seek(0, io.SEEK_END)

    def append(self, lines: bytes) -> None:
        """Append the whole lines of a page; they outlive this process, and after `sync` the system."""
        self.extend(lines)
        self._mark()

    def extend(self, data: bytes | memoryview) -> None:
        """Append something that does not count by itself after a crash."""
        write_whole(self._file.fileno(), memoryview(data))
        self.extent = self.extent.plus(data)

    def sync(self) -> None:
        """Wait until everything is on the disk."""
        make_durable(self._file.fileno())

    def verify(self) -> int:
        """Read all that counts; return how many lines there are.

        Raises:
            DamagedError: if it is not what was written.
        """
        lines, found = 0, Extent()
        for piece in self._pieces(0, self.extent.size):
            lines, found = lines + piece.count(b"\n"), found.plus(piece)
        if found != self.extent:
            raise DamagedError
        return lines

    def recheck(self) -> None:
        """Read all that counts once more.

        Raises:
            DamagedError: if it is no longer what was written.
        """
        # One buffer for all pieces: new memory for each would cost more than the checksum.
        buffer, found = memoryview(bytearray(_BYTES_AT_ONCE)), Extent()
        with open_private(self.path, names=None) as file:
            while there := file.readinto(buffer[: self.extent.size - found.size]):
                found = found.plus(buffer[:there])
        if found != self.extent:
            raise DamagedError

    def uncounted(self) -> Iterator[list[bytes]]:
        """Read the lines of whole pages behind what counts, some at a time, without line ends."""
        yield from _lines(self._pieces(self.extent.size, self._end_of_whole_pages()))

    def count(self, lines: Sequence[bytes]) -> None:
        """Let the next lines behind what counts do so as well."""
        self.extent = self.extent.plus(b"\n".join([*lines, b""]))

    def cut(self) -> None:
        """Drop everything behind what counts."""
        # One that is as long as it should be may be read by others already, under another name.
        if os.fstat(self._file.fileno()).st_size > self.extent.size:
            self._file.truncate(self.extent.size)
        self._file.seek(self.extent.size)
        kept = [mark for mark in self._read_marks() if mark.size <= self.extent.size]
        self._marks.truncate(len(kept) * _MARK.size)
        self._marks.seek(0, io.SEEK_END)
        if self.extent.size and self.extent not in kept:
            self._mark()

    def batches(self) -> Iterator[list[bytes]]:
        """Read all lines that count, some at a time, without line ends.

        Raises:
            DamagedError: at the end, if they are not what was written.
        """
        found = Extent()

        def checked() -> Iterator[bytes]:
            nonlocal found
            for piece in self._pieces(0, self.extent.size):
                found = found.plus(piece)
                yield piece

        yield from _lines(checked())
        if found != self.extent:
            raise DamagedError

    def close(self) -> None:
        """Close the file."""
        self._file.close()
        self._marks.close()

    def _refuse_half_an_output(self) -> None:
        found = os.fstat(self._file.fileno())
        if found.st_nlink > 1 and found.st_size != self.extent.size:
            raise DamagedError

    def _mark(self) -> None:
        os.write(self._marks.fileno(), _MARK.pack(self.extent.size, self.extent.check))

    def _read_marks(self) -> list[Extent]:
        """Return the marks that can be told apart: up to the first that is not behind the one before."""
        self._marks.seek(0)
        text, marks = self._marks.readall(), list[Extent]()
        for place in range(0, len(text) - _MARK.size + 1, _MARK.size):
            mark = Extent(*_MARK.unpack_from(text, place))
            if marks and mark.size <= marks[-1].size:
                break
            marks.append(mark)
        return marks

    def _end_of_whole_pages(self) -> int:
        """Return where the last page ends that is what was written, with all before it."""
        whole = found = self.extent
        for mark in self._read_marks():
            if mark.size <= self.extent.size:
                continue
            for piece in self._pieces(found.size, mark.size):
                found = found.plus(piece)
            if found != mark:
                break
            whole = mark
        return whole.size

    def _pieces(self, start: int, stop: int) -> Iterator[bytes]:
        with open_private(self.path, names=None) as file:
            file.seek(start)
            while start < stop and (piece := file.read(min(_BYTES_AT_ONCE, stop - start))):
                yield piece
                start += len(piece)


def _lines(pieces: Iterable[bytes]) -> Iterator[list[bytes]]:
    left = b""
    for piece in pieces:
        *lines, left = (left + piece).split(b"\n")
        if lines:
            yield lines
