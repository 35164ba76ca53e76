import asyncio
import gc
import socket
from datetime import UTC, datetime

import aiohttp
import pytest

from persona_cases.errors import ClientStateError, InvalidArgumentError
from persona_cases.testing import ManualClock, Simulator


async def test_two_simulators_share_nothing(simulate):
    one, two = await simulate(cases=5, seed=1), await simulate(cases=5, seed=1)
    assert (await one.get("/cases")).ids == (await two.get("/cases")).ids
    created = one.sim.store.create_case("KYC", fields={"priority": "low"}, tags=("mine",))
    one.sim.spend(10)
    assert created.id in (await one.get("/cases")).ids
    assert created.id not in (await two.get("/cases")).ids
    assert len(two.sim.requests) == 2
    assert one.sim.base_url != two.sim.base_url


async def test_a_created_case_is_stamped_named_and_typed(simulate):
    clock = ManualClock(datetime(2025, 5, 1, 8, tzinfo=UTC))
    api = await simulate(cases=0, clock=clock)
    case = api.sim.store.create_case("AML", fields={"amount": 12.5}, status="pending", sla_expires_at=clock.now())
    assert (case.name, case.status) == ("AML-1", "pending")
    assert case.created_at == case.updated_at == case.sla_expires_at == "2025-05-01T08:00:00.000Z"
    assert case.fields == {"amount": {"type": "number", "value": 12.5}}
    clock.advance(61.5)
    changed = api.sim.store.update_case(case.id, fields={"priority": "high"}, status="cleared")
    assert changed.updated_at == "2025-05-01T08:01:01.500Z"
    assert changed.fields["amount"]["value"] == 12.5
    assert changed.fields["priority"] == {"type": "choices", "value": "high"}
    assert api.sim.store.cases[case.id] == changed


async def test_impossible_changes_are_refused(simulate):
    store = (await simulate(cases=1)).sim.store
    (case_id,) = store.cases
    with pytest.raises(InvalidArgumentError, match="KYC, AML, DOC, KYB, CHB"):
        store.create_case("nonsense")
    with pytest.raises(InvalidArgumentError, match="shoe"):
        store.create_case("KYC", fields={"shoe": 1})
    with pytest.raises(TypeError, match="statuss"):
        store.update_case(case_id, statuss="open")
    with pytest.raises(TypeError, match="id"):
        store.update_case(case_id, id="other")
    with pytest.raises(InvalidArgumentError, match="time zone"):
        store.create_case("KYC", created_at=datetime(2025, 1, 1))
    with pytest.raises(KeyError):
        store.update_case("case_unknown", status="open")
    with pytest.raises(TypeError):
        store.cases["case_x"] = store.cases[case_id]


async def test_a_case_removed_is_gone_everywhere(api):
    gone = next(iter(api.sim.store.cases))
    api.sim.store.remove_case(gone)
    assert (await api.get(f"/cases/{gone}")).status == 404
    for answered in (await api.get("/cases", {"page[size]": "100"}), await api.search({"page": {"size": 100}})):
        assert len(answered.ids) == 39
        assert gone not in answered.ids


async def test_many_requests_at_once_are_all_answered(api):
    answers = await asyncio.gather(*(api.get("/cases") for _ in range(50)))
    assert {answered.status for answered in answers} == {200}
    assert len({answered.headers["Request-Id"] for answered in answers}) == 50


def test_a_simulator_that_does_not_run_says_so():
    with pytest.raises(ClientStateError, match="does not run"):
        _ = Simulator(cases=0).base_url


async def test_it_can_not_be_started_twice():
    async with Simulator(cases=0) as sim:
        with pytest.raises(ClientStateError, match="runs already"):
            await sim.start()


async def test_stopped_and_started_again_it_is_the_same(simulate):
    api = await simulate(cases=0)
    url, case = api.sim.base_url, api.sim.store.create_case()
    await api.sim.stop()
    with pytest.raises(aiohttp.ClientConnectorError):
        await api.session.get(f"{url}/cases")
    await api.sim.start()
    assert api.sim.base_url == url
    assert (await api.get("/cases")).ids == [case.id]


async def test_a_taken_port_is_named():
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        sim = Simulator(cases=0, port=port)
        with pytest.raises(InvalidArgumentError, match=f"127.0.0.1:{port} cannot be listened on"):
            await sim.start()
    await sim.start()
    assert sim.base_url == f"http://127.0.0.1:{port}/api/v1"
    await sim.stop()


@pytest.mark.parametrize("settings", [{"latency": -1}, {"index_lag": -0.5}, {"cases": -1}, {"port": 70_000}])
def test_settings_out_of_range_are_refused(settings):
    (name,) = settings
    with pytest.raises(InvalidArgumentError, match=name):
        Simulator(**{"cases": 0, **settings})


async def test_stopping_closes_open_connections_and_leaves_nothing_behind():
    sim = Simulator(cases=0)
    await sim.start()
    host, _, port = sim.origin.removeprefix("http://").partition(":")
    idle = [await asyncio.open_connection(host, int(port)) for _ in range(3)]
    half_sent = await asyncio.open_connection(host, int(port))
    half_sent[1].write(b"GET /api/v1/cases HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\nabc")
    await sim.stop()
    for reader, writer in [*idle, half_sent]:
        async with asyncio.timeout(2):
            await reader.read()
        writer.close()
        await writer.wait_closed()
    gc.collect()


async def test_stopping_does_not_wait_for_slow_answers():
    sim = Simulator(cases=0, latency=60)
    await sim.start()
    async with aiohttp.ClientSession() as session:
        pending = asyncio.ensure_future(session.get(f"{sim.base_url}/cases"))
        async with asyncio.timeout(5):
            while not sim.requests:
                await asyncio.sleep(0.005)
            await sim.stop()
            with pytest.raises(aiohttp.ClientError):
                await pending


async def test_another_address_can_be_bound():
    async with Simulator(cases=0, host="localhost") as sim:
        assert sim.base_url.startswith("http://localhost:")


def test_clocks_only_go_forward():
    with pytest.raises(InvalidArgumentError, match="seconds"):
        ManualClock().advance(-1)
    with pytest.raises(InvalidArgumentError, match="start"):
        ManualClock(datetime(2026, 1, 1))


async def test_a_body_too_large_is_refused(simulate, monkeypatch):
    monkeypatch.setattr("persona_cases.testing.http.server._LARGEST_BODY", 1000)
    api = await simulate(cases=0)
    answered = await api.send("POST", "/cases/search", data=b" " * 2000)
    assert (answered.status, answered.error["title"]) == (413, "Payload too large")
