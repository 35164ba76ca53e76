"""The names by which callers choose what to load: right ones, near misses, and those newer than the library."""

from __future__ import annotations

import pytest

from persona_cases import InvalidArgumentError
from persona_cases.models import Case, Fieldset
from persona_cases.models.decoding.records import ATTRIBUTES, RELATIONSHIPS
from persona_cases.models.loadable_names import attribute_asked, related_asked


@pytest.mark.parametrize("name", sorted({*ATTRIBUTES, *RELATIONSHIPS, "id"}))
def test_what_a_case_has_can_be_chosen(name):
    assert attribute_asked(name, "only") == attribute_asked(name.replace("_", "-"), "only") == name


@pytest.mark.parametrize(
    ("name", "asked"),
    [
        ("createdAt", "created_at"),
        ("case_template_id", "case_template"),
        ("account_ids", "accounts"),
        ("transactions", "txns"),
        ("fields.Any Key", "fields.Any Key"),
        ("extra.riskTier", "extra.risk_tier"),
        ("relationships.case-family", "relationships.case_family"),
    ],
)
def test_other_names_of_what_a_case_has(name, asked):
    assert attribute_asked(name, "only") == asked


@pytest.mark.parametrize(
    ("name", "guess"),
    [
        ("crated_at", "created_at"),
        ("priority", "fields.priority"),
        ("assignee", "assignee_id"),
        ("sla", "sla_expires_at"),
        ("statuss", "status"),
        ("field.priority", "fields.priority"),
        ("acounts", "accounts"),
        ("created", "created_at"),
    ],
)
def test_a_slip_is_refused_with_the_nearest_name(name, guess):
    with pytest.raises(InvalidArgumentError, match=f"only: cases have no attribute '{name}': did you mean '{guess}'"):
        attribute_asked(name, "only")


@pytest.mark.parametrize("name", ["", "a,b", " status", 7, None, "fields.", "extra.", "x" * 5000])
def test_what_is_no_name_at_all_is_refused_briefly(name):
    with pytest.raises(InvalidArgumentError, match="^only") as caught:
        attribute_asked(name, "only")
    assert len(str(caught.value)) < 300


def test_a_newer_attribute_is_asked_for_by_its_own_name_and_found_on_the_case():
    fieldset = Fieldset.of(["status", "extra.risk-tier", "relationships.family"])
    assert fieldset.wire() == "status,risk_tier,family"
    assert "risk_tier" in fieldset
    assert Fieldset.of(fieldset.names) == fieldset
    case = Case.from_dict({"type": "case", "id": "case_1", "attributes": {"risk-tier": 3}}, fieldset=fieldset)
    assert case.extras == {"risk-tier": 3}


@pytest.mark.parametrize(
    ("name", "path"),
    [
        ("case_template", "case-template"),
        ("caseTemplate", "case-template"),
        ("comments", "case-comments"),
        ("template", "case-template"),
        ("accounts.inquiries", "accounts.inquiries"),
        ("queue.case_templates", "case-queue.case-templates"),
        ("relationships.family", "family"),
        ("relationships.case_family.members", "case-family.members"),
    ],
)
def test_relationships_are_sent_as_the_api_spells_them(name, path):
    assert related_asked(name, "include") == path


@pytest.mark.parametrize(
    ("name", "guess"),
    [("templates", "case-template"), ("case", "case-comments"), ("acount", "accounts"), ("inquiry", "inquiries")],
)
def test_a_wrong_relationship_is_refused_with_the_nearest(name, guess):
    with pytest.raises(
        InvalidArgumentError, match=f"include: cases have no relationship '{name}': did you mean '{guess}'"
    ):
        related_asked(name, "include")


def test_a_relationship_like_no_other_is_refused_with_all_there_are():
    with pytest.raises(InvalidArgumentError, match=r"there are accounts, .*verifications\. One newer"):
        related_asked("zzz", "include")


@pytest.mark.parametrize("name", ["a.b.c", "accounts.", ".accounts", "relationships.", "a,b", "", 7])
def test_what_is_no_path_is_refused(name):
    with pytest.raises(InvalidArgumentError, match="^include"):
        related_asked(name, "include")
