"""`BatchStore`: cases by columns in a temporary file, from the reading that finds the columns to their table."""

from __future__ import annotations

import contextlib
import os
import tempfile
from collections.abc import Iterator
from typing import Final, Protocol

import msgspec

from persona_cases.export.columns.batch import Batch
from persona_cases.export.columns.plain_batch import PlainBatch

__all__ = ["BatchStore", "StoredForm"]

_LENGTH: Final = 8

_pack = msgspec.msgpack.Encoder().encode
_unpack = msgspec.msgpack.Decoder(PlainBatch).decode


class StoredForm(Protocol):
    """What a format stores of cases before the columns are known, and takes once they are."""

    def stored(self, batch: Batch, /) -> PlainBatch:
        """Return what to store, which MessagePack can hold."""
        ...

    def restored(self, stored: PlainBatch, /) -> PlainBatch:
        """Return what the format takes."""
        ...


class BatchStore:
    """Cases by columns in a temporary file without a name, which is gone with the process however that ends.

    Args:
        form: how the format stores them.
        directory: the directory whose disk holds them; None for the system's own for such files.
    """

    def __init__(self, form: StoredForm, directory: str | os.PathLike[str] | None = None) -> None:
        self._form = form
        self._file = tempfile.TemporaryFile(dir=directory)  # noqa: SIM115 - it lives until `close`

    def keep(self, batch: Batch) -> None:
        """Append cases; not after the first reading."""
        packed = _pack(self._form.stored(batch))
        self._file.write(len(packed).to_bytes(_LENGTH, "little"))
        self._file.write(packed)

    def batches(self) -> Iterator[PlainBatch]:
        """Read all cases, as many at a time as were kept at a time."""
        self._file.seek(0)
        while length := self._file.read(_LENGTH):
            yield self._form.restored(_unpack(self._file.read(int.from_bytes(length, "little"))))

    def close(self) -> None:
        """Drop them, whether or not what is still to be written fits on the disk."""
        with contextlib.suppress(OSError):
            self._file.close()
