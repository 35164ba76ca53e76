"""Every change of a case, byte by byte."""

from __future__ import annotations

import json
from datetime import date, datetime, timedelta, timezone
from decimal import Decimal
from enum import Enum

import pytest

from persona_cases import PersonaClient, Upload

BASE = "https://api.example.com/api/v1"
CASE = json.dumps({"data": {"type": "case", "id": "case_1", "attributes": {"status": "open"}}}).encode()


class Priority(Enum):
    HIGH = "high"


@pytest.fixture
async def persona():
    async with PersonaClient("persona_sandbox_key", base_url=BASE) as client:
        yield client


CHANGES = [
    pytest.param(
        lambda cases: cases.create("ctmpl_1"),
        ("POST", "/cases"),
        b'{"data":{"attributes":{"case-template-id":"ctmpl_1"}}}',
        id="create",
    ),
    pytest.param(
        lambda cases: cases.create(
            "ctmpl_1",
            fields={"Any Key": "x", "amount": Decimal("10.10"), "priority": Priority.HIGH},
            case_queue_id="cqueue_1",
            creator_email_address="ann@example.com",
            object_ids=["inq_1", "act_1"],
            sla_expires_in=timedelta(hours=2),
        ),
        ("POST", "/cases"),
        b'{"data":{"attributes":{"case-template-id":"ctmpl_1","creator-email-address":"ann@example.com",'
        b'"case-queue-id":"cqueue_1","fields":{"Any Key":"x","amount":10.10,"priority":"high"}}},'
        b'"meta":{"object-ids":["inq_1","act_1"],"sla-expires-in-seconds":7200}}',
        id="create with everything",
    ),
    pytest.param(
        lambda cases: cases.update(
            "case_1",
            fields={
                "at": datetime(2026, 1, 2, 3, 4, 5, tzinfo=timezone(timedelta(hours=1))),
                "on": date(2026, 1, 2),
                "gone": None,
                "many": ("a", "b"),
                "nested_key": {"inner-key": True},
                "ratio": 0.5,
            },
        ),
        ("PATCH", "/cases/case_1"),
        b'{"data":{"attributes":{"fields":{"at":"2026-01-02T02:04:05Z","on":"2026-01-02","gone":null,"many":["a","b"],'
        b'"nested_key":{"inner-key":true},"ratio":0.5}}}}',
        id="update fields",
    ),
    pytest.param(
        lambda cases: cases.update("case_1", case_queue_id=None, sla_expires_in=None),
        ("PATCH", "/cases/case_1"),
        b'{"data":{"attributes":{"case-queue-id":null}},"meta":{"sla-expires-in-seconds":null}}',
        id="update clears",
    ),
    pytest.param(
        lambda cases: cases.update("case_1", sla_expires_in=90 * 86_400),
        ("PATCH", "/cases/case_1"),
        b'{"meta":{"sla-expires-in-seconds":7776000}}',
        id="update SLA",
    ),
    pytest.param(
        lambda cases: cases.update("case_1", case_queue_id="cqueue_1", attachments=[Upload("a.pdf", b"%PDF")]),
        ("PATCH", "/cases/case_1"),
        b'{"data":{"attributes":{"case-queue-id":"cqueue_1","attachments":[{"data":"JVBERg==","filename":"a.pdf"}]}}}',
        id="update attaches",
    ),
    pytest.param(lambda cases: cases.redact("case_1"), ("DELETE", "/cases/case_1"), None, id="redact"),
    pytest.param(
        lambda cases: cases.add_objects("case_1", ["inq_1", "act_1"]),
        ("POST", "/cases/case_1/add-objects"),
        b'{"meta":{"object-ids":["inq_1","act_1"]}}',
        id="add_objects",
    ),
    pytest.param(
        lambda cases: cases.remove_objects("case_1", iter(["inq_1"])),
        ("POST", "/cases/case_1/remove-objects"),
        b'{"meta":{"object-ids":["inq_1"]}}',
        id="remove_objects",
    ),
    pytest.param(
        lambda cases: cases.assign("case_1", "ann@example.com"),
        ("POST", "/cases/case_1/assign"),
        b'{"meta":{"user-email-address":"ann@example.com"}}',
        id="assign",
    ),
    pytest.param(
        lambda cases: cases.set_status("case_1", "On hold"),
        ("POST", "/cases/case_1/set-status"),
        b'{"meta":{"status":"On hold"}}',
        id="set_status",
    ),
    pytest.param(
        lambda cases: cases.add_tag("case_1", name="vip"),
        ("POST", "/cases/case_1/add-tag"),
        b'{"meta":{"tag-name":"vip"}}',
        id="add_tag by name",
    ),
    pytest.param(
        lambda cases: cases.add_tag("case_1", tag_id="tag_1"),
        ("POST", "/cases/case_1/add-tag"),
        b'{"meta":{"tag-id":"tag_1"}}',
        id="add_tag by id",
    ),
    pytest.param(
        lambda cases: cases.remove_tag("case_1", name="vip"),
        ("POST", "/cases/case_1/remove-tag"),
        b'{"meta":{"tag-name":"vip"}}',
        id="remove_tag",
    ),
    pytest.param(
        lambda cases: cases.set_tags("case_1", names=["vip", "eu"], tag_ids=["tag_1"]),
        ("POST", "/cases/case_1/set-tags"),
        b'{"meta":{"tag-name":["vip","eu"],"tag-id":["tag_1"]}}',
        id="set_tags",
    ),
    pytest.param(
        lambda cases: cases.set_tags("case_1", names=[]),
        ("POST", "/cases/case_1/set-tags"),
        b'{"meta":{"tag-name":[]}}',
        id="set_tags clears",
    ),
    pytest.param(
        lambda cases: cases.add_comment("case_1", "Called back."),
        ("POST", "/cases/case_1/add-comment"),
        b'{"meta":{"message":"Called back."}}',
        id="add_comment",
    ),
]


