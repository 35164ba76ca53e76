"""Whose certificates are trusted, and what is refused before a request."""

from __future__ import annotations

import ssl
from pathlib import Path

import attrs
import pytest
from faults.scenes import CERTIFICATE

from persona_cases import ConnectionFailedError, PersonaClient, RetryPolicy
from persona_cases.errors import InvalidArgumentError

ONCE = RetryPolicy(attempts=1)


def trusting():
    return ssl.create_default_context(cafile=CERTIFICATE)


@pytest.mark.parametrize("trust", [CERTIFICATE, str(CERTIFICATE), trusting()], ids=["path", "text", "context"])
async def test_an_authority_is_trusted_by_requests_and_downloads(sim, tls_port, attachment, tmp_path, trust):
    origin = f"https://localhost:{tls_port}"
    file = attrs.evolve(attachment, url=f"{origin}/files/{attachment.url.partition('/files/')[2]}")
    async with sim.client(base_url=f"{origin}/api/v1", ssl=trust) as client:
        assert len(await client.cases.list().collect()) == 40
        await client.cases.download(file, tmp_path / "file")
    assert (tmp_path / "file").stat().st_size == attachment.byte_size


async def test_an_authority_that_nobody_named_is_not_trusted(sim, tls_port):
    async with sim.client(base_url=f"https://localhost:{tls_port}/api/v1", retry=ONCE) as client:
        with pytest.raises(ConnectionFailedError, match="no TLS connection could be made: self.signed"):
            await client.cases.list()


async def test_the_environment_names_an_authority(sim, tls_port, monkeypatch):
    monkeypatch.setenv("PERSONA_CA_FILE", str(CERTIFICATE))
    async with sim.client(base_url=f"https://localhost:{tls_port}/api/v1") as client:
        assert len(await client.cases.list().collect()) == 40


def test_a_directory_of_authorities_is_taken(tmp_path):
    PersonaClient("a-key", ssl=tmp_path)


@pytest.mark.parametrize(
    ("trust", "said"),
    [
        (Path("/nowhere/ca.pem"), "ssl: the CA file cannot be read: No such file or directory"),
        ("a\x00b", "ssl: the CA file cannot be read: it is not a path"),
        (Path(__file__), "ssl: the CA file holds no certificates in PEM format"),
        ("", "ssl must be an ssl.SSLContext or the path"),
        (False, "ssl must be an ssl.SSLContext or the path"),
        (7, "ssl must be an ssl.SSLContext or the path"),
        (ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER), "ssl: the context is for servers"),
    ],
)
def test_what_cannot_be_trusted_is_refused_at_once(trust, said):
    with pytest.raises(InvalidArgumentError) as caught:
        PersonaClient("a-key", ssl=trust)
    assert str(caught.value).startswith(said)
    assert "nowhere" not in str(caught.value)


def test_a_file_that_the_environment_names_is_refused_under_its_name(monkeypatch):
    monkeypatch.setenv("PERSONA_CA_FILE", "/nowhere/ca.pem")
    with pytest.raises(InvalidArgumentError, match="^PERSONA_CA_FILE in the environment: the CA file cannot be read"):
        PersonaClient("a-key")
