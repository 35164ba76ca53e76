"""`search` and `list`: the right cases, in the right form."""

from __future__ import annotations

import re

import msgspec
import pytest

URGENT = "status == 'open' and not fields.priority == 'low'"


def is_urgent(record):
    return record.status == "open" and record.fields.get("priority", {}).get("value") != "low"


def test_a_search_finds_exactly_the_matching_cases(cli, records):
    expected = [record for record in records(cases=400, seed=3) if is_urgent(record)]
    ran = cli("search", "--simulator", "--cases", "400", "--seed", "3", "--where", URGENT)
    assert (ran.code, ran.err) == (0, "")
    assert 30 < len(expected) < 370
    assert sorted(ran.ids) == sorted(record.id for record in expected)
    assert [case["attributes"]["created_at"] for case in ran.cases] == [record.created_at for record in expected]


QUERY = '{"and": [{"attribute": "status", "operator": "eq", "value": "open"}]}'


def test_the_query_may_be_the_apis_own_json(cli, process, tmp_path):
    (tmp_path / "query.json").write_text(QUERY)
    options = ("search", "--simulator", "--cases", "150", "--query-json")
    given = cli(*options, QUERY)
    from_file = cli(*options, f"@{tmp_path}/query.json")
    from_stdin = process(*options, "-", stdin=QUERY.encode())
    assert given.ids == from_file.ids == from_stdin.ids
    assert {case["attributes"]["status"] for case in given.cases} == {"open"}


def test_a_search_is_sorted_and_limited_as_asked(cli, records):
    expected = sorted(record.updated_at for record in records())[:230]
    ran = cli("search", "--simulator", "--sort", "updated_at:asc", "--limit", "230", "--page-size", "70")
    assert [case["attributes"]["updated_at"] for case in ran.cases] == expected


def test_a_walk_goes_on_after_a_cursor_and_back_before_it(cli):
    newest_first = cli("list", "--simulator", "--cases", "50").ids
    walk = ("list", "--simulator", "--cases", "50", "--limit", "4")
    assert cli(*walk, "--after", newest_first[9]).ids == newest_first[10:14]
    assert sorted(cli(*walk, "--before", newest_first[9]).ids) == sorted(newest_first[5:9])


@pytest.mark.parametrize(
    ("option", "of"),
    [
        ("--status", lambda record: record.status),
        ("--case-template-id", lambda record: record.template_id),
        ("--account-id", lambda record: record.accounts[0].id if record.accounts else None),
        ("--inquiry-id", lambda record: record.inquiries[0].id if record.inquiries else None),
        ("--report-id", lambda record: record.reports[0].id if record.reports else None),
    ],
)
def test_a_list_is_narrowed_by_each_filter(cli, records, option, of):
    all_records = records(cases=120)
    value = next(of(record) for record in all_records if of(record))
    ran = cli("list", "--simulator", "--cases", "120", option, value)
    assert ran.code == 0
    assert set(ran.ids) >= {record.id for record in all_records if of(record) == value} > set()
    assert len(ran.ids) < 120


def test_a_list_is_narrowed_by_reference_id(cli, api):
    made = api.store.create_case(reference_id="walk-in-77")
    assert cli("list", "--reference-id", "walk-in-77").ids == [made.id]


def test_json_lines_are_what_the_api_sent(cli, api):
    ran = cli("list", "--limit", "3", "--output", "jsonl")
    sent = cli("list", "--limit", "3", "--output", "json")
    assert [line.rstrip(b",") for line in timeless(sent.out).splitlines()[1:-1]] == timeless(ran.out).splitlines()
    assert ran.cases[0]["attributes"]["fields"] == dict(api.store.cases[ran.ids[0]].fields)


def timeless(out):
    """Cases but for what the addresses of attached files say of the time of asking."""
    return re.sub(rb"access_token=[^\"]+", b"", out)


@pytest.mark.parametrize("count", [0, 1, 250])
def test_json_is_one_array(cli, count):
    ran = cli("search", "--simulator", "--limit", str(count), "--output", "json")
    assert len({case["id"] for case in msgspec.json.decode(ran.out)}) == count
    assert (ran.code, ran.err) == (0, "")


def test_an_array_that_was_cut_short_does_not_look_complete(cli, api):
    from persona_cases.testing import Fault

    api.faults.add(Fault.status(422), path="/cases", nth=2)
    ran = cli("list", "--output", "json")
    assert ran.code == 6
    with pytest.raises(msgspec.DecodeError):
        msgspec.json.decode(ran.out)


def test_only_the_fields_that_were_asked_for_are_loaded(cli):
    ran = cli("search", "--simulator", "--limit", "5", "--only", "status, fields.priority", "--where", URGENT)
    assert len(ran.cases) == 5
    for case in ran.cases:
        assert case["attributes"].keys() <= {"status", "fields"}
        assert case["attributes"].get("fields", {}).keys() <= {"priority"}


def test_explaining_sends_nothing_and_needs_no_key(cli, monkeypatch):
    monkeypatch.setenv("PERSONA_BASE_URL", "http://127.0.0.1:1/api/v1")
    ran = cli("search", "--where", URGENT, "--sort", "-updated_at", "--explain")
    assert (ran.code, ran.err) == (0, "")
    assert b"POST /cases/search" in ran.out
    assert b'"updated_at"' in ran.out
    assert b"GET /cases?filter[status]=open" in cli("list", "--status", "open", "--explain").out


def test_the_version_and_the_timeout_reach_the_request(cli, api):
    assert cli("list", "--limit", "1", "--persona-version", "2025-10-27", "--timeout", "5").code == 0
    assert api.requests[-1].headers["persona-version"] == "2025-10-27"


def test_verbose_shows_logs_without_personal_data(cli, api):
    made = api.store.create_case(reference_id="walk-in-77", fields={"notes": "Ms. Sheila Miller"})
    ran = cli("list", "--verbose", "--reference-id", "walk-in-77")
    assert ran.ids == [made.id]
    assert "request.answered call=" in ran.err
    assert "method=GET path=/cases" in ran.err
    assert not [secret for secret in ("Sheila", "walk-in-77", api.api_key) if secret in ran.err]
    assert cli("list", "--limit", "1").err == ""
