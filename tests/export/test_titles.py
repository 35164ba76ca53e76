"""What the columns of a table are called."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from persona_cases.export import Column
from persona_cases.export.columns.column import FIXED
from persona_cases.export.columns.titles import titled
from persona_cases.export.columns.types import TEXT

NAMES = st.lists(st.one_of(st.text(max_size=6), st.text("aA_-. é", max_size=4)).map("fields.{}".format), unique=True)


def titles(names, style):
    return [each.title for each in titled([Column(name, TEXT) for name in names], style)]


@pytest.mark.parametrize(
    ("name", "title"),
    [
        ("created_at", "created_at"),
        ("fields.priority", "fields_priority"),
        ("fields.risk-score", "fields_risk_score"),
        ("fields.riskScore", "fields_risk_score"),
        ("fields.Risk Score (2025)", "fields_risk_score_2025_"),
        ("fields.größe", "fields_größe"),
        ("extra.newer-thing", "extra_newer_thing"),
        ("relationships.case-links", "relationships_case_links"),
    ],
)
def test_a_name_in_snake_case(name, title):
    assert titles([name], "snake") == [title]
    assert titles([name], "dotted") == [name]


def test_names_that_become_one_get_numbers():
    assert titles(["fields.a-b", "fields.a.b", "fields.a_b", "fields.a_b_2"], "snake") == [
        "fields_a_b",
        "fields_a_b_2",
        "fields_a_b_3",
        "fields_a_b_2_2",
    ]


@given(NAMES)
def test_titles_in_snake_case_are_distinct_words_without_dots(names):
    made = titles(names, "snake")
    assert len(set(made)) == len(names)
    assert all(re.fullmatch(r"\w+", title) for title in made)


def test_what_every_case_has_is_called_the_same_in_both_styles():
    assert titled(FIXED, "snake") == titled(FIXED, "dotted")
