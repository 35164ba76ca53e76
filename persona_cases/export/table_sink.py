"""`TableSink`: a destination for the cases of a table, once its columns are known."""

from __future__ import annotations

from typing import Protocol

from persona_cases.export.columns.plain_batch import PlainBatch

__all__ = ["TableSink"]


class TableSink(Protocol):
    """A `Sink` that takes cases by columns. Its methods run in threads, one call at a time."""

    def write(self, batch: PlainBatch, /) -> object:
        """Write the next cases."""
        ...

    def commit(self) -> object:
        """Keep what was written: that was all."""
        ...

    def discard(self) -> object:
        """Drop what was written: the export failed or was cancelled."""
        ...
