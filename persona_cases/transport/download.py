"""Fetching files from the addresses that the API hands out: no API key goes there."""

from __future__ import annotations

from collections.abc import Callable

import aiohttp
from yarl import URL

from persona_cases.errors import DecodeError, InvalidArgumentError
from persona_cases.protocol.message import Response
from persona_cases.protocol.options import Timeout
from persona_cases.protocol.outcome import error_of
from persona_cases.protocol.urls import is_confidential
from persona_cases.transport.failures import one_request, translated
from persona_cases.transport.session import client_timeout

_PIECE = 65_536


async def fetch_file(
    url: str, write: Callable[[bytes], object], *, limits: Timeout, trust_env: bool, size: int | None = None
) -> None:
    """Fetch a file, piece by piece.

    The address authenticates itself, so the request carries nothing of ours, and redirects may be followed. A session
    of its own keeps the headers and cookies of a borrowed one out of it.

    Args:
        url: where the file is.
        write: takes each piece.
        limits: how long it may take; `total` does not apply, since files are of any size.
        trust_env: whether to take proxies from the environment.
        size: how many bytes the file has, if that is known: no more are taken.

    Raises:
        APIError: if the server answered with an error status; an address that has expired is one reason.
        TransportError: if not all of it came.
        DecodeError: if more came than the file has.
        InvalidArgumentError: if the address is not https.
    """
    if not is_confidential(url):
        raise InvalidArgumentError(
            "the attachment's url must be https://: its access token would be readable on the way"
        )
    async with (
        aiohttp.ClientSession(
            cookie_jar=aiohttp.DummyCookieJar(),
            trust_env=trust_env,
            timeout=client_timeout(limits, bounded=False),
            middlewares=(one_request,),
        ) as session,
        await _open(session, url) as answer,
    ):
        # What a file server counts is not the API's rate limit.
        headers = {name: answer.headers[name] for name in ("date", "retry-after") if name in answer.headers}
        if (refusal := error_of(Response(answer.status, headers))) is not None:
            raise refusal
        received = 0
        while piece := await _read(answer):
            received += len(piece)
            if size is not None and received > size:
                raise DecodeError(f"the file is longer than {size} bytes, which is what the case says")
            write(piece)


async def _open(session: aiohttp.ClientSession, url: str) -> aiohttp.ClientResponse:
    try:
        return await session.get(URL(url, encoded=True))
    except (aiohttp.ClientError, OSError) as error:
        failure = translated(error)
    raise failure


async def _read(answer: aiohttp.ClientResponse) -> bytes:
    try:
        return await answer.content.read(_PIECE)
    except (aiohttp.ClientError, OSError) as error:
        failure = translated(error)
    raise failure
