"""The names of `include=`: what type checkers suggest is what cases have."""

from __future__ import annotations

from typing import get_args

import pytest

from persona_cases.models import Case, CaseRelationships
from persona_cases.protocol.call_options import DEFAULT_VERSION
from persona_cases.resources.requests.query_parameters import Relationship, include

RELATIONSHIPS = {name for name in CaseRelationships.__annotations__ if not name.startswith("_")}


@pytest.mark.parametrize("name", get_args(Relationship))
def test_each_name_of_the_literal_is_a_relationship(name):
    assert include([name], DEFAULT_VERSION)[0][1].replace("-", "_") in RELATIONSHIPS


def test_the_literal_has_each_relationship_and_each_property_that_reads_one():
    known = {name.replace("-", "_") for name in get_args(Relationship)}
    related = {name for name, each in vars(Case).items() if isinstance(each, property) and _finds(each)}
    assert known == {*RELATIONSHIPS, *related}
    assert {"template", "queue", "comments", "transactions"} <= related


def _finds(each: property) -> bool:
    return (
        each.fget is not None
        and "included" in each.fget.__code__.co_names
        and "relationships" in each.fget.__code__.co_names
    )
