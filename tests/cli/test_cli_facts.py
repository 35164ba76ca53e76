"""`template` and `limits`."""

from __future__ import annotations

import msgspec
import pytest


def test_a_template_is_printed_as_json_and_its_fields_as_a_table(cli, api):
    template = api.store.template("AML")
    (document,) = cli("template", template.id).cases
    assert list(document) == ["type", "id", "attributes"]
    assert (document["type"], document["id"]) == ("case-template", template.id)
    assert document["attributes"]["name"] == "AML alert"
    header, _, *rows = cli("template", template.id, "--output", "table").out.decode().splitlines()
    assert header.split() == ["key", "type", "label", "options"]
    assert [row.split()[0] for row in rows if not row.startswith(" ")] == [field.key for field in template.fields]
    assert "CHF, EUR, GBP, USD" in "".join(rows)


@pytest.mark.parametrize("form", ["json", "jsonl", "pretty"])
def test_limits_tell_what_is_left(cli, api, form):
    api.spend(10)
    printed = msgspec.json.decode(cli("limits", "--output", form).out)
    (limit,) = printed if form == "json" else [printed]
    assert limit["type"] == "rate-limit/api"
    assert limit["limit"] - limit["remaining"] == 11
    assert limit["seconds_to_reset"] <= 60


def test_limits_are_a_table_if_that_is_asked_for(cli):
    header, _, row = cli("limits", "--simulator", "--output", "table").out.decode().splitlines()
    assert header.split() == ["type", "limit", "remaining", "seconds_to_reset"]
    assert row.split()[0] == "rate-limit/api"


def test_on_a_terminal_they_are_pretty(on_terminal):
    ran = on_terminal("limits", "--simulator", NO_COLOR="1", TERM="dumb")
    assert ran.code == 0
    assert b'\n  "remaining": ' in ran.out