@pytest.mark.parametrize(("change", "endpoint", "body"), CHANGES)
async def test_a_change_is_exactly_this_request(mocked_http, persona, change, endpoint, body):
    method, path = endpoint
    mocked_http.add(BASE + path, method, body=CASE, status=201 if path == "/cases" else 200)
    case = await change(persona.cases)
    assert (case.id, case.status) == ("case_1", "open")
    (((sent_method, url), (call,)),) = mocked_http.requests.items()
    assert (sent_method, str(url), call.kwargs["data"]) == (method, BASE + path, body)
    assert ("Idempotency-Key" in call.kwargs["headers"]) == (method == "POST")


async def test_what_to_load_into_the_answer_and_the_callers_own_key(mocked_http, persona):
    url = BASE + "/cases/case_1/assign?include=case-queue&fields%5Bcase%5D=status"
    mocked_http.add(url, "POST", body=CASE)
    case = await persona.cases.assign(
        "case_1", "ann@example.com", include=["case-queue"], only=["status"], idempotency_key="mine-1"
    )
    assert case.status == "open"
    ((_, (call,)),) = mocked_http.requests.items()
    assert call.kwargs["headers"]["Idempotency-Key"] == "mine-1"


async def test_old_versions_take_fields_beside_the_other_attributes_and_include_nothing(mocked_http, persona):
    mocked_http.add(BASE + "/cases?include=", "POST", body=CASE, status=201)
    await persona.with_options(version="2023-01-05").cases.create("ctmpl_1", fields={"priority": "high"})
    ((_, (call,)),) = mocked_http.requests.items()
    assert call.kwargs["data"] == b'{"data":{"attributes":{"case-template-id":"ctmpl_1","priority":"high"}}}'


async def test_a_path_and_an_open_file_are_attached(mocked_http, persona, tmp_path):
    (tmp_path / "scan.png").write_bytes(b"\x89PNG" * 20_000)
    mocked_http.add(BASE + "/cases/case_1", "PATCH", body=CASE)
    with (tmp_path / "scan.png").open("rb") as file:
        await persona.cases.update("case_1", attachments=[tmp_path / "scan.png", Upload("again.png", file)])
    ((_, (call,)),) = mocked_http.requests.items()
    sent = json.loads(call.kwargs["data"])["data"]["attributes"]["attachments"]
    assert [each["filename"] for each in sent] == ["scan.png", "again.png"]
    assert sent[0]["data"] == sent[1]["data"]
    assert len(sent[0]["data"]) > 100_000


async def test_a_template_and_the_rate_limits(mocked_http, persona):
    template = {"type": "case-template", "id": "ctmpl_1", "attributes": {"name": "KYC", "status": "active"}}
    mocked_http.add(BASE + "/case-templates/ctmpl_1", "GET", body=json.dumps({"data": template}).encode())
    assert (await persona.case_templates.get("ctmpl_1")).name == "KYC"
    limits = {
        "data": [{"type": "rate-limit/api", "attributes": {"limit": 300, "remaining": 12, "seconds_to_reset": 9}}]
    }
    mocked_http.add(BASE + "/rate-limits", "GET", body=json.dumps(limits).encode())
    (limit,) = await persona.rate_limits()
    assert (limit.type, limit.limit, limit.remaining, limit.seconds_to_reset) == ("rate-limit/api", 300, 12, 9)
