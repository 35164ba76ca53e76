"""The commands that change many cases: which cases, what is asked, what is printed, what is refused."""

from __future__ import annotations

import json
import re

import pytest

from persona_cases.testing import Fault

SECRET = "Sheila Miller"


@pytest.fixture
def journal(tmp_path):
    return str(tmp_path / "x.journal")


@pytest.fixture
def ids(api):
    """Three open cases, which nothing else finds."""
    return [
        api.store.create_case("KYC", status="open", fields={"priority": "high", "notes": f"bulk {SECRET}"}).id
        for _ in range(3)
    ]


@pytest.fixture
def many(journal):
    return ("--journal", journal, "--yes")


def statuses(api, ids):
    return [api.store.cases[case_id].status for case_id in ids]


def outcomes(ran):
    return [(row["id"], row["outcome"]) for row in ran.cases]


def test_several_ids_are_changed_and_reported(cli, api, ids, many):
    ran = cli("status", *ids, "escalated", *many)
    assert (ran.code, statuses(api, ids)) == (0, ["escalated"] * 3)
    assert outcomes(ran) == [(case_id, "changed") for case_id in ids]
    assert ran.err.startswith("3 cases: 3 changed, 0 unchanged, 0 skipped, 0 failed, 0 indeterminate\n6 requests in ")
    again = cli("status", *ids, "escalated", *many)
    assert (again.code, again.out) == (0, ran.out)
    assert re.search(r"\n0 requests in [\d.]+ s, resumed\n", again.err)


def test_a_query_says_which_cases(cli, api, many):
    open_cases = [case.id for case in api.store.cases.values() if case.status == "open"]
    ran = cli("tag", "add", "seen", "--where", "status == 'open'", *many)
    assert (ran.code, sorted(case_id for case_id, _ in outcomes(ran))) == (0, sorted(open_cases))
    assert all("seen" in api.store.cases[case_id].tags for case_id in open_cases)


@pytest.mark.parametrize("as_json", [False, True])
def test_ids_come_from_a_file_or_a_pipe(cli, process, api, ids, many, tmp_path, as_json):
    text = "".join(json.dumps({"id": each, "type": "case"}) + "\n" if as_json else f"{each}\n\n" for each in ids)
    (tmp_path / "ids.txt").write_text(text)
    assert cli("comment", "Seen.", "--ids", str(tmp_path / "ids.txt"), *many).code == 0
    ran = process(
        "assign", "maya.okafor@example.com", "--ids", "-", "--journal", f"{tmp_path}/y", "--yes", stdin=text.encode()
    )
    assert (ran.code, [case_id for case_id, _ in outcomes(ran)]) == (0, ids)
    assert all(len(api.store.cases[case_id].comments) == 1 for case_id in ids)


def test_every_change_can_be_made_many_times(cli, api, ids, tmp_path):
    inquiry = api.store.add_object("inquiry").id
    (tmp_path / "ids.txt").write_text("\n".join(ids))
    listed = ("--ids", str(tmp_path / "ids.txt"), "--yes")
    for number, words in enumerate(
        [
            ("update", "--field-json", "risk_score=7", "--no-sla"),
            ("assign", "maya.okafor@example.com"),
            ("status", "pending"),
            ("comment", "Hello."),
            ("tag", "add", "vip"),
            ("tag", "set", "vip", "eu"),
            ("tag", "remove", "eu"),
            ("objects", "add", inquiry),
            ("objects", "remove", inquiry),
        ]
    ):
        ran = cli(*words, *listed, "--journal", str(tmp_path / f"{number}.journal"))
        assert (ran.code, outcomes(ran)) == (0, [(case_id, "changed") for case_id in ids]), words
    for case_id in ids:
        case = api.store.cases[case_id]
        assert (case.status, case.tags, case.inquiries) == ("pending", ("vip",), ())
        assert case.fields["risk_score"]["value"] == 7


