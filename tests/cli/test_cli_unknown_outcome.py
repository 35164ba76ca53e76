"""Changes whose outcome is unknown: the exit code, the key, and how to find out."""

from __future__ import annotations

import re

import pytest

from persona_cases.cli.screen.advice import checking
from persona_cases.cli.screen.error_lines import describe
from persona_cases.errors import ConflictError, IndeterminateError
from persona_cases.testing import Fault

KEY = re.compile(
    r"^hint: if it was not, repeat the command with --idempotency-key (\S+): the API applies it only once$",
    re.MULTILINE,
)


@pytest.fixture
def case_id(api):
    return next(iter(api.store.cases))


def comments(api, case_id):
    return len(api.store.cases[case_id].comments)


def test_repeating_with_the_key_that_is_told_does_it_once(cli, api, case_id):
    before = comments(api, case_id)
    lost = api.faults.add(Fault.drop(applied=True), method="POST")
    ran = cli("comment", case_id, "Ms. Sheila Miller")
    assert (ran.code, ran.out) == (9, b"")
    assert ran.err.startswith("error: it is unknown whether POST /cases/{id}/add-comment was carried out")
    assert f"\nhint: check whether it was applied: persona-cases get {case_id}\n" in ran.err
    assert "Sheila" not in ran.err
    key = KEY.search(ran.err)
    assert key is not None
    api.faults.remove(lost)
    repeated = cli("comment", case_id, "Ms. Sheila Miller", "--idempotency-key", key[1])
    assert (repeated.code, repeated.err, comments(api, case_id)) == (0, "", before + 1)


def test_an_update_has_no_key_to_tell(cli, api, case_id):
    api.faults.add(Fault.status(502), method="PATCH")
    ran = cli("update", case_id, "--no-sla")
    assert ran.code == 9
    assert ran.err.endswith(
        f"hint: check whether it was applied: persona-cases get {case_id}\nhint: if it was not, repeat the command\n"
    )


def test_a_failure_that_the_api_keeps_is_spoken_of():
    advise = checking("persona-cases list --limit 5", "k 1")
    answered = describe(IndeterminateError("x", status=503), advise=advise)
    assert answered.code == 9
    assert answered.lines == (
        "error: x",
        "hint: check whether it was applied: persona-cases list --limit 5",
        "hint: if it was not, repeat the command with --idempotency-key 'k 1': the API applies it only once",
        "hint: if it fails in the same way, the API stored the failure: repeat the command without the key",
    )
    assert len(describe(IndeterminateError("x"), advise=advise).lines) == 3
    assert "--idempotency-key" not in "".join(describe(ConflictError(status=409), advise=advise).lines)


def test_an_interrupted_change_says_how_to_find_out(interrupted, api, case_id):
    doubt, check, repeat, last = interrupted(api, "comment", case_id, "x", slow="/cases/*/add-comment", at=1)
    assert doubt == "it is unknown whether the change was applied"
    assert check == f"hint: check whether it was applied: persona-cases get {case_id}"
    assert KEY.search(repeat)[1] == api.requests[-1].headers["idempotency-key"]
    assert last == "interrupted"
