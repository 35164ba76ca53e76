"""Generated classes at work: queries, reading, writing, and what they refuse."""

from __future__ import annotations

import copy
import inspect
import pickle
import traceback
from datetime import UTC, date, datetime, timedelta

import attrs
import pytest
from codegen.our_templates import FIELDS, load, schema, source, template

from persona_cases import (
    Case,
    DecodeError,
    InvalidArgumentError,
    NotLoadedError,
    Predicate,
    Q,
    QueryError,
    UnknownAttributeError,
    parse,
)
from persona_cases.models import Fieldset
from persona_cases.query import Field, OrderedField, TimeField, plan
from persona_cases.testing import make_case
from persona_cases.typed import fields_of, template_id

TEMPLATE = template(*FIELDS)
OURS = load(source(TEMPLATE))
KYC, Address, Contact = OURS.KYC, OURS.KYCAddress, OURS.KYCContactsItem
ADDRESS = {"l-2-address": "Flat 2", "kind": "work", "since": "2024-02-29"}
NOW = datetime(2026, 1, 31, 9, 30, tzinfo=UTC)


def test_fields_on_the_class_are_those_of_q():
    where = KYC.cases & KYC.risk_score.gt(90) & KYC.priority.in_(["high", "urgent"]) & Q.status.eq("open")
    text = (
        "template == 'ctmpl_KYC' and fields.risk_score > 90 and fields.priority in ['high', 'urgent']"
        " and status == 'open'"
    )
    assert str(where) == text
    assert where == parse(text)
    assert plan(where).searches
    assert isinstance(KYC.risk_score, OrderedField)
    assert isinstance(KYC.document_expiry, TimeField)
    assert all(isinstance(field, Field) for field in (KYC.priority, KYC.exposed, KYC.notes, KYC.risk_tags))
    assert where.matches(make_case(KYC, risk_score=95, priority="high"))
    assert not where.matches(make_case(KYC, risk_score=90, priority="high"))
    assert KYC.risk_score.desc() == Q.fields.risk_score.desc()


def test_times_compare_as_the_untyped_ones_do():
    day = date(2026, 1, 31)
    assert KYC.document_expiry.eq(day) == Q.fields.document_expiry.eq(day)
    assert KYC.document_expiry.lt(NOW) == Q.fields.document_expiry.lt(NOW)
    assert KYC.checked_at.gte("2026-01-31") == Q.fields.checked_at.gte("2026-01-31")
    soon = KYC.document_expiry.in_next(days=30, now=NOW)
    assert soon.matches(make_case(KYC, document_expiry=date(2026, 2, 10)))
    assert not soon.matches(make_case(KYC, document_expiry=date(2026, 4, 10)))
    # People are born before 1970, so what is set is later than the first day of all.
    assert KYC.document_expiry.is_set().matches(make_case(KYC, document_expiry=date(1931, 5, 5)))
    assert KYC.document_expiry.is_unset().matches(make_case(KYC))


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: KYC.notes.gt("a"), "a typed text has no order"),
        (lambda: KYC.priority.lt("low"), "a typed text has no order"),
        (lambda: KYC.exposed.gt(False), "true or false has no order"),
        (lambda: KYC.scan.eq("a"), "the API does not compare files"),
        (lambda: KYC.address.eq({}), "the API does not compare files"),
        (lambda: KYC.contacts.in_([]), "the API does not compare files"),
        (lambda: KYC.document.ne("a"), "the API does not compare files"),
        (lambda: KYC.payload.eq("a"), "the API does not compare files"),
    ],
)
def test_operators_that_a_type_lacks(make, words):
    with pytest.raises(UnknownAttributeError, match=words):
        make()


