import copy
import json
import pickle
from datetime import UTC, datetime, timedelta
from types import MappingProxyType
from typing import Any

import attrs
import pytest
from case_documents import TEXTS, TIMES, a_body, a_case

from persona_cases.errors import DecodeError
from persona_cases.models import Attachment, Case, ResourceIdentifier, converter
from persona_cases.models.decoding import records as wire
from persona_cases.models.decoding.decode import decode_page
from persona_cases.models.decoding.jsontext import encode_json


def test_attributes_have_their_types() -> None:
    case = Case.from_dict(a_case())
    assert (case.type, case.id, case.status, case.name) == ("case", "case_4GwPq", "Open", "LOAN-17")
    assert case.created_at == datetime(2025, 3, 1, 10, 20, 30, 400_000, tzinfo=UTC)
    assert case.sla_expires_at is not None
    assert case.sla_expires_at.utcoffset() == timedelta(hours=2)
    assert case.tags == ("second look", "vip")
    assert case.attachments == (Attachment("lease.pdf", "https://files.example.org/a?access_token=t", 9),)
    assert case.relationships.case_template == ResourceIdentifier("case-template", "ctmpl_1")
    assert case.relationships.case_queue is None
    assert (case.case_template_id, case.case_queue_id) == ("ctmpl_1", None)
    assert [each.type for each in case.relationships.reports] == ["report/watchlist", "report/new"]
    assert case.relationships.txns == ()


@pytest.mark.parametrize("name", [*TEXTS, *TIMES])
def test_null_and_missing_are_the_same(name: str) -> None:
    sent = a_case(**{name: None})
    assert getattr(Case.from_dict(sent), name) is None
    del sent["attributes"][name]
    assert getattr(Case.from_dict(sent), name) is None


@pytest.mark.parametrize("members", [{}, {"attributes": None, "relationships": None}, {"attributes": {}}])
def test_a_bare_case_reads_as_empty(members: dict[str, Any]) -> None:
    case = Case.from_dict({"type": "case", "id": "c", **members})
    assert (case.status, case.tags, case.attachments, dict(case.fields)) == (None, (), (), {})
    assert (case.template, case.queue, case.comments, case.accounts, case.included) == (None, None, (), (), ())
    assert case.relationships.case_template is None
    assert case.extras == case.relationships.extras == {}


def test_every_attribute_of_the_record_is_a_property() -> None:
    assert all(hasattr(Case, name) for name in wire.ATTRIBUTES)


@pytest.mark.parametrize("empty", [None, {}, {"data": None}, {"data": {}}])
def test_all_ways_to_say_no_queue(empty: Any) -> None:
    sent = a_case()
    sent["relationships"]["case_queue"] = empty
    assert Case.from_dict(sent).relationships.case_queue is None
    assert decode_page(a_body(sent)).cases[0].queue is None


def test_what_is_unknown_is_kept() -> None:
    sent = a_case(mood="grim", status="Never seen before")
    sent["relationships"]["case_friends"] = {"data": []}
    sent["meta"] = {"a": [1.50, None]}
    case = Case.from_dict(sent)
    assert case.status == "Never seen before"
    assert case.extras == {"mood": "grim"}
    assert case.relationships.extras == {"case_friends": {"data": []}}
    assert case.to_dict() == sent


def test_raw_is_what_was_sent_and_one_line_on_demand() -> None:
    pretty = b'{"id": "c",\n "type":"case", "attributes": {"odd": 1.10, "name": "a\\nb \\u00e9", "big": 1e2}}'
    case = decode_page(b'{"data": [' + pretty + b"]}").cases[0]
    assert case.raw == pretty
    assert case.raw_line == b'{"id":"c","type":"case","attributes":{"odd":1.10,"name":"a\\nb \\u00e9","big":1e2}}'
    assert json.loads(case.raw_line) == case.to_dict()
    compact = decode_page(b'{"data": [' + case.raw_line + b"]}").cases[0]
    assert compact.raw_line == compact.raw == case.raw_line


def test_the_raw_bytes_do_not_keep_the_page() -> None:
    case = decode_page(a_body(a_case(), a_case())).cases[0]
    assert type(case.raw) is bytes
    assert len(case.raw) == len(json.dumps(a_case()))


def test_a_case_does_not_change() -> None:
    case = Case.from_dict(a_case(odd={"a": [1]}))
    before = copy.deepcopy(case.to_dict())
    with pytest.raises(attrs.exceptions.FrozenInstanceError):
        case.status = "Closed"  # type: ignore[misc]
    with pytest.raises((AttributeError, TypeError)):
        case.relationships.accounts = ()  # type: ignore[misc]
    assert not hasattr(case, "__dict__")
    case.to_dict()["attributes"]["status"] = "Closed"
    case.extras["odd"]["a"].append(2)
    case.fields.raw["priority"]["value"] = "low"
    assert case.to_dict() == before
    assert case.extras == {"odd": {"a": [1]}}
    assert case.fields["priority"] == "high"


def test_a_case_does_not_follow_the_mapping_it_was_made_of() -> None:
    sent = a_case(odd={"a": [1]})
    case = Case.from_dict(sent)
    sent["attributes"]["odd"]["a"].append(2)
    sent["attributes"]["fields"]["priority"] = "low"
    assert case.extras == {"odd": {"a": [1]}}
    assert case.fields["priority"] == "high"


def test_equality_is_by_content() -> None:
    sent = a_case()
    reordered = dict(reversed(sent.items()))
    assert Case.from_dict(sent) == Case.from_dict(reordered)
    assert hash(Case.from_dict(sent)) == hash(Case.from_dict(reordered))
    assert Case.from_dict(sent) == Case.from_dict({"data": sent, "included": []})
    assert Case.from_dict(sent) != Case.from_dict(a_case(status="Closed"))
    assert Case.from_dict(a_case(odd=1)) != Case.from_dict(a_case(odd=True))
    assert Case.from_dict(sent) != Case.from_dict({**sent, "id": "other"})
    assert Case.from_dict(sent) != sent
    assert len({Case.from_dict(sent), Case.from_dict(reordered)}) == 1


