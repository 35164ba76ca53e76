import json
import pickle
from datetime import UTC, datetime
from typing import Any

import pytest
from case_documents import a_body, a_case

from persona_cases.errors import DecodeError, NotLoadedError
from persona_cases.models import Account, Case, CaseComment, CaseQueue, CaseTemplate, Report, Resource
from persona_cases.models.decoding.decode import decode_case, decode_page, decode_resource

TEMPLATE = {
    "type": "case-template",
    "id": "ctmpl_1",
    "attributes": {
        "status": "active",
        "name": "Loans",
        "resolutions": ["Approved", "Declined"],
        "created_at": "2024-01-01T00:00:00Z",
        "updated_at": None,
        "colour": "teal",
        "field_schemas": [
            {
                "type": "choices",
                "key": "priority",
                "label": "Priority",
                "default_value": "low",
                "config": {"required": True, "options": ["low", "high"], "write_policy": "none"},
            },
            {
                "type": "array",
                "key": "a",
                "label": None,
                "config": {"item_schema": {"type": "x", "key": "i", "config": {"max_char_length": 1}}},
            },
            {"type": "json", "key": "j"},
        ],
    },
}
QUEUE = {"type": "case-queue", "id": "cqueue_1", "attributes": {"status": "active", "name": "First line"}}
COMMENT = {
    "type": "case-comment",
    "id": "cscm_1",
    "attributes": {
        "message": "asked for the lease",
        "created_at": "2025-01-01T00:00:00Z",
        "commenter_id": "ana@example.org",
        "commenter_type": "user",
        "pinned": True,
    },
}
ACCOUNT = {
    "type": "account",
    "id": "act_1",
    "attributes": {"reference_id": "r-1", "fields": {"Odd_key-x": 1}},
    "relationships": {"account_type": {"data": None}},
}


def _document(*included: dict[str, Any]) -> dict[str, Any]:
    sent = a_case()
    sent["relationships"] |= {
        "case_queue": {"data": {"type": "case-queue", "id": "cqueue_1"}},
        "case_comments": {"data": [{"type": "case-comment", "id": "cscm_1"}]},
        "reports": {"data": []},
    }
    return {"data": sent, "included": list(included)}


@pytest.fixture(params=["bytes", "mapping", "kebab"])
def case(request: pytest.FixtureRequest) -> Case:
    document = _document(TEMPLATE, QUEUE, COMMENT, ACCOUNT)
    if request.param == "bytes":
        return decode_case(json.dumps(document).encode())
    if request.param == "mapping":
        return Case.from_dict(document)
    read = Case.from_dict(document)
    return Case.from_dict(
        {"data": read.to_dict("kebab"), "included": [each.to_dict("kebab") for each in read.included]}
    )


def test_template(case: Case) -> None:
    template = case.template
    assert isinstance(template, CaseTemplate)
    assert (template.type, template.id, template.name, template.status) == (
        "case-template",
        "ctmpl_1",
        "Loans",
        "active",
    )
    assert template.resolutions == ("Approved", "Declined")
    assert template.created_at == datetime(2024, 1, 1, tzinfo=UTC)
    assert (template.updated_at, template.archived_at) == (None, None)
    assert template.extras == {"colour": "teal"}
    assert template.to_dict() == TEMPLATE
    hash(template)


def test_field_schemas(case: Case) -> None:
    assert case.template is not None
    priority, array, free = case.template.field_schemas
    assert (priority.type, priority.key, priority.label, priority.default_value) == (
        "choices",
        "priority",
        "Priority",
        "low",
    )
    assert priority.config == {"required": True, "options": ["low", "high"], "write_policy": "none"}
    assert array.label is None
    assert array.config["item_schema"]["config"] == {"max_char_length": 1}
    assert (free.label, free.default_value, free.config) == (None, None, {})
    priority.config["options"].append("x")
    assert priority.config["options"] == ["low", "high"]


def test_queue_and_comments(case: Case) -> None:
    assert isinstance(case.queue, CaseQueue)
    assert case.queue.name == "First line"
    (comment,) = case.comments
    assert isinstance(comment, CaseComment)
    assert (comment.message, comment.commenter_id, comment.commenter_type) == (
        "asked for the lease",
        "ana@example.org",
        "user",
    )
    assert comment.extras == {"pinned": True}


def test_an_account_has_its_attributes_typed_and_the_others_too(case: Case) -> None:
    (account,) = case.accounts
    assert (type(account), account.reference_id) == (Account, "r-1")
    assert account.attributes == ACCOUNT["attributes"]
    assert account.relationships == ACCOUNT["relationships"]
    assert account.to_dict("kebab")["attributes"] == {"reference-id": "r-1", "fields": {"Odd_key-x": 1}}
    assert case.included == (case.template, case.queue, case.comments[0], account)


