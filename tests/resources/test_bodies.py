"""What is refused before anything is sent."""

from __future__ import annotations

import io
from datetime import timedelta

import pytest

from persona_cases import InvalidArgumentError, PersonaClient, Upload
from persona_cases.resources.requests.bodies import create_case


@pytest.fixture
async def cases():
    # Nobody listens there: a request would fail with another error.
    async with PersonaClient("key", base_url="http://127.0.0.1:9") as client:
        yield client.cases


HALF = "\ud83d"
"""The first half of a character beyond the first 65,536: Python holds it, UTF-8 cannot."""

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
    "id that escapes": (lambda c: c.update("../accounts/act_1", fields={}), "^case must be"),
    "id with a query": (lambda c: c.redact("case_1?x=1"), "^case must be"),
    "id with a fragment": (lambda c: c.redact("case_1#x"), "^case must be"),
    "empty id": (lambda c: c.assign("", "ann@example.com"), "^case must be"),
    "no objects": (lambda c: c.add_objects("case_1", []), "object_ids must not be empty"),
    "no objects to remove": (lambda c: c.remove_objects("case_1", []), "object_ids must not be empty"),
    "objects a string": (lambda c: c.add_objects("case_1", "inq_1"), "object_ids must be a list"),
    "no e-mail": (lambda c: c.assign("case_1", ""), "email"),
    "no status": (lambda c: c.set_status("case_1", ""), "status"),
    "neither name nor id": (lambda c: c.add_tag("case_1"), "either name or tag_id"),
    "both name and id": (lambda c: c.remove_tag("case_1", "vip", tag_id="tag_1"), "either name or tag_id"),
    "no tags at all": (lambda c: c.set_tags("case_1"), "names=.. removes all"),
    "tags a string": (lambda c: c.set_tags("case_1", "vip"), "names must be a list"),
    "empty comment": (lambda c: c.add_comment("case_1", " "), "message"),
    "bad key": (lambda c: c.add_comment("case_1", "x", idempotency_key=""), "idempotency_key"),
    "include a string": (lambda c: c.add_comment("case_1", "x", include="accounts"), "include"),
    "only a string": (lambda c: c.add_comment("case_1", "x", only="status"), "only"),
    "attachments one path": (lambda c: c.update("case_1", attachments="a.pdf"), "list of paths"),
    "attachment missing": (lambda c: c.update("case_1", attachments=["/nowhere/a.pdf"]), "cannot be read"),
    "attachment a number": (lambda c: c.update("case_1", attachments=[5]), "path or Upload"),
    "attachment empty": (lambda c: c.update("case_1", attachments=[Upload("a.pdf", b"")]), "empty"),
    "attachment a text file": (lambda c: c.update("case_1", attachments=[Upload("a.pdf", io.StringIO("x"))]), "binary"),
    "attachment a path for a name": (
        lambda c: c.update("case_1", attachments=[Upload("../a.pdf", b"x")]),
        "plain name",
    ),
    "half a character in a field": (
        lambda c: c.update("case_1", fields={"k": f"secret {HALF}"}),
        r"fields\['k'\] has an",
    ),
    "half a character in a key": (lambda c: c.update("case_1", fields={HALF: 1}), "fields: a key has an"),
    "half a character in a tag": (lambda c: c.add_tag("case_1", HALF), "name has an"),
    "half a character in an id": (lambda c: c.add_tag(HALF, "vip"), "case must be"),
    "half a character in ids": (lambda c: c.add_objects("case_1", ["a", HALF]), "each of object_ids has an"),
    "half a character in a filter": (lambda c: c.list(status=HALF).first(), "status has an"),
    "half a character in a cursor": (lambda c: c.list(after=HALF).first(), "after must be"),
    "half a character in a name": (lambda c: c.get("case_1", only=[f"fields.{HALF}"]), "only: a name has an"),
    "half a character in an include": (lambda c: c.get("case_1", include=[HALF]), "include: a name has an"),
    "one bad id of many": (lambda c: c.get_many(["case_1", "case/2"]), "each of ids must be a bare id"),
    "many ids a string": (lambda c: c.get_many("case_1"), "ids must be a list"),
    "no concurrency": (lambda c: c.get_many(["case_1"], concurrency=0), "concurrency"),
}


@pytest.mark.parametrize("name", REFUSED)
async def test_what_can_not_work_is_refused(cases, name):
    change, complaint = REFUSED[name]
    with pytest.raises(InvalidArgumentError, match=complaint) as caught:
        await change(cases)
    # An error of the encoder would hold the whole text.
    assert caught.value.__context__ is None or isinstance(caught.value.__context__, OSError)
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize("arguments", [{"interval": 0}, {"max_interval": -1}, {"since": ""}, {"status": ""}])
async def test_a_watch_that_can_not_work_is_refused_when_it_is_made(cases, arguments):
    with pytest.raises(InvalidArgumentError):
        cases.watch(**arguments)


COLLIDING = ["case-template-id", "case_template_id", "caseTemplateId", "caseQueueId", "creator-email-address", "fields"]


@pytest.mark.parametrize("key", COLLIDING)
def test_a_field_never_replaces_an_argument(key):
    creation = {"case_queue_id": None, "creator_email_address": None, "object_ids": None, "sla_expires_in": None}
    with pytest.raises(InvalidArgumentError, match=f"'{key}'.* would replace"):
        create_case("ctmpl_1", fields={key: "x"}, version="2025-10-26", **creation)
    body = create_case("ctmpl_1", fields={key: "x"}, version="2025-10-27", **creation)
    assert body["data"]["attributes"] == {"case-template-id": "ctmpl_1", "fields": {key: "x"}}


def test_an_upload_shows_neither_name_nor_content():
    assert repr(Upload("jane-doe.pdf", b"content")) == "Upload()"
