"""A simulator with files, behind TLS too."""

from __future__ import annotations

import pytest
from network.intermediaries import proxy_to, tls_before

from persona_cases.testing import Simulator


@pytest.fixture
async def sim():
    async with Simulator(cases=40) as simulator:
        yield simulator


@pytest.fixture
def port(sim):
    return int(sim.origin.rpartition(":")[2])


@pytest.fixture
async def tls_port(port):
    async with tls_before(port) as own:
        yield own


@pytest.fixture
async def proxy(port):
    async with proxy_to(port) as running:
        yield running


@pytest.fixture
async def tls_proxy(tls_port):
    async with proxy_to(tls_port) as running:
        yield running


@pytest.fixture
async def attachment(sim):
    async with sim.client() as client:
        return next(file for case in await client.cases.list().collect() for file in case.attachments)