@pytest.mark.parametrize(
    "make",
    [
        lambda: KYC.priority.eq("hihg"),
        lambda: KYC.priority.in_(["low", "hihg"]),
        lambda: KYC.risk_tags.eq("weight"),
        lambda: KYC.risk_score.gt("90"),
        lambda: KYC.risk_score.gt(True),
        lambda: KYC.attempts.eq(None),
        lambda: KYC.exposed.eq("yes"),
        lambda: KYC.exposed.eq(1),
        lambda: KYC.notes.eq(5),
        lambda: KYC.document_expiry.lt("tomorrow"),
        lambda: KYC.checked_at.gt(datetime(2026, 1, 1)),
        lambda: KYC.risk_score.eq(KYC.attempts),
    ],
)
def test_values_that_a_field_cannot_have(make):
    with pytest.raises(QueryError) as caught:
        make()
    assert "hihg" not in str(caught.value)


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: KYC("low"), r"KYC takes values by name, such as KYC\(priority=...\)"),
        (lambda: KYC(prioriti="low"), "KYC has no field 'prioriti'; did you mean priority?"),
        (lambda: KYC(notes="a"), "KYC needs priority: the template requires a value"),
        (Contact, "KYCContactsItem needs name: the template requires a value"),
    ],
)
def test_constructors_say_what_is_missing_or_unknown(make, words):
    with pytest.raises(TypeError, match=words):
        make()
    signature = inspect.signature(KYC)
    assert str(signature.parameters["risk_score"]) == "risk_score: float | None = None"
    assert signature.parameters["priority"].default is inspect.Parameter.empty


def test_errors_of_reading_show_no_value():
    with pytest.raises(DecodeError) as caught:
        KYC.of(make_case(case_template_id="ctmpl_KYC", fields={"notes": "secret", "attempts": "secret"}))
    frames = [frame for frame, _ in traceback.walk_tb(caught.value.__traceback__)][1:]
    assert frames
    assert not any("secret" in repr(frame.f_locals) for frame in frames)
    assert caught.value.__context__ is None


def test_a_name_with_a_typo_is_no_field():
    with pytest.raises(AttributeError):
        _ = KYC.risk_scor


def test_names_that_collide_get_an_underscore():
    names = {name: repr(getattr(KYC, name)) for name in ("class_", "cases_", "of_", "changes_")}
    assert names == {
        f"{key}_": f"Q.fields[{key!r}]" if key == "class" else f"Q.fields.{key}"
        for key in ("class", "cases", "of", "changes")
    }
    assert isinstance(KYC.cases, Predicate)
    assert KYC.of(make_case(KYC, class_=5)).class_ == 5


VALUES = {
    "priority": "high",
    "risk_score": 91.5,
    "attempts": 2,
    "exposed": True,
    "document_expiry": date(2026, 1, 31),
    "checked_at": NOW,
    "notes": "Phoned.",
    "contact_email": "a@example.com",
    "risk_tags": ("age",),
    "scan": {"filename": "a.pdf"},
    "payload": [1, {"a": None}],
    "address": Address(l_2_address="Flat 2", kind="work", since=date(2024, 2, 29)),
    "contacts": (Contact(name="Ada", share=0.5),),
    "aliases": ("a", "b"),
}


def test_a_typed_case_survives_the_way_through_a_case():
    typed = KYC(**VALUES)
    again = KYC.of(make_case(typed))
    assert again == typed
    assert {name: getattr(again, name) for name in VALUES} == VALUES
    assert (again.reference, again.old, again.newer) == (None, None, None)
    assert isinstance(again.address, Address)


@pytest.mark.parametrize("wrapped", [True, False])
def test_both_shapes_of_values_are_read(wrapped):
    plain = {"priority": "low", "risk_score": 5, "address": ADDRESS, "contacts": [{"name": "Ada"}], "unknown": [1]}
    sent = {key: {"type": "any", "value": value} for key, value in plain.items()} if wrapped else plain
    typed = KYC.of(make_case(case_template_id="ctmpl_KYC", fields=sent))
    assert (typed.priority, typed.risk_score, typed.address.since) == ("low", 5, date(2024, 2, 29))
    assert typed.contacts == (Contact(name="Ada"),)
    assert fields_of(typed) == {"priority": "low", "risk_score": 5, "address": ADDRESS, "contacts": [{"name": "Ada"}]}


