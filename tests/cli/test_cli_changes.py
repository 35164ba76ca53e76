"""The commands that change a case: what is sent, what is printed, what is refused."""

from __future__ import annotations

import msgspec
import pytest

from persona_cases.cli.options.change_options import FieldValues
from persona_cases.cli.options.field_input import field_values, sla_seconds
from persona_cases.errors import InvalidArgumentError
from persona_cases.testing import Fault

SECRET = "Sheila Miller"


@pytest.fixture
def kyc(api):
    return api.store.template("KYC")


@pytest.fixture
def case(api):
    """A case of the simulator that the environment points to."""
    return api.store.create_case("KYC", fields={"priority": "low", "notes": SECRET}, tags=("vip",))


def body(api):
    return msgspec.json.decode(api.requests[-1].body)


def test_a_case_is_created_as_the_options_say(cli, api, kyc):
    inquiry = api.store.add_object("inquiry")
    ran = cli(
        *("create", "--template", kyc.id, "--field", "priority=high", "--field", "notes=007=8"),
        *("--field-json", "risk_score=7", "--fields-json", '{"politically_exposed": true}'),
        *("--queue", kyc.queues[0].id, "--creator", "maya.okafor@example.com", "--object", inquiry.id, "--sla", "90m"),
    )
    assert (ran.code, ran.err) == (0, "")
    (printed,) = ran.cases
    made = api.store.cases[printed["id"]]
    assert printed["attributes"]["status"] == made.status == "open"
    values = {key: field["value"] for key, field in made.fields.items()}
    assert values == {"priority": "high", "notes": "007=8", "risk_score": 7, "politically_exposed": True}
    assert (made.queue_id, made.creator_id) == (kyc.queues[0].id, "maya.okafor@example.com")
    assert made.inquiries == (inquiry,)
    assert made.sla_expires_at is not None
    assert body(api)["meta"] == {"object-ids": [inquiry.id], "sla-expires-in-seconds": 5400}


def test_fields_may_come_from_a_file_or_stdin(process, cli, api, kyc, tmp_path):
    (tmp_path / "fields.json").write_text('{"notes": "from a file"}')
    from_file = cli("create", "--template", kyc.id, "--fields-json", f"@{tmp_path}/fields.json")
    from_stdin = process("create", "--template", kyc.id, "--fields-json", "-", stdin=b'{"notes": "from stdin"}')
    notes = [ran.cases[0]["attributes"]["fields"]["notes"]["value"] for ran in (from_file, from_stdin)]
    assert notes == ["from a file", "from stdin"]


def test_an_update_changes_what_is_named_and_nothing_else(cli, api, case, tmp_path):
    (tmp_path / "passport.pdf").write_bytes(b"%PDF-1.7")
    ran = cli(
        *("update", case.id, "--field-json", "risk_score=9", "--attach", str(tmp_path / "passport.pdf")),
        *("--queue", api.store.template("KYC").queues[1].id, "--sla", "2h"),
    )
    assert (ran.code, ran.ids) == (0, [case.id])
    changed = api.store.cases[case.id]
    assert {key: field["value"] for key, field in changed.fields.items()} == {
        "priority": "low",
        "notes": SECRET,
        "risk_score": 9,
    }
    assert [file.filename for file in changed.attachments] == ["passport.pdf"]
    assert changed.queue_id == api.store.template("KYC").queues[1].id
    assert changed.sla_expires_at is not None
    assert cli("update", case.id, "--no-queue", "--no-sla", "--field-json", "notes=null").code == 0
    cleared = api.store.cases[case.id]
    assert (cleared.queue_id, cleared.sla_expires_at, cleared.fields["notes"]["value"]) == (None, None, None)
    assert body(api)["data"]["attributes"]["case-queue-id"] is None


def test_assigning_and_the_status(cli, api, case):
    assert cli("assign", case.id, "maya.okafor@example.com").ids == [case.id]
    assert api.store.cases[case.id].assignee_id == "maya.okafor@example.com"
    ran = cli("status", case.id, "escalated")
    assert ran.cases[0]["attributes"]["status"] == api.store.cases[case.id].status == "escalated"


def comments(api, case):
    stored = api.store.cases[case.id]
    return [api.store.resource(ref, stored).attributes["message"] for ref in stored.comments]


