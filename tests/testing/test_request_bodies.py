"""The reading of request bodies by itself, without a server."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from persona_cases.testing.http.inflection import inflect
from persona_cases.testing.http.problems import AnsweredError
from persona_cases.testing.http.request_bodies import Node

NAMES = st.from_regex(r"[a-z]{2,6}(_[a-z]{2,6}){0,3}", fullmatch=True)
INFLECTIONS = st.sampled_from(["kebab", "snake", "camel"])
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=10,
)


@given(st.dictionaries(NAMES, JSON, max_size=5), st.data())
def test_members_are_found_in_any_spelling(members, data):
    sent = {inflect(name, data.draw(INFLECTIONS)): value for name, value in members.items()}
    found = Node(sent).members(*members)
    assert {name: node.value for name, node in found.items()} == members
    for name, node in found.items():
        assert (node.place, node.pointer) == (name, "/" + name.replace("_", "-"))


@given(st.dictionaries(st.text(), JSON, max_size=5))
def test_keys_that_are_data_stay_as_they_are(entries):
    nodes = Node(entries, "fields", "/fields").entries()
    assert {key: node.value for key, node in nodes.items()} == entries
    for key, node in nodes.items():
        assert node.pointer.removeprefix("/fields/").replace("~1", "/").replace("~0", "~") == key


@given(JSON, NAMES)
def test_whatever_is_sent_is_read_or_refused_with_a_400(value, name):
    for read in (
        lambda node: node.members(name),
        lambda node: node.members().need(name),
        lambda node: node.members().below(name).members(),
        Node.entries,
        Node.items,
        Node.text,
        Node.texts,
        Node.number,
    ):
        refused: AnsweredError | None = None
        try:
            read(Node(value))
        except AnsweredError as problem:
            refused = problem
        assert refused is None or (refused.status == 400 and refused.details)


@pytest.mark.parametrize("value", [True, "1", None, [], {}])
def test_only_numbers_are_numbers(value):
    with pytest.raises(AnsweredError) as caught:
        Node(value, "meta.sla").number()
    assert caught.value.details == "meta.sla must be a number"


def test_an_absent_member_knows_its_place():
    members = Node({}, "data", "/data").members("case_queue_id")
    node = members.below("case_queue_id")
    assert (node.value, node.place, node.pointer) == ({}, "data.case_queue_id", "/data/case-queue-id")
    with pytest.raises(AnsweredError) as caught:
        members.need("case_queue_id")
    assert caught.value.details == "data.case_queue_id is missing"
