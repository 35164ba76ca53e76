import pytest

from persona_cases.errors import InvalidArgumentError
from persona_cases.testing import ManualClock, RateLimit, Simulator


def told(answered):
    return tuple(int(answered.headers[name]) for name in ("RateLimit-Limit", "RateLimit-Remaining", "RateLimit-Reset"))


async def test_the_window_opens_with_the_first_request_and_ends_a_period_later(simulate):
    clock = ManualClock()
    api = await simulate(cases=0, rate_limit="3/60", clock=clock)
    clock.advance(1000)
    assert told(await api.get("/cases")) == (3, 2, 60)
    clock.advance(0.5)
    assert told(await api.get("/cases")) == (3, 1, 60)
    clock.advance(29)
    assert told(await api.get("/cases")) == (3, 0, 31)
    clock.advance(30.25)
    refused = await api.get("/cases")
    assert (refused.status, told(refused)) == (429, (3, 0, 1))
    assert refused.document == {
        "errors": [
            {
                "title": "Rate limit exceeded",
                "details": "You have hit your rate limit of 3 requests / min. "
                "Please reach out to support@withpersona.com if you need this changed.",
            }
        ]
    }
    assert "Retry-After" not in refused.headers
    clock.advance(0.25)
    assert told(await api.get("/cases")) == (3, 2, 60)


async def test_a_window_is_not_aligned_with_the_one_before(simulate):
    clock = ManualClock()
    api = await simulate(cases=0, rate_limit="1/10", clock=clock)
    await api.get("/cases")
    clock.advance(17)
    assert told(await api.get("/cases")) == (1, 0, 10)
    clock.advance(9)
    assert (await api.get("/cases")).status == 429


async def test_refused_requests_do_not_lengthen_the_window(simulate):
    clock = ManualClock()
    api = await simulate(cases=0, rate_limit="1/10", clock=clock)
    for expected in (200, 429, 429):
        assert (await api.get("/cases")).status == expected
        clock.advance(3)
    clock.advance(1)
    assert (await api.get("/cases")).status == 200


async def test_errors_count_as_requests_but_unknown_keys_do_not(simulate):
    api = await simulate(cases=0, rate_limit="3/60", clock=ManualClock())
    await api.get("/cases", headers={"Authorization": "Bearer wrong"})
    assert told(await api.get("/nowhere"))[1] == 2
    assert told(await api.get("/cases?page[size]=0"))[1] == 1


async def test_a_stranger_spends_from_the_same_window(simulate):
    clock = ManualClock()
    api = await simulate(cases=0, rate_limit="10/60", clock=clock)
    api.sim.spend(7)
    clock.advance(15)
    assert told(await api.get("/cases")) == (10, 2, 45)
    api.sim.spend(100)
    assert (await api.get("/cases")).status == 429


async def test_the_rate_limits_endpoint_tells_the_same_and_counts_itself(simulate):
    clock = ManualClock()
    api = await simulate(cases=0, rate_limit="10/60", clock=clock)
    await api.get("/cases")
    clock.advance(20)
    answered = await api.get("/rate-limits")
    attributes = {"limit": 10, "remaining": 8, "seconds-to-reset": 40}
    assert answered.document == {"data": [{"type": "rate-limit/api", "attributes": attributes}]}
    answered = await api.get("/rate-limits", headers={"Key-Inflection": "camel"})
    assert answered.document["data"][0]["attributes"] == {"limit": 10, "remaining": 7, "secondsToReset": 40}
    assert (await api.get("/rate-limits", params={"page[size]": "1"})).status == 400


async def test_without_a_limit_the_headers_are_there_and_nothing_is_refused(simulate):
    api = await simulate(cases=0, rate_limit="off", clock=ManualClock())
    limit, remaining, reset = told(await api.get("/cases"))
    assert limit - remaining == 1
    assert reset == 60
    api.sim.spend(limit)
    assert (await api.get("/cases")).status == 200


@pytest.mark.parametrize("start", [0.1, 1000.1, 123_456.789, 98_765.4321])
async def test_the_seconds_left_are_rounded_up_and_no_further(simulate, start):
    clock = ManualClock()
    clock.advance(start)
    api = await simulate(cases=0, rate_limit="5/60", clock=clock)
    assert told(await api.get("/cases"))[2] == 60
    clock.advance(59.9999)
    assert told(await api.get("/cases"))[2] == 1


async def test_a_period_other_than_a_minute_is_named_in_the_refusal(simulate):
    api = await simulate(cases=0, rate_limit="1/2.5", clock=ManualClock())
    await api.get("/cases")
    assert "1 requests / 2.5 s." in (await api.get("/cases")).error["details"]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("300/60", RateLimit(300, 60)),
        (" 30 / 0.5 ", RateLimit(30, 0.5)),
        ("off", None),
        ("OFF", None),
        (None, None),
        (RateLimit(1, 2), RateLimit(1, 2)),
    ],
)
def test_settings_that_are_understood(text, expected):
    assert RateLimit.parse(text) == expected


@pytest.mark.parametrize("text", ["", "300", "300/", "/60", "a/b", "-1/60", "0/60", "300/0", "1/2/3", "1e3/60"])
def test_settings_that_are_not(text):
    with pytest.raises(InvalidArgumentError, match="rate_limit"):
        Simulator(cases=0, rate_limit=text)
