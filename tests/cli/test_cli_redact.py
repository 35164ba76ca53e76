"""`redact`: it cannot be undone, so it asks."""

from __future__ import annotations

import pytest

from persona_cases.testing import Fault

CASE = "case_j5DjGo07GUN80NQLDbXhXwpr"
QUESTION = b"This cannot be undone. Redact 1 case? [y/N] "


@pytest.fixture
def case_ids(api):
    return list(api.store.cases)[:3]


def redacted(api):
    return [case.id for case in api.store.cases.values() if case.redacted_at]


def test_yes_redacts_without_asking(cli, api, case_ids):
    ran = cli("redact", "--yes", *case_ids, case_ids[0])
    assert (ran.code, ran.err, ran.ids) == (0, "", case_ids)
    assert all(case["attributes"]["redacted_at"] for case in ran.cases)
    assert redacted(api) == case_ids


def test_without_a_terminal_and_without_yes_it_refuses(process, api, case_ids):
    ran = process("redact", *case_ids, stdin=b"y\n")
    assert (ran.code, ran.out, len(api.requests)) == (2, b"", 0)
    assert ran.err == "error: redacting cannot be undone, and nobody can be asked: give --yes to redact anyway\n"


@pytest.mark.parametrize("typed", [b"y\n", b"YES\n"])
def test_on_a_terminal_it_shows_the_cases_and_asks(on_terminal, api, case_ids, typed):
    api.store.redact_case(case_ids[2])
    cases = [api.store.cases[case_id] for case_id in case_ids]
    ran = on_terminal("redact", *case_ids[:2], "--output", "jsonl", typed=typed)
    assert ran.code == 0
    shown = "\n".join(f"{case.id}  {case.name}  {case.status}" for case in cases[:2])
    assert shown.encode() in ran.out
    assert b"This cannot be undone. Redact 2 cases? [y/N] " in ran.out
    assert redacted(api) == case_ids


@pytest.mark.parametrize("typed", [b"\n", b"n\n", b"yup\n", b"\x04"])
def test_any_other_answer_is_no(on_terminal, api, case_ids, typed):
    ran = on_terminal("redact", case_ids[0], typed=typed)
    assert ran.code == 1
    assert QUESTION in ran.out
    assert ran.out.endswith(b"nothing was redacted\n")
    assert not redacted(api)


def test_cases_that_do_not_exist_are_named_before_anything_is_asked(on_terminal, api, case_ids):
    ran = on_terminal("redact", case_ids[0], "case_missing")
    assert (ran.code, redacted(api)) == (4, [])
    assert ran.out.endswith(b"error: case_missing: there is no such case\nnothing was redacted\n")


def test_what_is_redacted_already_says_so(on_terminal, api, case_ids):
    api.store.redact_case(case_ids[0])
    ran = on_terminal("redact", case_ids[0], typed=b"n\n")
    assert b", redacted already\n" in ran.out


def test_the_question_can_be_interrupted(on_terminal, api, case_ids):
    ran = on_terminal("redact", case_ids[0], interrupt_at=QUESTION)
    assert (ran.code, redacted(api)) == (130, [])
    assert ran.out.endswith(b"interrupted\n")


def test_what_can_not_be_redacted_is_named_and_the_others_are_redacted(cli, api, case_ids):
    first, second, third = case_ids
    api.store.redact_case(second)
    ran = cli("redact", "--yes", first, second, "case_missing", third, "--output", "json")
    assert ran.code == 4
    assert f"error: {second}: 409 " in ran.err
    assert "error: case_missing: 404 " in ran.err
    assert ran.err.endswith("\n2 of 4 cases redacted\n")
    assert ran.out.endswith(b"\n]\n")
    assert redacted(api) == case_ids


def test_another_error_ends_it(cli, api, case_ids):
    api.faults.add(Fault.status(403), method="DELETE", nth=2)
    ran = cli("redact", "--yes", *case_ids, "--output", "json")
    assert ran.code == 3
    assert ran.err.startswith(f"error: {case_ids[1]}: 403 ")
    assert ran.err.endswith("\n1 of 3 cases redacted\n")
    assert not ran.out.endswith(b"]\n")
    assert redacted(api) == case_ids[:1]


def test_an_id_that_would_reach_another_path_is_refused_before_anything_is_redacted(cli, api, case_ids):
    ran = cli("redact", "--yes", case_ids[0], "../accounts")
    assert (ran.code, len(api.requests)) == (2, 0)


def test_an_unknown_outcome_says_how_to_find_out(cli, api, case_ids):
    api.faults.add(Fault.status(500, applied=True), method="DELETE")
    ran = cli("redact", "--yes", case_ids[0])
    assert ran.code == 9
    assert f"hint: check whether it was applied: persona-cases get --only redacted_at {case_ids[0]}" in ran.err
    assert "--idempotency-key" not in ran.err
    looked = cli("get", "--only", "redacted_at", case_ids[0])
    assert looked.cases[0]["attributes"]["redacted_at"] is not None