def test_a_csv_file_has_the_values_of_each_case(cli, api, ids, many, tmp_path):
    path = tmp_path / "x.csv"
    path.write_text(f'\ufeffid,notes,risk_score:json\n{ids[0]},"a, b",7\n{ids[1]},,null\n\n{ids[2]},c,\n')
    ran = cli("update", "--csv", str(path), *many)
    assert (ran.code, ran.err.partition("\n")[0].partition(",")[0]) == (0, "3 cases: 2 changed")
    values = [{key: value["value"] for key, value in api.store.cases[case_id].fields.items()} for case_id in ids]
    assert [(each["notes"], each.get("risk_score")) for each in values] == [
        ("a, b", 7),
        (f"bulk {SECRET}", None),
        ("c", None),
    ]


BAD_CSV = {
    "no id": ("notes\nx\n", "--csv: the first line must name the columns"),
    "nothing but ids": ("id\ncase_1\n", "--csv: the first line must name the columns"),
    "a column twice": ("id,a,a\ncase_1,b,c\n", "--csv: the first line must name the columns"),
    "too few cells": (f"id,a\n{SECRET}\n", "--csv, line 2: it must have 2 cells"),
    "no value": ("id,a\ncase_1,\n", "--csv, line 2: it sets no field"),
    "no JSON": (f"id,a:json\ncase_1,{SECRET}\n", "--csv, line 2: the cell of 'a:json' is not JSON"),
    "an id twice": ("id,a\ncase_1,b\ncase_2,b\ncase_1,c\n", "--csv, line 4: the id is on line 2 already"),
    "a bad id": (f"id,a\n{SECRET}/x,b\n", "--csv, line 2: the id must be a bare id"),
    "a quote": ('id,a\ncase_1,"b\n', "--csv, line 2: unexpected end of data"),
}


@pytest.mark.parametrize("name", BAD_CSV)
def test_a_line_that_makes_no_update_is_named(cli, api, many, tmp_path, name):
    content, said = BAD_CSV[name]
    (tmp_path / "x.csv").write_text(content)
    ran = cli("update", "--csv", str(tmp_path / "x.csv"), *many)
    assert (ran.code, len(api.requests)) == (2, 0)
    assert ran.err.startswith(f"error: {said}")
    assert SECRET not in ran.err


def test_a_dry_run_prints_what_would_become_of_each_case(cli, api, ids, tmp_path):
    api.store.update_case(ids[0], status="pending")
    ran = cli("status", *ids, "case_gone", "pending", "--dry-run", "--only-if", "fields.priority == 'high'")
    assert (ran.code, statuses(api, ids)) == (1, ["pending", "open", "open"])
    assert [outcome for _, outcome in outcomes(ran)] == ["unchanged", "changed", "changed", "failed"]
    assert ran.err.startswith("dry run: 4 cases: 2 changed, 1 unchanged, 0 skipped, 1 failed, 0 indeterminate\n")
    assert "; the run would take about " in ran.err
    assert not list(tmp_path.iterdir())


def test_one_case_with_a_journal_is_reported_too(cli, ids, many):
    ran = cli("comment", ids[0], "Hello.", *many)
    assert (ran.code, outcomes(ran)) == (0, [(ids[0], "changed")])


def test_failures_have_a_code_and_can_be_tried_again(cli, api, ids, many):
    api.faults.add(Fault.status(422), method="POST", path="/cases/*/add-comment", times=1)
    ran = cli("comment", *ids, "Hello.", *many, "--concurrency", "1")
    assert (ran.code, [outcome for _, outcome in outcomes(ran)]) == (1, ["failed", "changed", "changed"])
    assert ran.cases[0]["titles"] == ["Unprocessable entity"]
    assert "hint: once the reasons are gone, add --retry-failed" in ran.err
    assert cli("comment", *ids, "Hello.", *many).code == 1
    assert cli("comment", *ids, "Hello.", *many, "--retry-failed").code == 0


def test_max_failures_leaves_the_rest_pending(cli, api, ids, many):
    api.faults.add(Fault.status(422), method="POST", path="/cases/*/add-comment")
    ran = cli("comment", *ids, "Hello.", *many, "--max-failures", "1", "--concurrency", "1")
    assert (ran.code, [outcome for _, outcome in outcomes(ran)]) == (1, ["failed", "pending", "pending"])
    assert "hint: run the same command again for the pending cases" in ran.err


