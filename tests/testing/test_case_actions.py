from datetime import UTC, datetime

import pytest

from persona_cases.testing import CaseFactory, ManualClock
from persona_cases.testing.world.catalog import API_KEY, TAGS

OLD = {"Persona-Version": "2023-01-05"}


@pytest.fixture
def clock():
    return ManualClock(datetime(2026, 5, 1, 8, tzinfo=UTC))


@pytest.fixture
async def api(simulate, clock):
    return await simulate(cases=3, clock=clock, tag_cap=len(TAGS) + 2)


@pytest.fixture
async def case_id(api):
    return (await api.create()).case["id"]


# ---- objects ---------------------------------------------------------------------------------------------------------


async def test_objects_of_all_kinds_are_attached_where_they_belong(api, case_id):
    kinds = {
        "account": "accounts",
        "inquiry": "inquiries",
        "report/watchlist": "reports",
        "verification/selfie": "verifications",
        "transaction": "txns",
    }
    ids = {type_: api.sim.store.add_object(type_).id for type_ in (*kinds, "document", "graph-query")}
    changed = await api.act(case_id, "add-objects", {"object-ids": list(ids.values())}, params={"include": "reports"})
    for type_, relationship in kinds.items():
        assert changed.case["relationships"][relationship]["data"] == [{"type": type_, "id": ids[type_]}]
    assert [one["id"] for one in changed.document["included"]] == [ids["report/watchlist"]]
    assert {ref.id for ref in api.sim.store.objects(case_id)} == set(ids.values())
    changed = await api.act(case_id, "remove-objects", {"object-ids": [ids["document"], ids["inquiry"]]})
    assert changed.linked("inquiries") == []
    assert len(api.sim.store.objects(case_id)) == 5


async def test_the_accounts_of_the_factory_can_be_attached_even_if_no_case_has_them(simulate):
    api = await simulate(cases=40, seed=3)
    accounts = [account.id for account in CaseFactory(40, 3).accounts]
    assert {ref.id for case in api.sim.store.cases.values() for ref in case.accounts} < {*accounts}
    case_id = (await api.create()).case["id"]
    changed = await api.act(case_id, "add-objects", {"object-ids": accounts})
    assert changed.linked("accounts") == accounts


async def test_objects_of_other_cases_can_be_attached_and_are_added_at_the_end(api, case_id):
    inquiries = [ref.id for case in api.sim.store.cases.values() for ref in case.inquiries]
    new = api.sim.store.add_object("inquiry").id
    for ids in (inquiries, [new]):
        changed = await api.act(case_id, "add-objects", {"object-ids": ids})
    assert changed.linked("inquiries") == [*inquiries, new]
    filtered = await api.get("/cases", {"filter[inquiry-id]": new})
    assert filtered.ids == [case_id]


@pytest.mark.parametrize("type_", ["inquiry", "document"])
async def test_an_object_is_attached_at_most_once(api, case_id, type_):
    other, one = (api.sim.store.add_object(type_).id for _ in range(2))
    await api.act(case_id, "add-objects", {"object-ids": [one]})
    for ids in ([one], [other, one], [other, other]):
        answered = await api.act(case_id, "add-objects", {"object-ids": ids})
        assert (answered.status, answered.error["title"]) == (409, "Record not unique")
    assert [ref.id for ref in api.sim.store.objects(case_id)] == [one]
    await api.act(case_id, "remove-objects", {"object-ids": [one]})
    assert (await api.act(case_id, "add-objects", {"object-ids": [one]})).status == 200


async def test_a_case_has_at_most_a_thousand_objects(api, case_id):
    ids = [api.sim.store.add_object("document").id for _ in range(1001)]
    assert (await api.act(case_id, "add-objects", {"object-ids": ids})).status == 422
    assert (await api.act(case_id, "add-objects", {"object-ids": ids[:1000]})).status == 200
    answered = await api.act(case_id, "add-objects", {"object-ids": ids[1000:]})
    assert (answered.status, answered.error["source"]) == (422, {"pointer": "/meta/object-ids"})
    assert (await api.create(meta={"object-ids": ids})).status == 422


async def test_removing_what_is_not_attached_does_not_modify_the_case(api, case_id, clock):
    clock.advance(60)
    before = api.sim.store.cases[case_id]
    answered = await api.act(
        case_id, "remove-objects", {"object-ids": ["inq_none", api.sim.store.add_object("inquiry").id]}
    )
    assert answered.status == 200
    assert api.sim.store.cases[case_id] is before


