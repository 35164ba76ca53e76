"""Downloads that are redirected, and addresses that nothing can be fetched from."""

from __future__ import annotations

import attrs
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from persona_cases import APIError, PersonaClient, RetryPolicy, TransportError
from persona_cases.errors import InvalidArgumentError, PersonaError
from persona_cases.models import Attachment
from persona_cases.testing import Fault

ONCE = RetryPolicy(attempts=1)
HOST = "https://files.withpersona.com"


def attached(url):
    return Attachment(filename="scan.pdf", url=url, byte_size=4)


async def test_each_hop_is_asked_for_by_itself(mocked_http, tmp_path):
    mocked_http.get(f"{HOST}/a?access_token=t", status=302, headers={"Location": "https://cdn.example.com/b"})
    mocked_http.get("https://cdn.example.com/b", status=307, headers={"Location": "/c?sig=x%2Fy"})
    mocked_http.get("https://cdn.example.com/c?sig=x%2Fy", body=b"file")
    async with PersonaClient("a-key", retry=ONCE) as client:
        path = await client.cases.download(attached(f"{HOST}/a?access_token=t"), tmp_path / "file")
    assert path.read_bytes() == b"file"
    calls = [call for calls in mocked_http.requests.values() for call in calls]
    assert len(calls) == 3
    assert all(not call.kwargs["allow_redirects"] and not call.kwargs.get("headers") for call in calls)


@pytest.mark.parametrize(
    "location",
    ["http://cdn.example.com/b", "https://169.254.169.254/b", "http://127.0.0.1/b", "https://[::1]/b", "file:///b"],
)
async def test_a_hop_that_the_first_address_could_not_be_is_not_followed(mocked_http, tmp_path, location):
    mocked_http.get(f"{HOST}/a", status=302, headers={"Location": location})
    async with PersonaClient("a-key", retry=ONCE) as client:
        with pytest.raises(APIError, match="302 the file host's redirect .*: it is not followed"):
            await client.cases.download(attached(f"{HOST}/a"), tmp_path / "file")
    assert len(mocked_http.requests) == 1
    assert not list(tmp_path.iterdir())


async def test_redirects_without_end_are_given_up(mocked_http, tmp_path):
    mocked_http.get(f"{HOST}/a", status=302, headers={"Location": "/a"}, repeat=True)
    async with PersonaClient("a-key", retry=ONCE) as client:
        with pytest.raises(APIError, match="follows 5 others: it is not followed"):
            await client.cases.download(attached(f"{HOST}/a"), tmp_path / "file")
    assert sum(map(len, mocked_http.requests.values())) == 6


async def test_the_simulator_redirects_on_this_machine(sim, attachment, tmp_path):
    sim.faults.next(Fault.redirect(attachment.url), path="/files/*")
    async with sim.client() as client:
        await client.cases.download(attachment, tmp_path / "file")
    assert (tmp_path / "file").stat().st_size == attachment.byte_size


async def test_a_refused_address_says_that_addresses_expire(sim, attachment, tmp_path):
    sim.faults.add(Fault.body(b"", status=403), path="/files/*")
    async with sim.client(retry=ONCE) as client:
        with pytest.raises(APIError, match="403 the file host refused: .*load the case again"):
            await client.cases.download(attachment, tmp_path / "file")


@pytest.mark.parametrize("wrong", ["case_7", None, b"url"])
async def test_what_is_not_an_attachment_is_refused_with_words(wrong, tmp_path):
    async with PersonaClient("a-key") as client:
        with pytest.raises(InvalidArgumentError, match="attachment must be an Attachment: get the case"):
            await client.cases.download(wrong, tmp_path / "file")


@settings(max_examples=40)
@given(st.text() | st.builds("https://127.0.0.1:1{}".format, st.text()) | st.builds("https://{}".format, st.text()))
async def test_whatever_a_case_calls_an_address_the_error_is_ours(tmp_path_factory, url):
    # Names are looked up nowhere: all that is asked is a port of this machine where nobody listens.
    path = tmp_path_factory.mktemp("downloads") / "file"
    async with PersonaClient(
        "a-key", base_url="https://127.0.0.1:1/api/v1", proxy="http://127.0.0.1:1", retry=ONCE
    ) as persona:
        with pytest.raises(PersonaError) as caught:
            await persona.cases.download(attrs.evolve(attached("x"), url=url), path)
    assert isinstance(caught.value, (InvalidArgumentError, TransportError))
