"""The API's logic, and what can be known of it from a case."""

from __future__ import annotations

from datetime import UTC, date, datetime
from types import SimpleNamespace

import pytest

from persona_cases.errors import NotLoadedError, QueryError, QueryTypeError
from persona_cases.models import Case
from persona_cases.query import Q, evaluate

ATTRIBUTES = {
    "status": "Open",
    "resolution": None,
    "created-at": "2025-06-01T12:00:00.000Z",
    "resolved-at": None,
    "assignee-id": "ana@example.com",
    "fields": {
        "priority": {"type": "string", "value": "high"},
        "amount": 250,
        "flag": True,
        "since": "2025-01-01",
        "unset": {"type": "string", "value": None},
        "choices": {"type": "multi_choices", "value": ["a"]},
        "address": {"street": "x"},
        "odd": {"type": "hash", "value": {"x": {"type": "string", "value": 1}}},
    },
}
RELATIONSHIPS = {
    "case-template": {"data": {"type": "case-template", "id": "ctmpl_1"}},
    "case-queue": {"data": None},
    "accounts": {"data": [{"type": "account", "id": "act_1"}, {"type": "account", "id": "act_2"}]},
    "inquiries": {"data": []},
}
CASE = {"type": "case", "id": "case_1", "attributes": ATTRIBUTES, "relationships": RELATIONSHIPS}


def respelled(change):
    return {
        "attributes": {change(name): value for name, value in ATTRIBUTES.items()},
        "relationships": {change(name): value for name, value in RELATIONSHIPS.items()},
    }


def camel(name):
    head, *tail = name.split("-")
    return head + "".join(part.title() for part in tail)


class StoredCase:
    """A stand-in for the model: its attributes are as the SDK gives them."""

    status = "Open"
    resolution = None
    created_at = datetime(2025, 6, 1, 12, tzinfo=UTC)
    updated_at = resolved_at = sla_expires_at = None
    assignee_id = "ana@example.com"
    resolver_id = None
    fields = {  # noqa: RUF012
        **{key: ATTRIBUTES["fields"][key] for key in ("amount", "flag", "since", "address")},
        "priority": "high",
        "unset": None,
        "choices": ["a"],
        "odd": {"x": 1},
    }
    relationships = SimpleNamespace(
        case_template=SimpleNamespace(id="ctmpl_1"),
        case_queue=None,
        accounts=(SimpleNamespace(id="act_1"), SimpleNamespace(id="act_2")),
        inquiries=(),
    )


SHOWN = [
    CASE,
    {"data": CASE, "included": []},
    respelled(str),
    respelled(lambda name: name.replace("-", "_")),
    respelled(camel),
    StoredCase(),
    Case.from_dict(CASE),
]


@pytest.fixture(params=SHOWN, ids=["resource", "document", "kebab", "snake", "camel", "object", "model"])
def case(request):
    return request.param


@pytest.mark.parametrize(
    "holds",
    [
        Q.status.eq("Open"),
        ~Q.status.eq("open"),
        Q.status.gt("Old") & Q.status.lt("Opens"),
        ~Q.resolution.eq("Approved"),
        Q.created_at.gte("2025-06-01") & Q.created_at.lt("2025-06-02"),
        Q.created_at.eq(datetime(2025, 6, 1, 12, tzinfo=UTC)),
        Q.created_at.eq("2025-06-01T14:00:00+02:00"),
        Q.created_at.is_set() & Q.resolved_at.is_unset() & Q.updated_at.is_unset(),
        ~Q.resolved_at.lt("2030-01-01") & ~Q.resolved_at.gte("2030-01-01"),
        ~Q.attribute("created_at").gt("garbage"),
        ~Q.attribute("created_at").gt(5),
        Q.assignee.eq("ana@example.com"),
        ~Q.resolver.eq("user_1"),
        Q.template.eq("ctmpl_1") & Q.case_template_id.eq("ctmpl_1"),
        ~Q.case_queue.eq("cqueue_1") & ~Q.case_queue_id.eq("cqueue_1"),
        Q.account_id.eq("act_2") & ~Q.account_id.eq("act_3"),
        ~Q.inquiry_id.eq("inq_1"),
        Q.fields.priority.eq("high") & ~Q.fields.priority.eq("low"),
        Q.fields.amount.between(250, 251) & Q.fields.amount.eq(250.0) & ~Q.fields.amount.eq("250"),
        Q.fields.flag.eq(True) & ~Q.fields.flag.eq(1) & ~Q.fields.flag.gte(True) & ~Q.fields.flag.gt(0),
        ~Q.fields.amount.eq(True) & ~Q.fields.amount.gt("1"),
        Q.fields.since.lt("2025-01-01T00:00:01Z") & Q.fields.since.gte("2025-01-01T01:00:00+01:00"),
        Q.fields.since.eq("2025-01-01T00:00:00Z") & Q.fields.since.in_(["x", "2025-01-01T01:00:00+01:00"]),
        ~Q.fields.since.ne("2025-01-01T00:00:00Z") & Q.fields.since.ne("2025-01-01T00:00:01Z"),
        Q.fields.since.eq(date(2025, 1, 1)) & Q.fields.since.eq(datetime(2025, 1, 1, tzinfo=UTC)),
        ~Q.fields.since.eq("2025-01-01T00:00:00") & ~Q.fields.since.eq("2025-1-1"),
        Q.fields.since.gt("2024 or so"),
        ~Q.fields.unset.eq("x") & Q.fields.unset.ne("x"),
        ~Q.fields.missing.eq("x") & ~Q.fields.missing.gt(0) & ~Q.fields.missing.lte(0),
        Q.all_of([]),
        ~Q.any_of([]),
    ],
    ids=str,
)
def test_what_holds(case, holds):
    assert holds.matches(case) is True
    assert (~holds).matches(case) is False


