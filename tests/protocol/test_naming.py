"""Names for calls: never with an id."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from persona_cases.protocol.message import Request
from persona_cases.protocol.naming import missing_from, path_template


@pytest.mark.parametrize(
    ("path", "template"),
    [
        ("/cases", "/cases"),
        ("/cases/search", "/cases/search"),
        ("/cases/case_1", "/cases/{id}"),
        ("/cases/jane", "/cases/{id}"),
        ("/cases/jane%40example.com/assign", "/cases/{id}/assign"),
        ("/case-templates/ctmpl_1", "/case-templates/{id}"),
        ("/rate-limits", "/rate-limits"),
        ("/inquiries/inq_1/resume", "/inquiries/{id}/resume"),
        ("/case_1", "/{id}"),
        ("/accounts/act_1/relations/jane", "/accounts/{id}/relations/{id}"),
        ("/{attachment}", "/{attachment}"),
    ],
)
def test_ids_are_left_out(path, template):
    assert path_template(path) == Request("GET", path).path_template == template


@given(st.lists(st.from_regex(r"[a-z]+_[A-Za-z0-9]+", fullmatch=True), min_size=1, max_size=4))
def test_nothing_of_an_id_is_shown(ids):
    assert path_template("/accounts/" + "/".join(ids)) == "/accounts" + "/{id}" * len(ids)


def test_a_404_may_be_about_what_the_body_refers_to():
    assert missing_from("POST", "/cases/{id}/assign") == "the case or the user"
    assert missing_from("GET", "/cases/{id}") is None
