import pytest

from persona_cases.errors import InvalidArgumentError
from persona_cases.testing import ManualClock, RateLimit, Simulator


def told(answered, prefix="Quota"):
    return tuple(int(answered.headers[f"{prefix}-{name}"]) for name in ("Limit", "Remaining", "Reset"))


async def test_creations_have_a_window_of_their_own(simulate):
    clock = ManualClock()
    api = await simulate(cases=0, case_quota="2/60", rate_limit="100/10", clock=clock)
    assert told(await api.create()) == (2, 1, 60)
    clock.advance(20)
    assert told(await api.create()) == (2, 0, 40)
    refused = await api.create()
    assert (refused.status, told(refused)) == (429, (2, 0, 40))
    assert refused.error == {
        "title": "Quota exceeded",
        "details": "You have hit your create_case quota limit of 2 requests. "
        "Please reach out to support@withpersona.com if you need this changed.",
    }
    assert refused.headers["RateLimit-Limit"] == "100"
    assert (await api.get("/cases")).status == 200
    clock.advance(40)
    assert told(await api.create()) == (2, 1, 60)


async def test_only_creations_have_its_headers(simulate):
    api = await simulate(cases=1, case_quota=RateLimit(5, 60))
    case_id = (await api.create()).case["id"]
    answers = [
        await api.get("/cases"),
        await api.search(),
        await api.patch(case_id, {}),
        await api.act(case_id, "set-status", {"status": "pending"}),
    ]
    for answered in answers:
        assert not [name for name in answered.headers if name.lower().startswith("quota")]


@pytest.mark.parametrize("setting", [None, "off"])
async def test_there_is_no_quota_by_default(simulate, setting):
    api = await simulate(cases=0, case_quota=setting)
    api.sim.spend_quota(100)
    made = await api.create()
    assert made.status == 201
    assert not [name for name in made.headers if name.lower().startswith("quota")]


async def test_refused_creations_count_and_replays_do_not(simulate):
    api = await simulate(cases=0, case_quota="3/60", clock=ManualClock())
    assert told(await api.create({"shoe": 1}))[1] == 2
    for _ in range(3):
        assert told(await api.create(headers={"Idempotency-Key": "one"}))[1] == 1


async def test_a_replay_opens_no_window(simulate):
    clock = ManualClock()
    api = await simulate(cases=0, case_quota="3/60", clock=clock)
    await api.create(headers={"Idempotency-Key": "one"})
    clock.advance(100)
    assert told(await api.create(headers={"Idempotency-Key": "one"})) == (3, 3, 60)
    clock.advance(50)
    assert told(await api.create()) == (3, 2, 60)


@pytest.mark.parametrize("status", [429, 403])
async def test_a_creation_over_the_quota_is_not_stored_under_its_key(simulate, status):
    clock = ManualClock()
    api = await simulate(cases=0, case_quota="1/60", quota_status=status, clock=clock)
    api.sim.spend_quota(1)
    refused = await api.create(headers={"Idempotency-Key": "one"})
    assert (refused.status, refused.error["title"]) == (status, "Quota exceeded")
    clock.advance(60)
    assert (await api.create(headers={"Idempotency-Key": "one"})).status == 201


async def test_the_headers_can_be_spelt_the_other_way(simulate):
    api = await simulate(cases=0, case_quota="3/60", quota_headers="QuotaLimit")
    made = await api.create()
    assert told(made, "QuotaLimit") == (3, 2, 60)
    assert "Quota-Limit" not in made.headers


@pytest.mark.parametrize(
    ("settings", "complaint"),
    [
        ({"case_quota": "many"}, "case_quota"),
        ({"case_quota": "0/60"}, "quota"),
        ({"quota_headers": "X-Quota"}, "quota_headers"),
        ({"quota_status": 418}, "quota_status"),
        ({"tag_cap": -1}, "tag_cap"),
        ({"file_token_lifetime": 0}, "file_token_lifetime"),
    ],
)
def test_impossible_settings_are_refused(settings, complaint):
    with pytest.raises(InvalidArgumentError, match=complaint):
        Simulator(cases=0, **settings)
