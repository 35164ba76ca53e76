"""One value in Redis that several processes change: read, and compare-and-set, each with the server's time.

Redis need not know what the value means: all decisions are made in Python, on what was read, and the write happens only
if nobody else has written meanwhile. One value is one key, so this works in a Redis cluster as it is.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Awaitable
from typing import Any, Protocol, TypeAlias, cast

import attrs

from persona_cases.errors import ClientStateError, InvalidArgumentError

try:
    from redis.asyncio import Redis, RedisCluster
    from redis.asyncio.retry import Retry
    from redis.backoff import NoBackoff
    from redis.exceptions import RedisError
except ImportError as _missing:
    raise ImportError("the shared limiter needs the redis package: pip install 'persona-cases[redis]'") from _missing

RedisClient: TypeAlias = Redis | RedisCluster

_URL = re.compile(r"(rediss?|unix)://")
_NOTHING = b"nothing"
# The digest, rather than a counter, tells whether the value is the one that was read: after a Redis that lost its data,
# a counter would start over and could agree by chance.
_SCRIPT = """
local time = redis.call('TIME')
local held = redis.pcall('GET', KEYS[1])
local mark = 'nothing'
if type(held) == 'table' then held, mark = '', 'no string' elseif held then mark = redis.sha1hex(held) end
if ARGV[1] == mark then
  redis.call('SET', KEYS[1], ARGV[2], 'PX', ARGV[3])
  return {1, time[1], time[2]}
end
return {0, time[1], time[2], mark, held or ''}
"""


class _Commands(Protocol):
    def execute_command(self, *args: bytes | str | int, **options: bool) -> Awaitable[Any]: ...


class RedisLostError(Exception):
    """Redis did not do what it was asked to; the message is the kind of error, and nothing else."""


@attrs.frozen
class Held:
    """What Redis holds.

    Attributes:
        mark: identifies exactly this value.
        text: the value; None if there is none.
        server_time: the server's clock at the time of reading, in seconds.
    """

    mark: bytes
    text: bytes | None
    server_time: float


class RedisValue:
    """A value in Redis under one key.

    Args:
        redis: a client, which stays the caller's, or a URL, for which a client is made in each event loop.
        key: where the value is.
        timeout: the most seconds one command may take.

    Raises:
        InvalidArgumentError: if `redis` is neither.
    """

    def __init__(self, redis: object, key: str, timeout: float) -> None:
        # The URL may hold a password: it appears in no message.
        if isinstance(redis, str) and not _URL.match(redis):
            raise InvalidArgumentError("redis: a URL must begin with redis://, rediss:// or unix://")
        if not isinstance(redis, (str, Redis, RedisCluster)):
            raise InvalidArgumentError("redis must be a client of redis.asyncio, or a URL: redis://localhost:6379/0")
        self._url = redis if isinstance(redis, str) else None
        self._client = None if isinstance(redis, str) else redis
        self._key = key
        self._timeout = timeout
        self._loop: asyncio.AbstractEventLoop | None = None

    async def read(self) -> Held:
        """Read the value.

        Raises:
            RedisLostError: if Redis does not answer, or not with success.
            ClientStateError: if the client belongs to another event loop.
        """
        held = await self._run(b"", b"", 1)
        assert held is not None, "no value has an empty mark"  # noqa: S101
        return held

    async def swap(self, held: Held, text: bytes, lifetime: float) -> Held | None:
        """Replace the value if it is still the one that was read.

        Args:
            held: what was read.
            text: the new value.
            lifetime: seconds after which it vanishes if nobody writes.

        Returns:
            None if it was replaced; else what is there now.

        Raises:
            RedisLostError: as for `read`; whether it was replaced is then unknown.
            ClientStateError: as for `read`.
        """
        return await self._run(held.mark, text, int(lifetime * 1000))

    async def close(self) -> None:
        """Close the connections if they are our own; the next command opens new ones."""
        if self._url is not None and self._client is not None:
            client, self._client = self._client, None
            await client.aclose()

    async def _run(self, mark: bytes, text: bytes, lifetime_ms: int) -> Held | None:
        client = cast("_Commands", self._client_here())
        task = asyncio.current_task()
        cancels = 0 if task is None else task.cancelling()
        try:
            async with asyncio.timeout(self._timeout):
                # Bytes, whatever the caller's client makes of answers: a foreign value need not be text.
                answer = await client.execute_command(
                    "EVAL", _SCRIPT, 1, self._key, mark, text, lifetime_ms, NEVER_DECODE=True
                )
        except (RedisError, OSError) as error:  # TimeoutError is an OSError
            raise RedisLostError(type(error).__name__) from error
        finally:
            # Some versions of redis-py and Python lose a cancellation that comes while a command is written.
            if task is not None and task.cancelling() > cancels:
                raise asyncio.CancelledError
        return _read_answer(answer)

    def _client_here(self) -> RedisClient:
        loop = asyncio.get_running_loop()
        same_loop, self._loop = self._loop in {None, loop}, loop
        if self._url is None and not same_loop:
            raise ClientStateError(
                "the limiter's Redis client belongs to another event loop: give RedisLimiter a URL, "
                "or make a client and a limiter in each loop"
            )
        if self._client is None or not same_loop:
            # One attempt: the limiter has its own way on without Redis, and its own time to come back.
            once, limit = Retry(NoBackoff(), 0), self._timeout
            make = cast("Any", Redis).from_url
            self._client = cast(
                "Redis", make(self._url, retry=once, socket_timeout=limit, socket_connect_timeout=limit)
            )
        return self._client


def _read_answer(answer: list[Any]) -> Held | None:
    replaced, seconds, microseconds = map(int, answer[:3])
    if replaced:
        return None
    mark: bytes = answer[3]
    return Held(mark, None if mark == _NOTHING else answer[4], seconds + microseconds / 1_000_000)
