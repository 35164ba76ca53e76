import json
from typing import Any

import pytest
from case_documents import a_case, json_values, texts
from hypothesis import given
from hypothesis import strategies as st

from persona_cases import Q, QueryError
from persona_cases.models import Case, CaseFields, FieldValue
from persona_cases.models.decoding.decode import decode_case


def _fields(**sent: Any) -> CaseFields:
    return Case.from_dict(a_case(fields=sent)).fields


def test_both_shapes_read_alike() -> None:
    assert _fields(priority="high")["priority"] == "high"
    assert _fields(priority={"type": "string", "value": "high"})["priority"] == "high"
    assert _fields(priority={"type": "string", "value": "high"}) == _fields(priority="high") == {"priority": "high"}


def test_typed() -> None:
    fields = _fields(a={"type": "integer", "value": None}, b=5)
    assert fields.typed("a") == FieldValue("integer", None)
    assert fields.typed("b") == FieldValue(None, 5)
    with pytest.raises(KeyError):
        fields.typed("c")


def test_hashes_and_arrays_unwrap_all_the_way() -> None:
    fields = _fields(
        address={
            "type": "hash",
            "value": {
                "city": {"type": "string", "value": "Porto"},
                "lines": {"type": "array", "value": [{"type": "string", "value": "Rua 1"}, "floor 2"]},
            },
        },
        numbers={"type": "multi_choices", "value": ["a", "b"]},
    )
    assert fields["address"] == {"city": "Porto", "lines": ["Rua 1", "floor 2"]}
    assert fields.typed("address").type == "hash"
    assert fields["numbers"] == ["a", "b"]


@pytest.mark.parametrize(
    "sent",
    [
        {"type": "string"},
        {"value": "x"},
        {"type": 5, "value": "x"},
        {"type": None, "value": "x"},
        {"type": "string", "value": "x", "label": "y"},
    ],
)
def test_only_exactly_type_and_value_unwraps(sent: dict[str, Any]) -> None:
    assert _fields(k=sent)["k"] == sent
    assert _fields(k=sent).typed("k").type is None


def test_a_hash_with_fields_named_type_and_value() -> None:
    inner = {"type": {"type": "string", "value": "t"}, "value": {"type": "string", "value": "v"}}
    assert _fields(k={"type": "hash", "value": inner})["k"] == {"type": "t", "value": "v"}


def test_the_content_of_a_json_field_is_not_unwrapped() -> None:
    content = {"shape": {"type": "circle", "value": 5}}
    assert _fields(k={"type": "json", "value": content})["k"] == content


def test_keys_are_untouched() -> None:
    keys = ["Any key", "camelCase", "kebab-case", "snake_case", "", "é/~"]
    assert list(_fields(**dict.fromkeys(keys, 1))) == keys


def test_it_is_a_mapping_that_does_not_change() -> None:
    fields = _fields(a={"type": "hash", "value": {"b": {"type": "array", "value": [1]}}})
    fields["a"]["b"].append(2)
    fields.raw["a"]["value"]["b"]["value"].append(2)
    dict(fields)["a"]["c"] = 1
    assert fields["a"] == {"b": [1]}
    assert len(fields) == 1
    assert "a" in fields
    assert "b" not in fields
    assert fields.get("b", 5) == 5
    with pytest.raises(KeyError):
        fields["b"]
    with pytest.raises(TypeError):
        fields["a"] = 1  # type: ignore[index]
    assert hash(fields) == hash(_fields(a=1))


@given(st.dictionaries(texts, json_values, max_size=4))
def test_the_wire_mapping_is_what_was_sent(sent: dict[str, Any]) -> None:
    assert json.dumps(Case.from_dict(a_case(fields=sent)).fields.raw) == json.dumps(sent)


@given(json_values, texts)
def test_wrapping_does_not_change_what_is_read(value: Any, declared: str) -> None:
    if declared != "json":
        assert _fields(k={"type": declared, "value": value})["k"] == _fields(k=value)["k"]


@pytest.mark.parametrize(
    "nested",
    [
        "[" * 900 + "]" * 900,
        '{"a":' * 900 + "1" + "}" * 900,
        '{"type":"hash","value":{"a":' * 450 + "1" + "}}" * 450,
        '{"type":"json","value":' + "[" * 900 + "]" * 900 + "}",
    ],
    ids=["lists", "objects", "hashes", "json"],
)
def test_what_can_be_decoded_can_be_read_however_deep_it_is_nested(nested: str) -> None:
    body = f'{{"data":{{"type":"case","id":"case_1","attributes":{{"fields":{{"a":{nested}}}}}}}}}'
    case = decode_case(body.encode())
    assert isinstance(case.fields["a"], list | dict)
    assert isinstance(case.fields.typed("a").value, list | dict)
    assert list(case.fields.raw) == ["a"]
    with pytest.raises(QueryError, match="array or an object"):
        Q.fields.a.eq("b").matches(case)


def test_values_of_type_json_are_copied_as_they_are_and_the_others_are_unwrapped() -> None:
    inner = {"type": "string", "value": "content"}
    several = [{"type": "json", "value": [inner]}, inner, {"type": "hash", "value": {"b": inner}}]
    fields = _fields(a={"type": "array", "value": several})
    assert fields["a"] == [[inner], "content", {"b": "content"}]
    fields["a"][0].append("mine")
    assert fields["a"][0] == [inner]
