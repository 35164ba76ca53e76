"""What aiohttp and the system raise becomes an error of ours that quotes nothing."""

from __future__ import annotations

import ssl

import aiohttp
import pytest
from secrecy.overhearing import texts_of

from persona_cases import ConnectionFailedError, InvalidArgumentError, RequestTimeoutError
from persona_cases.transport.connection_failures import translated

ADDRESS = "https://jane@example.com"


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (aiohttp.InvalidURL(ADDRESS), InvalidArgumentError),
        (aiohttp.InvalidUrlRedirectClientError(ADDRESS), ConnectionFailedError),
        (aiohttp.ClientPayloadError(ADDRESS), ConnectionFailedError),
        (aiohttp.ClientConnectionResetError(ADDRESS), ConnectionFailedError),
        (aiohttp.ServerTimeoutError(ADDRESS), RequestTimeoutError),
        (ConnectionResetError(104, ADDRESS), ConnectionFailedError),
        (ssl.SSLError(1, ADDRESS), ConnectionFailedError),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, Exception) else "",
)
def test_an_error_of_another_library_becomes_one_of_ours_that_quotes_nothing(error, expected):
    ours = translated(error)
    assert type(ours) is expected
    assert all("jane" not in text for _, text in texts_of(ours))
