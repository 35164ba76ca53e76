import functools
from unittest.mock import Mock

import aiohttp
import pytest
from aioresponses import CallbackResult
from aioresponses import aioresponses as raw_aioresponses

URL = "https://api.example.com/cases"


async def read(url=URL):
    async with aiohttp.ClientSession() as session, session.get(url) as response:
        return response.status, await response.read()


async def test_answers_arrive(mocked_http):
    mocked_http.get(URL, status=201, payload={"data": []}, headers={"X-One": "1"})
    async with aiohttp.ClientSession() as session, session.get(URL) as response:
        assert response.status == 201
        assert response.headers["X-One"] == "1"
        assert await response.json() == {"data": []}
    mocked_http.assert_called_once_with(URL)


async def test_bodies_may_be_large(mocked_http):
    body = b"x" * 1_000_000
    mocked_http.get(URL, body=body)
    assert await read() == (200, body)


async def test_errors_are_raised(mocked_http):
    mocked_http.get(URL, exception=aiohttp.ServerDisconnectedError())
    with pytest.raises(aiohttp.ServerDisconnectedError):
        await read()


async def test_callbacks_see_the_request(mocked_http):
    mocked_http.get(URL, callback=lambda url, **options: CallbackResult(status=418, body=str(url)))
    assert await read() == (418, URL.encode())


async def test_aioresponses_still_needs_mending():
    """Fails when aioresponses works as released: then `persona_cases.testing.aioresponses` can go."""
    with raw_aioresponses() as mock:
        mock.get(URL, payload={})
        with pytest.raises(TypeError, match="stream_writer"):
            await read()


async def test_aioresponses_still_chokes_on_large_bodies(monkeypatch):
    """Fails when the second defect is mended, as the test above does for the first."""
    from aioresponses import core

    with_writer = functools.partial(aiohttp.ClientResponse, stream_writer=Mock(output_size=0))
    monkeypatch.setattr(core, "ClientResponse", with_writer)
    with raw_aioresponses() as mock:
        mock.get(URL, body=b"x" * 131_073)
        with pytest.raises(AssertionError):
            await read()
