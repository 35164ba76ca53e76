"""Downloads of files from the URLs that the API provides, without the API key."""

from __future__ import annotations

from collections.abc import Callable
from types import TracebackType

import aiohttp
from yarl import URL

from persona_cases.errors import DecodeError
from persona_cases.protocol.addresses.file_addresses import REDIRECTS
from persona_cases.protocol.call_options import Timeout
from persona_cases.protocol.message import Response
from persona_cases.protocol.outcome import error_of
from persona_cases.transport.connection_failures import translated
from persona_cases.transport.session import HttpSession

_PIECE = 65_536


async def fetch_file(
    session: HttpSession, url: str, write: Callable[[bytes], object], *, limits: Timeout, size: int | None = None
) -> None:
    """Fetch a file in chunks.

    The URL authenticates itself, so the request has none of our headers. Redirects are followed one by one, and each
    URL is checked like the first.

    Args:
        session: reaches the file host with the same settings as the API.
        url: the URL of the file.
        write: called with each chunk.
        limits: the timeouts; `total` does not apply, because files can have any size.
        size: the size of the file in bytes, if known; more bytes raise an error.

    Raises:
        APIError: if the host responded with an error status, or with a redirect that is not followed. An expired URL is
            one reason.
        TransportError: if the file did not arrive completely.
        DecodeError: if more bytes arrived than the file has.
        InvalidArgumentError: if the URL is not allowed.
    """
    try:
        await _fetch(session, url, write, limits, size)
    except BaseException as error:  # noqa: BLE001 - it is raised below
        # The frames below hold chunks of the file and its URL, with which anyone can open it.
        failure = error.with_traceback(_beyond(error.__traceback__, write))
    else:
        return
    finally:
        del url
    try:
        raise failure
    finally:
        # Otherwise the frame would hold the error, which holds the frame.
        del failure


def _beyond(traceback: TracebackType | None, write: Callable[[bytes], object]) -> TracebackType | None:
    """Return the part of a traceback in the caller's own code, called by `write`; None if it was not reached."""
    code, reached = getattr(write, "__code__", None), False
    while traceback is not None:
        frame = traceback.tb_frame
        if reached and not str(frame.f_globals.get("__name__")).startswith("persona_cases."):
            return traceback
        reached = reached or frame.f_code is code
        traceback = traceback.tb_next
    return None


async def _fetch(
    session: HttpSession, url: str, write: Callable[[bytes], object], limits: Timeout, size: int | None
) -> None:
    addresses = session.file_addresses
    address, redirects = addresses.first(url), 0
    while True:
        async with await session.open_file(URL(address, encoded=True), limits) as answer:
            if answer.status not in REDIRECTS:
                await _save(answer, write, size)
                return
            location = answer.headers.get("Location")
        address = addresses.following(address, location, status=answer.status, redirects=redirects)
        redirects += 1


async def _save(answer: aiohttp.ClientResponse, write: Callable[[bytes], object], size: int | None) -> None:
    # A file server's limits are not the API's rate limit.
    headers = {name: answer.headers[name] for name in ("date", "retry-after") if name in answer.headers}
    if (refusal := error_of(Response(answer.status, headers), of_file_host=True)) is not None:
        raise refusal
    received = 0
    while piece := await _read(answer):
        received += len(piece)
        if size is not None and received > size:
            raise DecodeError(f"the file is longer than {size} bytes, which is what the case says")
        write(piece)


async def _read(answer: aiohttp.ClientResponse) -> bytes:
    try:
        return await answer.content.read(_PIECE)
    except (aiohttp.ClientError, OSError) as error:
        failure = translated(error)
    raise failure
