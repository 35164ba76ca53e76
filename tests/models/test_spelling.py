import json
from typing import Any

import pytest
from case_documents import a_body, a_case, as_read, cases
from hypothesis import assume, example, given
from hypothesis import strategies as st

from persona_cases.errors import DecodeError, InvalidArgumentError
from persona_cases.models import Case, CaseTemplate
from persona_cases.models.decoding import records as wire
from persona_cases.models.decoding.decode import decode_case, decode_page, decode_resource
from persona_cases.models.decoding.key_inflection import snake, spell

KNOWN = wire.ATTRIBUTES | wire.RELATIONSHIPS | set(wire.AttachmentRecord.__struct_fields__)
INFLECTIONS: list[Any] = ["snake", "kebab", "camel"]


def _claims_a_known_name(case: dict[str, Any]) -> bool:
    sections = [case.get("attributes") or {}, case.get("relationships") or {}]
    return any(snake(key) in KNOWN and key not in KNOWN for section in sections for key in section)


@given(cases, st.sampled_from(INFLECTIONS))
@example({"type": "case", "id": "c", "attributes": {"foo_bar": 1, "fooBar": 2, "created_at": None}}, "camel")
@example({"type": "case", "id": "c", "attributes": {"a_b_c": 1, "_x": 2, "foo_1": 3, "HTTPStatus": 4}}, "camel")
@example({"type": "case", "id": "c", "attributes": {"attachments": [{"byte_size": 5}]}}, "kebab")
@example({"type": "case", "id": "c", "relationships": {"foo_bar": None}}, "kebab")
def test_every_spelling_reads_back_as_the_same_case(sent: dict[str, Any], inflection: Any) -> None:
    assume(not _claims_a_known_name(sent))
    case = Case.from_dict(sent)
    again = Case.from_dict(case.to_dict(inflection))
    assert again == case
    assert as_read(again) == as_read(case)
    assert json.dumps(again.to_dict(inflection)) == json.dumps(case.to_dict(inflection))


@given(st.text(st.sampled_from("abAB12_- é"), max_size=8))
def test_folding_twice_is_folding_once(key: str) -> None:
    assert snake(snake(key)) == snake(key)


@pytest.mark.parametrize("name", sorted(KNOWN))
@pytest.mark.parametrize("inflection", INFLECTIONS)
def test_known_names_survive_every_spelling(name: str, inflection: Any) -> None:
    assert snake(spell(name, inflection)) == name


def test_only_names_are_respelled() -> None:
    case = Case.from_dict(
        a_case(fields={"risk_score": 1, "k-2": {"type": "hash", "value": {"in_ner": 1}}}, new_thing={"x_y": 1})
    )
    kebab = case.to_dict("kebab")
    assert kebab["attributes"]["fields"] == {"risk_score": 1, "k-2": {"type": "hash", "value": {"in_ner": 1}}}
    assert kebab["attributes"]["new-thing"] == {"x_y": 1}
    assert kebab["attributes"]["creator-id"] == "rosa@example.org"
    assert kebab["attributes"]["attachments"][0]["byte-size"] == 9
    assert kebab["relationships"]["case-template"] == {"data": {"type": "case-template", "id": "ctmpl_1"}}
    camel = case.to_dict("camel")
    assert camel["attributes"]["slaExpiresAt"] == "2025-03-05T10:20:30.400+02:00"
    assert camel["relationships"]["reports"]["data"][1]["type"] == "report/new"


@pytest.mark.parametrize("inflection", INFLECTIONS)
def test_a_case_in_any_spelling_is_typed_alike(inflection: Any) -> None:
    sent = Case.from_dict(a_case(brand_new=1)).to_dict(inflection)
    case = Case.from_dict(sent)
    assert case.created_at == Case.from_dict(a_case()).created_at
    assert case.attachments[0].byte_size == 9
    assert case.relationships.case_template is not None
    assert case.extras == {"brand_new": 1}
    assert case.to_dict(inflection) == sent
    assert json.loads(case.raw) == sent


def test_a_server_that_ignores_the_asked_spelling_is_understood() -> None:
    expected = Case.from_dict(a_case())
    kebab = expected.to_dict("kebab")
    assert decode_page(a_body(kebab, kebab)).cases == (expected, expected)
    assert decode_page(a_body(kebab)).cases[0].assignee_id == expected.assignee_id
    assert decode_page(a_body(kebab)).cases[0].created_at == expected.created_at
    assert decode_case(json.dumps({"data": kebab}).encode()).creator_type == "user"


def test_pointers_are_spelled_as_sent() -> None:
    sent = Case.from_dict(a_case()).to_dict("camel")
    sent["attributes"]["slaExpiresAt"] = 5
    with pytest.raises(DecodeError) as caught:
        Case.from_dict(sent)
    assert caught.value.pointer == "/attributes/slaExpiresAt"


def test_keys_that_differ_in_spelling_alone_all_stay() -> None:
    sent = a_case(foo_bar=1, fooBar=2)
    attributes = Case.from_dict(sent).to_dict("kebab")["attributes"]
    assert (attributes["foo_bar"], attributes["fooBar"]) == (1, 2)


def test_an_unknown_spelling_is_refused() -> None:
    with pytest.raises(InvalidArgumentError, match="snake, kebab, camel"):
        Case.from_dict(a_case()).to_dict("Snake")  # type: ignore[arg-type]


def test_the_config_of_a_field_schema_is_spelled_as_far_down_as_it_goes():
    item = {"type": "string", "key": "a_key", "config": {"max_char_length": 1, "item_schemas": [{"write_policy": "x"}]}}
    schema = {"type": "array", "key": "a_list", "default_value": "a_b", "config": {"item_schema": item}}
    bare = {"type": "json", "key": "a_map", "default_value": {"a_key": 1}}
    template = {"type": "case-template", "id": "c", "attributes": {"field_schemas": [schema, bare]}}
    sent = decode_resource(json.dumps({"data": template}).encode(), CaseTemplate).to_dict("kebab")
    assert sent["attributes"]["field-schemas"] == [
        {
            "type": "array",
            "key": "a_list",
            "default-value": "a_b",
            "config": {
                "item-schema": {
                    "type": "string",
                    "key": "a_key",
                    "config": {"max-char-length": 1, "item-schemas": [{"write-policy": "x"}]},
                }
            },
        },
        {"type": "json", "key": "a_map", "default-value": {"a_key": 1}},
    ]
