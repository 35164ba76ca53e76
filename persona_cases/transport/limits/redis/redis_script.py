"""The script in Redis: `shared_window.lua`, run as one command on one key, so it also works in a Redis cluster."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Awaitable
from hashlib import sha1
from importlib.resources import files
from typing import Any, Protocol, TypeAlias, cast

from redis.asyncio import Redis, RedisCluster
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import NoScriptError, RedisError

from persona_cases.errors import ClientStateError, InvalidArgumentError
from persona_cases.transport.limits.redis.redis_messages import RedisLostError

RedisClient: TypeAlias = Redis | RedisCluster

_URL = re.compile(r"(rediss?|unix)://")
_SOURCE = files("persona_cases.transport.limits.redis").joinpath("shared_window.lua").read_bytes()
_DIGEST = sha1(_SOURCE, usedforsecurity=False).hexdigest()


class _Commands(Protocol):
    def execute_command(self, *args: bytes | str | int, **options: bool) -> Awaitable[Any]: ...


class RedisScript:
    """The script, run on the value of one key.

    Args:
        redis: a client, which is not closed, or a URL, for which a client is created in each event loop.
        key: the key of the value.
        timeout: maximum seconds for one run.

    Raises:
        InvalidArgumentError: if `redis` is neither a client nor a URL.
    """

    def __init__(self, redis: object, key: str, timeout: float) -> None:
        # The URL may hold a password, so messages never show it.
        if isinstance(redis, str) and not _URL.match(redis):
            raise InvalidArgumentError("redis: a URL must begin with redis://, rediss:// or unix://")
        if not isinstance(redis, (str, Redis, RedisCluster)):
            raise InvalidArgumentError("redis must be a client of redis.asyncio, or a URL: redis://localhost:6379/0")
        self._url = redis if isinstance(redis, str) else None
        self._client = None if isinstance(redis, str) else redis
        self._key = key
        self._timeout = timeout
        self._loop: asyncio.AbstractEventLoop | None = None

    async def run(self, report: bytes) -> bytes:
        """Run the script on a report and return its reply.

        Raises:
            RedisLostError: if Redis does not reply, or replies with an error; the script may have run.
            ClientStateError: if the client belongs to another event loop.
        """
        client = cast("_Commands", self._client_here())
        task = asyncio.current_task()
        cancels = 0 if task is None else task.cancelling()
        try:
            async with asyncio.timeout(self._timeout):
                try:
                    return await self._evaluate(client, "EVALSHA", _DIGEST, report)
                except NoScriptError:
                    return await self._evaluate(client, "EVAL", _SOURCE, report)
        except (RedisError, OSError) as error:  # TimeoutError is an OSError
            raise RedisLostError(type(error).__name__) from error
        finally:
            # Some versions of redis-py and Python lose a cancellation that arrives while a command is written.
            if task is not None and task.cancelling() > cancels:
                raise asyncio.CancelledError

    async def close(self) -> None:
        """Close our own connections, if any; the next run opens new ones."""
        if self._url is not None and self._client is not None:
            client, self._client = self._client, None
            await client.aclose()

    async def _evaluate(self, client: _Commands, command: str, script: str | bytes, report: bytes) -> bytes:
        # Bytes, however the caller's client decodes replies.
        answer: bytes = await client.execute_command(command, script, 1, self._key, report, NEVER_DECODE=True)
        return answer

    def _client_here(self) -> RedisClient:
        loop = asyncio.get_running_loop()
        same_loop, self._loop = self._loop in {None, loop}, loop
        if self._url is None and not same_loop:
            raise ClientStateError(
                "the limiter's Redis client belongs to another event loop: give RedisLimiter a URL, "
                "or make a client and a limiter in each loop"
            )
        if self._client is None or not same_loop:
            # One attempt: the limiter itself continues without Redis, and decides when to retry.
            once, limit = Retry(NoBackoff(), 0), self._timeout
            make = cast("Any", Redis).from_url
            self._client = cast(
                "Redis", make(self._url, retry=once, socket_timeout=limit, socket_connect_timeout=limit)
            )
        return self._client
