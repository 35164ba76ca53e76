"""Cases that can be read twice, which a table takes: once for its columns, and once for its rows."""

from __future__ import annotations

import contextlib
import os
import tempfile
from collections.abc import Iterator, Sequence
from typing import Final, Protocol

__all__ = ["CaseBuffer", "CaseSource"]

_BYTES_A_BATCH: Final = 1_000_000


class CaseSource(Protocol):
    """Cases in their final order, which can be read as often as it takes."""

    def batches(self) -> Iterator[Sequence[bytes]]:
        """Read all cases from the first on, some at a time, each the JSON of one case on one line."""
        ...


class CaseBuffer:
    """Cases in a temporary file without a name, which is gone with the process however that ends.

    Args:
        directory: the directory whose disk holds it; None for the system's own for such files.
    """

    def __init__(self, directory: str | os.PathLike[str] | None = None) -> None:
        self._file = tempfile.TemporaryFile(dir=directory)  # noqa: SIM115 - it lives until `close`

    @property
    def size(self) -> int:
        """How many bytes are in it, as long as nothing was read."""
        return self._file.tell()

    def write(self, cases: Sequence[bytes]) -> None:
        """Append cases; not after the first reading."""
        self._file.write(b"".join(line + b"\n" for line in cases))

    def batches(self) -> Iterator[Sequence[bytes]]:
        """Read all cases; see `CaseSource`. One reading at a time."""
        self._file.seek(0)
        while lines := self._file.readlines(_BYTES_A_BATCH):
            yield [line[:-1] for line in lines]

    def close(self) -> None:
        """Drop it, whether or not what is still to be written fits on the disk."""
        with contextlib.suppress(OSError):
            self._file.close()
