"""Conversion of options to values of custom fields, queues and SLAs."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Any, Final, cast

from persona_cases.cli.options.change_options import FieldValues
from persona_cases.cli.options.given import given_bytes, json_document
from persona_cases.errors import InvalidArgumentError
from persona_cases.models import UNSET, Unset

__all__ = ["field_values", "given_or_cleared", "sla_seconds"]

_FIELDS_JSON: Final = "--fields-json"
_SPAN = re.compile(r"(\d{1,9})([smhd]?)", re.ASCII)
_SECONDS: Final = {"": 1, "s": 1, "m": 60, "h": 3600, "d": 86_400}
_LONGEST_SLA: Final = 90 * _SECONDS["d"]


def field_values(given: FieldValues) -> dict[str, Any] | None:
    """Return the values of custom fields; None if no option sets any.

    Raises:
        InvalidArgumentError: if an option is invalid. The message may name a key, but never shows a value.
    """
    if not given.field and not given.field_json and given.fields_json is None:
        return None
    values: dict[str, Any] = {}
    for key, value in _all(given):
        if key in values:
            raise InvalidArgumentError(f"the custom field {key!r} is set twice: keep one of them")
        values[key] = value
    return values


def span_seconds(text: str, option: str) -> int:
    """Return the seconds of a time span such as `2h`, `90m`, `30d` or `7200`.

    Args:
        text: the time span.
        option: the option, for the error.

    Raises:
        InvalidArgumentError: if the text is not a time span.
    """
    match = _SPAN.fullmatch(text)
    if match is None:
        raise InvalidArgumentError(f"{option} takes a time such as 2h, 90m, 30d or 7200 (seconds)")
    return int(match[1]) * _SECONDS[match[2]]


def sla_seconds(text: str) -> int:
    """Return the seconds of a time span such as `2h`, `90m`, `30d` or `7200`.

    Raises:
        InvalidArgumentError: if the text is not a time span, or one that no SLA can have.
    """
    seconds = span_seconds(text, "--sla")
    if not 0 < seconds <= _LONGEST_SLA:
        raise InvalidArgumentError("--sla takes a time such as 2h, 90m, 30d or 7200 (seconds), up to 90d")
    return seconds


def given_or_cleared(given: str | None, option: str, *, cleared: bool) -> str | Unset | None:
    """Return the value of an option, None if its `--no-` form is given, `UNSET` if neither is.

    Args:
        given: the value of the option, if any.
        option: the name of the option, without dashes.
        cleared: whether the `--no-` form is given.

    Raises:
        InvalidArgumentError: if both are given.
    """
    if given is not None and cleared:
        raise InvalidArgumentError(f"give --{option} or --no-{option}, not both")
    if given is None:
        return None if cleared else UNSET
    return given


def _all(given: FieldValues) -> Iterator[tuple[str, Any]]:
    yield from _pairs(given.field or (), "--field KEY=TEXT")
    for key, text in _pairs(given.field_json or (), "--field-json KEY=JSON"):
        complaint = f"the value is not JSON: --field {key}=… sets a string"
        yield key, json_document(text.encode(), f"--field-json {key}", complaint, exact=True)
    if given.fields_json is not None:
        whole = given_bytes(given.fields_json, _FIELDS_JSON)
        document = json_document(whole, _FIELDS_JSON, "the value is not JSON: to read a file, give @FILE", exact=True)
        if not isinstance(document, dict):
            raise InvalidArgumentError('--fields-json must be a JSON object, such as {"priority": "high"}')
        yield from cast("dict[str, Any]", document).items()


def _pairs(given: Iterable[str], usage: str) -> Iterator[tuple[str, str]]:
    for each in given:
        key, found, value = each.partition("=")
        if not key or not found:
            # The text may be a value, so it is not quoted.
            raise InvalidArgumentError(f"{usage}: give a key, '=' and a value")
        yield key, value
