"""A simulator in a thread of its own, asked by code that blocks."""

from __future__ import annotations

import copy
import json
import threading
import urllib.error
import urllib.request
from concurrent.futures import ThreadPoolExecutor
from urllib.parse import urlsplit

import pytest

from persona_cases.errors import ClientStateError, InvalidArgumentError
from persona_cases.testing import Fault, ManualClock, Mishap, RateLimit, SimulatorServer
from persona_cases.webhooks import WebhookVerifier

SECRET = "wbhsec_test"


@pytest.fixture(scope="module")
def running():
    with SimulatorServer(cases=2) as server:
        yield server


@pytest.fixture
def server(running):
    running.reset()
    return running


def status_of(server, path="/cases", method="GET"):
    headers = {"Authorization": f"Bearer {server.api_key}"}
    request = urllib.request.Request(server.base_url + path, headers=headers, method=method)
    try:
        with urllib.request.urlopen(request, timeout=30) as answer:
            json.loads(answer.read())
            return answer.status
    except urllib.error.HTTPError as error:
        error.close()
        return error.code


def test_a_client_that_blocks_is_answered(server):
    assert status_of(server) == 200
    assert status_of(server, "/cases/case_nope") == 404
    assert [request.status for request in server.requests] == [200, 404]
    assert server.requests[-1].path == "/cases/case_nope"
    assert len(server.requests) == len(server.requests.matching("GET")) == 2


def test_data_faults_and_events_are_reached_from_any_thread(server):
    threads = set[int]()

    def work(number):
        threads.add(threading.get_ident())
        case = server.store.create_case("KYC", tags=(f"tag-{number}",))
        assert status_of(server, f"/cases/{case.id}") == 200
        with server.store.one_change():
            server.store.update_case(case.id, status="pending")
        return case.id

    with ThreadPoolExecutor(8) as pool:
        made = list(pool.map(work, range(40)))
    assert len(threads) > 1
    assert set(made) <= set(server.store.cases)
    assert len(server.store.cases) == 42
    assert len(server.events.matching("case.created")) == len(server.events.matching("case.status-updated")) == 40
    assert server.store.tags.id("tag-3") == server.store.tag_id("tag-3")
    rule = server.faults.add(Fault.status(500), path="/cases")
    assert status_of(server) == 500
    assert rule.fired == 1
    assert "Fault.status(500)" in repr(server.faults)


def test_what_was_read_stays_as_it_was(server):
    before = server.store.cases
    server.store.create_case("KYC")
    assert len(before) == 2
    with pytest.raises(TypeError):
        before["case_1"] = None


def test_a_reset_begins_again_at_the_same_address(server):
    address = server.base_url
    server.faults.add(Fault.status(500))
    server.store.create_case("KYC")
    server.webhooks.deliver_to("http://127.0.0.1:1/", secret=SECRET)
    server.reset(cases=5, rate_limit=RateLimit(2, 60))
    assert (server.base_url, len(server.store.cases), len(server.events)) == (address, 5, 0)
    assert [status_of(server) for _ in range(3)] == [200, 200, 429]
    server.reset()
    assert (len(server.store.cases), len(server.requests)) == (2, 0)
    server.store.create_case("KYC")
    assert server.webhooks.deliveries == ()
    with pytest.raises(InvalidArgumentError):
        server.reset(latency=-1)
    for unknown in ("port", "casess"):
        with pytest.raises(TypeError, match=unknown):
            server.reset(**{unknown: 1})


def test_what_a_function_of_a_fault_raised_comes_with_the_reset(server):
    def wrong(_):
        raise ZeroDivisionError

    server.faults.next(Fault.rewrite(wrong))
    assert status_of(server) == 500
    with pytest.raises(ZeroDivisionError):
        server.reset()
    server.reset()


class Browser:
    """What a sync test client looks like; its application asks the simulator for something meanwhile."""

    def __init__(self, server):
        self.server = server
        self.came = []

    build_request = None

    def post(self, url, /, *, content, headers):
        assert status_of(self.server) == 200
        event = WebhookVerifier(SECRET).verify(content, headers["Persona-Signature"])
        self.came.append(event.case.tags)
        return type("Answer", (), {"status_code": 204})


def test_webhooks_reach_a_client_that_blocks(server):
    clock = ManualClock()
    server.reset(clock=clock)
    browser = Browser(server)
    webhook = server.webhooks.deliver_to(browser, path="/webhooks", secret=SECRET, events="case.updated-tags")
    case_id = next(iter(server.store.cases))
    server.webhooks.mishaps.next(Mishap.forged())
    for tag in "abc":
        server.store.update_case(case_id, tags=(tag,))
    with server.webhooks.reordered():
        for tag in "de":
            server.store.update_case(case_id, tags=(tag,))
    assert server.webhooks.drain(30)
    assert browser.came == [("b",), ("c",), ("e",), ("d",)]
    clock.advance(3)
    assert server.webhooks.drain(30)
    assert browser.came[-1] == ("a",)
    assert [delivery.status for delivery in webhook.deliveries] == ["delivered"] * 5
    assert webhook.deliveries[0].attempts[0].error == "SignatureError"


async def test_clients_in_the_loop_of_a_test(server):
    server.reset(cases=3)
    async with server.client() as persona:
        assert len(await persona.cases.list()) == 3
    server.requests.assert_none_refused()


def test_limits_can_be_used_up(server):
    server.reset(rate_limit="10/60", case_quota="1/60")
    server.spend(10)
    server.spend_quota(1)
    assert status_of(server) == 429
    with pytest.raises(AssertionError, match="refused 1 of 1 requests:\n  GET /cases: 429 Too Many Requests"):
        server.requests.assert_none_refused()
    server.requests.assert_none_refused(allow=(429,))


def test_scripted_faults_are_no_refusals(server):
    server.faults.next(Fault.status(503))
    assert status_of(server) == 503
    server.requests.assert_none_refused()


def threads_of_simulators():
    return sorted(thread.ident for thread in threading.enumerate() if thread.name == "persona-simulator")


def test_a_server_that_does_not_run():
    before = threads_of_simulators()
    server = SimulatorServer(cases=0)
    for use in (lambda: server.store, lambda: server.webhooks, server.reset, lambda: server.base_url):
        with pytest.raises(ClientStateError):
            use()
    server.stop()
    with server, pytest.raises(ClientStateError):
        server.start()
    with server:
        port = urlsplit(server.base_url).port
        taken = SimulatorServer(cases=0, port=port)
        with pytest.raises(InvalidArgumentError):
            taken.start()
        assert "SimulatorServer" in repr(server)
    assert threads_of_simulators() == before


def test_the_thread_does_not_wait_for_itself(server):
    raised = []

    def waits(_):
        # Whatever runs in the thread of the simulator reaches its data at once.
        assert len(server.store.cases) == 2
        try:
            server.webhooks.drain()
        except ClientStateError as error:
            raised.append(error)
        return True

    server.faults.add(Fault.status(500), when=waits)
    assert status_of(server) == 500
    assert len(raised) == 1


@pytest.mark.parametrize("fault", [Fault.status(500), Fault.status(429, title="x", details="y"), Fault.drop()])
def test_faults_can_be_copied(fault):
    twin = copy.deepcopy(fault)
    assert repr(twin) == repr(fault)
    assert (twin.problem is None) == (fault.problem is None)
    if twin.problem is not None:
        assert twin.problem.document() == fault.problem.document()
        assert twin.problem.status == fault.problem.status
