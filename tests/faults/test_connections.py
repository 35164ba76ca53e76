"""What becomes of connections, and of answers that are too large."""

from __future__ import annotations

import asyncio
import tracemalloc

import attrs
import pytest
from secrecy.overhearing import texts_of

from faults.leaks import nothing_left, works
from faults.points import handshake
from faults.scenes import simulated
from persona_cases import (
    APIError,
    ConnectionFailedError,
    DecodeError,
    PersonaClient,
    RateLimitError,
    RequestTimeoutError,
    RetryPolicy,
    ServerError,
    Timeout,
)
from persona_cases.errors import InvalidArgumentError
from persona_cases.testing import Delivery, Fault, Simulator

MEGABYTE = 1024 * 1024
ONCE = RetryPolicy(attempts=1)


async def test_a_connection_that_the_server_closed_is_not_used_again():
    async with simulated(Fault.closed_after())() as scene:
        for _ in range(3):
            await scene.client.cases.list()
        await works(scene.client)


async def test_what_comes_after_an_answer_is_not_taken_for_the_next_one():
    late = Fault("late", delivery=Delivery(announced=30, pause=0.05))
    async with simulated(late)() as scene:
        with pytest.raises(DecodeError):
            await scene.client.cases.list()
        await scene.heal()
        await works(scene.client)
        await asyncio.sleep(0.1)
        await works(scene.client)


async def test_json_is_read_whatever_its_content_type():
    other = Fault.headers({"Content-Type": "text/plain; charset=latin-1"})
    async with simulated(other)() as scene:
        assert len((await scene.client.cases.list()).items) == 3


@pytest.mark.parametrize("encoding", ["br", "x-unheard-of"])
async def test_an_encoding_that_nobody_asked_for_is_an_error(encoding):
    fault = Fault(
        "encoded",
        alter=lambda answer: attrs.evolve(
            answer, body=b"\x0b\x02\x80neither", headers={**answer.headers, "Content-Encoding": encoding}
        ),
    )
    async with simulated(fault, retry=ONCE)() as scene:
        with pytest.raises((DecodeError, ConnectionFailedError)):
            await scene.client.cases.list()
        await scene.heal()
        await works(scene.client)


async def test_a_plain_server_is_not_taken_for_one_with_tls():
    async with nothing_left(), Simulator(cases=1) as sim:
        address = sim.base_url.replace("http:", "https:")
        async with PersonaClient("a-key", base_url=address, retry=ONCE) as client:
            with pytest.raises(ConnectionFailedError, match="no TLS connection could be made") as caught:
                await client.cases.list()
            assert caught.value.sent is False
            del caught


async def test_a_handshake_that_takes_too_long_is_a_timeout_before_anything_was_sent():
    async with handshake() as stuck:
        hasty = stuck.client.with_options(timeout=Timeout(connect=0.05), retry=ONCE)
        with pytest.raises(RequestTimeoutError, match="no connection within the timeout") as caught:
            await hasty.rate_limits()
        assert caught.value.sent is False
        del caught
        stuck.release()
        await works(stuck.client)


