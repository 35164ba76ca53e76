"""Cases that can be read twice, as a table needs: once for its columns, and once for its rows."""

from __future__ import annotations

import contextlib
import os
import tempfile
from collections.abc import Iterator, Sequence
from typing import Final, Protocol

__all__ = ["CaseBuffer", "CaseSource"]

_BYTES_A_BATCH: Final = 1_000_000


class CaseSource(Protocol):
    """Cases in their final order, which can be read repeatedly."""

    def batches(self) -> Iterator[Sequence[bytes]]:
        """Read all cases from the first, in batches; each case is JSON on one line."""
        ...


class CaseBuffer:
    """Cases in an unnamed temporary file, which disappears with the process.

    Args:
        directory: a directory on the disk to use; None for the system's temporary directory.
    """

    def __init__(self, directory: str | os.PathLike[str] | None = None) -> None:
        self._file = tempfile.TemporaryFile(dir=directory)  # noqa: SIM115 - it lives until `close`

    @property
    def size(self) -> int:
        """The size of the file in bytes, before the first reading."""
        return self._file.tell()

    def write(self, cases: Sequence[bytes]) -> None:
        """Append cases. Do not call it after the first reading."""
        self._file.write(b"".join(line + b"\n" for line in cases))

    def batches(self) -> Iterator[Sequence[bytes]]:
        """Read all cases; see `CaseSource`. One reading at a time."""
        self._file.seek(0)
        while lines := self._file.readlines(_BYTES_A_BATCH):
            yield [line[:-1] for line in lines]

    def close(self) -> None:
        """Drop the file, even if buffered data does not fit on the disk."""
        with contextlib.suppress(OSError):
            self._file.close()
