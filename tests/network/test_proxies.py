"""Requests and downloads over a proxy, given or found in the environment."""

from __future__ import annotations

import base64
import socket
import ssl

import aiohttp
import attrs
import pytest
from faults.scenes import CERTIFICATE
from network.intermediaries import proxy_to
from secrecy.overhearing import texts_of

from persona_cases import APIError, ConnectionFailedError, PersonaClient, RetryPolicy
from persona_cases.errors import InvalidArgumentError

ONCE = RetryPolicy(attempts=1)
PASSWORD = "p%40ss-word"
CREDENTIALS = "Basic " + base64.b64encode(b"jane:p@ss-word").decode()


def unverified() -> ssl.SSLContext:
    """Trusts the certificate of the tests, for any name."""
    context = ssl.create_default_context(cafile=CERTIFICATE)
    context.check_hostname = False
    return context


def readdressed(attachment, origin):
    _, _, rest = attachment.url.partition("/files/")
    return attrs.evolve(attachment, url=f"{origin}/files/{rest}")


def with_password(proxy):
    return proxy.url.replace("//", f"//jane:{PASSWORD}@")


async def test_a_given_proxy_tunnels_the_api_and_files(sim, tls_proxy, attachment, tmp_path):
    settings = {"base_url": "https://api.example.com/api/v1", "proxy": tls_proxy.url, "ssl": unverified()}
    async with sim.client(**settings) as client:
        assert len(await client.cases.list().collect()) == 40
        file = await client.cases.download(readdressed(attachment, "https://files.example.com"), tmp_path / "file")
    assert file.stat().st_size == attachment.byte_size
    assert [(asked.method, asked.target) for asked in tls_proxy.asked] == [
        ("CONNECT", "api.example.com:443"),
        ("CONNECT", "files.example.com:443"),
    ]
    assert not any("authorization" in name for asked in tls_proxy.asked for name in asked.headers)


async def test_plain_http_is_asked_for_by_its_whole_address(sim, proxy, attachment, tmp_path):
    settings = {"base_url": "http://simulator:8080/api/v1", "allow_http": True, "proxy": proxy.url}
    async with sim.client(**settings) as client:
        await client.cases.list(page_size=100)
        await client.cases.download(readdressed(attachment, "http://simulator:8080"), tmp_path / "file")
    listed, downloaded = proxy.asked
    assert (listed.method, listed.target) == ("GET", "http://simulator:8080/api/v1/cases?page%5Bsize%5D=100")
    assert downloaded.target.startswith("http://simulator:8080/files/")
    assert "authorization" not in downloaded.headers


@pytest.mark.parametrize("name", ["HTTPS_PROXY", "https_proxy", "ALL_PROXY"])
async def test_the_environment_names_a_proxy(sim, tls_proxy, attachment, tmp_path, monkeypatch, name):
    monkeypatch.setenv(name, tls_proxy.url)
    async with sim.client(base_url="https://api.example.com/api/v1", ssl=unverified()) as client:
        await client.cases.list(page_size=100)
        await client.cases.download(readdressed(attachment, "https://files.example.com"), tmp_path / "file")
    assert [asked.target for asked in tls_proxy.asked] == ["api.example.com:443", "files.example.com:443"]


async def test_no_proxy_and_this_machine_are_reached_directly(sim, attachment, tmp_path, monkeypatch):
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"):
        monkeypatch.setenv(name, "no-scheme-and-never-looked-at:1")
    async with sim.client() as client:
        await client.cases.list(page_size=100)
        await client.cases.download(attachment, tmp_path / "file")
    monkeypatch.setenv("NO_PROXY", "example.com")
    PersonaClient("a-key", base_url="https://api.example.com/api/v1")
    with pytest.raises(InvalidArgumentError, match="HTTPS_PROXY in the environment has no scheme"):
        PersonaClient("a-key", base_url="https://api.example.org/api/v1")
    PersonaClient("a-key", base_url="https://api.example.org/api/v1", trust_env=False)


@pytest.mark.parametrize("scheme", ["https", "http"])
async def test_a_proxy_is_told_user_and_password_and_nobody_else_is(sim, port, tls_port, attachment, tmp_path, scheme):
    async with proxy_to(tls_port if scheme == "https" else port, credentials=CREDENTIALS) as proxy:
        settings = {"base_url": f"{scheme}://api.example.com/api/v1", "allow_http": True, "ssl": unverified()}
        async with sim.client(proxy=with_password(proxy), **settings) as client:
            for _ in range(2):
                await client.cases.list(page_size=100)
            await client.cases.download(readdressed(attachment, f"{scheme}://api.example.com"), tmp_path / "file")
        assert not any("proxy-authorization" in request.headers for request in sim.requests)
        # A tunnel is dug once for all requests to a host.
        assert len(proxy.asked) == (1 if scheme == "https" else 3)