async def test_a_proxy_that_refuses_is_named_without_its_password(monkeypatch):
    async def refuse(reader, writer):
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 407 Proxy Authentication Required\r\nContent-Length: 0\r\n\r\n")
        await writer.drain()
        writer.close()

    async with nothing_left(), await asyncio.start_server(refuse, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        monkeypatch.setenv("https_proxy", f"http://jane:proxy-password@127.0.0.1:{port}")
        async with PersonaClient("a-key", base_url="https://api.example.com", trust_env=True, retry=ONCE) as client:
            with pytest.raises(ConnectionFailedError, match="proxy refused the connection with status 407") as caught:
                await client.cases.list()
        assert caught.value.sent is False
        assert all("proxy-password" not in text for _, text in texts_of(caught.value))
        del caught


# ---- the size of answers ---------------------------------------------------------------------------------------------


async def peak_of(scene, error):
    """How many bytes more were needed at some moment of a request."""
    tracemalloc.start()
    try:
        with pytest.raises(error):
            await scene.client.request("GET", "/cases")
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


async def test_what_was_packed_small_can_not_fill_the_memory():
    async with simulated(Fault.packed(64 * MEGABYTE), most=MEGABYTE)() as scene:
        assert await peak_of(scene, DecodeError) < 16 * MEGABYTE
        await scene.heal()
        await works(scene.client)


async def test_an_answer_as_large_as_allowed_is_taken():
    async with simulated(Fault.huge(1000))() as scene:
        size = len((await scene.client.request("GET", "/cases")).body)
        assert await scene.client.with_options(max_answer_bytes=size).cases.list().collect() == []
        with pytest.raises(DecodeError, match=f"larger than {size - 1} bytes.*req_"):
            await scene.client.with_options(max_answer_bytes=size - 1).cases.list()
        await works(scene.client)


async def test_a_large_document_with_an_error_leaves_the_status():
    async with simulated(Fault.huge(200_000, status=503), most=1000)() as scene:
        with pytest.raises(ServerError, match="503") as caught:
            await scene.client.cases.list()
        assert (caught.value.attempts, caught.value.errors) == (4, ())
        del caught
        await scene.heal()
        await works(scene.client)


@pytest.mark.parametrize("most", [0, -1, 1.5, True, "1"])
def test_a_bound_that_can_not_work_is_refused(most):
    with pytest.raises(InvalidArgumentError, match="max_answer_bytes"):
        PersonaClient("key").with_options(max_answer_bytes=most)


@pytest.mark.parametrize("fault", [Fault.drop(), Fault.torn(), Fault.status(500)], ids=lambda fault: fault.name)
async def test_each_sending_of_a_download_is_one_request(fault, tmp_path):
    async with (
        nothing_left(),
        Simulator(cases=60) as sim,
        PersonaClient(sim.api_key, base_url=sim.base_url, retry=RetryPolicy(attempts=3, base=0)) as client,
    ):
        cases = await client.cases.list().collect()
        file = next(file for case in cases for file in case.attachments)
        sim.faults.add(fault, path="/files/*")
        with pytest.raises((ConnectionFailedError, ServerError)) as caught:
            await client.cases.download(file, tmp_path / "file")
        downloads = [request for request in sim.requests if not request.in_api]
        assert len(downloads) == caught.value.attempts == 3
        assert not list(tmp_path.iterdir())
        del caught


# ---- refusals by the rate limit --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "headers", [{}, {"RateLimit-Limit": None, "RateLimit-Remaining": None, "RateLimit-Reset": None}]
)
async def test_a_refusal_by_the_rate_limit_is_an_error_if_waiting_is_not_wanted(headers):
    refusal = Fault.status(429, headers={"RateLimit-Remaining": "0", "RateLimit-Reset": "30", **headers})
    async with simulated(refusal, max_wait=0.5)() as scene:
        with pytest.raises(RateLimitError) as caught:
            await scene.client.cases.list()
        assert len(scene.simulator.requests) == 1
        assert (caught.value.retry_after or 0) >= (0 if headers else 30)
        del caught


async def test_a_refusal_by_the_rate_limit_is_waited_out():
    async with simulated(Fault.rate_limited(reset=0), times=2)() as scene:
        assert len((await scene.client.cases.list()).items) == 3
        assert [request.status for request in scene.simulator.requests] == [429, 429, 200]
        await works(scene.client)


async def test_a_large_body_that_is_refused_early_leaves_a_connection_that_works():
    async def refuse(reader, writer):
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 413 Payload Too Large\r\nContent-Length: 2\r\n\r\n{}")
        await reader.read()
        writer.close()

    async with nothing_left():
        server = await asyncio.start_server(refuse, "127.0.0.1", 0)
        address = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/api/v1"
        async with server, PersonaClient("a-key", base_url=address, max_connections=1, retry=ONCE) as client:
            for _ in range(3):
                with pytest.raises(APIError, match="413"):
                    await client.request("POST", "/things", json={"text": "x" * 9 * MEGABYTE})
