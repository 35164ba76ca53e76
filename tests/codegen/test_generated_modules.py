"""Any template makes a module, and any case of it goes through the module and back."""

from __future__ import annotations

import importlib.util
import keyword
import subprocess
import sys
from pathlib import Path
from typing import Any

import attrs
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from codegen.our_templates import FIELDS, load, schema, source, template
from persona_cases import Case, InvalidArgumentError
from persona_cases.codegen.module_changes import changes_between
from persona_cases.codegen.module_facts import is_generated, module_facts
from persona_cases.codegen.named_templates import NamedTemplate, chosen_names, named
from persona_cases.codegen.python_names import FIELD_RESERVED, attribute_names, class_name
from persona_cases.export import columns_from
from persona_cases.export.columns.choice import ColumnChoice
from persona_cases.typed import TypedCase, fields_of

GOLDEN = Path(__file__).parents[1] / "typing" / "our_cases.py"
AML = template(
    schema("number", "amount"), schema("choices", "currency", options=["EUR", "USD"]), id="ctmpl_AML", name="AML"
)

# What people call fields, and what nobody should.
TEXTS = st.text(min_size=1, max_size=12) | st.sampled_from(
    [
        "cases",
        "of",
        "changes",
        "class",
        "None",
        "self",
        "cls",
        "values",
        "typed",
        "dt",
        "str",
        "KYCChanges",
        "KYC",
        "_x",
        "__x__",
        "2nd",
        "l-2-address",
        "größe",
        "ﬁeld",
        "field",
        "a" * 90,
        'say "hi"',
        "it's",
        "\\",
        "\u2028",
        "名" * 50,
    ]
)
OPTIONS = st.lists(TEXTS | st.just(""), max_size=4)


def fields(kinds: st.SearchStrategy[dict[str, Any]]) -> st.SearchStrategy[list[dict[str, Any]]]:
    return st.lists(kinds, max_size=5, unique_by=lambda each: each["key"])


@st.composite
def policies(draw: st.DrawFn) -> dict[str, Any]:
    return draw(
        st.fixed_dictionaries(
            {},
            optional={
                "required": st.booleans(),
                "write_policy": st.sampled_from(["none", "write_once"]),
                "redaction_policy": st.sampled_from(["none", "never"]),
                "archived_at": st.sampled_from([None, "2023-06-29T23:54:35.293Z"]),
            },
        )
    )


SCALARS = [
    "string",
    "number",
    "integer",
    "boolean",
    "date",
    "datetime",
    "email-address",
    "json",
    "file",
    "relation-schema",
    "telepathy",
]
LEAVES = st.builds(
    lambda kind, key, label, config: schema(kind, key, label, **config),
    st.sampled_from(SCALARS),
    TEXTS,
    st.none() | TEXTS,
    policies(),
) | st.builds(
    lambda kind, key, options, config: schema(kind, key, options=options, **config),
    st.sampled_from(["choices", "multi-choices"]),
    TEXTS,
    OPTIONS,
    policies(),
)
SCHEMAS = st.recursive(
    LEAVES,
    lambda inner: (
        st.builds(lambda key, items: schema("hash", key, item_schemas=items), TEXTS, fields(inner))
        | st.builds(lambda key, item: schema("array", key, item_schema=item), TEXTS, inner)
    ),
    max_leaves=6,
)

WORDS = st.text(st.characters(codec="utf-8"), max_size=8)
JSON = st.recursive(st.none() | st.booleans() | st.integers() | WORDS, lambda inner: st.lists(inner, max_size=2))
VALUES: dict[str, st.SearchStrategy[Any]] = {
    "string": WORDS,
    "email-address": WORDS,
    "number": st.integers() | st.floats(allow_nan=False, allow_infinity=False),
    "integer": st.integers(),
    "boolean": st.booleans(),
    "date": st.dates().map(lambda day: day.isoformat()),
    "datetime": st.datetimes().map(lambda moment: f"{moment.isoformat()}Z"),
}


