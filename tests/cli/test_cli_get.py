"""`get`: cases by id."""

from __future__ import annotations

import msgspec


def test_cases_come_in_the_order_of_their_ids(cli, records):
    ids = [record.id for record in records(cases=60)][::-4]
    assert len(ids) == 15
    ran = cli("get", "--simulator", "--cases", "60", *ids)
    assert (ran.code, ran.err, ran.ids) == (0, "", ids)


def test_included_objects_come_with_their_case(cli, records):
    record = next(record for record in records(cases=60) if record.accounts)
    include = ("--include", "case-template,accounts")
    (document,) = cli("get", "--simulator", "--cases", "60", record.id, *include).cases
    assert document["data"]["id"] == record.id
    assert {each["id"] for each in document["included"]} == {record.template_id, record.accounts[0].id}


def test_a_missing_case_is_named_and_the_others_are_printed(cli, api):
    first, last = list(api.store.cases)[:2]
    ran = cli("get", first, "case_missing", last, "--output", "json")
    assert ran.code == 4
    assert [case["id"] for case in msgspec.json.decode(ran.out)] == [first, last]
    assert ran.err.startswith("error: case_missing: 404 Record not found (GET /cases/{id}, 1 attempt in ")


def test_another_error_ends_it(cli, api, monkeypatch):
    monkeypatch.setenv("PERSONA_API_KEY", "wrong")
    ran = cli("get", *list(api.store.cases)[:30])
    assert (ran.code, ran.out) == (3, b"")
    assert ran.err.startswith("error: 401 ")
    assert "wrong" not in ran.err


def test_an_id_that_would_reach_another_path_is_refused(cli, api):
    ran = cli("get", "../accounts")
    assert ran.code == 2
    assert len(api.requests) == 0