def test_a_comment_may_come_from_stdin(cli, process, api, case):
    assert cli("comment", case.id, "Looks fine.").code == 0
    assert process("comment", case.id, "-", stdin="Zwei\nZeilen ü\r\n".encode()).code == 0
    assert comments(api, case) == ["Looks fine.", "Zwei\nZeilen ü"]
    refused = process("comment", case.id, "-", stdin=b"\xff")
    assert (refused.code, refused.err) == (2, "error: the comment on stdin must be UTF-8 text\n")
    assert cli("comment", case.id, " ").code == 2


def test_tags_are_added_removed_and_set(cli, api, case):
    urgent = api.store.tag_id("urgent")
    ran = cli("tag", "add", case.id, "brand new", "--id", urgent)
    assert ran.cases[0]["attributes"]["tags"] == ["vip", "brand new", "urgent"]
    assert cli("tag", "remove", case.id, "vip", "urgent").cases[0]["attributes"]["tags"] == ["brand new"]
    assert set(cli("tag", "set", case.id, "a", "--id", urgent).cases[0]["attributes"]["tags"]) == {"a", "urgent"}
    assert cli("tag", "set", case.id, "--id", urgent).cases[0]["attributes"]["tags"] == ["urgent"]
    assert cli("tag", "set", case.id, "--none").cases[0]["attributes"]["tags"] == []


def test_objects_are_attached_and_detached(cli, api, case):
    one, two = api.store.add_object("inquiry"), api.store.add_object("report/watchlist")
    assert cli("objects", "add", case.id, one.id, two.id).code == 0
    assert set(api.store.objects(case.id)) >= {one, two}
    assert cli("objects", "remove", case.id, one.id).code == 0
    assert one not in api.store.objects(case.id)
    assert two in api.store.objects(case.id)


def test_a_key_makes_a_command_happen_once(cli, api, case):
    for _ in range(2):
        assert cli("comment", case.id, "Once.", "--idempotency-key", "k-1").code == 0
    assert comments(api, case) == ["Once."]
    for _ in range(2):
        assert cli("tag", "add", case.id, "a", "b", "--idempotency-key", "k-2").code == 0
    assert [request.headers["idempotency-key"] for request in api.requests[-4:]] == ["k-2-1", "k-2-2"] * 2
    other = cli("comment", case.id, "Twice.", "--idempotency-key", "k-1")
    assert (other.code, comments(api, case)) == (6, ["Once."])
    assert cli("comment", case.id, "x", "--idempotency-key", "ü").code == 2


@pytest.mark.parametrize("form", ["table", "pretty", "json", "jsonl"])
def test_the_changed_case_is_printed_in_any_form(cli, api, case, form):
    ran = cli("status", case.id, "pending", "--output", form)
    assert ran.code == 0
    if form == "table":
        assert ran.out.decode().splitlines()[-1].split()[:2] == [case.id, "pending"]
        return
    printed = msgspec.json.decode(ran.out)
    assert (printed[0] if form == "json" else printed)["id"] == case.id


def test_a_changed_case_on_a_terminal_is_pretty(on_terminal):
    ran = on_terminal("status", "--simulator", "case_j5DjGo07GUN80NQLDbXhXwpr", "pending", NO_COLOR="1", TERM="dumb")
    assert ran.code == 0
    assert b'\n    "status": "pending",\n' in ran.out


