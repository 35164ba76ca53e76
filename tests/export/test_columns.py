"""Which columns there are, and what stands in them."""

from __future__ import annotations

from datetime import UTC, date, datetime

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from lines_of_cases import columns_of, make_line

from persona_cases import DecodeError, InvalidArgumentError
from persona_cases.export import Column, columns_from
from persona_cases.export.columns.batch import BatchReader
from persona_cases.export.columns.cells import as_texts, as_values
from persona_cases.export.columns.choice import ColumnChoice
from persona_cases.export.columns.column import FIXED
from persona_cases.export.columns.rows import read_row
from persona_cases.export.columns.survey import Survey
from persona_cases.export.columns.titles import titled
from persona_cases.export.columns.types import JSON, TEXT, ColumnKind, ColumnType
from persona_cases.models import Case, CaseTemplate, Fieldset, structure
from persona_cases.models.decoding.records import ATTRIBUTES, RELATIONSHIPS

scalars = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(codec="utf-8"))
    | st.dates().map(date.isoformat)
)
contents = st.recursive(
    scalars, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from("xy"), inner), max_leaves=4
)
typed = st.builds(
    lambda word, value: {"type": word, "value": value},
    st.sampled_from(["string", "date", "integer", "number", "json", "hash", "array", "new_word"]),
    contents,
)
many_fields = st.lists(st.dictionaries(st.sampled_from(["a", "B", "c.d", "ü"]), contents | typed), max_size=12)


def lines_with(many: list[dict[str, object]]) -> list[bytes]:
    return [make_line(number, fields=fields) for number, fields in enumerate(many)]


def type_of_field(lines, name="fields.a", **asked):
    return {column.name: column.type for column in columns_of(lines, **asked)}[name]


def test_every_documented_attribute_and_relationship_has_a_column():
    names = {column.name for column in FIXED}
    assert names >= ATTRIBUTES - {"fields"}
    assert len(FIXED) == len(names) == 1 + len(ATTRIBUTES - {"fields"}) + len(RELATIONSHIPS)


@given(many_fields, st.randoms(use_true_random=False))
def test_the_order_of_the_cases_makes_no_difference(many, random):
    lines = lines_with(many)
    shuffled = random.sample(lines, len(lines))
    at_once, apart = Survey(), Survey()
    at_once.observe(lines)
    for line in shuffled:
        apart.observe([line])
    assert at_once.columns(ColumnChoice()) == apart.columns(ColumnChoice())


@given(many_fields)
def test_no_value_is_lost_or_changed(many):
    lines = lines_with(many)
    columns = columns_of(lines)
    batch, cases = BatchReader().read(lines), [Case.from_dict(msgspec.json.decode(line)) for line in lines]
    for column in columns[len(FIXED) :]:
        values = batch.column(column.name)
        cells, texts = as_values(column.type)(values), as_texts(column.type)(values)
        for case, cell, text in zip(cases, cells, texts, strict=True):
            expected = case.fields.get(column.name.removeprefix("fields."))
            assert same(read_back(cell, column.type), expected)
            assert (text is None) == (expected is None)
            if expected is not None and column.type.kind not in {ColumnKind.TEXT, ColumnKind.DATE, ColumnKind.TIME}:
                assert msgspec.json.decode(text) == expected


def plain(values):
    """Values that compare by what they are: JSON that was never parsed has no equality of its own."""
    return {name: bytes(value) if isinstance(value, msgspec.Raw) else value for name, value in values.items()}


UNUSUAL = [
    b'{"type":"case","id":"case_%d","attributes":{"created-at":"2025-01-01T00:00:00.000Z","odd-one":1}}',
    b'{"type":"case","id":"case_%d","attributes":{"newer":{"a":[1]},"another":null},"relationships":{"cats":[]}}',
    b'{"type":"case","id":"case_%d","attributes":{"newer":1,"fields":{"a":5,"b":{"type":"json","value":{"x":[{}]}}}}}',
    b'{"type":"case","id":"case_%d","attributes":{"attachments":[{"filename":"a"}]},"relationships":{"case_queue":{}}}',
    b'{"type":"case","id":"case_%d"}',
    b'{"type":"case","id":"case_%d","attributes":null,"relationships":null}',
]


