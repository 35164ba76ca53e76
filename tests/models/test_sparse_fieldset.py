import pickle
from typing import Any

import pytest
from case_documents import a_body, a_case

from persona_cases.errors import InvalidArgumentError, NotLoadedError
from persona_cases.models import Case, Fieldset
from persona_cases.models.decoding.decode import decode_page


def _sparse(*asked: str, **members: Any) -> Case:
    return decode_page(a_body({"type": "case", "id": "c", **members}), fieldset=Fieldset.of(asked)).cases[0]


def test_names_are_read_in_any_spelling() -> None:
    fieldset = Fieldset.of(["created-at", "slaExpiresAt", "status", "fields.Any-Key k", "created_at"])
    assert fieldset.names == ("created_at", "sla_expires_at", "status", "fields.Any-Key k")
    assert fieldset.wire() == "created_at,sla_expires_at,status,fields.Any-Key k"
    assert fieldset == Fieldset.of(fieldset.names)
    assert hash(fieldset) == hash(Fieldset.of(fieldset.names))
    assert pickle.loads(pickle.dumps(fieldset)) == fieldset


@pytest.mark.parametrize("names", ["status", ["a,b"], [""], [" status"], ["fields."], [5]])
def test_names_that_can_not_be_are_refused(names: Any) -> None:
    with pytest.raises(InvalidArgumentError):
        Fieldset.of(names)


def test_what_was_left_out_is_an_error_that_says_so() -> None:
    case = _sparse("status", "fields.priority", attributes={"status": "Open", "fields": {"priority": "high"}})
    assert case.status == "Open"
    for name in ("name", "created_at", "tags", "attachments"):
        with pytest.raises(NotLoadedError, match=rf"'{name}' .*'status', 'fields.priority'.*only="):
            getattr(case, name)


def test_what_was_asked_for_and_is_missing_is_empty() -> None:
    case = _sparse("status", "tags", "attachments", "fields", "accounts", "case_queue")
    assert (case.status, case.tags, case.attachments, dict(case.fields)) == (None, (), (), {})
    assert case.relationships.accounts == ()
    assert case.queue is None


def test_what_the_answer_has_anyway_is_there() -> None:
    case = _sparse("status", attributes={"name": "X", "resolution": None})
    assert case.name == "X"
    assert case.resolution is None


def test_relationships() -> None:
    case = _sparse("status")
    for read in (
        lambda: case.relationships.accounts,
        lambda: case.relationships.case_queue,
        lambda: case.template,
        lambda: case.comments,
    ):
        with pytest.raises(NotLoadedError, match="'status'"):
            read()
    kept = _sparse("status", relationships={"accounts": {"data": []}, "case_queue": None})
    assert kept.relationships.accounts == ()
    assert kept.relationships.case_queue is None
    with pytest.raises(NotLoadedError):
        _ = kept.relationships.reports


def test_custom_fields() -> None:
    case = _sparse("fields.priority", attributes={"fields": {"priority": "high", "gift": 1}})
    assert (case.fields["priority"], case.fields["gift"]) == ("high", 1)
    assert list(case.fields) == ["priority", "gift"]
    for read in (
        lambda: case.fields["other"],
        lambda: case.fields.get("other"),
        lambda: "other" in case.fields,
        lambda: case.fields.typed("other"),
    ):
        with pytest.raises(NotLoadedError, match=r"'fields\.other'"):
            read()


def test_an_asked_custom_field_that_is_missing_is_a_plain_key_error() -> None:
    for case in (_sparse("fields.priority"), _sparse("fields", attributes={"fields": {}})):
        assert case.fields.get("priority") is None
        with pytest.raises(KeyError):
            case.fields["priority"]


def test_custom_fields_left_out_altogether() -> None:
    with pytest.raises(NotLoadedError, match="'fields'"):
        _ = _sparse("status").fields


def test_the_spelling_of_the_answer_does_not_matter() -> None:
    sent = {"type": "case", "id": "c", "attributes": {"created-at": None, "updated-at": None}}
    case = Case.from_dict(sent, fieldset=Fieldset.of(["updatedAt"]))
    assert case.updated_at is None
    assert case.created_at is None
    with pytest.raises(NotLoadedError):
        _ = case.assigned_at


def test_the_fieldset_is_pickled_but_not_compared() -> None:
    case = _sparse("status", attributes={"status": "Open"})
    with pytest.raises(NotLoadedError):
        _ = pickle.loads(pickle.dumps(case)).name
    assert case == Case.from_dict({"type": "case", "id": "c", "attributes": {"status": "Open"}})


def test_an_empty_fieldset_asks_for_nothing() -> None:
    assert Fieldset.of([]).wire() == ""
    with pytest.raises(NotLoadedError, match="asked for nothing"):
        _ = _sparse().status


def test_without_a_fieldset_nothing_is_an_error() -> None:
    case = Case.from_dict(a_case())
    assert case.resolution is None
    assert case.fields.get("other") is None