@pytest.mark.parametrize("scheme", ["https", "http"])
async def test_a_proxy_that_wants_a_password_says_so(port, scheme):
    async with proxy_to(port, credentials=CREDENTIALS) as proxy:
        settings = {"base_url": f"{scheme}://api.example.com/api/v1", "allow_http": True, "retry": ONCE}
        async with PersonaClient("a-key", proxy=proxy.url, **settings) as client:
            with pytest.raises(
                (ConnectionFailedError, APIError), match="407.*wants a user name and a password"
            ) as caught:
                await client.cases.list()
        assert type(caught.value) is (ConnectionFailedError if scheme == "https" else APIError)


async def test_a_dead_proxy_is_named_without_its_password():
    with socket.socket() as reserved:
        reserved.bind(("127.0.0.1", 0))
        proxy = f"http://jane:{PASSWORD}@127.0.0.1:{reserved.getsockname()[1]}"
        async with PersonaClient("a-key", proxy=proxy, retry=ONCE) as client:
            with pytest.raises(ConnectionFailedError, match="the proxy could not be reached.*check proxy=") as caught:
                await client.cases.list()
    assert caught.value.sent is False
    assert not any("ss-word" in text for _, text in texts_of(caught.value))


async def test_a_proxy_whose_name_is_unknown_is_named_as_that():
    async with PersonaClient("a-key", proxy="http://proxy.invalid:3128", retry=ONCE) as client:
        with pytest.raises(ConnectionFailedError, match="name of the proxy could not be resolved"):
            await client.cases.list()


@pytest.mark.parametrize("given", [True, False], ids=["given", "environment"])
@pytest.mark.parametrize("proxy", [f"jane:{PASSWORD}@proxy:1", f"http://jane:{PASSWORD}@proxy:99999"])
def test_no_frame_of_a_refusal_shows_the_password(monkeypatch, given, proxy):
    settings = {"proxy": proxy} if given else {}
    if not given:
        monkeypatch.setenv("HTTPS_PROXY", proxy)
    with pytest.raises(InvalidArgumentError) as caught:
        PersonaClient("a-key", **settings)
    ours = [
        entry for entry in caught.traceback if "persona_cases" in str(entry.path) and "tests" not in str(entry.path)
    ]
    assert len(ours) > 2
    shown = [repr(value) for entry in ours for name, value in entry.locals.items() if name != "self"]
    assert not any("ss-word" in text for text in shown)


async def test_a_borrowed_session_keeps_its_own_proxy(sim, proxy, tls_proxy, monkeypatch):
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:1")
    settings = {"base_url": "http://simulator:8080/api/v1", "allow_http": True}
    async with aiohttp.ClientSession(proxy=proxy.url) as session, sim.client(session=session, **settings) as client:
        await client.cases.list(page_size=100)
    async with aiohttp.ClientSession() as session, sim.client(session=session, proxy=proxy.url, **settings) as client:
        await client.cases.list(page_size=100)
    assert len(proxy.asked) == 2


# ---- .netrc ----------------------------------------------------------------------------------------------------------


@pytest.fixture
def netrc(tmp_path, monkeypatch):
    file = tmp_path / "netrc"
    hosts = ("127.0.0.1", "simulator", "proxy.example.com")
    file.write_text("".join(f"machine {host} login jane password netrc-password\n" for host in hosts))
    file.chmod(0o600)
    monkeypatch.setenv("NETRC", str(file))


@pytest.mark.usefixtures("netrc")
@pytest.mark.parametrize("lent", [None, {"trust_env": True}, {"trust_env": False}], ids=["own", "trusting", "plain"])
async def test_netrc_neither_replaces_the_key_nor_goes_to_file_hosts(sim, attachment, tmp_path, lent):
    if lent is None:
        async with sim.client() as client:
            await client.cases.list(page_size=100)
            await client.cases.download(attachment, tmp_path / "file")
    else:
        async with aiohttp.ClientSession(**lent) as session, sim.client(session=session) as client:
            await client.cases.list(page_size=100)
            await client.cases.download(attachment, tmp_path / "file")
    # The simulator refuses any other key.
    assert [(each.authorized, each.status) for each in list(sim.requests)[-2:]] == [(True, 200), (False, 200)]
