"""What is refused before anything is sent."""

from __future__ import annotations

import io
from collections import UserDict
from datetime import datetime, timedelta
from decimal import Decimal

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from persona_cases import InvalidArgumentError, PersonaClient, Upload
from persona_cases.resources.bodies import sla_seconds
from persona_cases.resources.field_values import encode_body, field_values


@pytest.fixture
async def cases():
    # Nobody listens there: a request would fail with another error.
    async with PersonaClient("key", base_url="http://127.0.0.1:9") as client:
        yield client.cases


REFUSED = {
    "no template": (lambda c: c.create(""), "case_template_id"),
    "blank queue": (lambda c: c.create("ctmpl_1", case_queue_id=" "), "case_queue_id"),
    "blank creator": (lambda c: c.create("ctmpl_1", creator_email_address=""), "creator_email_address"),
    "fields no mapping": (lambda c: c.create("ctmpl_1", fields=[("a", 1)]), "fields must be a mapping"),
    "object ids a string": (lambda c: c.create("ctmpl_1", object_ids="inq_1"), "object_ids must be a list"),
    "SLA of nothing": (lambda c: c.create("ctmpl_1", sla_expires_in=0), "sla_expires_in"),
    "SLA too long": (lambda c: c.update("case_1", sla_expires_in=timedelta(days=91)), "90 days"),
    "SLA of parts": (lambda c: c.update("case_1", sla_expires_in=1.5), "whole number"),
    "SLA a text": (lambda c: c.update("case_1", sla_expires_in="60"), "sla_expires_in"),
    "nothing to update": (lambda c: c.update("case_1"), "nothing to update"),
    "id that escapes": (lambda c: c.update("../accounts/act_1", fields={}), "^id must be"),
    "id with a query": (lambda c: c.redact("case_1?x=1"), "^id must be"),
    "id with a fragment": (lambda c: c.redact("case_1#x"), "^id must be"),
    "empty id": (lambda c: c.assign("", "ann@example.com"), "^id must be"),
    "no objects": (lambda c: c.add_objects("case_1", []), "object_ids must not be empty"),
    "no objects to remove": (lambda c: c.remove_objects("case_1", []), "object_ids must not be empty"),
    "objects a string": (lambda c: c.add_objects("case_1", "inq_1"), "object_ids must be a list"),
    "no e-mail": (lambda c: c.assign("case_1", ""), "email"),
    "no status": (lambda c: c.set_status("case_1", ""), "status"),
    "neither name nor id": (lambda c: c.add_tag("case_1"), "either name or tag_id"),
    "both name and id": (lambda c: c.remove_tag("case_1", name="vip", tag_id="tag_1"), "either name or tag_id"),
    "no tags at all": (lambda c: c.set_tags("case_1"), "names=.. removes all"),
    "tags a string": (lambda c: c.set_tags("case_1", names="vip"), "names must be a list"),
    "empty comment": (lambda c: c.add_comment("case_1", " "), "message"),
    "bad key": (lambda c: c.add_comment("case_1", "x", idempotency_key=""), "idempotency_key"),
    "include a string": (lambda c: c.add_comment("case_1", "x", include="accounts"), "include"),
    "only a string": (lambda c: c.add_comment("case_1", "x", only="status"), "only"),
    "attachments one path": (lambda c: c.update("case_1", attachments="a.pdf"), "list of paths"),
    "attachment missing": (lambda c: c.update("case_1", attachments=["/nowhere/a.pdf"]), "can not be read"),
    "attachment a number": (lambda c: c.update("case_1", attachments=[5]), "path or Upload"),
    "attachment empty": (lambda c: c.update("case_1", attachments=[Upload("a.pdf", b"")]), "empty"),
    "attachment a text file": (lambda c: c.update("case_1", attachments=[Upload("a.pdf", io.StringIO("x"))]), "binary"),
    "attachment a path for a name": (
        lambda c: c.update("case_1", attachments=[Upload("../a.pdf", b"x")]),
        "plain name",
    ),
    "many ids a string": (lambda c: c.get_many("case_1"), "ids must be a list"),
    "no concurrency": (lambda c: c.get_many(["case_1"], concurrency=0), "concurrency"),
}


@pytest.mark.parametrize("name", REFUSED)
async def test_what_can_not_work_is_refused(cases, name):
    change, complaint = REFUSED[name]
    with pytest.raises(InvalidArgumentError, match=complaint):
        await change(cases)


@pytest.mark.parametrize("arguments", [{"interval": 0}, {"max_interval": -1}, {"since": ""}, {"status": ""}])
async def test_a_watch_that_can_not_work_is_refused_when_it_is_made(cases, arguments):
    with pytest.raises(InvalidArgumentError):
        cases.watch(**arguments)


@pytest.mark.parametrize(
    "value",
    [float("nan"), float("inf"), Decimal("NaN"), datetime(2026, 1, 1), b"bytes", {1, 2}, object(), {5: "x"}, {"": 1}],
)
def test_field_values_that_json_has_no_form_for_are_refused_without_showing_them(value):
    with pytest.raises(InvalidArgumentError, match="fields") as caught:
        field_values({"secret_key": value})
    assert repr(value) not in str(caught.value)


def test_a_value_nested_too_deep_is_refused():
    value: object = "x"
    for _ in range(200):
        value = [value]
    with pytest.raises(InvalidArgumentError, match="nested"):
        field_values({"a": value})


JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**53), 2**53)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(min_size=1), inner, max_size=4),
    max_leaves=12,
)


@given(st.dictionaries(st.text(min_size=1), JSON, max_size=5))
def test_plain_json_is_sent_as_it_is(fields):
    assert msgspec.json.decode(encode_body(field_values(fields))) == fields


@given(st.decimals(allow_nan=False, allow_infinity=False, places=4, min_value=-10_000, max_value=10_000))
def test_decimals_keep_their_digits(number):
    assert msgspec.json.decode(encode_body(field_values({"n": number})), type=dict[str, Decimal]) == {"n": number}


def test_any_mapping_will_do():
    assert field_values(UserDict({"a": UserDict({"b": 1})})) == {"a": {"b": 1}}


@pytest.mark.parametrize(("value", "seconds"), [(1, 1), (60.0, 60), (timedelta(days=90), 7_776_000)])
def test_an_sla_in_seconds_or_as_a_timedelta(value, seconds):
    assert sla_seconds(value) == seconds


def test_an_upload_shows_neither_name_nor_content():
    assert repr(Upload("jane-doe.pdf", b"content")) == "Upload()"
