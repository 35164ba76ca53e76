import aiohttp
import attrs
import pytest

from persona_cases.errors import InvalidArgumentError
from persona_cases.testing import Fault, ManualClock

DAY = 24 * 60 * 60


def key(name="one"):
    return {"Idempotency-Key": name}


@pytest.fixture
def clock():
    return ManualClock()


@pytest.fixture
async def api(simulate, clock):
    return await simulate(cases=3, clock=clock)


async def test_the_same_request_again_gets_the_same_answer_and_has_no_effect(api):
    first = await api.create({"fields": {"priority": "high"}}, headers=key())
    case_id = first.case["id"]
    await api.act(case_id, "set-status", {"status": "approved"})
    again = await api.create({"fields": {"priority": "high"}}, headers=key())
    assert (again.status, again.document) == (201, first.document)
    assert again.headers["Request-Id"] == first.headers["Request-Id"]
    assert api.sim.store.cases[case_id].status == "approved"
    assert len(api.sim.store.cases) == 4
    assert [request.replayed for request in api.sim.requests] == [False, False, True]


async def test_a_replay_counts_as_a_request(simulate):
    api = await simulate(cases=0, rate_limit="5/60", clock=ManualClock())
    told = [(await api.create(headers=key())).headers["RateLimit-Remaining"] for _ in range(3)]
    assert told == ["4", "3", "2"]


async def test_without_a_key_and_with_another_it_is_another_request(api):
    ids = {(await api.create(headers=headers)).case["id"] for headers in ({}, {}, key(""), key(""), key("1"), key("2"))}
    assert len(ids) == 6
    assert set(api.sim.idempotency) == {"1", "2"}


async def test_other_parameters_under_the_same_key_are_refused(api):
    made = await api.create(headers=key("row-17"))
    others = [
        api.create({"fields": {"priority": "low"}}, headers=key("row-17")),
        api.create(headers=key("row-17"), params={"include": "accounts"}),
        api.act(made.case["id"], "add-tag", {"tag-name": "vip"}, headers=key("row-17")),
    ]
    for other in others:
        answered = await other
        assert (answered.status, answered.error["title"]) == (400, "Idempotency error")
        assert "row-17" in answered.error["details"]
    assert api.sim.store.cases[made.case["id"]].tags == ()
    assert (await api.create(headers=key("row-17"))).document == made.document


async def test_a_key_is_for_one_path(api):
    first, second = list(api.sim.store.cases)[:2]
    assert (await api.act(first, "set-status", {"status": "open"}, headers=key())).status == 200
    answered = await api.act(second, "set-status", {"status": "open"}, headers=key())
    assert (answered.status, answered.error["title"]) == (400, "Idempotency error")


async def test_failures_are_stored_too(api):
    body = {"case-template-id": "ctmpl_mine"}
    assert (await api.create(body, headers=key())).status == 404
    kyc = api.sim.store.template("KYC")
    api.sim.store.add_template(attrs.evolve(kyc, id="ctmpl_mine"))
    assert (await api.create(body, headers=key())).status == 404
    assert (await api.create(body, headers=key("two"))).status == 201


async def test_what_is_answered_before_keys_are_looked_at_is_not_stored(simulate, clock):
    api = await simulate(cases=0, rate_limit="1/60", clock=clock)
    assert (await api.create(headers={**key(), "Authorization": "Bearer wrong"})).status == 401
    api.sim.spend(1)
    assert (await api.create(headers=key())).status == 429
    assert len(api.sim.idempotency) == 0
    clock.advance(60)
    assert (await api.create(headers=key())).status == 201


async def test_answers_are_forgotten_after_a_day(api, clock):
    first = await api.create(headers=key())
    clock.advance(1)
    await api.create(headers=key("later"))
    clock.advance(DAY - 1.5)
    assert (await api.create(headers=key())).case["id"] == first.case["id"]
    clock.advance(0.5)
    assert list(api.sim.idempotency) == ["later"]
    other = await api.create({"fields": {"priority": "low"}}, headers=key())
    assert other.case["id"] != first.case["id"]


async def test_a_search_with_a_key_is_frozen(api):
    before = await api.search(headers=key())
    await api.create()
    assert (await api.search(headers=key())).ids == before.ids
    assert len((await api.search()).ids) == len(before.ids) + 1


async def test_keys_mean_nothing_to_other_methods(api, clock):
    case_id = (await api.create()).case["id"]
    for value in ("low", "high"):
        changed = await api.patch(case_id, {"fields": {"priority": value}}, headers=key())
        assert changed.attributes["fields"]["priority"]["value"] == value
    assert (await api.get(f"/cases/{case_id}", headers=key())).status == 200
    statuses = [(await api.send("DELETE", f"/cases/{case_id}", headers=key())).status for _ in range(2)]
    assert statuses == [200, 409]
    assert len(api.sim.idempotency) == 0


async def test_the_stored_answers_can_be_looked_at(api, clock):
    clock.advance(5)
    made = await api.create(headers=key())
    await api.create(headers=key())
    stored = api.sim.idempotency["one"]
    assert (stored.method, stored.path, stored.answer.status) == ("POST", "/cases", 201)
    assert made.case["id"].encode() in stored.answer.body
    assert (stored.stored_at, stored.replays) == (5, 1)
    assert "priority" not in repr(stored)
    api.sim.idempotency.clear()
    assert (await api.create(headers=key())).case["id"] != made.case["id"]


# ---- with scripted faults --------------------------------------------------------------------------------------------


async def test_after_a_dropped_connection_the_key_brings_the_answer(api):
    api.sim.faults.next(Fault.drop(applied=True), Fault.torn())
    for _ in range(2):
        with pytest.raises(aiohttp.ClientError):
            await api.create(headers=key())
    assert (await api.create(headers=key())).status == 201
    assert len(api.sim.store.cases) == 4


@pytest.mark.parametrize("applied", [False, True])
async def test_an_error_before_the_api_does_not_count_for_the_key(api, applied):
    api.sim.faults.next(Fault.status(503, applied=applied))
    answers = [(await api.create(headers=key())).status for _ in range(3)]
    assert answers == [503, 201, 201]
    assert len(api.sim.store.cases) == 4


@pytest.mark.parametrize("applied", [False, True])
async def test_an_error_inside_the_api_is_replayed(api, applied):
    api.sim.faults.next(Fault.status(500, applied=applied, stored=True))
    answers = [(await api.create(headers=key())).status for _ in range(3)]
    assert answers == [500, 500, 500]
    assert len(api.sim.store.cases) == 3 + applied
    assert (await api.create(headers=key("two"))).status == 201


async def test_an_error_inside_the_api_does_not_hide_a_key_used_twice(api):
    await api.create(headers=key())
    api.sim.faults.next(Fault.status(500, stored=True))
    assert (await api.create({"fields": {"priority": "low"}}, headers=key())).error["title"] == "Idempotency error"


async def test_a_stored_error_still_wants_the_right_key(api):
    api.sim.faults.next(Fault.status(500, stored=True))
    assert (await api.create(headers={**key(), "Authorization": "Bearer wrong"})).status == 401
    assert len(api.sim.idempotency) == 0


@pytest.mark.parametrize("status", [401, 429])
def test_statuses_that_are_never_stored_can_not_be_scripted_as_stored(status):
    with pytest.raises(InvalidArgumentError, match="stored"):
        Fault.status(status, stored=True)