async def test_unknown_objects_are_404_and_nothing_is_attached(api, case_id):
    known = api.sim.store.add_object("inquiry").id
    answered = await api.act(case_id, "add-objects", {"object-ids": [known, "inq_none"]})
    assert (answered.status, answered.error["details"]) == (404, "meta.object_ids.1 is not found")
    assert api.sim.store.objects(case_id) == ()


@pytest.mark.parametrize("action", ["add-objects", "remove-objects"])
@pytest.mark.parametrize("body", [{}, {"meta": {}}, {"meta": {"object-ids": None}}, {"meta": {"object-ids": []}}])
async def test_no_objects_at_all_are_400(api, case_id, action, body):
    assert (await api.post(f"/cases/{case_id}/{action}", body)).status == 400


# ---- assignment ------------------------------------------------------------------------------------------------------


async def test_a_case_is_assigned(api, case_id, clock):
    clock.advance(60)
    email, user = next(iter(api.sim.store.users.items()))
    attributes = (await api.act(case_id, "assign", {"user-email-address": email})).attributes
    assert (attributes["assignee-id"], attributes["assigned-at"]) == (email, "2026-05-01T08:01:00.000Z")
    assert (attributes["assigner-id"], attributes["assigner-type"]) == API_KEY
    assert attributes["updated-at"] == attributes["assigned-at"]
    leaf = {"attribute": "assignee", "operator": "eq", "value": user.id}
    assert case_id in (await api.search({"query": leaf})).ids


async def test_unknown_people_are_404(api, case_id):
    answered = await api.act(case_id, "assign", {"user-email-address": "x@example.com"})
    assert (answered.status, answered.error["details"]) == (404, "meta.user_email_address is not found")


@pytest.mark.parametrize("body", [{}, {"meta": {}}, {"meta": {"user-email-address": None}}, {"meta": {"user-id": "u"}}])
async def test_an_assignment_needs_an_address(api, case_id, body):
    assert (await api.post(f"/cases/{case_id}/assign", body)).status == 400


# ---- status ----------------------------------------------------------------------------------------------------------

RESOLUTION = ("resolution", "resolved-at", "resolver-id", "resolver-type")


async def test_end_statuses_resolve_and_others_reopen(api, case_id, clock):
    clock.advance(60)
    attributes = (await api.act(case_id, "set-status", {"status": "approved"})).attributes
    told = ("Approved", "2026-05-01T08:01:00.000Z", *API_KEY)
    assert (attributes["status"], *(attributes[name] for name in RESOLUTION)) == ("approved", *told)
    clock.advance(60)
    attributes = (await api.act(case_id, "set-status", {"status": "approved"})).attributes
    assert tuple(attributes[name] for name in RESOLUTION) == told
    assert attributes["updated-at"] == "2026-05-01T08:02:00.000Z"
    attributes = (await api.act(case_id, "set-status", {"status": "declined"})).attributes
    assert (attributes["resolution"], attributes["resolved-at"]) == ("Declined", "2026-05-01T08:02:00.000Z")
    attributes = (await api.act(case_id, "set-status", {"status": "pending"})).attributes
    assert (attributes["status"], *(attributes[name] for name in RESOLUTION)) == ("pending", *[None] * 4)


@pytest.mark.parametrize("status", ["nonsense", "Open", "cleared"])
async def test_statuses_that_the_template_does_not_have_are_422(api, case_id, status):
    answered = await api.act(case_id, "set-status", {"status": status})
    assert (answered.status, answered.error["source"]) == (422, {"pointer": "/meta/status"})


@pytest.mark.parametrize(
    "body", [{}, {"meta": {}}, {"meta": {"status": 1}}, {"data": {"attributes": {"status": "open"}}}]
)
async def test_a_status_has_to_be_given_in_meta(api, case_id, body):
    assert (await api.post(f"/cases/{case_id}/set-status", body)).status == 400


async def test_before_2025_10_27_the_status_may_be_an_attribute(api, case_id):
    body = {"data": {"attributes": {"status": "pending"}}}
    changed = await api.post(f"/cases/{case_id}/set-status", body, headers=OLD)
    assert changed.attributes["status"] == "pending"
    changed = await api.act(case_id, "set-status", {"status": "approved"}, headers=OLD)
    assert changed.attributes["status"] == "approved"
    assert changed.document["included"] == []


# ---- tags ------------------------------------------------------------------------------------------------------------


