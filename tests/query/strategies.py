"""Random predicates, also of shapes that only JSON makes, and random cases for them."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from hypothesis import strategies as st
from secrecy.secrets import Secrets

from persona_cases.query import Predicate
from persona_cases.query.attributes import SEARCHABLE
from persona_cases.query.nodes import AllOf, AnyOf, Comparison, Not

OPERATORS = ("eq", "gt", "gte", "lt", "lte")

texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=8)
# Few and small, so that cases and predicates often meet.
common_scalars = st.sampled_from(
    ["open", "low", "", "user_1", "2025-01-01", "2025-01-01T12:00:00.500+02:00", 0, 1, -1, 1.0, 2.5, True, False]
)
scalars = (
    common_scalars
    | texts
    | st.integers(-(2**63), 2**64 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.datetimes(timezones=st.just(UTC)).map(datetime.isoformat)
)
odd_keys = ["priority", "any key", "class", "_x", "größe", "a.b", "it's", '"', "\\", "True", "in", "eq"]
# Errors show names. Hypothesis tries constants of our sources too, and those of the factory count as personal data.
names = texts.filter(bool).filter(lambda text: not any(Secrets().find(text)))
keys = st.sampled_from(odd_keys) | names
known = st.sampled_from(sorted(SEARCHABLE))
custom = keys.map(lambda key: f"fields.{key}")
foreign = st.sampled_from(["newer_name", "fields.", "fields", "it's new", "Q", "all"]) | names
attributes = known | custom | foreign

comparisons = st.builds(Comparison, attributes, st.sampled_from(OPERATORS), scalars)


def trees(leaves: st.SearchStrategy[Predicate], max_leaves: int = 12) -> st.SearchStrategy[Predicate]:
    """Trees of these leaves with empty nodes, nodes of one part, and nodes directly inside their own kind."""

    def grow(parts: st.SearchStrategy[Predicate]) -> st.SearchStrategy[Predicate]:
        several = st.lists(parts, max_size=4)
        return st.one_of(
            parts.map(Not),
            several.map(AllOf),
            several.map(AnyOf),
            st.tuples(parts, parts).map(lambda pair: pair[0] & pair[1]),
            st.tuples(parts, parts).map(lambda pair: pair[0] | pair[1]),
        )

    return st.recursive(leaves, grow, max_leaves=max_leaves)


memberships = st.builds(
    lambda attribute, values: AnyOf([Comparison(attribute, "eq", value) for value in values]),
    attributes,
    st.lists(scalars, max_size=4),
)
predicates = trees(comparisons | memberships)

# What a case shows: the search names that a case can answer, and values that meet.
plain_names = st.sampled_from(
    ["status", "resolution", "created_at", "sla_expires_at", "assignee", "template", "account_id"]
)
answerable = st.builds(
    Comparison,
    plain_names | st.sampled_from(["fields.a", "fields.b"]),
    st.sampled_from(OPERATORS),
    common_scalars.filter(lambda value: value != "user_1"),
)
answerable_predicates = trees(answerable, max_leaves=20)

shown = st.none() | common_scalars
field_values = shown | shown.map(lambda value: {"type": "string", "value": value})
identifiers = st.sampled_from(["open", "low", "act_1"]).map(lambda id_: {"type": "x", "id": id_})

cases: st.SearchStrategy[dict[str, Any]] = st.fixed_dictionaries(
    {
        "type": st.just("case"),
        "id": st.just("case_1"),
        "attributes": st.fixed_dictionaries(
            {},
            optional={
                "status": shown,
                "resolution": shown,
                "created-at": shown,
                "sla-expires-at": shown,
                "assignee-id": shown,
                "fields": st.none() | st.dictionaries(st.sampled_from(["a", "b"]), field_values),
            },
        ),
        "relationships": st.fixed_dictionaries(
            {"case-template": st.fixed_dictionaries({"data": st.none() | identifiers})},
            optional={"accounts": st.fixed_dictionaries({"data": st.none() | st.lists(identifiers, max_size=2)})},
        ),
    }
)

any_json = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["and", "or", "not", "attribute", "operator", "value"]) | st.text(max_size=3),
            inner,
            max_size=3,
        )
    ),
    max_leaves=12,
)
almost_search_json = st.recursive(
    st.fixed_dictionaries(
        {
            "attribute": attributes | any_json,
            "operator": st.sampled_from([*OPERATORS, "ne"]),
            "value": scalars | any_json,
        }
    ),
    lambda inner: st.one_of(
        st.lists(inner | any_json, max_size=3).map(lambda parts: {"and": parts}),
        st.lists(inner, max_size=3).map(lambda parts: {"or": parts}),
        inner.map(lambda part: {"not": part}),
    ),
    max_leaves=6,
)
fragments = [
    *("status", "created_at", "fields", "attribute", "priority", "all", "any", "is_set", "and", "or", "not", "in"),
    *("==", "=", "!=", "<", ">=", "&&", ".", ",", "(", ")", "[", "]", "'", "\N{RIGHT SINGLE QUOTATION MARK}", "\n"),
    *("'a'", '"b"', "'2025-01-01'", "'\\q'", "1", "-2.5", "01", "1e999", "9" * 30, "2025-01-01", "True", "None"),
]
almost_text = st.lists(st.sampled_from(fragments) | st.text(max_size=3), max_size=12).map(" ".join)
