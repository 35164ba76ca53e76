"""The example of Dask: a scheduler and workers in processes of their own, Redis and the simulator, all on loopback."""

from __future__ import annotations

import asyncio
import os
import sys
from asyncio.subprocess import PIPE
from pathlib import Path

import pytest
from transport.redis_server import RedisServer

from persona_cases.testing import Simulator

EXAMPLE = Path(__file__).parents[2] / "examples" / "dask_export.py"
CLUSTER = Path(__file__).with_name("dask_cluster.py")
PATIENCE = 60.0


@pytest.fixture
def redis(tmp_path):
    server = RedisServer(tmp_path)
    server.start()
    yield server
    server.kill()


@pytest.fixture
async def simulator():
    async with Simulator(cases=3000, rate_limit="12/1") as running:
        yield running


@pytest.fixture
def environment(simulator, redis, tmp_path):
    """What the example and the workers find in their environment; no Dask configuration of the developer's own."""
    account = {"PERSONA_API_KEY": simulator.api_key, "REDIS_URL": redis.url}
    dask = {"DASK_CONFIG": str(tmp_path / "none"), "DASK_TEMPORARY_DIRECTORY": str(tmp_path / "dask")}
    return {**os.environ, **account, **dask}


@pytest.fixture
async def scheduler(environment):
    """The address of a cluster."""
    cluster = await asyncio.create_subprocess_exec(sys.executable, CLUSTER, stdin=PIPE, stdout=PIPE, env=environment)
    try:
        async with asyncio.timeout(PATIENCE):
            address = await cluster.stdout.readline()
        yield address.decode().strip()
        async with asyncio.timeout(PATIENCE):
            # It ends with its standard input.
            await cluster.communicate(b"")
    finally:
        if cluster.returncode is None:
            cluster.kill()
            await cluster.wait()


async def run_example(*arguments, environment):
    program = await asyncio.create_subprocess_exec(sys.executable, EXAMPLE, *arguments, stdout=PIPE, env=environment)
    try:
        async with asyncio.timeout(PATIENCE):
            output, _ = await program.communicate()
    finally:
        if program.returncode is None:
            program.kill()
            await program.wait()
    assert program.returncode == 0
    return output.decode()


async def test_two_workers_write_one_dataset_inside_one_rate_limit(simulator, environment, scheduler, tmp_path):
    dataset = pytest.importorskip("pyarrow.dataset", reason="Parquet needs the extra parquet")
    parquet = pytest.importorskip("pyarrow.parquet")
    template, directory = simulator.store.template("KYC").id, tmp_path / "dataset"
    limit = ("--base-url", simulator.base_url, "--limit", "12", "--period", "1", "--shards", "6")
    output = await run_example(scheduler, template, directory, *limit, environment=environment)
    wanted = [case.id for case in simulator.store.cases.values() if case.template_id == template]
    assert output == f"{len(wanted)} cases in 6 shards\n"
    assert sorted(dataset.dataset(directory).to_table(columns=["id"])["id"].to_pylist()) == sorted(wanted)
    shards = sorted(directory.glob("*.parquet"))
    assert len(shards) == 6
    assert len({parquet.read_schema(shard) for shard in shards}) == 1
    assert {request.status for request in simulator.requests} == {200}
    assert len(simulator.requests) > 24

    kept = {shard.name: shard.read_bytes() for shard in shards[1:]}
    shards[0].unlink()
    assert await run_example(scheduler, template, directory, *limit, environment=environment) == output
    assert {shard.name: shard.read_bytes() for shard in shards[1:]} == kept
    assert {request.status for request in simulator.requests} == {200}
