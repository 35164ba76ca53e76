"""A process of its own, for tests: sends requests through the shared limiter, or takes leases and keeps them.

Run: python redis_worker.py REDIS_URL ENVIRONMENT BASE_URL API_KEY REQUESTS|hold:LEASES
"""

from __future__ import annotations

import asyncio
import sys

from persona_cases import PersonaClient
from persona_cases.limits import RedisLimiter


async def main(redis_url: str, environment: str, base_url: str, api_key: str, work: str) -> None:
    limiter = RedisLimiter(redis_url, environment=environment, limit=20, period=1.0, timeout=5.0)
    async with limiter, PersonaClient(api_key, base_url=base_url, limiter=limiter) as persona:
        await persona.rate_limits()
        if work.startswith("hold:"):
            for _ in range(int(work.removeprefix("hold:"))):
                await limiter.acquire()
            sys.stdout.write("holding\n")
            sys.stdout.flush()
            await asyncio.sleep(3600)
        await asyncio.gather(*(persona.rate_limits() for _ in range(int(work) - 1)))


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
