"""Responses that do not come from the API: how to recognise them, and what to do."""

from __future__ import annotations

from collections.abc import Mapping

__all__ = ["is_web_page", "why_not_json"]

_BEGINNINGS = (b"<!doctype html", b"<html")
_ENOUGH = 256


def is_web_page(headers: Mapping[str, str], body: bytes) -> bool:
    """Return whether a response is HTML, by its content type or its first bytes.

    Args:
        headers: its headers, names in lower case.
        body: its body.
    """
    if headers.get("content-type", "").partition(";")[0].strip().lower() == "text/html":
        return True
    return body[:_ENOUGH].lstrip().lower().startswith(_BEGINNINGS)


def why_not_json(headers: Mapping[str, str], body: bytes) -> str:
    """Return a sentence about a body that is not JSON, without quoting it."""
    if is_web_page(headers, body):
        return (
            "the response is not JSON but a web page (HTML), such as the login page of a proxy or firewall: check "
            "that base_url ends in /api/v1, and check the proxies between here and the API"
        )
    return "the response is not JSON"
