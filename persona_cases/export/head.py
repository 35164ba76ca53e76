"""`HeadFile`: the beginning of the file that is to be, so that the cases of the first range are written only once."""

from __future__ import annotations

import io
import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

from persona_cases.errors import DecodeError
from persona_cases.export.writing import write_whole

# A page or two.
_BYTES_AT_ONCE: Final = 1 << 18


class HeadFile:
    """A file of lines that is only appended to.

    Args:
        path: the file; it is made if it is not there.
        size: how many bytes of it count for certain.

    Attributes:
        path: the file.
        size: how many bytes count.

    Raises:
        DecodeError: if the file is shorter.
    """

    def __init__(self, path: Path, size: int) -> None:
        self.path = path
        self.size = size
        self._file = io.FileIO(path, "r+" if path.exists() else "x+")
        if os.fstat(self._file.fileno()).st_size < size:
            self._file.close()
            raise DecodeError("the file is damaged")
        self._file.seek(0, io.SEEK_END)

    def append(self, lines: bytes) -> None:
        """Append whole lines; they outlive this process, and after `sync` the system."""
        write_whole(self._file.fileno(), memoryview(lines))
        self.size += len(lines)

    def sync(self) -> None:
        """Wait until everything is on the disk."""
        os.fdatasync(self._file.fileno())

    def fileno(self) -> int:
        """Return the descriptor, for what appends past this object; it has to set the size."""
        return self._file.fileno()

    def uncounted(self) -> Iterator[list[bytes]]:
        """Read the whole lines behind what counts, some at a time, without line ends."""
        yield from self._read(self.size, os.fstat(self._file.fileno()).st_size)

    def count(self, lines: Sequence[bytes]) -> None:
        """Let the next lines behind what counts do so as well."""
        self.size += sum(map(len, lines)) + len(lines)

    def count_all(self) -> None:
        """Let everything that is there count."""
        self.size = os.fstat(self._file.fileno()).st_size

    def cut(self) -> None:
        """Drop everything behind what counts."""
        # One that is as long as it should be may be read by others already, under another name.
        if os.fstat(self._file.fileno()).st_size > self.size:
            self._file.truncate(self.size)
        self._file.seek(self.size)

    def batches(self) -> Iterator[list[bytes]]:
        """Read all lines that count, some at a time, without line ends."""
        yield from self._read(0, self.size)

    def close(self) -> None:
        """Close the file."""
        self._file.close()

    def _read(self, start: int, stop: int) -> Iterator[list[bytes]]:
        with self.path.open("rb") as file:
            file.seek(start)
            while start < stop:
                # It ends with the line that has more.
                lines = file.readlines(min(_BYTES_AT_ONCE, stop - start - 1))
                start += sum(map(len, lines))
                whole = [line[:-1] for line in lines if line.endswith(b"\n")]
                if whole:
                    yield whole
                if len(whole) < len(lines) or not lines:
                    return
