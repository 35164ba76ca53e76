"""Deterministic compression of a stream of bytes."""

from __future__ import annotations

import zlib
from typing import Any, Final

from persona_cases.export.formats import packages
from persona_cases.export.formats.target import Compression
from persona_cases.export.sinks import ByteSink

__all__ = ["Compressed"]

_GZIP_LEVEL: Final = 6
_GZIP_WINDOW: Final = 16 + zlib.MAX_WBITS
"""Asks zlib for a gzip header, which has neither a name nor a time in it."""

_ZSTD_LEVEL: Final = 3


class Compressed:
    """Compresses bytes and passes them on.

    Args:
        sink: where they go.
        compression: how to compress them.

    Raises:
        InvalidArgumentError: if a package that it needs is not installed.
    """

    def __init__(self, sink: ByteSink, compression: Compression) -> None:
        self._sink = sink
        self._compressor = _compressor(compression)

    def write(self, data: bytes) -> None:
        """Pass bytes on, now or later."""
        self._sink.write(data if self._compressor is None else self._compressor.compress(data))

    def finish(self) -> None:
        """Pass on the bytes that are still held back."""
        if self._compressor is not None:
            self._sink.write(self._compressor.flush())


def _compressor(compression: Compression) -> Any:
    match compression:
        case Compression.NONE:
            return None
        case Compression.GZIP:
            return zlib.compressobj(level=_GZIP_LEVEL, wbits=_GZIP_WINDOW)
        case Compression.ZSTD:
            return packages.zstd().ZstdCompressor(level=_ZSTD_LEVEL)