def values_of(field: dict[str, Any]) -> st.SearchStrategy[Any]:
    """What a case may hold for a field: an option that the template no longer has is among it."""
    kind, config = field["type"], field["config"]
    match kind:
        case "choices":
            return st.sampled_from([*config["options"], "an option that is gone"])
        case "multi-choices":
            return st.lists(st.sampled_from([*config["options"], "an option that is gone"]), max_size=3)
        case "array":
            return st.lists(values_of(config["item_schema"]).filter(lambda item: item is not None), max_size=2)
        case "hash":
            return st.fixed_dictionaries({}, optional={each["key"]: values_of(each) for each in config["item_schemas"]})
        case _:
            return VALUES.get(kind, JSON)


def wrapped(value: Any, kind: str) -> dict[str, Any]:
    return {"type": kind.replace("-", "_"), "value": value}


def test_columns_are_those_of_the_template_settled():
    whole = template(*FIELDS)
    assert ColumnChoice.declared_by(load(source(whole)).KYC) == columns_from(whole, settled=True)


@settings(max_examples=settings().max_examples // 2)
@given(st.data(), fields(SCHEMAS), TEXTS)
def test_any_template_makes_a_module_and_any_case_comes_back(data, schemas, name):
    made = template(*schemas, name=name)
    text = source(made)
    assert text == source(made)
    assert is_generated(text)
    module = load(text)
    (typed,) = (each for each in vars(module).values() if isinstance(each, type) and issubclass(each, TypedCase))
    assert ColumnChoice.declared_by(typed) == columns_from(made, settled=True)
    assert set(module_facts(text)) == {"ctmpl_KYC"}

    sent = data.draw(st.fixed_dictionaries({}, optional={each["key"]: values_of(each) for each in schemas}))
    kinds = {each["key"]: each["type"] for each in schemas}
    flat = {"unknown to the template": 1, **sent}
    for shape in (flat, {key: wrapped(value, kinds.get(key, "json")) for key, value in flat.items()}):
        case = Case.from_dict({"type": "case", "id": "case_1", "attributes": {"fields": shape}})
        held = {key: case.fields[key] for key in sent if case.fields[key] is not None}
        back = fields_of(typed.of(case))
        assert comparable(back, schemas) == comparable(held, schemas)
        again = Case.from_dict({"type": "case", "id": "case_1", "attributes": {"fields": back}})
        if not any(
            kind == "json" or kind in {"file", "relation-schema", "telepathy"} for kind in map(str, kinds.values())
        ):
            assert typed.of(again) == typed.of(case)


def comparable(values: dict[str, Any], schemas: list[dict[str, Any]]) -> dict[str, Any]:
    """The values with times in one spelling: `+00:00` and `Z` are the same."""
    return {each["key"]: same(values[each["key"]], each) for each in schemas if each["key"] in values}


def same(value: Any, field: dict[str, Any]) -> Any:
    match field["type"]:
        case "datetime":
            return value.replace("Z", "+00:00")
        case "array":
            return [same(item, field["config"]["item_schema"]) for item in value]
        case "hash" if field["config"]["item_schemas"]:
            return comparable(
                {key: item for key, item in value.items() if item is not None}, field["config"]["item_schemas"]
            )
        case _:
            return value


def test_the_module_of_the_type_tests_is_what_codegen_writes():
    assert GOLDEN.read_text(encoding="utf-8") == source(template(*FIELDS), AML)


@pytest.mark.parametrize("width", [88, 120])
def test_formatters_leave_modules_alone(tmp_path, width):
    if importlib.util.find_spec("ruff") is None:
        pytest.skip("ruff is not installed: it comes with the `lint` dependency group")
    long = [
        schema(
            "choices",
            "x" * 59,
            options=["a" * 30, "b" * 30, 'c"d', "名" * 30],
            required=True,
            write_policy="write_once",
        ),
        schema("multi-choices", "y" * 40, options=["one" * 40]),
        schema("hash", "z" * 60, item_schemas=[schema("string", "w" * 60), schema("array", "n" * 30)]),
        schema("array", "v" * 60, item_schema=schema("hash", "u", item_schemas=[schema("date", "t" * 60)])),
        schema("string", "short", 'It\'s "odd" \\ \n label '),
        schema("string", "名" * 25, never=1),
    ]
    for number, text in enumerate(
        [
            source(template(*FIELDS), AML),
            source(template(*long, id="ctmpl_" + "i" * 80, name="A very long name of a template that somebody chose")),
            source(template()),
            source(template(schema("string", "a"))),
        ]
    ):
        (tmp_path / f"module_{number}.py").write_text(text, encoding="utf-8")
    ruff = [sys.executable, "-m", "ruff"]
    for command in (["format", "--diff", f"--line-length={width}"], ["check", "--select=F,I,E9,UP"]):
        run = subprocess.run([*ruff, *command, "--isolated", tmp_path], capture_output=True, text=True, check=False)
        assert run.returncode == 0, run.stdout + run.stderr


@given(st.lists(TEXTS, unique=True))
def test_names_are_valid_unique_and_free(keys):
    names = attribute_names(keys, FIELD_RESERVED)
    assert len(set(names.values())) == len(keys)
    for key, name in names.items():
        assert name.isidentifier()
        assert not keyword.iskeyword(name)
        assert name not in FIELD_RESERVED
        assert not name.startswith("_")
        if key.isascii() and key.isidentifier() and len(key) < 60 and not key.startswith("_") and not key.endswith("_"):
            assert name.removesuffix("_") == key or "__" in key


@pytest.mark.parametrize(
    ("title", "name"),
    [
        ("KYC", "KYC"),
        ("KYC review", "KYCReview"),
        ("2nd line", "Template2ndLine"),
        ("", "Template"),
        ("???", "Template"),
        ("Any", "Any_"),
        ("none", "None_"),
        ("grüße", "Grüße"),
        # A letter by its category, and yet no name may hold it.
        ("\u2e2f", "Template"),
        ("x" * 50, "X" + "x" * 39),
    ],
)
def test_names_of_classes(title, name):
    assert class_name(title) == name


def test_long_keys_get_names_that_fit_a_line():
    assert attribute_names(["a" * 90, "a" * 91], frozenset()) == {"a" * 90: "a" * 40, "a" * 91: "a" * 40 + "_2"}


def test_a_project_may_demand_future_annotations():
    text = source(template(*FIELDS))
    postponed = load(text.replace("import datetime", "from __future__ import annotations\n\nimport datetime", 1)).KYC
    assert postponed.changes(risk_tags=["age"], class_=1) == {"risk_tags": ["age"], "class": 1}
    assert {name: field.value_type.options for name, field in postponed.__fields__.items()} == {
        name: field.value_type.options for name, field in load(text).KYC.__fields__.items()
    }


def test_what_no_template_should_say_does_no_harm():
    odd = template(
        schema("choices", "a", options="low"),
        schema("choices", "b", options=["low", 5, None, "low"]),
        schema("array", "c", item_schema=[]),
        schema("hash", "d", item_schemas={"type": "string"}),
        schema("hash", "e", item_schemas=[5, {}, {"key": "f", "label": 5, "config": 5}]),
        schema("relation-schema", "g", target=5),
        schema("string", ""),
    )
    typed = load(source(odd)).KYC
    assert {name: field.word for name, field in typed.__fields__.items()} == {
        "a": "string",
        "b": "choices",
        "c": "array",
        "d": "json",
        "e": "hash",
        "g": "relation_schema",
    }
    assert typed.__fields__["b"].value_type.options == ("low",)


def test_templates_of_one_name_get_numbers():
    module = load(source(template(), template(id="ctmpl_2"), template(id="ctmpl_3")))
    assert [module.KYC.__template_id__, module.KYC_2.__template_id__, module.KYC_3.__template_id__] == [
        "ctmpl_KYC",
        "ctmpl_2",
        "ctmpl_3",
    ]


def test_a_key_that_comes_again_after_its_archival_takes_values():
    archived = schema("string", "level", archived_at="2023-06-29T23:54:35.293Z")
    for both in ([archived, schema("integer", "level")], [schema("integer", "level"), archived]):
        typed = load(source(template(*both))).KYC
        assert typed.changes(level=5) == {"level": 5}


@pytest.mark.parametrize("given_name", ["3=ctmpl_1", "class=ctmpl_1", "_K=ctmpl_1", "Any=ctmpl_1", "str=ctmpl_1", "K="])
def test_names_that_no_class_can_have(given_name):
    with pytest.raises(InvalidArgumentError, match="NAME=ID"):
        named(given_name)


def test_names_are_given_known_or_made():
    assert named("K=ctmpl_1") == NamedTemplate("ctmpl_1", "K")
    assert named("ctmpl_1") == NamedTemplate("ctmpl_1")
    known = module_facts(source(template(), Old="ctmpl_KYC"))
    assert chosen_names([("ctmpl_KYC", None), ("ctmpl_2", None)], known) == {"ctmpl_KYC": "Old"}
    assert chosen_names([("ctmpl_KYC", "New")], known) == {"ctmpl_KYC": "New"}
    with pytest.raises(InvalidArgumentError, match="same name"):
        chosen_names([("ctmpl_1", "A"), ("ctmpl_2", "A")], {})
    with pytest.raises(InvalidArgumentError, match="given twice"):
        chosen_names([("ctmpl_1", None), ("ctmpl_1", None)], {})


STAMP = "2023-06-29T23:54:35.293Z"


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ([], [schema("string", "a")], ["KYC.a: added (text)"]),
        ([], [schema("choices", "a", required=True, options=["x"])], ["KYC.a: added (choice, required)"]),
        ([schema("string", "a")], [], ["KYC.a: removed"]),
        ([schema("string", "a")], [schema("string", "a", archived_at=STAMP)], ["KYC.a: archived"]),
        ([schema("string", "a")], [schema("string", "a", deactivated_at=STAMP)], ["KYC.a: deactivated"]),
        ([schema("string", "a", archived_at=STAMP)], [schema("string", "a")], ["KYC.a: no longer archived"]),
        ([schema("string", "a")], [schema("string", "a", required=True)], ["KYC.a: now required"]),
        ([schema("integer", "a")], [schema("number", "a")], ["KYC.a: type changed from integer to number"]),
        ([schema("json", "a")], [schema("date", "a")], ["KYC.a: type changed from JSON to date"]),
        (
            [schema("choices", "a", options=["x", "y"])],
            [schema("choices", "a", options=["x", "z", "w"])],
            ["KYC.a: options 'w', 'z' added", "KYC.a: option 'y' removed"],
        ),
        ([schema("string", "a")], [schema("string", "a", write_policy="write_once")], ["KYC.a: now written only once"]),
        ([schema("string", "a", redaction_policy="never")], [schema("string", "a")], ["KYC.a: now redacted"]),
        (
            [schema("hash", "a", item_schemas=[schema("string", "b")])],
            [schema("hash", "a", item_schemas=[schema("integer", "b")])],
            ["KYC.a.b: type changed from text to integer"],
        ),
        (
            [schema("array", "a", item_schema=schema("hash", "i", item_schemas=[schema("string", "b")]))],
            [schema("array", "a", item_schema=schema("hash", "i", item_schemas=[schema("string", "c")]))],
            ["KYC.a.c: added (text)", "KYC.a.b: removed"],
        ),
        ([schema("string", "a", "One")], [schema("string", "a", "Another")], []),
    ],
)
def test_changes_are_told_in_words(old, new, words):
    before, after = (module_facts(source(template(*each))) for each in (old, new))
    assert changes_between(before, after) == words


def test_templates_that_come_and_go_are_told():
    one, both = module_facts(source(template())), module_facts(source(template(), AML))
    assert changes_between(one, both) == ["AML: added, from ctmpl_AML"]
    assert changes_between(both, one) == ["AML: removed"]
    assert changes_between(one, module_facts(source(template(), Kyc="ctmpl_KYC"))) == ["KYC: now called Kyc"]


def test_other_formatters_change_no_facts():
    text = source(template(*FIELDS))
    assert module_facts(text.replace('"', "'").replace("'''", '"""')) == module_facts(text)


def test_a_module_that_is_no_python_is_refused():
    with pytest.raises(InvalidArgumentError, match="cannot be read as Python"):
        module_facts("class (")


def test_fields_know_what_the_template_says():
    declared = {name: field.declaration for name, field in load(source(template(*FIELDS))).KYC.__fields__.items()}
    assert declared["priority"].required
    assert declared["reference"].write_once
    assert declared["exposed"].never_redacted
    assert (declared["old"].closed, declared["paused"].closed) == ("archived", "deactivated")
    assert attrs.asdict(declared["notes"]) == {
        "key": "notes",
        "required": False,
        "write_once": False,
        "never_redacted": False,
        "closed": None,
    }
