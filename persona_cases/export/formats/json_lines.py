"""JSON Lines: one case per line, exactly as the API sent it."""

from __future__ import annotations

from collections.abc import Sequence

from persona_cases.export.formats.compression import Compressed
from persona_cases.export.formats.target import Compression
from persona_cases.export.sinks import Output

__all__ = ["JsonLinesSink"]


class JsonLinesSink:
    """Writes cases as lines; see `Sink`.

    Args:
        output: where the bytes go.
        compression: how to compress them.
    """

    def __init__(self, output: Output, compression: Compression) -> None:
        self._output = output
        self._bytes = Compressed(output, compression)

    def write(self, cases: Sequence[bytes]) -> None:
        """Write lines with a single call, so that an error leaves no partial line."""
        self._bytes.write(b"".join(line + b"\n" for line in cases))

    def commit(self) -> None:
        """Complete the output."""
        self._bytes.finish()
        self._output.commit()

    def discard(self) -> None:
        """Drop the output."""
        self._output.discard()
