"""Writing to descriptors."""

from __future__ import annotations

import os
from typing import Final

BYTES_AT_ONCE: Final = 1 << 17
"""What is written at once. For more, Linux takes larger pieces of memory for the file, which a virtual machine may have
to get from its host first; and a buffer of this size stays in the cache of the processor."""


def write_whole(file: int, data: memoryview) -> None:
    """Write all of something to an open file."""
    while data:
        data = data[os.write(file, data[:BYTES_AT_ONCE]) :]
