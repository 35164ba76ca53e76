"""Failures: one line, the right exit code, no personal data, and how to go on."""

from __future__ import annotations

import shlex

import pytest

from persona_cases import errors
from persona_cases.cli.exits import ExitCode
from persona_cases.cli.screen.error_lines import MissingKeyError, describe
from persona_cases.testing import Fault

SECRET = "Sheila Miller"
ITEMS = (errors.ErrorItem("Bad thing", details=f"{SECRET} is not allowed", pointer="/data"),)


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (errors.InvalidArgumentError("x"), 2),
        (errors.QueryError("x"), 2),
        (errors.QueryTooComplexError("x"), 2),
        (MissingKeyError(), 3),
        (errors.AuthenticationError(status=401), 3),
        (errors.PermissionDeniedError(status=403), 3),
        (errors.NotFoundError(status=404), 4),
        (errors.RateLimitError(), 5),
        (errors.QuotaExceededError(status=403), 5),
        (errors.BadRequestError(status=400), 6),
        (errors.ServerError(status=503), 6),
        (errors.ConnectionFailedError("x"), 7),
        (errors.RequestTimeoutError("x"), 7),
        (errors.DecodeError("x"), 8),
        (errors.PaginationError("x"), 8),
        (errors.ClientStateError("x"), 1),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, Exception) else None,
)
def test_each_kind_of_error_has_its_exit_code(error, code):
    assert describe(error).code == code


def test_details_are_shown_to_those_who_ask_for_them():
    error = errors.UnprocessableEntityError(status=422, errors=ITEMS, request_id="req_1")
    error_line, hint = describe(error).lines
    assert error_line == "error: 422 Bad thing at /data (request req_1)"
    assert "--verbose" in hint
    assert SECRET not in hint
    assert describe(error, details=True).lines[1] == f"details: {SECRET} is not allowed"


def test_details_are_few_and_short():
    items = tuple(errors.ErrorItem("Bad thing", details=f"{number} {'x' * 10_000}") for number in range(9))
    _, *details = describe(errors.UnprocessableEntityError(status=422, errors=items), details=True).lines
    assert [line.split()[1] for line in details] == ["0", "1", "2", "3", "4", "and"]
    assert details[-1] == "details: and 4 more"
    assert all(len(line) < 330 for line in details)


def test_details_are_shown_to_the_person_at_a_terminal_and_not_to_a_pipe(on_terminal, process, api):
    api.faults.add(Fault.status(422, "Not today", details=f"{SECRET}\x1b[2J"), path="/cases", nth=range(1, 4))
    shown = on_terminal("list").out.decode()
    assert f"details: {SECRET}␛[2J" in shown
    assert "--verbose" not in shown
    assert SECRET not in process("list").err
    assert f"details: {SECRET}" in process("list", "--verbose").err


def test_an_error_can_not_control_the_terminal():
    error = errors.BadRequestError(status=400, errors=(errors.ErrorItem("\x1b[2J", details="a\nb\x07"),))
    assert describe(error, details=True).lines == ("error: 400 [2J", "details: a␊b␇")


def test_attempts_are_counted():
    assert describe(errors.ConnectionFailedError("lost", attempts=4)).lines[0] == "error: lost (4 attempts)"


def test_hints_fit_what_happened():
    assert describe(errors.ConnectionFailedError("lost")).lines == ("error: lost",)
    assert "--base-url" in describe(errors.RequestTimeoutError("slow", sent=False)).lines[1]
    assert "--timeout" in describe(errors.RequestTimeoutError("slow")).lines[1]


def test_every_exit_code_has_a_meaning():
    assert all(code.meaning for code in ExitCode)


