"""Fixtures for tests of code that uses this library; pytest loads them automatically.

`persona_simulator` is a running `Simulator`, and `persona_client` is a client for it. `persona_server` is a simulator
in its own thread, and `persona_env` sets the environment variables for it. `mocked_http` mocks aiohttp itself. They
need the extra `persona-cases[testing]`.
"""

# ruff: noqa: PLC0415 - pytest loads this at every start: what costs time or may be missing is imported on use
from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterator
from typing import TYPE_CHECKING, Any, TypeVar

import pytest

if TYPE_CHECKING:
    from aioresponses import aioresponses

    from persona_cases import PersonaClient
    from persona_cases.testing.simulator import Simulator
    from persona_cases.testing.simulator_server import SimulatorServer

_SIMULATOR, _CLIENT, _SERVER = "persona_simulator", "persona_client", "persona_server"
_MISSING = "needs {package}, which is not installed: pip install 'persona-cases[testing]'"

_T = TypeVar("_T")


def pytest_configure(config: pytest.Config) -> None:
    """Register the markers."""
    for marker, taker in ((_SIMULATOR, "Simulator"), (_CLIENT, "PersonaClient"), (_SERVER, "Simulator")):
        config.addinivalue_line(
            "markers", f"{marker}(**settings): settings of the `{marker}` fixture, as `{taker}(...)` takes them"
        )


def _settings(request: pytest.FixtureRequest, name: str, example: str) -> dict[str, Any]:
    """Return the settings from the markers of a test; for each setting, the marker closest to the test wins."""
    settings: dict[str, Any] = {}
    for marker in request.node.iter_markers(name):
        if marker.args:
            pytest.fail(f"{name}: give settings by name, such as {example}", pytrace=False)
        settings = {**marker.kwargs, **settings}
    return settings


def _async_fixture(make: Callable[..., AsyncIterator[_T]]) -> Any:
    """Make a pytest-asyncio fixture; without pytest-asyncio, one that raises an error for tests that use it."""
    try:
        import pytest_asyncio
    except ImportError:

        @pytest.fixture(name=make.__name__)
        def unavailable() -> None:
            pytest.fail(f"{make.__name__} {_MISSING.format(package='pytest-asyncio')}", pytrace=False)

        return unavailable
    return pytest_asyncio.fixture(make)


@_async_fixture
async def persona_simulator(request: pytest.FixtureRequest) -> AsyncIterator[Simulator]:
    """A running simulator with its own store, stopped after the test.

    `@pytest.mark.persona_simulator(cases=50, rate_limit="60/3")` sets its arguments; for each setting, the marker
    closest to the test wins.
    """
    from persona_cases.testing.simulator import Simulator

    async with Simulator(**_settings(request, _SIMULATOR, "cases=50")) as simulator:
        yield simulator


@_async_fixture
async def persona_client(request: pytest.FixtureRequest, persona_simulator: Simulator) -> AsyncIterator[PersonaClient]:
    """A client of `persona_simulator`, closed after the test.

    `@pytest.mark.persona_client(max_wait=5, timeout=1)` sets its arguments, as for `persona_simulator`. Its limiters
    follow the simulator's clock if that is a `ManualClock`.
    """
    async with persona_simulator.client(**_settings(request, _CLIENT, "max_wait=5")) as client:
        yield client


@pytest.fixture(scope="session")
def _persona_server_thread() -> Iterator[SimulatorServer]:
    from persona_cases.testing.simulator_server import SimulatorServer

    with SimulatorServer() as server:
        yield server


@pytest.fixture
def persona_server(
    request: pytest.FixtureRequest, _persona_server_thread: SimulatorServer
) -> Iterator[SimulatorServer]:
    """A simulator in its own thread, which serves the whole session and starts each test with new data.

    It responds while the test blocks, as with FastAPI's `TestClient`, and works with any plugin for async tests.
    `@pytest.mark.persona_server(cases=50, rate_limit="60/3")` sets the arguments of `Simulator`, as for
    `persona_simulator`.
    """
    _persona_server_thread.reset(**_settings(request, _SERVER, "cases=50"))
    yield _persona_server_thread
    # An error that a function of a scripted fault raised belongs to this test.
    _persona_server_thread.reset()


@pytest.fixture
def persona_env(persona_server: SimulatorServer, monkeypatch: pytest.MonkeyPatch) -> SimulatorServer:
    """`persona_server`, with `PERSONA_API_KEY` and `PERSONA_BASE_URL` set so that `PersonaClient()` uses it."""
    monkeypatch.setenv("PERSONA_API_KEY", persona_server.api_key)
    monkeypatch.setenv("PERSONA_BASE_URL", persona_server.base_url)
    for name in ("PERSONA_CA_FILE", "PERSONA_ALLOW_HTTP"):
        monkeypatch.delenv(name, raising=False)
    return persona_server


@pytest.fixture
def mocked_http() -> Iterator[aioresponses]:
    """The fixed `aioresponses` mock: requests of aiohttp clients get the responses that the test registers."""
    try:
        from persona_cases.testing.aioresponses import mended_aioresponses
    except ImportError:
        pytest.fail(f"mocked_http {_MISSING.format(package='aioresponses')}", pytrace=False)
    with mended_aioresponses() as mock:
        yield mock