def test_unknown_options_and_exact_integers_are_kept():
    case = make_case(
        case_template_id="ctmpl_KYC", fields={"priority": "retired", "risk_tags": ["age", "x"], "risk_score": 2**53 + 1}
    )
    typed = KYC.of(case)
    assert (typed.priority, typed.risk_tags, typed.risk_score) == ("retired", ("age", "x"), 2**53 + 1)


@pytest.mark.parametrize(
    ("key", "value", "pointer"),
    [
        ("priority", 5, "priority"),
        ("risk_score", "5", "risk_score"),
        ("risk_score", True, "risk_score"),
        ("attempts", 5.5, "attempts"),
        ("exposed", "true", "exposed"),
        ("document_expiry", "2026-13-01", "document_expiry"),
        ("checked_at", "2026-01-31T09:30:00", "checked_at"),
        ("risk_tags", "age", "risk_tags"),
        ("address", [], "address"),
        ("address", {"since": 5}, "address/since"),
        ("address", {"l-2-address": 5}, "address/l-2-address"),
        ("contacts", [{"name": "Ada"}, {"name": 5}], "contacts/1/name"),
        ("aliases", ["a", None], "aliases/1"),
    ],
)
def test_values_of_other_types_are_refused(key, value, pointer):
    with pytest.raises(DecodeError, match="codegen --check") as caught:
        KYC.of(make_case(case_template_id="ctmpl_KYC", fields={key: value}))
    assert caught.value.pointer == f"/attributes/fields/{pointer}"
    assert str(caught.value).startswith(f"KYC.{key}: ")
    assert caught.value.case_id == "case_1"


def test_cases_of_another_template_are_refused():
    with pytest.raises(InvalidArgumentError, match="takes cases of the template ctmpl_KYC"):
        KYC.of(make_case(case_template_id="ctmpl_AML"))
    with pytest.raises(InvalidArgumentError, match="takes a Case, not dict"):
        KYC.of({})
    # A webhook may leave the relationships out.
    assert (
        KYC.of(Case.from_dict({"type": "case", "id": "case_1", "attributes": {"fields": {"notes": "a"}}})).notes == "a"
    )


def test_what_a_sparse_fieldset_left_out_is_not_none():
    document = {"type": "case", "id": "case_1", "attributes": {"fields": {"notes": "a"}}}
    typed = KYC.of(Case.from_dict(document, fieldset=Fieldset.of(["fields.notes"])))
    assert typed.notes == "a"
    with pytest.raises(NotLoadedError, match="fields.risk_score"):
        _ = typed.risk_score


def test_objects_are_frozen_values():
    typed = KYC(priority="low", risk_tags=["age"])
    assert typed.risk_tags == ("age",)
    with pytest.raises(attrs.exceptions.FrozenInstanceError):
        typed.priority = "high"
    assert attrs.evolve(typed, notes="a") == KYC(priority="low", risk_tags=["age"], notes="a")
    assert len({typed, KYC(priority="low", risk_tags=["age"])}) == 1
    assert [each.name for each in attrs.fields(KYC)] == list(KYC.__fields__)
    assert "low" not in repr(typed)
    assert "Flat" not in repr(VALUES["address"])


def test_objects_with_plain_json_hash():
    plain = {"scan": {"a": 1}, "payload": [{}], "anything": ({"b": 1}, [2])}
    assert len({KYC(priority="low", **plain), KYC(priority="low", **plain), KYC(priority="high", **plain)}) == 2


