"""Processes that share in Redis which webhooks they handled."""

from __future__ import annotations

import asyncio
import contextlib

import pytest
from redis.asyncio import Redis

from persona_cases import InvalidArgumentError
from persona_cases.webhooks import RedisSeen


@pytest.fixture
async def two(redis, environment):
    """What two processes remember."""
    async with contextlib.AsyncExitStack() as stack:
        seen = [RedisSeen(redis.url, keep=5, lease=5, prefix=environment) for _ in range(2)]
        for each in seen:
            stack.push_async_callback(each.close)
        yield seen


async def test_an_event_is_claimed_by_one_process(two):
    claims = await asyncio.gather(*(seen.claim("evt_1") for seen in two * 5))
    assert sorted(claims) == ["new", *["running"] * 9]


async def test_what_was_handled_is_done_for_all(two):
    one, other = two
    assert await one.claim("evt_1") == "new"
    await one.finish("evt_1")
    assert await other.claim("evt_1") == "done"


async def test_what_failed_may_be_handled_by_another(two):
    one, other = two
    assert await one.claim("evt_1") == "new"
    await one.release("evt_1")
    assert await other.claim("evt_1") == "new"


async def test_a_process_that_died_holds_an_event_no_longer_than_its_lease(redis, environment):
    seen = RedisSeen(redis.url, lease=1, prefix=environment)
    assert await seen.claim("evt_1") == "new"
    await seen.close()
    async with contextlib.aclosing(Redis.from_url(redis.url)) as server:
        # Not waited for: Redis itself says when it ends.
        assert 0 < await server.pttl(f"{environment}evt_1") <= 1_000


@pytest.mark.parametrize("settings", [{"keep": 0}, {"lease": -1}, {"prefix": ""}])
def test_settings_that_cannot_work_are_refused(settings):
    with pytest.raises(InvalidArgumentError):
        RedisSeen("redis://localhost", **settings)
