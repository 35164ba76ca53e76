"""What the values of the pure rooms show of what they hold."""

from __future__ import annotations

import attrs
import pytest
from rich.pretty import pretty_repr

from persona_cases import Page, Request, Response
from persona_cases.errors import DecodeError
from persona_cases.models import (
    Attachment,
    Case,
    CaseFields,
    CaseRelationships,
    FieldSchema,
    FieldValue,
    Inquiry,
    ResourceIdentifier,
)
from persona_cases.models.decoding.raw_page import RawPage
from persona_cases.models.decoding.undecodable import UndecodableCase
from persona_cases.models.included import Included
from persona_cases.protocol.addresses.proxies import Proxy
from persona_cases.protocol.call_options import Options
from persona_cases.protocol.secret import hidden

JANE = "jane"
HEADERS = {"X-Trace": JANE}
REQUEST = Request(
    "POST", "/cases", query=(("filter[id]", JANE),), body=JANE.encode(), headers=HEADERS, idempotency_key=JANE
)
RESPONSE = Response(200, headers=HEADERS, body=JANE.encode())


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (REQUEST, "'POST', path='/cases', safety=<Safety.READ: 'read'>, attempt=1"),
        (RESPONSE, "200"),
        (Options(headers=HEADERS), "version"),
        (Proxy("http://proxy:3128", user=JANE, password=JANE), "proxy:3128"),
        (
            Page(items=(JANE,), next_cursor="case_1", following=(("page[after]", JANE),)),
            "<1 items>, next_cursor='case_1'",
        ),
        (RawPage([JANE.encode()], "case_1"), "<1 lines>, next_cursor='case_1'"),
        (UndecodableCase(JANE.encode(), DecodeError("unreadable")), "unreadable"),
        (Attachment(filename=JANE, url=f"https://files.example.com/{JANE}", byte_size=7), "byte_size=7"),
        (FieldSchema("string", "email", content=JANE.encode()), "email"),
        (FieldValue("string", JANE), "string"),
    ],
    ids=lambda value: type(value).__name__,
)
def test_a_representation_shows_what_helps_and_nobodys_data(value, shown):
    assert shown in repr(value)
    assert JANE not in repr(value) + pretty_repr(value)


def test_of_a_response_the_status_is_shown_alone():
    assert repr(RESPONSE) == "Response(status=200)"


def test_messages_and_options_can_be_keys_whatever_they_hold():
    assert {REQUEST: 1, RESPONSE: 2, Options(headers=HEADERS): 3, FieldValue("hash", {}): 4}


@pytest.mark.parametrize("cls", [Case, CaseFields, CaseRelationships])
def test_rich_which_reads_the_fields_and_not_the_representation_has_none_to_show(cls):
    assert [field.name for field in attrs.fields(cls) if field.repr] == []


def test_included_objects_are_shown_once_however_they_were_looked_up():
    inquiry = Inquiry("inquiry", "inq_1", content=b"{}")
    included = Included((inquiry,))
    before = repr(included), included == Included((inquiry,))

    included.find(ResourceIdentifier("inquiry", "inq_1"), Inquiry, "inquiries")

    assert (repr(included), included == Included((inquiry,))) == before == (repr(included), True)


def test_rich_does_not_show_a_key():
    assert "persona_a_key" not in pretty_repr([hidden("persona_a_key")], max_width=10_000)