async def test_tags_are_added_by_name_or_id_each_once_and_removed(api, case_id):
    vip = api.sim.store.tag_id("vip")
    for meta in ({"tag-name": "urgent"}, {"tag-id": vip}, {"tag-name": "vip"}):
        changed = await api.act(case_id, "add-tag", meta)
    assert changed.attributes["tags"] == ["urgent", "vip"]
    assert (await api.act(case_id, "remove-tag", {"tag-id": vip})).attributes["tags"] == ["urgent"]
    assert (await api.act(case_id, "remove-tag", {"tag-name": "vip"})).attributes["tags"] == ["urgent"]
    assert (await api.act(case_id, "remove-tag", {"tag-name": "urgent"})).attributes["tags"] == []


async def test_all_tags_are_set_at_once_under_keys_in_the_singular(api, case_id):
    await api.act(case_id, "add-tag", {"tag-name": "urgent"})
    meta = {"tag-name": ["new", "vip", "new"], "tag-id": [api.sim.store.tag_id("second-review")]}
    changed = await api.act(case_id, "set-tags", meta)
    assert changed.attributes["tags"] == ["new", "vip", "second-review"]
    leaf = {"attribute": "tag_id", "operator": "eq", "value": api.sim.store.tags.id("new")}
    assert (await api.search({"query": leaf})).ids == [case_id]
    assert (await api.act(case_id, "set-tags", {"tag-id": []})).attributes["tags"] == []


async def test_an_organisation_has_only_so_many_tags(api, case_id):
    for name in ("one", "two"):
        assert (await api.act(case_id, "add-tag", {"tag-name": name})).status == 200
    answered = await api.act(case_id, "add-tag", {"tag-name": "three"})
    assert (answered.status, answered.error["source"]) == (422, {"pointer": "/meta/tag-name"})
    assert (await api.act(case_id, "set-tags", {"tag-name": ["one", "three"]})).status == 422
    assert (await api.act(case_id, "set-tags", {"tag-name": ["one", "vip"]})).attributes["tags"] == ["one", "vip"]
    assert "three" not in api.sim.store.tags


async def test_tags_that_exist_may_be_used_beyond_the_cap(simulate):
    api = await simulate(cases=0, tag_cap=0)
    case_id = (await api.create()).case["id"]
    assert (await api.act(case_id, "add-tag", {"tag-name": "vip"})).attributes["tags"] == ["vip"]
    assert (await api.act(case_id, "add-tag", {"tag-name": "new"})).status == 422


@pytest.mark.parametrize("action", ["add-tag", "remove-tag"])
@pytest.mark.parametrize(
    "meta",
    [
        {},
        {"tag-name": "vip", "tag-id": "tag_1"},
        {"tag-name": ["vip"]},
        {"tag-name": ""},
        {"tag-id": None},
        {"name": "vip"},
    ],
)
async def test_exactly_one_tag_is_named(api, case_id, action, meta):
    assert (await api.act(case_id, action, meta)).status == 400


@pytest.mark.parametrize("meta", [{}, {"tag-names": ["vip"]}, {"tag-name": "vip"}, {"tag-name": None}, {"tag-id": [1]}])
async def test_set_tags_wants_arrays(api, case_id, meta):
    assert (await api.act(case_id, "set-tags", meta)).status == 400


async def test_unknown_tags_are_404(api, case_id):
    for action, meta in (
        ("add-tag", {"tag-id": "tag_none"}),
        ("remove-tag", {"tag-id": "tag_none"}),
        ("remove-tag", {"tag-name": "none"}),
        ("set-tags", {"tag-id": ["tag_none"]}),
    ):
        assert (await api.act(case_id, action, meta)).status == 404
    assert "none" not in api.sim.store.tags


# ---- comments --------------------------------------------------------------------------------------------------------


async def test_a_comment_is_linked_and_included(api, case_id, clock):
    clock.advance(60)
    for message in ("Called.", "Called again."):
        changed = await api.act(case_id, "add-comment", {"message": message}, params={"include": "case-comments"})
    assert [one["attributes"]["message"] for one in changed.document["included"]] == ["Called.", "Called again."]
    assert changed.linked("case-comments") == [one["id"] for one in changed.document["included"]]
    attributes = changed.document["included"][0]["attributes"]
    assert (attributes["commenter-id"], attributes["commenter-type"]) == API_KEY
    assert attributes["created-at"] == changed.attributes["updated-at"] == "2026-05-01T08:01:00.000Z"


@pytest.mark.parametrize("body", [{}, {"meta": {}}, {"meta": {"message": ""}}, {"meta": {"message": 5}}])
async def test_a_comment_has_something_to_say(api, case_id, body):
    assert (await api.post(f"/cases/{case_id}/add-comment", body)).status == 400


async def test_actions_answer_to_post_alone(api, case_id):
    for method in ("GET", "PATCH", "DELETE"):
        assert (await api.send(method, f"/cases/{case_id}/add-tag")).status == 405
