"""What answers that are not the API's look like."""

from __future__ import annotations

import pytest

from persona_cases.protocol.foreign_answers import is_web_page, why_not_json

HTML = {"content-type": "text/html; charset=utf-8"}


@pytest.mark.parametrize(
    ("headers", "body", "is_page"),
    [
        ({}, b"", False),
        ({}, b"plain", False),
        ({}, b'{"html": "<html>"}', False),
        ({}, b"\n  <!DOCTYPE HTML><p>", True),
        ({}, b"<HTML>", True),
        ({}, b" " * 300 + b"<html>", False),
        (HTML, b"", True),
        ({"content-type": "TEXT/HTML"}, b"plain", True),
        ({"content-type": "application/json"}, b"{", False),
    ],
)
def test_what_is_no_json_is_said_to_be_a_page_only_if_it_is_one(headers, body, is_page):
    said = why_not_json(headers, body)
    assert is_web_page(headers, body) is is_page
    assert said.startswith("the response is not JSON")
    assert ("web page" in said and "base_url" in said) is is_page