def test_objects_and_fields_pickle():
    typed = KYC(**VALUES)
    for twin in (pickle.loads(pickle.dumps(typed)), copy.deepcopy(typed), copy.copy(typed)):
        assert twin == typed
    for name in ("risk_score", "priority", "scan", "document_expiry"):
        field = getattr(KYC, name)
        assert pickle.loads(pickle.dumps(field)) is copy.deepcopy(field) is copy.copy(field) is field


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("priority", 5, "priority must be a str, not int"),
        ("risk_score", "5", "risk_score must be an int or a float, not str"),
        ("attempts", 5.0, "attempts must be an int, not float"),
        ("exposed", 1, "exposed must be True or False, not int"),
        ("document_expiry", NOW, "document_expiry must be a date without a time"),
        ("checked_at", datetime(2026, 1, 1), "checked_at must be an aware datetime"),
        ("risk_tags", "age", "risk_tags must be a list or a tuple, not str"),
        ("aliases", ["a", None], "aliases must not contain None"),
        ("address", {"kind": "home"}, "address must be a KYCAddress, not dict"),
    ],
)
def test_the_constructor_refuses_other_types(name, value, words):
    with pytest.raises(InvalidArgumentError, match=words):
        KYC(**{"priority": "low", name: value})
    with pytest.raises(InvalidArgumentError, match=words):
        KYC.changes(**{name: value})


def test_changes_go_by_the_keys_of_the_template():
    assert KYC.changes(notes=None, class_=3, document_expiry=date(2026, 1, 31), address=VALUES["address"]) == {
        "notes": None,
        "class": 3,
        "document_expiry": "2026-01-31",
        "address": ADDRESS,
    }
    assert KYC.changes() == {}


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"notse": "a"}, "KYC has no field 'notse'; did you mean notes?"),
        ({"priority": "hihg"}, "KYC.priority must be one of 'low', 'medium', 'high', 'urgent'"),
        ({"priority": None}, "KYC.priority cannot be cleared: the template requires it"),
        ({"reference": None}, "KYC.reference cannot be cleared: the template lets it be written only once"),
        ({"old": "a"}, "KYC.old takes no value: the template has archived it"),
        ({"paused": None}, "KYC.paused takes no value: the template has deactivated it"),
        ({"risk_tags": ["weight"]}, r"KYC.risk_tags\[0\] must be one of 'age', 'device'"),
        ({"address": Address(kind="boat")}, "KYC.address.kind must be one of 'home', 'work'"),
    ],
)
def test_changes_that_the_template_does_not_allow(values, words):
    with pytest.raises(InvalidArgumentError, match=words) as caught:
        KYC.changes(**values)
    assert "hihg" not in str(caught.value)


def test_long_lists_of_options_are_cut():
    many = load(source(template(schema("choices", "a", options=[f"o{number}" for number in range(14)])))).KYC
    with pytest.raises(InvalidArgumentError, match="'o11' and 2 more$"):
        many.changes(a="x")
    few = load(source(template(schema("choices", "a", options=[f"o{number}" for number in range(12)])))).KYC
    with pytest.raises(InvalidArgumentError, match="'o11'$"):
        few.changes(a="x")


def test_the_template_is_known():
    assert template_id(KYC) == "ctmpl_KYC"
    assert KYC.cases == Q.template.eq("ctmpl_KYC")


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: make_case(KYC, risk_scor=5), "KYC has no field 'risk_scor'; did you mean risk_score"),
        (lambda: make_case(KYC, risk_score="5"), "KYC.risk_score must be an int or a float"),
        (lambda: make_case(KYC, 5), "by name"),
        (lambda: make_case(5), "persona-cases codegen"),
        (lambda: make_case(statsu="open"), "no attribute 'statsu' to set; did you mean status"),
        (lambda: make_case(KYC(priority="low"), fields={}), "leave this out"),
        (lambda: make_case(fields=5), "fields must be a mapping"),
    ],
)
def test_cases_that_cannot_be_made(make, words):
    with pytest.raises(InvalidArgumentError, match=words):
        make()


def test_cases_are_made_without_a_server():
    case = make_case(KYC(priority="low"), status="approved", id="case_7", tags=["vip"], created_at=NOW - timedelta(1))
    assert (case.status, case.id, case.tags, case.created_at) == ("approved", "case_7", ("vip",), NOW - timedelta(1))
    assert case.case_template_id == "ctmpl_KYC"
    assert case.fields.typed("priority").type == "choices"
    plain = make_case(status="open", fields={"due": date(2026, 1, 1)}, case_queue_id="cqueue_1")
    assert (plain.fields["due"], plain.case_queue_id) == ("2026-01-01", "cqueue_1")
    assert make_case().status == "open"