def test_reports_and_verifications_of_every_kind_share_a_class_and_the_unknown_is_a_resource() -> None:
    watchlist = {"type": "report/watchlist", "id": "rep_1", "attributes": {"has_match": True, "tags": ["a"]}}
    selfie = {"type": "verification/selfie", "id": "ver_1", "attributes": {"status": "passed"}}
    newer = {"type": "graph/new", "id": "gr_1", "attributes": {"status": 5}}
    related = {
        "reports": {"data": [{"type": "report/watchlist", "id": "rep_1"}]},
        "verifications": {"data": [{"type": "verification/selfie", "id": "ver_1"}]},
    }
    data = {"type": "case", "id": "case_1", "relationships": related}
    case = Case.from_dict({"data": data, "included": [watchlist, selfie, newer]})
    assert [(type(each), each.has_match, each.tags) for each in case.reports] == [(Report, True, ("a",))]
    assert [(each.type, each.status) for each in case.verifications] == [("verification/selfie", "passed")]
    assert type(case.included[2]) is Resource
    wrong = {**watchlist, "attributes": {"has_match": "yes"}}
    with pytest.raises(DecodeError, match="/included/0/attributes/has_match"):
        Case.from_dict({"data": data, "included": [wrong]})


def test_what_was_not_included_is_an_error_with_the_remedy() -> None:
    case = Case.from_dict(_document(QUEUE))
    assert case.queue is not None
    with pytest.raises(NotLoadedError, match=r"include=\['case-template'\]"):
        _ = case.template
    with pytest.raises(NotLoadedError, match=r"include=\['case-comments'\]"):
        _ = case.comments
    with pytest.raises(NotLoadedError, match=r"include=\['accounts'\]"):
        _ = case.accounts
    assert case.reports == case.inquiries == case.verifications == case.transactions == ()


def test_a_relationship_to_an_object_of_another_kind_finds_nothing() -> None:
    document = _document({"type": "case-queue", "id": "ctmpl_1"})
    document["data"]["relationships"]["case_template"]["data"]["type"] = "case-queue"
    with pytest.raises(NotLoadedError):
        _ = Case.from_dict(document).template


def test_older_pages_may_include_too() -> None:
    page = decode_page(a_body(_document()["data"], included=[TEMPLATE]))
    assert page.cases[0].template is not None


@pytest.mark.parametrize(
    ("included", "pointer"),
    [
        ([5], "/included/0"),
        (["type"], "/included/0"),
        ([{"type": "account"}], "/included/0/id"),
        ([{"id": "x"}], "/included/0/type"),
        ([{"type": "account", "id": "x", "attributes": []}], "/included/0/attributes"),
        ([{"type": "account", "id": "x", "relationships": "x"}], "/included/0/relationships"),
        ([QUEUE, {"type": "case-comment", "id": "x", "attributes": {"message": 5}}], "/included/1/attributes/message"),
        (
            [{"type": "case-template", "id": "x", "attributes": {"resolutions": "abc"}}],
            "/included/0/attributes/resolutions",
        ),
        (
            [{"type": "case-template", "id": "x", "attributes": {"field_schemas": [{"type": "x"}]}}],
            "/included/0/attributes/field_schemas/0/key",
        ),
        (
            [
                {
                    "type": "case-template",
                    "id": "x",
                    "attributes": {"field_schemas": [{"type": "x", "key": "k", "config": []}]},
                }
            ],
            "/included/0/attributes/field_schemas/0/config",
        ),
        (
            [{"type": "case-queue", "id": "x", "attributes": {"created_at": "2025-01-01T00:00:00"}}],
            "/included/0/attributes/created_at",
        ),
    ],
)
def test_included_objects_are_read_as_strictly(included: list[Any], pointer: str) -> None:
    document = {"data": a_case(), "included": included}
    for read in (lambda: decode_case(json.dumps(document).encode()), lambda: Case.from_dict(document)):
        with pytest.raises(DecodeError) as caught:
            read()
        assert caught.value.pointer == pointer
        assert caught.value.__context__ is None


def test_a_template_by_itself() -> None:
    body = json.dumps({"data": TEMPLATE}).encode()
    template = decode_resource(body, CaseTemplate)
    assert template.name == "Loans"
    assert decode_resource(body, Resource) == template
    kebab = json.dumps({"data": template.to_dict("kebab")}).encode()
    assert decode_resource(kebab, CaseTemplate) == template
    with pytest.raises(DecodeError) as caught:
        decode_resource(body, CaseQueue)
    assert caught.value.pointer == "/data/type"


def test_included_objects_are_stored_once_for_all_cases_of_a_page() -> None:
    document = _document(TEMPLATE, QUEUE, COMMENT, ACCOUNT)
    first, related = document["data"], document["included"]
    page = decode_page(
        json.dumps({"data": [{**first, "id": f"case_{n}"} for n in range(9)], "included": related}).encode()
    )
    one, all_of_them = (len(pickle.dumps(cases)) for cases in (page.cases[:1], page.cases))
    assert all_of_them < one + sum(len(case.raw) + 100 for case in page.cases[1:])
    again = pickle.loads(pickle.dumps(page.cases))
    assert [case.template for case in again] == [case.template for case in page.cases]
