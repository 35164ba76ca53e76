import contextlib
from collections.abc import AsyncIterator

import pytest
from api_caller import Caller, Callers


@pytest.fixture
async def simulate() -> AsyncIterator[Callers]:
    async with contextlib.AsyncExitStack() as stack:
        yield Callers(stack)


@pytest.fixture
async def api(simulate: Callers) -> Caller:
    return await simulate(cases=40, seed=3)