@given(many_fields, st.lists(st.sampled_from(UNUSUAL), max_size=5), st.randoms())
def test_batches_have_what_each_line_has_by_itself(many, unusual, draw):
    lines = [*lines_with(many), *(line % number for number, line in enumerate(unusual))]
    draw.shuffle(lines)
    reader, rows = BatchReader(), [read_row(line) for line in lines]
    middle = len(lines) // 2
    for part, expected in ((lines[:middle], rows[:middle]), (lines[middle:], rows[middle:])):
        batch = reader.read(part)
        assert batch.lines == part
        for number, row in enumerate(expected):
            related = {name: column[number] for name, column in batch.related.items()}
            assert {name: each for name, each in related.items() if each is not None} == row.related
            found = {name: values[number] for name, values in batch.values.items() if values[number] is not None}
            assert plain(found) == plain({name: value for name, value in row.values.items() if value is not None})
            there = {key for key, field in batch.fields.items() if number in field.numbers}
            assert there == row.fields.keys()
            assert all(batch.fields[key].words[number] == row.fields[key].type for key in there)


@pytest.mark.parametrize(
    "name", ['a"b', "\\", "\x01", "\x00", "\x7f", "", " ", "é", "\N{ROCKET}", "__class__", "a.b", "for"]
)
@pytest.mark.parametrize(
    ("section", "sent", "column"),
    [
        ("attributes", lambda name: {name: 1}, "extra."),
        ("attributes", lambda name: {"fields": {name: {"type": "integer", "value": 1}}}, "fields."),
        ("relationships", lambda name: {name: {"data": None}}, "relationships."),
    ],
)
def test_any_name_is_read_however_often_it_comes(section, sent, column, name):
    line = msgspec.json.encode({"type": "case", "id": "case_1", section: sent(name)})
    reader = BatchReader()
    expected = plain({f"{column}{name}": read_row(line).values[f"{column}{name}"]})
    for _ in range(3):
        values = reader.read([line]).values
        assert plain({f"{column}{name}": values[f"{column}{name}"][0]}) == expected


def test_lines_that_are_no_cases_are_handed_out_by_number():
    refused = []
    reader = BatchReader(lambda number, line: refused.append((number, line)))
    lines = [make_line(1), b"{}", make_line(3), b"[]"]
    assert reader.read(lines).ids == ["case_000001", "case_000003"]
    assert refused == [(2, b"{}"), (4, b"[]")]
    assert reader.read([b"7", make_line(6)]).lines == [make_line(6)]
    assert refused[-1] == (5, b"7")


def read_back(cell, type):
    if cell is None:
        return None
    match type.kind:
        case ColumnKind.JSON:
            return msgspec.json.decode(cell)
        case ColumnKind.DATE:
            return cell.isoformat()
        case _:
            return cell


def same(one, other):
    """Equal, and a bool is no number; that 1 stands as 1.0 among floats is no change."""
    return one == other and isinstance(one, bool) == isinstance(other, bool)


def test_columns_come_in_a_fixed_order():
    lines = [
        make_line(1, fields={"b": 1}, attributes={"zeta": 1, "alpha": {"x": 1}}),
        make_line(2, fields={"a": "x"}, relationships={"cats": {"data": []}}),
    ]
    names = [column.name for column in columns_of(lines)]
    assert names[: len(FIXED)] == [column.name for column in FIXED]
    assert names[len(FIXED) :] == ["fields.a", "fields.b", "extra.alpha", "extra.zeta", "relationships.cats"]


NEWER = ["extra.alpha", "relationships.cats", "extra.omega"]


