"""The API's JSON: read exactly, and errors that point at the place."""

from __future__ import annotations

import pytest

from persona_cases.errors import QueryError
from persona_cases.query import Predicate, Q

LEAF = {"attribute": "status", "operator": "eq", "value": "open"}


@pytest.mark.parametrize(
    ("json", "predicate"),
    [
        (LEAF, Q.status.eq("open")),
        ({"not": LEAF}, ~Q.status.eq("open")),
        ({"and": [LEAF]}, Q.all_of([Q.status.eq("open")])),
        ({"or": []}, Q.any_of([])),
        ({"and": [{"and": [LEAF]}]}, Q.all_of([Q.all_of([Q.status.eq("open")])])),
        ({"attribute": "statuss", "operator": "lte", "value": 1.5}, Q.attribute("statuss").lte(1.5)),
        ({"attribute": "created_at", "operator": "gt", "value": "never"}, Q.attribute("created_at").gt("never")),
    ],
)
def test_the_tree_is_kept(json, predicate):
    assert Predicate.from_dict(json) == predicate
    assert predicate.to_dict() == json


@pytest.mark.parametrize(
    ("json", "pointer", "reason"),
    [
        (None, "", "JSON object"),
        ([LEAF], "", "JSON object"),
        ("status == 'open'", "", "JSON object"),
        ({}, "", "exactly one of"),
        ({"and": [LEAF], "or": [LEAF]}, "", "exactly one of"),
        ({**LEAF, "not": LEAF}, "", "exactly one of"),
        ({"attribute": "status", "operator": "eq"}, "", "exactly one of"),
        ({**LEAF, "extra": 1}, "/extra", "unknown key"),
        ({"nor": [LEAF]}, "/nor", "unknown key"),
        ({"a/b~c": 1}, "/a~1b~0c", "unknown key"),
        ({1: LEAF}, "", "exactly one of"),
        ({"and": LEAF}, "/and", "JSON array"),
        ({"or": "x"}, "/or", "JSON array"),
        ({"not": [LEAF]}, "/not", "JSON object"),
        ({"and": [LEAF, {"not": {**LEAF, "value": None}}]}, "/and/1/not/value", "a text, a number"),
        ({**LEAF, "value": ["open"]}, "/value", "a text, a number"),
        ({**LEAF, "value": float("nan")}, "/value", "NaN"),
        ({**LEAF, "value": 2**64}, "/value", "64 bits"),
        ({**LEAF, "value": "\ud800"}, "/value", "surrogate"),
        ({**LEAF, "operator": "ne"}, "/operator", "eq, gt, gte, lt, lte"),
        ({**LEAF, "operator": ["eq"]}, "/operator", "eq, gt, gte, lt, lte"),
        ({**LEAF, "attribute": ""}, "/attribute", "empty"),
        ({**LEAF, "attribute": 5}, "/attribute", "str"),
        ({"or": [{"and": [None]}, None]}, "/or/0/and/0", "JSON object"),
    ],
)
def test_what_is_wrong_is_pointed_at(json, pointer, reason):
    with pytest.raises(QueryError, match=reason) as caught:
        Predicate.from_dict(json)
    assert caught.value.pointer == pointer
    assert (pointer or "the root") in str(caught.value)


def test_the_message_stays_short_however_deep_the_place():
    json = None
    for _ in range(5000):
        json = {"not": json}
    with pytest.raises(QueryError) as caught:
        Predicate.from_dict(json)
    assert caught.value.pointer == "/not" * 5000
    assert len(str(caught.value)) < 200
