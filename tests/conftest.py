"""What all tests share."""

from __future__ import annotations

import gc
import os
from collections.abc import AsyncIterator, Callable, Generator
from contextlib import AsyncExitStack
from itertools import chain, groupby
from typing import Any

import pytest
from bare_api import QUICK, bare_api
from hypothesis import settings
from hypothesis import strategies as st

from persona_cases import PersonaClient
from persona_cases.testing import Simulator

pytest_plugins = ["secrecy.plugin"]

# A busy machine is no failure. Each run tries other examples, so few are enough; `nox -s thorough` tries many at once.
settings.register_profile("quick", deadline=None, max_examples=40)
settings.register_profile("thorough", deadline=None, max_examples=1_000)
settings.load_profile("quick")


@pytest.hookimpl(trylast=True)
def pytest_sessionstart() -> None:
    """Let hypothesis make its tables of Unicode, which it keeps on disk, before each worker would make them."""
    st.text().validate()


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_collection() -> Generator[None, object, object]:
    """Keep the garbage collector off what is collected: it looks at all of that again and again, which takes longer
    than to collect it, and a tenth of the time of the tests.
    """
    gc.disable()
    try:
        return (yield)
    finally:
        gc.enable()
        gc.freeze()
        gc.set_threshold(50_000, 20, 20)


LONGEST = tuple(
    f"tests/{file}"
    for file in (
        "changing/test_change_kill",
        "cli/test_cli_export_kill",
        "cli/test_cli_export_resume",
        "client/test_public_calls.py::test_what_leaves",
        "conformance/test_plugin",
        "docs/",
        "export/test_any",
        "export/test_export_kill",
        "export/test_runner",
        "integrations/test_lifecycles",
        "mutation/test_session",
        "testing/test_pytest_plugin",
        "transport/test_redis",
    )
)
"""Tests that take seconds each."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Give each worker long tests first, so that none is left alone with them at the end: it begins with its share of
    the list, in the order of the list.
    """
    workers = int(os.environ.get("PYTEST_XDIST_WORKER_COUNT", "1"))
    long = [item for item in items if item.nodeid.startswith(LONGEST)]
    short = [item for item in items if not item.nodeid.startswith(LONGEST)]
    files = [list(file) for _, file in groupby(long, key=lambda item: item.path)]
    share = -(-len(items) // workers)
    ordered: list[pytest.Item] = []
    for worker in range(workers):
        ordered += chain.from_iterable(files[worker::workers])
        wanted = max(0, (worker + 1) * share - len(ordered))
        ordered += short[:wanted]
        del short[:wanted]
    items[:] = ordered


SETTINGS = {"PERSONA_API_KEY", "PERSONA_BASE_URL", "PERSONA_ALLOW_HTTP", "PERSONA_CA_FILE"}
"""The environment variables that the library reads, beside those of proxies."""


@pytest.fixture(autouse=True)
def _no_account(monkeypatch: pytest.MonkeyPatch) -> None:
    """Keep what the developer's own environment says out of the tests."""
    for name in list(os.environ):
        if name in SETTINGS or name.upper().endswith("_PROXY"):
            monkeypatch.delenv(name)


@pytest.fixture
async def make_client() -> AsyncIterator[Callable[..., PersonaClient]]:
    """Make clients of a simulator that do not wait between retries; they are closed after the test."""
    async with AsyncExitStack() as stack:

        def make(simulator: Simulator, **settings: Any) -> PersonaClient:
            settings = {"api_key": simulator.api_key, "base_url": simulator.base_url, "retry": QUICK, **settings}
            client = PersonaClient(**settings)
            stack.push_async_callback(client.close)
            return client

        yield make


@pytest.fixture
async def make_api() -> AsyncIterator[Callable[..., Any]]:
    """Make APIs of a simulator, as a client has one; they are closed after the test."""
    async with AsyncExitStack() as stack:

        async def make(simulator: Simulator, **settings: Any) -> Any:
            return await stack.enter_async_context(bare_api(simulator.api_key, simulator.base_url, **settings))

        yield make