def test_chosen_columns_come_in_the_order_of_the_choice_behind_the_id():
    lines = [make_line(1, fields={"b": 1, "a": 2}, attributes={"alpha": 1}, relationships={"cats": {"data": []}})]
    chosen = ["fields.b", "updated_at", "id", "accounts", "case_queue_id", "fields.none", *NEWER]
    assert [str(column.name) for column in columns_of(lines, chosen)] == [
        "id",
        "fields.b",
        "updated_at",
        "account_ids",
        "case_queue_id",
        "fields.none",
        "extra.alpha",
        "relationships.cats",
        "extra.omega",
    ]
    assert [column.name for column in columns_of(lines, ["fields"])] == ["id", "fields.a", "fields.b"]
    assert columns_of([], ["fields.none"])[1] == Column("fields.none", TEXT)


def test_names_of_columns_are_asked_for_by_the_names_of_the_api():
    asked = ["status", "account_ids", "transaction_ids", "fields.a", "extra.alpha", "relationships.cats"]
    assert Fieldset.of(asked).wire() == "status,accounts,txns,fields.a,alpha,cats"


def test_a_field_that_is_always_null_has_the_declared_type():
    assert type_of_field([make_line(fields={"a": {"type": "integer", "value": None}})]) == ColumnType(
        ColumnKind.INTEGER
    )
    assert type_of_field([make_line(fields={"a": None})]) == TEXT


def test_whole_numbers_of_a_number_field_are_numbers():
    lines = [make_line(fields={"a": {"type": "number", "value": 1}})]
    assert type_of_field(lines) == ColumnType(ColumnKind.NUMBER)
    assert type_of_field([*lines, make_line(fields={"a": {"type": "number", "value": 2**60}})]) == ColumnType(
        ColumnKind.INTEGER
    )


def test_two_templates_that_declare_a_field_differently():
    lines = [
        make_line(1, fields={"a": {"type": "string", "value": "x"}}),
        make_line(2, fields={"a": {"type": "integer", "value": 7}}),
    ]
    assert type_of_field(lines) == JSON
    assert as_texts(JSON)(BatchReader().read(lines).column("fields.a")) == ['"x"', "7"]


def test_a_template_gives_columns_that_no_case_has():
    schemas = [("a", "date"), ("b", "multi-choices"), ("c", "hash"), ("d", "of-the-future"), ("e", "integer")]
    attributes = {"field_schemas": [{"key": key, "type": type} for key, type in schemas]}
    template = structure({"type": "case-template", "id": "ctmpl_1", "attributes": attributes}, CaseTemplate)
    declared = columns_from(template)
    columns = {column.name: str(column.type) for column in columns_of([make_line(fields={"e": 1})], declared=declared)}
    assert [columns[f"fields.{key}"] for key in "abcde"] == ["date", "list of text", "json", "text", "integer"]


def test_settled_columns_of_a_template_do_not_depend_on_the_cases():
    schemas = [{"key": key, "type": type} for key, type in (("a", "array"), ("b", "new-word"), ("c", "number"))]
    attributes = {"field_schemas": schemas}
    template = structure({"type": "case-template", "id": "ctmpl_1", "attributes": attributes}, CaseTemplate)
    declared = columns_from(template, settled=True)
    assert [str(column.type) for column in declared] == ["json", "json", "number"]
    fields = [{}, {"a": {"type": "array", "value": [1]}, "b": True, "c": 1}, {"a": ["x"], "b": "y", "c": 1.5}]
    assert len({columns_of([make_line(fields=each)], declared=declared) for each in fields}) == 1
    loose = columns_from(template)
    assert len({columns_of([make_line(fields=each)], declared=loose) for each in fields}) == 2


def test_a_value_that_the_template_does_not_allow_for_widens_the_column():
    declared = [Column("fields.a", ColumnType(ColumnKind.INTEGER))]
    assert type_of_field([make_line(fields={"a": 2.5})], declared=declared) == ColumnType(ColumnKind.NUMBER)
    assert type_of_field([make_line(fields={"a": "x"})], declared=declared) == TEXT


