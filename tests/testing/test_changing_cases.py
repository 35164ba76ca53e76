import base64
from datetime import UTC, datetime

import pytest

from persona_cases.testing import ManualClock
from persona_cases.testing.world.catalog import API_KEY

OLD = {"Persona-Version": "2023-01-05"}
PDF = {"data": base64.b64encode(b"%PDF-1.7").decode(), "filename": "letter.pdf"}


@pytest.fixture
def clock():
    return ManualClock(datetime(2026, 5, 1, 8, tzinfo=UTC))


@pytest.fixture
async def api(simulate, clock):
    return await simulate(cases=3, clock=clock)


@pytest.fixture
async def case_id(api):
    return (await api.create({"fields": {"priority": "high", "risk_score": 7}})).case["id"]


async def test_fields_merge_and_null_clears_one(api, clock, case_id):
    clock.advance(60)
    changed = await api.patch(case_id, {"fields": {"priority": None, "notes": "called"}})
    assert changed.status == 200
    assert {key: field["value"] for key, field in changed.attributes["fields"].items()} == {
        "priority": None,
        "risk_score": 7,
        "notes": "called",
    }
    assert changed.attributes["updated-at"] == "2026-05-01T08:01:00.000Z"
    assert (changed.attributes["updater-id"], changed.attributes["updater-type"]) == API_KEY


async def test_a_case_comes_into_a_queue_and_out_of_it(api, case_id):
    queue = next(iter(api.sim.store.queues))
    changed = await api.patch(case_id, {"case-queue-id": queue}, params={"include": "case-queue"})
    assert [one["id"] for one in changed.document["included"]] == [queue]
    assert (await api.patch(case_id, {"fields": {}})).case["relationships"]["case-queue"]["data"]["id"] == queue
    changed = await api.patch(case_id, {"case-queue-id": None})
    assert changed.case["relationships"]["case-queue"]["data"] is None


async def test_an_sla_is_set_and_cleared(api, case_id):
    changed = await api.patch(case_id, meta={"sla-expires-in-seconds": 3600})
    assert changed.attributes["sla-expires-at"] == "2026-05-01T09:00:00.000Z"
    assert (await api.patch(case_id, {})).attributes["sla-expires-at"] == "2026-05-01T09:00:00.000Z"
    changed = await api.patch(case_id, meta={"sla-expires-in-seconds": None})
    assert changed.attributes["sla-expires-at"] is None


async def test_attachments_are_added_and_can_be_downloaded(api, case_id):
    first = await api.patch(case_id, {"attachments": [PDF]})
    assert first.attributes["attachments"][0]["byte-size"] == 8
    photo = {"data": base64.b64encode(b"\xff\xd8photo").decode(), "filename": "Zoë & me #1.JPEG"}
    second = await api.patch(case_id, {"attachments": [photo, PDF]}, headers={"Key-Inflection": "snake"})
    shown = second.attributes["attachments"]
    assert [file["filename"] for file in shown] == ["letter.pdf", "Zoë & me #1.JPEG", "letter.pdf"]
    assert len({file["url"] for file in shown}) == 3
    for file, content, kind in zip(
        shown, (b"%PDF-1.7", b"\xff\xd8photo"), ("application/pdf", "image/jpeg"), strict=False
    ):
        async with api.session.get(file["url"]) as response:
            assert (response.status, response.content_type) == (200, kind)
            assert await response.read() == content


@pytest.mark.parametrize(
    ("attachment", "status", "place"),
    [
        ({**PDF, "data": "not base 64!"}, 422, "/data/attributes/attachments/0/data"),
        ({**PDF, "data": PDF["data"] + "\n"}, 422, "/data/attributes/attachments/0/data"),
        ({**PDF, "data": "AAA"}, 422, "/data/attributes/attachments/0/data"),
        ({**PDF, "data": "ÄÖ"}, 422, "/data/attributes/attachments/0/data"),
        ({**PDF, "filename": "letter.exe"}, 422, "/data/attributes/attachments/0/filename"),
        ({**PDF, "filename": ".pdf"}, 422, "/data/attributes/attachments/0/filename"),
        ({**PDF, "filename": "../letter.pdf"}, 422, "/data/attributes/attachments/0/filename"),
        ({**PDF, "filename": "..\\letter.pdf"}, 422, "/data/attributes/attachments/0/filename"),
        ({**PDF, "data": ""}, 400, "data.attributes.attachments.0.data must be filled"),
        ({"data": "AAAA"}, 400, "data.attributes.attachments.0.filename is missing"),
        ({"filename": "a.pdf"}, 400, "data.attributes.attachments.0.data is missing"),
        ({**PDF, "size": 8}, 400, "data.attributes.attachments.0.size is not allowed"),
        (PDF["data"], 400, "data.attributes.attachments.0 must be an object"),
    ],
)
async def test_attachments_that_can_not_be_taken(api, case_id, attachment, status, place):
    answered = await api.patch(case_id, {"attachments": [attachment]})
    assert answered.status == status
    assert place == (answered.error["source"]["pointer"] if status == 422 else answered.error["details"])
    assert (await api.get(f"/cases/{case_id}")).attributes["attachments"] == []


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({"data": {"attributes": {"case-queue-id": "cqueue_none"}}}, 404),
        ({"data": {"attributes": {"case-queue-id": 1}}}, 400),
        ({"data": {"attributes": {"case-template-id": "x"}}}, 400),
        ({"data": {"attributes": {"fields": {"shoe": 1}}}}, 422),
        ({"data": {"attributes": {"fields": {"risk_score": "7"}}}}, 422),
        ({"data": {"attributes": {"fields": None}}}, 400),
        ({"data": {"attributes": {"attachments": PDF}}}, 400),
        ({"data": {"attributes": {"priority": "low"}}}, 400),
        ({"meta": {"sla-expires-in-seconds": 0}}, 422),
        ({"meta": {"object-ids": []}}, 400),
    ],
)
async def test_an_update_that_is_refused_changes_nothing(api, case_id, body, status):
    before = api.sim.store.cases[case_id]
    good = {"fields": {"priority": "low"}}
    body.setdefault("data", {"attributes": {}})["attributes"] = {**good, **body.get("data", {}).get("attributes", {})}
    assert (await api.send("PATCH", f"/cases/{case_id}", json=body)).status == status
    assert api.sim.store.cases[case_id] is before


