"""`BatchStore`: cases by columns in a temporary file, between the survey of the columns and the table."""

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
    """The form in which a format stores cases until the columns are known."""

    def stored(self, batch: Batch, /) -> PlainBatch:
        """Return the data to store, which MessagePack can hold."""
        ...

    def restored(self, stored: PlainBatch, /) -> PlainBatch:
        """Return the data that the format takes."""
        ...


class BatchStore:
    """Cases by columns in an unnamed temporary file, which disappears with the process.

    Args:
        form: how the format stores them.
        directory: a directory on the disk to use; None for the system's temporary directory.
    """

    def __init__(self, form: StoredForm, directory: str | os.PathLike[str] | None = None) -> None:
        self._form = form
        self._file = tempfile.TemporaryFile(dir=directory)  # noqa: SIM115 - it lives until `close`

    def keep(self, batch: Batch) -> None:
        """Append cases. Do not call it after the first reading."""
        packed = _pack(self._form.stored(batch))
        self._file.write(len(packed).to_bytes(_LENGTH, "little"))
        self._file.write(packed)

    def batches(self) -> Iterator[PlainBatch]:
        """Read all cases, in the same batches in which they were kept."""
        self._file.seek(0)
        while length := self._file.read(_LENGTH):
            yield self._form.restored(_unpack(self._file.read(int.from_bytes(length, "little"))))

    def close(self) -> None:
        """Drop the cases, even if buffered data does not fit on the disk."""
        with contextlib.suppress(OSError):
            self._file.close()
