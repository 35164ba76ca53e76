"""Downloads keep to the pauses that file servers ask for, all of a client together."""

from __future__ import annotations

import pytest

from persona_cases import ConnectionFailedError, NotFoundError, RateLimitError, ServerError
from persona_cases.transport.file_hosts import FileHosts

HERE, THERE = "https://files.example.com/a?access_token=x", "https://other.example.com/a"


class Time:
    now = 0.0

    def __call__(self) -> float:
        return self.now

    async def sleep(self, seconds: float) -> None:
        self.now += seconds


@pytest.fixture
def time() -> Time:
    return Time()


@pytest.fixture
def hosts(time) -> FileHosts:
    return FileHosts(clock=time, sleep=time.sleep)


@pytest.mark.parametrize("error", [RateLimitError(retry_after=30), ServerError(status=503, retry_after=30)])
async def test_all_downloads_from_a_host_wait_as_long_as_it_asks(hosts, time, error):
    hosts.settle(HERE, error)
    await hosts.admit(THERE, None)
    assert time.now == 0
    await hosts.admit(HERE, None)
    assert time.now == 30
    await hosts.admit(HERE, 0)


@pytest.mark.parametrize(
    "error", [None, NotFoundError(status=404), ConnectionFailedError("lost"), ServerError(status=500)]
)
async def test_other_endings_hold_nobody_up(hosts, time, error):
    hosts.settle(HERE, error)
    await hosts.admit(HERE, 0)
    assert time.now == 0


async def test_a_wait_longer_than_allowed_is_not_begun(hosts, time):
    hosts.settle(HERE, RateLimitError(retry_after=30))
    with pytest.raises(RateLimitError, match="30.0 s") as caught:
        await hosts.admit(HERE, 29)
    assert (caught.value.retry_after, time.now) == (30, 0)
    assert "access_token" not in str(caught.value)


@pytest.mark.parametrize("told", [None, 0.0])
async def test_a_host_that_names_no_pause_gets_a_growing_one(hosts, time, told):
    for pause in (5, 10, 20, 40, 40):
        before = time.now
        hosts.settle(HERE, RateLimitError(retry_after=told))
        hosts.settle(HERE, RateLimitError(retry_after=told))  # refused beside it: no new reason to wait longer
        await hosts.admit(HERE, None)
        assert time.now - before == pause


async def test_a_success_ends_the_growth(hosts, time):
    for _ in range(3):
        hosts.settle(HERE, RateLimitError())
        await hosts.admit(HERE, None)
    hosts.settle(HERE, None)
    before = time.now
    hosts.settle(HERE, RateLimitError())
    await hosts.admit(HERE, None)
    assert time.now - before == 5


async def test_a_success_from_before_the_refusal_does_not_end_the_pause(hosts, time):
    hosts.settle(HERE, RateLimitError(retry_after=30))
    hosts.settle(HERE, None)
    await hosts.admit(HERE, None)
    assert time.now == 30