@pytest.mark.parametrize(
    ("predicate", "reason"),
    [
        (Q.state.eq("open"), "state cannot be evaluated locally"),
        (Q.tag_id.eq("tag_1"), "names of their tags"),
        (Q.attribute("newer").eq(1), "does not know"),
        (Q.assignee.eq("user_1"), "user id"),
        (Q.assignee.in_(["user_1", "user_2"]), "user id"),
        (Q.fields.choices.eq("a"), "array or an object"),
        (Q.fields.address.eq("x"), "array or an object"),
        (Q.fields.odd.eq("x"), "array or an object"),
        (Q.status.eq("Closed") & Q.state.eq("open"), "state"),
        (Q.status.eq("Open") | Q.state.eq("open"), "state"),
    ],
    ids=str,
)
def test_what_can_not_be_known_raises_whatever_its_neighbours_say(case, predicate, reason):
    with pytest.raises(QueryError, match=reason):
        predicate.matches(case)


def test_addresses_against_user_ids_in_either_direction():
    with pytest.raises(QueryError, match="user id"):
        Q.resolver.eq("ana@example.com").matches({"attributes": {"resolver-id": "user_1"}})
    assert Q.resolver.eq("user_1").matches({"attributes": {"resolver-id": "user_1"}})
    assert not Q.resolver.eq("user_1").matches({"attributes": {"resolver-id": "wfr_1"}})


@pytest.mark.parametrize(
    "name", ["template", "case_template_id", "case_queue", "case_queue_id", "account_id", "inquiry_id"]
)
def test_a_case_without_its_relationships_is_not_taken_for_one_without_any(name):
    predicate = getattr(Q, name).eq("x")
    bare = StoredCase()
    bare.relationships = SimpleNamespace(case_template=None, case_queue=None, accounts=(), inquiries=())
    for case in (bare, {"attributes": {}}, {"attributes": {}, "relationships": {}}):
        with pytest.raises(QueryError, match="without its relationships"):
            predicate.matches(case)
    assert Q.status.eq("Open").matches(bare)


def test_what_a_sparse_fieldset_left_out_raises_only_if_asked_for():
    class Sparse:
        status = "Open"

        @property
        def created_at(self):
            raise NotLoadedError("created_at was left out")

        @property
        def relationships(self):
            return SimpleNamespace(accounts=(), inquiries=())

    class Partial:
        accounts = inquiries = ()

        @property
        def case_template(self):
            raise NotLoadedError("case_template was left out")

        case_queue = case_template

    sparse = Sparse()
    assert Q.status.eq("Open").matches(sparse)
    with pytest.raises(NotLoadedError):
        Q.created_at.is_set().matches(sparse)
    partial = SimpleNamespace(relationships=Partial())
    assert not Q.account_id.eq("act_1").matches(partial)
    with pytest.raises(NotLoadedError):
        Q.template.eq("ctmpl_1").matches(partial)


@pytest.mark.parametrize("wrong", [None, "case_1", b"{}", [CASE], {}, {"data": [CASE]}, {"attributes": None}, 5])
def test_what_is_no_case_is_refused(wrong):
    with pytest.raises(QueryTypeError, match="matches takes one"):
        Q.status.eq("Open").matches(wrong)


def test_numbers_that_json_should_not_have_never_match():
    assert not Q.fields.n.gte(0).matches({"attributes": {"fields": {"n": float("nan")}}})


def test_evaluate_asks_its_lookup_and_takes_any_of_several_values():
    values = {"status": "open", "account_id": ("act_1", "act_2"), "fields.n": 5, "inquiry_id": ()}
    asked = []

    def lookup(name):
        asked.append(name)
        return values.get(name)

    predicate = Q.status.eq("open") & Q.account_id.eq("act_2") & ~Q.inquiry_id.eq("x") & Q.fields.n.gt(4.5)
    assert evaluate(predicate, lookup)
    assert asked == ["status", "account_id", "inquiry_id", "fields.n"]
    assert not evaluate(Q.state.eq("x") | Q.resolution.lte("x"), lookup)
