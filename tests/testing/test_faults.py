"""Scripted faults, as they look on the raw wire."""

import asyncio

import aiohttp
import pytest

from persona_cases.errors import InvalidArgumentError
from persona_cases.testing import Delivery, Fault, ManualClock, Simulator


@pytest.fixture
async def sim():
    async with Simulator(cases=30) as simulator:
        yield simulator


async def raw(sim, path="/cases", method="GET"):
    """What a bare socket receives until the server closes it."""
    host, _, port = sim.origin.removeprefix("http://").partition(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    lines = (
        f"{method} /api/v1{path} HTTP/1.1",
        f"Host: {host}:{port}",
        f"Authorization: Bearer {sim.api_key}",
        "Connection: close",
        "Content-Length: 0",
    )
    try:
        writer.write("\r\n".join([*lines, "", ""]).encode())
        received = await reader.read()
    finally:
        writer.close()
        await writer.wait_closed()
    head, _, body = received.partition(b"\r\n\r\n")
    status, *headers = head.decode().split("\r\n")
    return status, dict(line.split(": ", 1) for line in headers), body


async def test_without_faults_the_bare_socket_sees_a_whole_answer(sim):
    status, headers, body = await raw(sim)
    assert status == "HTTP/1.1 200 OK"
    assert int(headers["Content-Length"]) == len(body)


async def test_an_error_status_with_its_document(sim):
    sim.faults.next(Fault.status(503))
    status, headers, body = await raw(sim)
    assert status.startswith("HTTP/1.1 503")
    assert body == b'{"errors":[{"title":"Service unavailable"}]}'
    assert headers["Request-Id"].startswith("req_")
    assert (await raw(sim))[0] == "HTTP/1.1 200 OK"


async def test_title_details_and_headers_of_an_error_can_be_chosen(sim):
    sim.faults.next(Fault.status(409, "Stale object error", "Try again.", headers={"X-One": "1", "Request-Id": None}))
    status, headers, body = await raw(sim)
    assert status.startswith("HTTP/1.1 409")
    assert body == b'{"errors":[{"title":"Stale object error","details":"Try again."}]}'
    assert headers["X-One"] == "1"
    assert "Request-Id" not in headers


async def test_a_scripted_401_has_no_rate_limit_headers(sim):
    sim.faults.next(Fault.status(401))
    _, headers, body = await raw(sim)
    assert body == b'{"errors":[{"title":"Token is invalid"}]}'
    assert not [name for name in headers if name.startswith("RateLimit")]


async def test_a_scripted_429_says_when_the_window_ends(sim):
    sim.faults.next(Fault.rate_limited(reset=7), Fault.rate_limited())
    status, headers, body = await raw(sim)
    assert status.startswith("HTTP/1.1 429")
    assert (headers["RateLimit-Remaining"], headers["RateLimit-Reset"]) == ("0", "7")
    assert b"Rate limit exceeded" in body
    assert int((await raw(sim))[1]["RateLimit-Reset"]) > 0


async def test_a_torn_body_is_shorter_than_announced(sim):
    sim.faults.next(Fault.torn(after=33))
    status, headers, body = await raw(sim)
    assert status == "HTTP/1.1 200 OK"
    assert len(body) == 33
    assert int(headers["Content-Length"]) > 33


async def test_a_dropped_connection_says_nothing(sim):
    sim.faults.next(Fault.drop())
    assert await raw(sim) == ("", {}, b"")
    assert sim.requests[0].status is None
    assert sim.requests[0].fault == "drop"


async def test_garbage_empty_and_html_bodies(sim):
    sim.faults.next(Fault.garbage(), Fault.empty(), Fault.html(), Fault.html(504), Fault.body(b"x", status=418))
    status, headers, body = await raw(sim)
    assert (status, headers["Content-Type"]) == ("HTTP/1.1 200 OK", "application/json; charset=utf-8")
    assert body.startswith(b'{"data": [')
    assert not body.endswith(b"}")
    status, _, body = await raw(sim)
    assert (status, body) == ("HTTP/1.1 200 OK", b"")
    status, headers, body = await raw(sim)
    assert status == "HTTP/1.1 502 Bad Gateway"
    assert headers["Content-Type"].startswith("text/html")
    assert not {"Request-Id", "RateLimit-Limit"} & headers.keys()
    assert body.startswith(b"<html>")
    assert (await raw(sim))[0].startswith("HTTP/1.1 504")
    assert (await raw(sim))[0].startswith("HTTP/1.1 418")


async def test_a_dripping_body_arrives_whole_in_pieces(sim):
    _, _, whole = await raw(sim)
    sim.faults.next(Fault.drip(chunk=len(whole) // 3 + 1, pause=0.001))
    url, headers = f"{sim.base_url}/cases", {"Authorization": f"Bearer {sim.api_key}"}
    async with aiohttp.ClientSession() as session, session.get(url, headers=headers) as response:
        pieces = [piece async for piece in response.content.iter_any()]
    assert b"".join(pieces) == whole
    assert len(pieces) >= 2


async def test_a_delayed_answer_outlasts_a_short_timeout(sim):
    sim.faults.next(Fault.delay(30))
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.05):
            await raw(sim)
    assert (await raw(sim))[0] == "HTTP/1.1 200 OK"


async def test_latency_delays_every_answer():
    async with Simulator(cases=0, latency=30) as sim:
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.05):
                await raw(sim)


async def test_whether_the_request_took_effect_is_part_of_the_fault():
    async with Simulator(cases=0, rate_limit="10/60", clock=ManualClock()) as sim:
        sim.faults.next(Fault.drop(), Fault.drop(applied=True), Fault.html(), Fault.status(500, applied=True))
        for _ in range(4):
            await raw(sim)
        _, headers, _ = await raw(sim)
        # Two of the four reached the API, which counted them before this one.
        assert headers["RateLimit-Remaining"] == "7"


async def test_headers_can_be_changed_and_left_out(sim):
    sim.faults.next(Fault.headers({"RateLimit-Remaining": None, "RateLimit-Limit": "soon"}))
    status, headers, _ = await raw(sim)
    assert status == "HTTP/1.1 200 OK"
    assert "RateLimit-Remaining" not in headers
    assert headers["RateLimit-Limit"] == "soon"


async def test_documents_can_be_rewritten(sim):
    def elsewhere(document):
        return {**document, "links": {"prev": None, "next": "https://elsewhere.example.com/api/v1/cases"}}

    sim.faults.next(Fault.rewrite(elsewhere), Fault.rewrite(lambda document: {**document, "data": []}))
    assert b"elsewhere.example.com" in (await raw(sim))[2]
    assert (await raw(sim))[2].startswith(b'{"data":[],"links":{"prev":null,"next":"/api')


async def test_a_fault_of_ones_own(sim):
    sim.faults.next(Fault("both", delivery=Delivery(chunk=10, cut_after=25)))
    assert len((await raw(sim))[2]) == 25
    assert sim.requests[0].fault == "both"


async def statuses(sim, count, path="/cases", method="GET"):
    return [int((await raw(sim, path, method))[0].split()[1]) for _ in range(count)]


async def test_faults_in_a_row_happen_in_order(sim):
    sim.faults.next(Fault.status(500), Fault.status(503))
    sim.faults.next(Fault.status(409))
    assert await statuses(sim, 4) == [500, 503, 409, 200]


async def test_rules_choose_by_method_and_path(sim):
    searches = sim.faults.add(Fault.status(500), path="/cases/search")
    posts = sim.faults.add(Fault.status(503), method="post")
    below = sim.faults.add(Fault.status(409), path="/cases/*")
    assert await statuses(sim, 1, "/cases") == [200]
    assert await statuses(sim, 1, "/cases/search", "POST") == [500]
    assert await statuses(sim, 1, "/cases", "POST") == [503]
    assert await statuses(sim, 1, "/cases/case_1") == [409]
    assert (searches.seen, searches.fired) == (1, 1)
    assert (posts.seen, posts.fired) == (2, 1)
    assert (below.seen, below.fired) == (2, 1)


async def test_rules_choose_by_number(sim):
    sim.faults.add(Fault.status(500), nth=2)
    sim.faults.add(Fault.status(503), nth=(4, 5))
    assert await statuses(sim, 6) == [200, 500, 200, 503, 503, 200]


async def test_rules_choose_every_so_many_and_stop(sim):
    rule = sim.faults.add(Fault.status(500), every=2, times=2)
    assert await statuses(sim, 7) == [200, 500, 200, 500, 200, 200, 200]
    assert rule.fired == 2


async def test_rules_choose_by_a_function_of_the_request(sim):
    sim.faults.add(Fault.status(500), when=lambda request: request.params.get("page[size]") == "7")
    assert await statuses(sim, 1, "/cases?page[size]=7") == [500]
    assert await statuses(sim, 1, "/cases?page[size]=8") == [200]


async def test_chance_is_decided_by_the_seed():
    seen = []
    for seed in (1, 1, 2):
        async with Simulator(cases=0, seed=seed) as sim:
            sim.faults.add(Fault.status(500), probability=0.5)
            seen.append(await statuses(sim, 20))
    assert seen[0] == seen[1] != seen[2]
    assert set(seen[0]) == {200, 500}


async def test_rules_can_be_taken_back(sim):
    rule = sim.faults.add(Fault.status(500))
    other = sim.faults.add(Fault.status(503))
    assert await statuses(sim, 1) == [500]
    sim.faults.remove(rule)
    sim.faults.remove(rule)
    assert await statuses(sim, 1) == [503]
    sim.faults.clear()
    assert await statuses(sim, 1) == [200]
    assert other.fired == 1


@pytest.mark.parametrize(
    "conditions",
    [{"every": 0}, {"probability": 1.5}, {"probability": -0.1}, {"nth": 0}, {"nth": [1, 0]}, {"times": 0}],
)
async def test_impossible_conditions_are_refused(sim, conditions):
    (name,) = conditions
    with pytest.raises(InvalidArgumentError, match=name):
        sim.faults.add(Fault.drop(), **conditions)


async def test_an_error_in_a_script_is_raised_where_the_test_sees_it():
    sim = Simulator(cases=0)
    await sim.start()
    sim.faults.next(Fault.rewrite(lambda document: document["no such member"]))
    status, _, _ = await raw(sim)
    assert status.startswith("HTTP/1.1 500")
    assert sim.requests[0].status == 500
    with pytest.raises(KeyError, match="no such member"):
        await sim.stop()
    await sim.stop()


@pytest.mark.parametrize(
    ("fault", "said"),
    [
        (Fault.status(503), "Fault.status(503)"),
        (Fault.status(422, "Title of Jane", "details of Jane", stored=True), "Fault.status(422, stored=True)"),
        (Fault.rate_limited(5), "Fault.rate_limited(5)"),
        (Fault.drop(applied=True), "Fault.drop(applied=True)"),
        (Fault.torn(), "Fault.torn(20)"),
        (Fault.delay(0.5), "Fault.delay(0.5)"),
        (Fault.body(b"of Jane"), "Fault.body(<7 bytes>)"),
        (Fault.html(), "Fault.html(502)"),
        (Fault.redirect("https://example.com/jane"), "Fault.redirect(...)"),
        (Fault.headers({"X-Name": "Jane"}), "Fault.headers({...})"),
        (Fault("mine"), "<Fault: mine>"),
    ],
)
def test_a_fault_says_how_it_is_made_and_quotes_nothing(fault, said):
    assert repr(fault) == said


async def test_rules_say_what_they_did():
    async with Simulator(cases=1) as sim:
        sim.faults.next(Fault.status(503))
        assert repr(sim.faults) == "<Faults: [<FaultRule: Fault.status(503), 0 seen, 0 fired>]>"
