"""Names for calls: never with an id."""

from __future__ import annotations

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from persona_cases.protocol.message import Request, Safety
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


@pytest.mark.parametrize(
    ("method", "template", "details", "missing"),
    [
        ("POST", "/cases/{id}/assign", "meta.user_email_address is not found", "the user"),
        ("POST", "/cases/{id}/assign", "Could not find User", "the user"),
        ("POST", "/cases/{id}/assign", "Could not find Case", "the case or the user"),
        ("PATCH", "/cases/{id}", "data.attributes.case-queue-id is not found", "the queue"),
        ("POST", "/cases", "data.attributes.caseTemplateId", "the template, the queue, the creator or an object"),
        ("POST", "/cases", "case_template_id", "the template"),
        ("POST", "/cases", "the template and the queue", "the template, the queue, the creator or an object"),
        ("POST", "/cases/{id}/set-tags", "meta.tag-ids: tags are not found", "a tag"),
    ],
)
def test_details_tell_which_object_is_missing(method, template, details, missing):
    assert missing_from(method, template, [details]) == missing


def test_a_request_with_another_query_differs_in_nothing_else():
    request = Request("POST", "/cases/case_1/assign", (("a", "1"),), b"{}", {"X": "1"}, Safety.KEYED, "key", 2)
    other = request.with_query((("b", "2"),))
    assert other == attrs.evolve(request, query=(("b", "2"),))
    assert (request.query, other.path_template) == ((("a", "1"),), "/cases/{id}/assign")