def test_what_nobody_knows_has_a_code_of_its_own(cli, api, ids, many):
    api.faults.add(Fault.status(500, applied=True, stored=True), method="POST", path="/cases/*/add-comment", times=1)
    ran = cli("comment", ids[0], "Hello.", *many, "--output", "table")
    assert ran.code == 9
    assert ran.out.startswith(f"{ids[0]}  indeterminate  ".encode())
    assert "hint: check the indeterminate cases" in ran.err


@pytest.mark.parametrize(
    ("argv", "said"),
    [
        (["status", "pending"], "no case given: give its id, or several with --ids or --where"),
        (["tag", "add", "--dry-run"], "no case given"),
        (["status", "a", "b", "pending"], "many cases need a journal"),
        (["status", "a", "pending", "--yes"], "many cases need a journal"),
        (["status", "a", "b", "pending", "--journal", "x"], "nobody can be asked"),
        (["status", "a", "pending", "--where", "status == 'open'", "--dry-run"], "give ids or --where: only one"),
        (["status", "pending", "--ids", "/nowhere", "--dry-run"], "--ids: cannot read the file"),
        (["status", "pending", "--where", "statuss == 'x'", "--dry-run"], "--where: "),
        (["status", "a", "b", "pending", "--dry-run", "--only-if", "statuss == 'x'"], "--only-if: "),
        (["status", "a", "b", "pending", "--dry-run", "--idempotency-key", "k"], "--idempotency-key is for one case"),
        (["status", "a", "b", "pending", "--dry-run", "--yes"], "--yes and --max-failures have no effect"),
        (["status", "a", "b/c", "pending", "--dry-run"], "each id must be a bare id"),
        (["tag", "add", "x", "y", "--where", "status == 'open'", "--dry-run"], "give one tag"),
        (["comment", "-", "--ids", "-", "--dry-run"], "stdin has either the ids or the comment"),
        (["update", "a", "--csv", "x", "--dry-run"], "--csv has the cases and their values"),
        (["update", "--csv", "/nowhere", "--dry-run"], "--csv: cannot read the file"),
        (["update", "a", "b", "--dry-run"], "nothing to update"),
        (["status", "a", "b", "pending", "--yes", "--journal", "/nowhere/x"], "journal: cannot use this path: No such"),
    ],
)
def test_bad_arguments_are_refused_before_anything_is_sent(process, api, argv, said):
    ran = process(*argv)
    assert (ran.code, ran.out, len(api.requests)) == (2, b"", 0)
    assert ran.err.startswith(f"error: {said}")
    assert ran.err.count("\n") == 1


def test_lines_of_ids_that_are_none_are_named(process, api, many):
    for text, said in (
        (b"case_1\na b\n", "line 2"),
        (b'{"id": 5}\n', "line 1: the JSON has no id"),
        (b"\xff", "the file"),
    ):
        ran = process("status", "pending", "--ids", "-", *many, stdin=text)
        assert (ran.code, len(api.requests)) == (2, 0)
        assert said in ran.err


@pytest.mark.parametrize(("typed", "code"), [(b"y\n", 0), (b"n\n", 1), (b"\x04", 1)])
def test_on_a_terminal_it_shows_the_plan_and_asks(on_terminal, api, ids, journal, typed, code):
    ran = on_terminal("status", *ids, "pending", "--journal", journal, typed=typed)
    assert ran.code == code
    assert "\n".join(ids).encode() in ran.out
    assert b"This takes up to 6 requests, about 0.1 s.\nSet the status of 3 cases? [y/N] " in ran.out
    if code:
        assert ran.out.endswith(b"nothing was changed\n")
    else:
        assert b"3 cases: 3 changed" in ran.out
    assert statuses(api, ids) == ["open" if code else "pending"] * 3


def test_the_question_can_be_interrupted(on_terminal, api, ids, journal):
    ran = on_terminal("status", *ids, "pending", "--journal", journal, interrupt_at=b"[y/N] ")
    assert (ran.code, statuses(api, ids)) == (130, ["open"] * 3)
    assert ran.out.endswith(b"interrupted\n")


def test_on_a_terminal_it_prints_the_cases_that_need_a_look(on_terminal, api, ids, many):
    ran = on_terminal("status", ids[0], "case_gone", "pending", *many)
    assert ran.code == 1
    assert b"case_gone  failed         404 Record not found" in ran.out
    assert ran.out.count(ids[0].encode()) == 0