@pytest.mark.parametrize(
    ("argv", "said"),
    [
        (["search", "--where", "statuss == 'open'"], "error: --where: column 1: there is no attribute 'statuss'"),
        (["search", "--where", "status == "], "error: --where: column 11: "),
        (["search", "--sort", "created:desc"], "did you mean created_at?"),
        (["search", "--sort", "created_at:down"], "error: --sort: the direction of a sort must be asc or desc"),
        (["search", "--query-json", "{"], "error: --query-json: the value is not JSON"),
        (
            ["search", "--query-json", '{"and": [3]}'],
            "error: --query-json: a search node must be a JSON object at /and/0",
        ),
        (["search", "--query-json", "@/nowhere"], "error: --query-json: cannot read the file: No such file"),
        (["search", "--query-json", "{}", "--where", "x"], "error: give --where or --query-json, not both"),
        (["search", "--only", "a,,b"], "error: --only takes names separated by commas"),
        (["search", "--after", "a", "--before", "b"], "error: give --after or --before, not both"),
        (["search", "--timeout", "0"], "error: timeout must be"),
        (["list", "--cases", "5"], "error: --cases and --seed describe a simulator: add --simulator"),
        (["list", "--simulator", "--base-url", "https://x"], "error: give --simulator or --base-url, not both"),
        (["search", "--limit", "-1"], "--limit"),
        (["search", "--page-size", "101"], "--page-size"),
        (["search", "--output", "xml"], "--output"),
        (["export"], "--output-file"),
        (["get"], "ID"),
        (["serch"], "serch"),
        (["list", "--api-key", "k"], "error: there is no option --api-key"),
    ],
)
def test_bad_arguments_are_refused_before_anything_is_sent(cli, api, argv, said):
    ran = cli(*argv)
    assert (ran.code, ran.out, len(api.requests)) == (2, b"", 0)
    assert said in ran.err
    first, *hints = ran.err.splitlines()
    assert first.startswith("error: ")
    assert all(hint.startswith("hint: see persona-cases ") for hint in hints)


def test_a_missing_key_is_said_with_two_ways_out(cli):
    ran = cli("list")
    assert ran.code == 3
    assert "PERSONA_API_KEY" in ran.err
    assert "--simulator" in ran.err


def test_a_wrong_key_is_denied_and_not_shown(cli, api, monkeypatch):
    monkeypatch.setenv("PERSONA_API_KEY", "persona_secret_key")
    ran = cli("list", "-v")
    assert ran.code == 3
    assert "\nhint: check that PERSONA_API_KEY " in ran.err
    assert "persona_secret_key" not in ran.err


def test_a_walk_that_fails_says_how_to_go_on(cli, api):
    api.faults.add(Fault.status(422, "Not today", details=SECRET), path="/cases", nth=3)
    ran = cli("list", "--page-size", "40")
    assert ran.code == 6
    error, about_details, hint = ran.err.splitlines()
    assert error.startswith("error: 422 Not today (GET /cases, 1 attempt in ")
    assert SECRET not in ran.err
    assert "--verbose" in about_details
    rest = cli("list", *shlex.split(hint.removeprefix("hint: resume with the same options and ")))
    assert len(ran.ids) == 80
    assert sorted(ran.ids + rest.ids) == sorted(api.store.cases)


def test_a_walk_backwards_goes_on_backwards(cli, api):
    *newer, oldest = cli("list").ids
    api.faults.add(Fault.status(422), path="/cases", nth=3)
    ran = cli("list", "--before", oldest)
    option, cursor = ran.err.splitlines()[1].removeprefix("hint: resume with the same options and ").split()
    rest = cli("list", option, cursor)
    assert option == "--before"
    assert (len(ran.ids), sorted(ran.ids + rest.ids)) == (200, sorted(newer))


def test_a_wait_that_is_too_long_is_not_waited(cli, api):
    api.faults.add(Fault.rate_limited(reset=50), path="/cases")
    ran = cli("list", "--max-wait", "1")
    assert ran.code == 5
    assert "--max-wait" in ran.err


def test_an_answer_that_is_no_json_is_not_believed(cli, api):
    api.faults.add(Fault.garbage(), path="/cases")
    ran = cli("list")
    assert ran.code == 8
    assert ran.err.startswith("error: ")


def test_nobody_there_is_a_network_error(cli, monkeypatch):
    monkeypatch.setenv("PERSONA_API_KEY", "k")
    ran = cli("list", "--base-url", "http://127.0.0.1:9/api/v1")
    assert ran.code == 7
    assert ran.err.startswith("error: the connection could not be made: Connection refused (GET /cases, 4 attempts in ")
    assert "\nhint: check the address: see --base-url" in ran.err
