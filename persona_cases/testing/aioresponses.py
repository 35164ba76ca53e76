"""aioresponses, fixed for the versions of aiohttp that this library needs.

As released (0.7.9), it fails with aiohttp 3.14 and later in two ways: every mocked response lacks the argument
`stream_writer`, and bodies of more than 128 KiB fail because the stream reader cannot pause. See
https://github.com/pnuckowski/aioresponses/issues/289.
"""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Generator
from contextlib import contextmanager
from typing import Any
from unittest.mock import Mock, patch

from aiohttp import ClientResponse, StreamReader
from aiohttp.client_proto import ResponseHandler
from aioresponses import aioresponses, core

__all__ = ["mended_aioresponses"]


class _MendedResponse(ClientResponse):
    """A response with the writer that aioresponses does not pass."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        kwargs.setdefault("stream_writer", Mock(output_size=0))
        super().__init__(*args, **kwargs)


def _unpausing_reader(loop: asyncio.AbstractEventLoop | None = None) -> StreamReader:
    running = loop or asyncio.get_running_loop()
    return StreamReader(ResponseHandler(loop=running), limit=sys.maxsize // 4, loop=running)


@contextmanager
def mended_aioresponses(**options: Any) -> Generator[aioresponses]:
    """Respond to requests of aiohttp clients without a network.

    Args:
        options: arguments of `aioresponses(...)`, such as `passthrough`.

    Yields:
        The mock, on which you register responses.
    """
    with (
        patch.object(core, "ClientResponse", _MendedResponse),
        patch.object(core, "stream_reader_factory", _unpausing_reader),
        aioresponses(**options) as mock,
    ):
        yield mock
