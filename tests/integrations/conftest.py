"""What tests of applications share."""

from __future__ import annotations

import pytest

from persona_cases.testing import Simulator


@pytest.fixture
async def sim():
    async with Simulator(cases=60, seed=5) as simulator:
        yield simulator