def test_only_columns_of_custom_fields_can_be_declared():
    with pytest.raises(InvalidArgumentError, match="columns must hold columns of custom fields"):
        columns_of([], declared=[Column("status", JSON)])


def test_what_the_library_does_not_know_is_kept_as_it_was_sent():
    line = (
        b'{"type":"case","id":"case_1","attributes":{"odd":1.10,"huge":1e999,"nil":null,'
        b'"attachments":[{"filename":"a","url":"u","byte_size":1,"more":2}]},"relationships":{"cats":{"data":null}}}'
    )
    row = read_row(line)
    texts = {
        name: as_texts(JSON)([value])[0] for name, value in row.values.items() if name != "id" and value is not None
    }
    assert texts == {
        "extra.odd": "1.10",
        "extra.huge": "1e999",
        "attachments": '[{"filename":"a","url":"u","byte_size":1,"more":2}]',
        "relationships.cats": '{"data":null}',
    }


def test_any_spelling_of_the_names_gives_the_same_columns():
    line = msgspec.json.encode(
        {
            "type": "case",
            "id": "case_1",
            "attributes": {"created-at": "2025-01-01T00:00:00.000Z", "odd-one": 1, "fields": {"any-key": 1}},
            "relationships": {"case-template": {"data": {"type": "case-template", "id": "ctmpl_1"}}},
        }
    )
    values = read_row(line).values
    assert values["created_at"] == datetime(2025, 1, 1, tzinfo=UTC)
    assert values["case_template_id"] == "ctmpl_1"
    assert {name for name in values if "." in name} == {"fields.any-key", "extra.odd_one"}


@pytest.mark.parametrize("depth", [50, 300])
def test_lists_in_lists_are_json_however_deep(depth):
    text = "[" * depth + "]" * depth
    line = make_line().replace(b'"fields":{}', b'"fields":{"a":%b}' % text.encode())
    [column] = columns_of([line], ["fields.a"])[1:]
    assert as_texts(column.type)(BatchReader().read([line]).column("fields.a")) == [text]


def test_a_case_that_is_nested_too_deeply_is_told_by_its_line():
    # How deep is too deep depends on the version of Python.
    depth = 100_000
    line = make_line().replace(b'"fields":{}', b'"fields":{"a":%b%b}' % (b"[" * depth, b"]" * depth))
    with pytest.raises(DecodeError, match="line 1: the JSON is nested too deeply in case case_000001"):
        BatchReader().read([line])


@pytest.mark.parametrize(
    ("broken", "pointer"),
    [
        (b'{"type":"case","id":"case_1","attributes":{"created_at":"Jane"}}', "/attributes/created_at"),
        (b'{"type":"case","id":7}', "/id"),
        (b'{"type":"case","id":"ca', ""),
        (b'{"type":"case","id":"case_1","attributes":"Jane"}', "/attributes"),
    ],
)
def test_a_line_that_is_no_case_is_told_by_number_and_place(broken, pointer):
    with pytest.raises(DecodeError) as raised:
        BatchReader().read([make_line(), broken])
    assert raised.value.pointer == pointer
    assert str(raised.value).startswith("line 2: ")
    assert "Jane" not in str(raised.value)


def test_columns_in_which_no_case_had_a_value_are_told():
    survey = Survey()
    survey.observe([make_line(1, attributes={"name": None}, fields={"a": None, "b": 1})])
    survey.observe([make_line(2, attributes={"name": None, "status": None}, fields={"a": None, "b": None})])
    columns = survey.columns(ColumnChoice.of(None, ()))
    empty = survey.empty(titled(columns))
    assert {"name", "fields.a"} <= set(empty)
    assert not {"id", "status", "fields.b"} & set(empty)
