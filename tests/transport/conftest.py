"""Redis servers, and limiters that use them."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AsyncExitStack
from typing import Any
from uuid import uuid4

import pytest
from redis_server import RedisServer

from persona_cases.limits import RedisLimiter


@pytest.fixture(scope="session")
def redis(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RedisServer]:
    """A server for all tests that do it no harm."""
    yield from _running(RedisServer(tmp_path_factory.mktemp("redis")))


@pytest.fixture
def frail_redis(tmp_path) -> Iterator[RedisServer]:
    """A server of the test's own."""
    yield from _running(RedisServer(tmp_path))


def _running(server: RedisServer) -> Iterator[RedisServer]:
    server.start()
    try:
        yield server
    finally:
        server.kill()


@pytest.fixture
def environment() -> str:
    """An environment that no other test knows."""
    return f"env_{uuid4().hex}"


@pytest.fixture
async def make_redis_limiter(environment) -> AsyncIterator[Callable[..., RedisLimiter]]:
    """Make limiters, each as a process of its own would; they are closed after the test."""
    async with AsyncExitStack() as stack:

        def make(server: RedisServer, **settings: Any) -> RedisLimiter:
            settings = {"environment": environment, "limit": 20, "period": 1.0, "timeout": 5.0, **settings}
            limiter = RedisLimiter(settings.pop("client", server.url), **settings)
            stack.push_async_callback(limiter.aclose)
            return limiter

        yield make