@pytest.mark.parametrize(
    ("argv", "said"),
    [
        (["create"], "--template"),
        (["create", "--template", "t", "--field", SECRET], "error: --field KEY=TEXT: give a key"),
        (["create", "--template", "t", "--field", f"={SECRET}"], "error: --field KEY=TEXT: give a key"),
        (
            ["create", "--template", "t", "--field-json", f"notes={SECRET}"],
            "error: --field-json notes: the value is not JSON",
        ),
        (["create", "--template", "t", "--fields-json", f'"{SECRET}"'], "error: --fields-json must be a JSON object"),
        (["create", "--template", "t", "--fields-json", SECRET], "error: --fields-json: the value is not JSON"),
        (
            ["create", "--template", "t", "--fields-json", "@/nowhere"],
            "error: --fields-json: cannot read the file: No such file",
        ),
        (["create", "--template", "t", "--field", "a=1", "--field", "a=2"], "error: the custom field 'a' is set twice"),
        (["create", "--template", "t", "--field", "a=1", "--fields-json", '{"a": 2}'], "is set twice"),
        (["create", "--template", "t", "--sla", "2 weeks"], "error: --sla takes a time"),
        (["create", "--template", " "], "error: --template is empty: give a value"),
        (
            ["create", "--template", "t", "--fields-json", '{"a": {"b": 1, "b": 2}}'],
            "error: --fields-json: an object has",
        ),
        (["create", "--template", "t", "--field-json", 'a={"b": 1, "b": 2}'], "error: --field-json a: an object has"),
        (["update", "case_1"], "error: nothing to update: give --field"),
        (["update", "case_1", "--queue", "q", "--no-queue"], "error: give --queue or --no-queue, not both"),
        (["update", "case_1", "--sla", "2h", "--no-sla"], "error: give --sla or --no-sla, not both"),
        (["update", "case_1", "--attach", "/nowhere.pdf"], "--attach"),
        (["update", "../accounts", "--no-sla"], "error: case must be a bare id"),
        (["assign", "case_1", ""], "error: EMAIL is empty: give a value"),
        (["status", "case_1", "x", "--output", "xml"], "--output"),
        (["tag", "add", "case_1"], "error: no tag given: give its name, or its id with --id"),
        (["tag", "set", "case_1"], "error: give either the new tags, or --none"),
        (["tag", "set", "case_1", "a", "--none"], "error: give either the new tags, or --none"),
        (["objects", "add", "case_1"], "OBJECT_ID"),
        (["template", "a/b"], "error: id must be a bare id"),
    ],
)
def test_bad_arguments_are_refused_before_anything_is_sent(cli, api, argv, said):
    ran = cli(*argv)
    assert (ran.code, ran.out, len(api.requests)) == (2, b"", 0)
    assert said in ran.err
    assert SECRET not in ran.err
    assert ran.err.startswith("error: ")
    assert ran.err.count("\n") == 1


def test_arguments_that_are_no_text_are_refused(process, api):
    ran = process("status", "case_1", "\udcff")
    assert (ran.code, ran.err) == (2, "error: STATUS must be UTF-8 text\n")


@pytest.mark.parametrize(
    ("text", "seconds"), [("2h", 7200), ("90m", 5400), ("7200", 7200), ("45s", 45), ("1d", 86_400), ("90d", 7_776_000)]
)
def test_times_are_read(text, seconds):
    assert sla_seconds(text) == seconds


@pytest.mark.parametrize("text", ["", "0", "-1", "1.5h", "2H", "91d", "h", "2h30m", "1 h", "²", "9" * 400])
def test_what_is_no_time_of_an_sla_is_refused(text):
    with pytest.raises(InvalidArgumentError, match="2h, 90m"):
        sla_seconds(text)


def test_numbers_keep_their_digits():
    given = FieldValues(field_json=["a=1.10", "b=12345678901234567890.5", "c=[1, null, {}]"], field=["d=1.10"])
    values = field_values(given)
    assert values is not None
    assert {key: str(value) for key, value in values.items()} == {
        "a": "1.10",
        "b": "12345678901234567890.5",
        "c": "[1, None, {}]",
        "d": "1.10",
    }
    assert field_values(FieldValues()) is None
    assert field_values(FieldValues(fields_json="{}")) == {}


@pytest.mark.parametrize(
    ("argv", "code"),
    [
        (["status", "case_missing", "open"], 4),
        (["status", "CASE", "no such status"], 6),
        (["assign", "CASE", "nobody@example.com"], 4),
        (["create", "--template", "ctmpl_missing"], 4),
        (["update", "CASE", "--field", "no_such_field=1"], 6),
        (["template", "ctmpl_missing"], 4),
    ],
)
def test_what_the_api_refuses_has_its_code_and_no_value_in_it(cli, api, case, argv, code):
    ran = cli(*(case.id if each == "CASE" else each for each in argv))
    assert (ran.code, ran.out) == (code, b"")
    assert ran.err.startswith("error: 4")
    assert not [value for value in (SECRET, "no such status", "nobody@example.com") if value in ran.err]
    assert "Traceback" not in ran.err


def test_a_conflict_says_to_look_again(cli, api, case):
    api.faults.add(Fault.status(409, "Stale object error"), method="POST")
    ran = cli("status", case.id, "pending")
    assert ran.code == 6
    assert ran.err.splitlines()[0].startswith(
        "error: 409 Stale object error (POST /cases/{id}/set-status, 1 attempt in "
    )
    assert "get the case again" in ran.err
