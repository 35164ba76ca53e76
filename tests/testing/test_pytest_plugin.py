"""The plugin, as the test suites of others use it."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

pytest_plugins = ["pytester"]

STRICT_SUITE = """
    import pytest
    from aiohttp import ClientSession

    pytestmark = pytest.mark.persona_simulator(cases=3, rate_limit="50/60")

    @pytest.mark.asyncio
    @pytest.mark.persona_simulator(cases=2)
    async def test_the_closest_marker_wins(persona_simulator):
        headers = {"Authorization": f"Bearer {persona_simulator.api_key}"}
        async with ClientSession(headers=headers) as session:
            async with session.get(persona_simulator.base_url + "/cases") as response:
                assert len((await response.json())["data"]) == 2
                assert response.headers["RateLimit-Limit"] == "50"

    @pytest.mark.asyncio
    async def test_the_outer_marker_holds(persona_simulator):
        assert len(persona_simulator.store.cases) == 3
"""

PLAIN_SUITE = """
    async def test_it_runs_without_a_marker(persona_simulator):
        assert len(persona_simulator.store.cases) == 100
        assert persona_simulator.base_url.startswith("http://127.0.0.1:")
"""

INI = """
[pytest]
asyncio_mode = {mode}
asyncio_default_fixture_loop_scope = function
addopts = --strict-markers -p no:cacheprovider
filterwarnings =
    error
    ignore:Using .httpx. with
    ignore:The anyio.abc.BlockingPortal alias
"""


WITHOUT = """
    import sys

    class Missing:
        def find_spec(self, name, path=None, target=None):
            if name == "{missing}":
                raise ModuleNotFoundError(name=name)

    # Ahead of pytest's own hook, which finds the plugins that it rewrites.
    sys.meta_path.insert(0, Missing())
