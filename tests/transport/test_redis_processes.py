"""The shared limiter in several processes, against one simulator."""

from __future__ import annotations

import asyncio
import sys
from asyncio.subprocess import PIPE
from pathlib import Path

import pytest

from persona_cases.limits import Feedback
from persona_cases.testing import Simulator

WORKER = Path(__file__).with_name("redis_worker.py")
PATIENCE = 60.0


@pytest.fixture
async def start_worker(redis, environment):
    workers = []

    async def start(simulator, work):
        arguments = (redis.url, environment, simulator.base_url, simulator.api_key, str(work))
        worker = await asyncio.create_subprocess_exec(sys.executable, str(WORKER), *arguments, stdout=PIPE)
        workers.append(worker)
        return worker

    yield start
    for worker in workers:
        if worker.returncode is None:
            worker.kill()
            await worker.wait()


async def test_four_processes_share_one_window(start_worker):
    loads = (30, 18, 9, 3)
    async with Simulator(cases=1, rate_limit="20/1", latency=0.02) as simulator:
        workers = [await start_worker(simulator, load) for load in loads]
        async with asyncio.timeout(PATIENCE):
            assert [await worker.wait() for worker in workers] == [0, 0, 0, 0]
        assert len(simulator.requests) == sum(loads)
        assert {request.status for request in simulator.requests} == {200}


async def test_what_a_killed_process_had_in_flight_is_given_up(redis, make_redis_limiter, start_worker):
    async with Simulator(cases=1, rate_limit="20/1") as simulator:
        worker = await start_worker(simulator, "hold:12")
        assert worker.stdout is not None
        async with asyncio.timeout(PATIENCE):
            assert await worker.stdout.readline() == b"holding\n"
        limiter = make_redis_limiter(redis, lease=5.0)
        permit = await limiter.acquire()
        assert limiter.state.in_flight == 13
        worker.kill()
        async with asyncio.timeout(PATIENCE):
            await limiter.settle(permit, Feedback(answered=True))
            while limiter.state.in_flight:
                await asyncio.sleep(0.2)
                await limiter.settle(await limiter.acquire(), Feedback(answered=True))
