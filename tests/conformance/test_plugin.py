"""The plugin in test runs of its own, with the client, the simulator and the mock as they are."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

pytest_plugins = ["pytester"]

SUITE = """
    from aiohttp import ClientSession
    from persona_cases import PersonaClient
    from persona_cases.testing import Fault

    async def test_a_client_and_the_simulator(persona_client):
        await persona_client.rate_limits()

    async def test_a_scripted_fault_is_nobodys_answer(persona_client, persona_simulator):
        persona_simulator.faults.next(Fault.rewrite(lambda document: {**document, "more": 1}))
        await persona_client.rate_limits()

    async def test_malformed_input(persona_simulator):
        headers = {"Authorization": f"Bearer {persona_simulator.api_key}"}
        async with ClientSession(headers=headers) as session:
            async with session.get(persona_simulator.base_url + "/rate-limits?more=1") as response:
                assert response.status == 400

    async def test_a_client_and_the_mock(mocked_http):
        async with PersonaClient("key", base_url="https://api.example.com/api/v1") as client:
            mocked_http.get("https://api.example.com/api/v1/rate-limits", payload={"data": []})
            await client.rate_limits()
"""

LIMITS = {
    "type": "object",
    "required": ["data"],
    "additionalProperties": False,
    "properties": {
        "data": {
            "type": "array",
            "items": {
                "type": "object",
                "properties": {
                    "attributes": {
                        "type": "object",
                        "additionalProperties": False,
                        "properties": {
                            name: {"type": "integer"} for name in ("limit", "remaining", "seconds-to-reset")
                        },
                    },
                },
            },
        },
    },
}
OWN_HEADERS = (
    "RateLimit-Limit",
    "RateLimit-Remaining",
    "RateLimit-Reset",
    "Request-Id",
    "Persona-Environment-Id",
    "Persona-Organization-Id",
)
ANSWER = {
    "headers": {name: {"schema": {}} for name in OWN_HEADERS},
    "content": {"application/json": {"schema": {"type": "object"}}},
}
RIGHT = {
    "openapi": "3.1.0",
    "info": {"title": "Limits", "version": "1"},
    "paths": {
        "/rate-limits": {
            "get": {
                "responses": {"200": {**ANSWER, "content": {"application/json": {"schema": LIMITS}}}, "400": ANSWER},
            },
        },
    },
}


def changed(*steps: Any) -> dict[str, Any]:
    """The right document with one thing in another place, or gone."""
    document = json.loads(json.dumps(RIGHT))  # unlike a deep copy, this shares nothing within the document
    *way, last, value = steps
    node: Any = document["paths"]
    for step in way:
        node = node[step]
    del node[last]
    if value is not None:
        node[value] = {}
    return document


OPERATION = ("/rate-limits", "get")
CONTENT = (*OPERATION, "responses", "200", "content", "application/json")
ATTRIBUTES = (*CONTENT, "schema", "properties", "data", "items", "properties", "attributes", "properties")


@pytest.fixture
def run(pytester, monkeypatch):
    monkeypatch.setenv("PYTHONPATH", str(Path(__file__).parents[1]))
    monkeypatch.delenv("PERSONA_OPENAPI", raising=False)
    pytester.makeini("[pytest]\nasyncio_mode = auto\nasyncio_default_fixture_loop_scope = function\n")
    pytester.makepyfile(SUITE)

    def run(document: dict[str, Any], *arguments: str) -> pytest.RunResult:
        path = pytester.path / "limits.json"
        path.write_text(json.dumps(document))
        # Workers want a process above them that is set up like themselves.
        start = pytester.runpytest_subprocess if "-n" in arguments else pytester.runpytest_inprocess
        return start("-p", "conformance.plugin", "-p", "no:cacheprovider", f"--openapi={path}", *arguments)

    return run


@pytest.mark.parametrize("arguments", [(), ("-n", "1")], ids=["alone", "with workers"])
def test_what_is_right_passes_and_is_counted(run, arguments):
    result = run(RIGHT, *arguments)
    result.assert_outcomes(passed=4)
    result.stdout.fnmatch_lines(
        ["3 requests of our client and 3 answers *, 1 malformed *", "*GET /rate-limits: 3 requests; 1 refused; *"]
    )


@pytest.mark.parametrize(
    ("document", "told", "errors"),
    [
        (changed("/rate-limits", "/limits"), "our request: GET /rate-limits*: path: not in the document", 3),
        (changed(*OPERATION, "responses", "200", None), "answer: *status: 200 is not declared", 2),
        (
            changed(*OPERATION, "responses", "200", "headers", "Request-Id", "Request-Name"),
            "answer: *header request-name: declared and missing",
            2,
        ),
        (changed(*ATTRIBUTES, "seconds-to-reset", None), "answer: */data/0/attributes: additionalProperties (*)", 2),
    ],
    ids=["path", "status", "header", "member"],
)
def test_what_is_wrong_fails_the_test_that_caused_it(run, document, told, errors):
    result = run(document)
    result.assert_outcomes(passed=4, errors=errors)
    result.stdout.fnmatch_lines(["the OpenAPI document does not allow:", told])


def test_an_operation_that_nobody_exercised_fails_a_complete_run(run):
    document = json.loads(json.dumps(RIGHT))
    document["paths"]["/rate-limits"]["post"] = {"responses": {"200": ANSWER}}
    assert run(document).ret == pytest.ExitCode.OK
    result = run(document, "--openapi-complete")
    result.assert_outcomes(passed=4)
    assert result.ret == pytest.ExitCode.TESTS_FAILED
    result.stdout.fnmatch_lines(["never exercised: POST /rate-limits"])


def test_the_plugin_needs_a_document(run, pytester):
    result = pytester.runpytest("-p", "conformance.plugin")
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines(["*give --openapi=PATH, or set PERSONA_OPENAPI"])
    result = pytester.runpytest("-p", "conformance.plugin", "--openapi=nothing.json")
    result.stderr.fnmatch_lines(["*nothing.json: no OpenAPI document*"])