"""


def run(pytester, mode, suite):
    pytester.makefile(".ini", pytest=INI.format(mode=mode))
    pytester.makepyfile(suite)
    return pytester.runpytest_inprocess()


def test_in_strict_mode_with_markers(pytester):
    run(pytester, "strict", STRICT_SUITE).assert_outcomes(passed=2)


def test_in_auto_mode(pytester):
    run(pytester, "auto", PLAIN_SUITE).assert_outcomes(passed=1)


def test_the_client_fixture_talks_to_the_simulator(pytester):
    suite = """
        async def test_the_client(persona_client, persona_simulator):
            case = persona_simulator.store.create_case("KYC")
            assert (await persona_client.cases.get(case.id)).id == case.id
    """
    run(pytester, "auto", suite).assert_outcomes(passed=1)


def test_a_marker_sets_the_client(pytester):
    suite = """
        import asyncio

        import pytest
        from persona_cases import RateLimitError
        from persona_cases.testing import Fault, ManualClock

        pytestmark = [pytest.mark.persona_client(version="2023-01-05"), pytest.mark.persona_simulator(cases=3)]

        @pytest.mark.persona_client(max_wait=0.5)
        async def test_the_closest_marker_wins(persona_client, persona_simulator):
            persona_simulator.faults.add(Fault.status(429))
            with pytest.raises(RateLimitError):
                await persona_client.cases.list()
            assert persona_simulator.requests[-1].headers["persona-version"] == "2023-01-05"

        @pytest.mark.persona_simulator(clock=ManualClock(), rate_limit="1/60")
        async def test_the_limiter_follows_the_clock(persona_client, persona_simulator):
            await persona_client.cases.list()
            waiting = asyncio.create_task(persona_client.cases.list().collect())
            while not persona_client.limiter.state.waiting:
                await asyncio.sleep(0)
            persona_simulator.clock.advance(61)
            assert len(await waiting) == 3
    """
    run(pytester, "auto", suite).assert_outcomes(passed=2)


@pytest.mark.parametrize(("marker", "example"), [("persona_simulator", "cases=50"), ("persona_client", "max_wait=5")])
def test_a_marker_without_names_is_refused(pytester, marker, example):
    suite = f"""
        import pytest

        @pytest.mark.{marker}(50)
        async def test_it(persona_client):
            raise AssertionError
    """
    result = run(pytester, "auto", suite)
    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines([f"*{marker}: give settings by name, such as {example}*"])


def test_the_tests_shown_in_the_documentation_pass(pytester):
    page = (Path(__file__).parents[2] / "docs" / "testing.md").read_text(encoding="utf-8")
    blocks = re.findall(r"^```python\n(.*?)^```$", page, re.MULTILINE | re.DOTALL)
    shown = [block for block in blocks if "async def test_" in block]
    result = run(pytester, "strict", "from persona_cases import PersonaClient\n" + "\n".join(shown))
    result.assert_outcomes(passed=len(shown))
    assert shown


@pytest.mark.parametrize("mode", ["strict", "auto"])
def test_the_page_on_web_apps_works_with_every_plugin(pytester, mode):
    pytest.importorskip("fastapi", reason="comes with the extra `fastapi`")
    page = (Path(__file__).parents[2] / "docs" / "testing-web-apps.md").read_text(encoding="utf-8")
    blocks = re.findall(r"^```python\n(.*?)^```$", page, re.MULTILINE | re.DOTALL)
    suite = "\n".join(block for block in blocks if "\nwith SimulatorServer" not in block)
    names = set(re.findall(r"def (test_\w+)", suite))
    # In the auto mode, pytest-asyncio takes all tests that are async, and in the strict mode nobody the one unmarked.
    left_to_others = {"strict": {"test_a_missing_case_is_a_404"}, "auto": {"test_under_anyio"}}[mode]
    assert len(names) == 7
    assert left_to_others < names
    # Current versions of Starlette want another httpx than most have.
    pytester.makefile(".ini", pytest=INI.format(mode=mode) + "    ignore:Using .httpx. with\n")
    pytester.makepyfile(suite)
    result = pytester.runpytest_subprocess("-k", " or ".join(names - left_to_others))
    result.assert_outcomes(passed=len(names) - 1, deselected=1)


def test_the_server_begins_each_test_with_new_data(pytester):
    suite = """
        import os
        import urllib.request

        import pytest
        from persona_cases.testing import Fault

        pytestmark = pytest.mark.persona_server(cases=3, rate_limit="50/60")
        addresses = set()

        @pytest.mark.parametrize("number", range(3))
        def test_it_is_new(persona_server, number):
            persona_server.store.create_case("KYC")
            assert len(persona_server.store.cases) == 4
            addresses.add(persona_server.base_url)
            assert len(addresses) == 1

        @pytest.mark.persona_server(cases=1)
        def test_the_closest_marker_wins(persona_env):
            assert os.environ["PERSONA_BASE_URL"] == persona_env.base_url
            headers = {"Authorization": "Bearer " + os.environ["PERSONA_API_KEY"]}
            url = os.environ["PERSONA_BASE_URL"] + "/cases"
            with urllib.request.urlopen(urllib.request.Request(url, headers=headers)) as answer:
                assert answer.headers["RateLimit-Limit"] == "50"
            assert len(persona_env.store.cases) == 1

        def test_the_environment_is_as_before():
            assert "PERSONA_BASE_URL" not in os.environ

        def test_an_error_in_a_fault_is_shown_here(persona_env):
            def wrong(_):
                raise ZeroDivisionError

            persona_env.faults.add(Fault.status(500), when=wrong)
            with pytest.raises(OSError):
                urllib.request.urlopen(persona_env.base_url + "/cases")
    """
    result = run(pytester, "strict", suite)
    result.assert_outcomes(passed=6, errors=1)
    result.stdout.fnmatch_lines(
        ["*ERROR at teardown of test_an_error_in_a_fault_is_shown_here*", "*ZeroDivisionError*"]
    )


def test_the_markers_are_explained(pytester):
    shown = pytester.runpytest_subprocess("--markers").stdout
    shown.fnmatch_lines(
        [f"@pytest.mark.persona_{name}(**settings):*" for name in ("simulator", "client", "server")],
    )


@pytest.mark.parametrize(
    ("missing", "fixture"),
    [
        ("pytest_asyncio", "persona_simulator"),
        ("pytest_asyncio", "persona_client"),
        ("aioresponses", "mocked_http"),
    ],
)
def test_without_an_optional_package_only_those_who_need_it_fail(pytester, missing, fixture):
    pytester.makepyfile(f"""
        def test_something_else():
            pass

        def test_with_the_fixture({fixture}):
            raise AssertionError
    """)
    pytester.makepyfile(without=WITHOUT.format(missing=missing))
    disabled = ["-p", "no:asyncio"] if missing == "pytest_asyncio" else []
    result = pytester.runpytest_subprocess("-p", "without", *disabled)
    result.assert_outcomes(passed=1, errors=1)
    package = missing.replace("_", "-")
    result.stdout.fnmatch_lines([f"*{fixture} needs {package}*pip install 'persona-cases?testing?'*"])


def loaded_after(statement):
    code = f"import sys; {statement}; print(*sys.modules)"
    return set(subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split())


def test_loading_the_plugin_costs_nothing():
    loaded = loaded_after("import persona_cases.testing.pytest_plugin")
    assert not {"aiohttp.web", "aioresponses", "persona_cases.testing.simulator"} & loaded


def test_the_simulator_needs_the_core_dependencies_only():
    loaded = loaded_after("import persona_cases.testing.simulator")
    assert not {"pytest", "pytest_asyncio", "aioresponses", "rich", "typer", "hypothesis"} & loaded
    assert "persona_cases.testing.clients" not in loaded


def test_every_exported_name_exists():
    from persona_cases import testing

    assert {name for name in testing.__all__ if getattr(testing, name)} == set(testing.__all__)
    assert set(dir(testing)) >= set(testing.__all__)
    with pytest.raises(AttributeError, match="Simulatr"):
        _ = testing.Simulatr
