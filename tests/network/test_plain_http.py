"""A base URL of plain http, as of a simulator in another container."""

from __future__ import annotations

import pytest

from persona_cases import PersonaClient
from persona_cases.errors import InvalidArgumentError
from persona_cases.testing import Simulator

ADDRESS = "http://simulator:8080/api/v1"


def test_it_is_refused_with_what_allows_it():
    with pytest.raises(InvalidArgumentError, match="anyone on the network could read the API key.*allow_http=True"):
        PersonaClient("a-key", base_url=ADDRESS)


@pytest.mark.parametrize("said", ["1", "true", "YES"])
def test_the_environment_allows_it(monkeypatch, said):
    monkeypatch.setenv("PERSONA_ALLOW_HTTP", said)
    PersonaClient("a-key", base_url=ADDRESS)
    with pytest.raises(InvalidArgumentError):
        PersonaClient("a-key", base_url=ADDRESS, allow_http=False)


@pytest.mark.parametrize("said", ["", "0", "no"])
def test_the_environment_does_not_allow_it(monkeypatch, said):
    monkeypatch.setenv("PERSONA_ALLOW_HTTP", said)
    with pytest.raises(InvalidArgumentError, match="base_url"):
        PersonaClient("a-key", base_url=ADDRESS)
    PersonaClient("a-key", base_url=ADDRESS, allow_http=True)


def test_the_environment_says_neither(monkeypatch):
    monkeypatch.setenv("PERSONA_ALLOW_HTTP", "perhaps")
    with pytest.raises(InvalidArgumentError, match="PERSONA_ALLOW_HTTP in the environment must be 1 or 0"):
        PersonaClient("a-key")


async def test_files_are_where_the_client_found_the_simulator(tmp_path):
    # One that listens everywhere, as in a container, does not know by what name it was found.
    async with Simulator(cases=40, host="0.0.0.0") as sim:
        assert sim.origin.startswith("http://127.0.0.1:")
        address = sim.base_url.replace("127.0.0.1", "localhost")
        async with sim.client(base_url=address) as client:
            file = next(file for case in await client.cases.list().collect() for file in case.attachments)
            assert file.url.startswith("http://localhost:")
            await client.cases.download(file, tmp_path / "file")
