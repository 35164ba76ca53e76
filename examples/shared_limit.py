"""Share one rate limit between several processes, through Redis.

    pip install 'persona-cases[redis]' && python shared_limit.py

Starts a Redis server, a simulator that allows 20 requests per 2 seconds, and three processes that all send at once. No
request gets a 429 response. Install the program `redis-server` first.
"""

import asyncio
import shutil
import socket
import subprocess
import sys
import tempfile

from persona_cases import PersonaClient
from persona_cases.limits import RedisLimiter
from persona_cases.testing import Simulator


async def work(redis_url: str, base_url: str, api_key: str) -> None:
    """Send 15 requests from one process. It needs only the URL of Redis and the common name of the environment."""
    limiter = RedisLimiter(redis_url, environment="env_example", limit=20, period=2.0)
    async with limiter, PersonaClient(api_key, base_url=base_url, limiter=limiter) as persona:
        await asyncio.gather(*(persona.rate_limits() for _ in range(15)))


async def main() -> int:
    program = shutil.which("redis-server")
    if program is None:
        print("This example needs redis-server, which is not installed (Debian: apt-get install redis-server).")
        return 0
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    with tempfile.TemporaryDirectory() as directory:
        settings = ("--port", str(port), "--bind", "127.0.0.1", "--save", "", "--dir", directory)
        server = await asyncio.create_subprocess_exec(program, *settings, stdout=subprocess.DEVNULL)
        try:
            await until_it_answers(port)
            await share(f"redis://127.0.0.1:{port}/0")
        finally:
            server.terminate()
            await server.wait()
    return 0


async def share(redis_url: str) -> None:
    async with Simulator(cases=10, rate_limit="20/2") as simulator:
        command = (sys.executable, __file__, redis_url, simulator.base_url, simulator.api_key)
        workers = [await asyncio.create_subprocess_exec(*command) for _ in range(3)]
        for worker in workers:
            await worker.wait()
        refused = sum(request.status == 429 for request in simulator.requests)
        print(f"{len(workers)} processes sent {len(simulator.requests)} requests; {refused} got a 429 response.")


async def until_it_answers(port: int) -> None:
    for _ in range(500):
        try:
            _, writer = await asyncio.open_connection("127.0.0.1", port)
        except ConnectionError:
            await asyncio.sleep(0.02)
        else:
            writer.close()
            return
    raise TimeoutError("redis-server does not respond")


if __name__ == "__main__":
    if len(sys.argv) > 1:
        asyncio.run(work(*sys.argv[1:]))
    else:
        raise SystemExit(asyncio.run(main()))
