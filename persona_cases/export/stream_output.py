"""`StreamOutput`: a caller's binary stream as the output of an export."""

from __future__ import annotations

import errno
import inspect
import io
import os
from typing import Any

from persona_cases.errors import InvalidArgumentError

__all__ = ["StreamOutput"]


class StreamOutput:
    """A binary stream that receives every page immediately, for readers of a pipe. The stream stays open.

    Args:
        stream: an object with a method `write` that takes bytes. It is called in threads, one call at a time.

    Attributes:
        size: bytes written.

    Raises:
        InvalidArgumentError: if the object cannot take bytes.
    """

    def __init__(self, stream: object) -> None:
        self._stream: Any = stream
        self.size: int = 0
        write = getattr(stream, "write", None)
        if not callable(write) or isinstance(stream, type):
            raise InvalidArgumentError("to must be a path, a binary stream, or a sink with write, commit and discard")
        if isinstance(stream, io.TextIOBase) or hasattr(stream, "encoding"):
            raise InvalidArgumentError("to: a text stream cannot take bytes: pass its buffer, as in sys.stdout.buffer")
        if inspect.iscoroutinefunction(write):
            raise InvalidArgumentError("to: the write method of a stream must be a plain function, not a coroutine")
        if isinstance(stream, io.IOBase) and (stream.closed or not stream.writable()):
            raise InvalidArgumentError("to: the stream is closed or read-only: open it for writing bytes")

    def write(self, data: bytes, /) -> None:
        """Write all bytes, and flush them."""
        if isinstance(self._stream, io.RawIOBase):
            self._write_raw(data)
        else:
            self._stream.write(data)
        if callable(flush := getattr(self._stream, "flush", None)):
            flush()
        self.size += len(data)

    def commit(self) -> None:
        """Do nothing, because everything is already written."""

    def discard(self) -> None:
        """Do nothing, because written bytes cannot be undone."""

    def _write_raw(self, data: bytes) -> None:
        # An unbuffered stream may write only some of the bytes.
        rest = memoryview(data)
        while rest:
            count = self._stream.write(rest)
            if count is None:
                raise BlockingIOError(errno.EAGAIN, os.strerror(errno.EAGAIN))
            rest = rest[count:]