def test_relationships_compare_by_content() -> None:
    one, two = Case.from_dict(a_case()).relationships, Case.from_dict(a_case(status="x")).relationships
    assert one == two
    assert hash(one) == hash(two)
    assert one != Case.from_dict({"type": "case", "id": "c"}).relationships
    assert one != "relationships"


@pytest.mark.parametrize("protocol", range(2, pickle.HIGHEST_PROTOCOL + 1))
def test_pickling(protocol: int) -> None:
    included = [{"type": "case-template", "id": "ctmpl_1", "attributes": {"name": "Loans"}}]
    case = Case.from_dict({"data": a_case(odd=1), "included": included})
    again = pickle.loads(pickle.dumps(case, protocol))
    assert again == case
    assert again.raw == case.raw
    assert again.template == case.template
    parts = (case.fields, case.attachments, case.relationships, case.included, case.fields.typed("priority"))
    assert pickle.loads(pickle.dumps(parts, protocol)) == parts


def test_copying() -> None:
    case = Case.from_dict(a_case())
    assert copy.copy(case) is case
    assert copy.deepcopy([case])[0] is case


def test_any_mapping_will_do() -> None:
    sent = a_case()
    frozen = MappingProxyType({**sent, "attributes": MappingProxyType(sent["attributes"])})
    assert Case.from_dict(frozen) == Case.from_dict(sent)
    assert converter.structure(frozen, Case) == Case.from_dict(sent)
    assert converter.unstructure(Case.from_dict(sent)) == sent


@pytest.mark.parametrize(
    ("value", "pointer"),
    [
        (float("nan"), "/attributes/odd"),
        (float("inf"), "/attributes/odd"),
        (datetime(2025, 1, 1, tzinfo=UTC), "/attributes/odd"),
        ({1: 2}, "/attributes/odd"),
        ([b""], "/attributes/odd/0"),
        ({"a/b": {2, 3}}, "/attributes/odd/a~1b"),
        ("\ud800", "/attributes/odd"),
        ({"\ud800": 1}, "/attributes/odd"),
    ],
)
def test_what_is_not_json_is_refused(value: object, pointer: str) -> None:
    with pytest.raises(DecodeError) as caught:
        Case.from_dict(a_case(odd=value))
    assert caught.value.pointer == pointer


def test_a_mapping_that_contains_itself_is_refused() -> None:
    loop: dict[str, Any] = {}
    loop["loop"] = loop
    with pytest.raises(DecodeError, match="nested too deeply"):
        Case.from_dict(a_case(odd=loop))


def test_integers_of_any_size() -> None:
    case = Case.from_dict(a_case(odd=10**4000))
    assert Case.from_dict(case.to_dict()) == case
    with pytest.raises(DecodeError, match="digits"):
        Case.from_dict(a_case(odd=10**5000))
    with pytest.raises(DecodeError, match="out of range"):
        decode_page(a_body(a_case(fields={"k": "N"})).replace(b'"N"', b"1" * 5000))


def test_numbers_beyond_a_float_are_kept_as_text() -> None:
    body = b'{"data":[{"type":"case","id":"c","attributes":{"odd":1e999,"status":"Open"}}]}'
    case = decode_page(body).cases[0]
    assert case.status == "Open"
    assert b"1e999" in case.raw_line
    assert case == decode_page(body).cases[0]
    assert case != decode_page(body.replace(b"1e999", b"1e998")).cases[0]
    with pytest.raises(DecodeError, match="out of range"):
        case.to_dict()


def test_no_personal_data_in_reprs() -> None:
    case = Case.from_dict(
        {
            "data": a_case(),
            "included": [
                {"type": "case-comment", "id": "cscm_1", "attributes": {"message": "call rosa"}},
                {"type": "account", "id": "act_1", "attributes": {"reference_id": "rosa-1"}},
            ],
        }
    )
    shown = repr(
        (
            case,
            case.fields,
            case.fields.typed("priority"),
            case.attachments,
            case.relationships,
            case.included,
            converter.structure({"cases": []}, dict),
        )
    )
    for secret in ("rosa", "high", "lease", "access_token", "second look", "priority", "LOAN"):
        assert secret not in shown
    assert "Case(id='case_4GwPq')" in shown
    assert "CaseComment(id='cscm_1')" in shown
    assert "Account(id='act_1')" in shown


def test_a_custom_field_read_like_an_attribute_says_how_to_read_it() -> None:
    with pytest.raises(AttributeError, match=r'it is a custom field, so write case.fields\["priority"\]'):
        _ = Case.from_dict(a_case()).priority  # type: ignore[attr-defined]
    with pytest.raises(AttributeError) as caught:
        _ = Case.from_dict({"type": "case", "id": "case_1"}).priority  # type: ignore[attr-defined]
    assert "custom field" not in str(caught.value)


def test_only_canonical_json_sorts_its_keys() -> None:
    assert encode_json({"b": 1, "a": 2}) == b'{"b":1,"a":2}'
    assert encode_json({"b": 1, "a": 2}, canonical=True) == b'{"a":2,"b":1}'


def test_the_queue_and_the_template_are_known_by_their_ids() -> None:
    related = {"case-queue": {"data": {"type": "case-queue", "id": "cqueue_1"}}}
    case = Case.from_dict({"type": "case", "id": "case_1", "relationships": related})
    assert (case.case_queue_id, case.case_template_id) == ("cqueue_1", None)