async def test_before_2025_10_27_fields_may_stand_in_both_places(api, case_id):
    changed = await api.patch(case_id, {"risk-score": 1, "fields": {"politicallyExposed": True}}, headers=OLD)
    assert changed.attributes["fields"]["risk-score"]["value"] == 1
    assert changed.attributes["fields"]["politically-exposed"]["value"] is True
    assert {one["type"] for one in changed.document["included"]} <= {"account", "inquiry", "report", "case-comment"}


async def test_a_redacted_case_is_empty_for_good(api, case_id, clock):
    (file,) = (await api.patch(case_id, {"attachments": [PDF]})).attributes["attachments"]
    (stored,) = api.sim.store.cases[case_id].attachments
    await api.act(case_id, "add-tag", {"tag-name": "vip"})
    clock.advance(60)
    redacted = await api.send("DELETE", f"/cases/{case_id}")
    assert redacted.status == 200
    attributes = redacted.attributes
    assert (attributes["fields"], attributes["attachments"]) == ({}, [])
    assert attributes["redacted-at"] == attributes["updated-at"] == "2026-05-01T08:01:00.000Z"
    assert (attributes["tags"], attributes["updater-id"]) == (["vip"], API_KEY.id)
    assert (await api.get(f"/cases/{case_id}")).case == redacted.case
    assert b"PDF" not in api.sim.store.file_content(stored)
    async with api.session.get(file["url"]) as response:
        assert response.status == 404


async def test_nothing_can_be_done_to_a_redacted_case(api, case_id):
    await api.send("DELETE", f"/cases/{case_id}")
    inquiry = api.sim.store.add_object("inquiry").id
    answers = [
        await api.send("DELETE", f"/cases/{case_id}"),
        await api.patch(case_id, {"fields": {"priority": "low"}}),
        await api.act(case_id, "add-objects", {"object-ids": [inquiry]}),
        await api.act(case_id, "remove-objects", {"object-ids": [inquiry]}),
        await api.act(case_id, "assign", {"user-email-address": next(iter(api.sim.store.users))}),
        await api.act(case_id, "set-status", {"status": "pending"}),
        await api.act(case_id, "add-tag", {"tag-name": "vip"}),
        await api.act(case_id, "remove-tag", {"tag-name": "vip"}),
        await api.act(case_id, "set-tags", {"tag-name": []}),
        await api.act(case_id, "add-comment", {"message": "Done."}),
    ]
    for answered in answers:
        assert (answered.status, answered.error) == (409, {"title": "Conflict", "details": "Case already redacted"})


async def test_a_search_sees_changes_after_the_lag(simulate, clock):
    api = await simulate(cases=0, clock=clock, index_lag=60)
    case_id = (await api.create({"fields": {"priority": "high"}})).case["id"]
    query = {"query": {"attribute": "fields.priority", "operator": "eq", "value": "high"}}
    for expected in ([], [case_id]):
        assert (await api.search(query)).ids == expected
        clock.advance(60)
    await api.send("DELETE", f"/cases/{case_id}")
    assert (await api.search(query)).ids == [case_id]
    clock.advance(60)
    assert (await api.search(query)).ids == []


async def test_cases_that_do_not_exist_can_not_be_changed(api):
    assert (await api.send("DELETE", "/cases/case_none")).status == 404
    assert (await api.patch("case_none", {})).status == 404
    for action, meta in (
        ("add-objects", {"object-ids": ["inq_1"]}),
        ("remove-objects", {"object-ids": ["inq_1"]}),
        ("assign", {"user-email-address": "ann@example.com"}),
        ("set-status", {"status": "open"}),
        ("add-tag", {"tag-name": "vip"}),
        ("remove-tag", {"tag-name": "vip"}),
        ("set-tags", {"tag-name": []}),
        ("add-comment", {"message": "x"}),
    ):
        answered = await api.act("case_none", action, meta)
        assert (answered.status, answered.document) == (404, {"errors": [{"title": "Record not found"}]})


async def test_a_hash_given_to_the_store_is_typed_like_one_from_the_api(api):
    address = {"city": "Aarhus"}
    stored = api.sim.store.create_case("KYC", fields={"address": address})
    made = await api.create({"fields": {"address": address}})
    assert stored.fields == made.attributes["fields"]
