"""From the texts of options to values of custom fields, queues and SLAs."""

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
    """Return the values of custom fields, None if no option gives any.

    Raises:
        InvalidArgumentError: if an option cannot work. The message names keys, and never shows a value.
    """
    if not given.field and not given.field_json and given.fields_json is None:
        return None
    values: dict[str, Any] = {}
    for key, value in _all(given):
        if key in values:
            raise InvalidArgumentError(f"the field {key!r} is given twice")
        values[key] = value
    return values


def span_seconds(text: str, option: str) -> int:
    """Return the seconds of a time span such as `2h`, `90m`, `30d` or `7200`.

    Args:
        text: the span.
        option: which option it was given to, for the error.

    Raises:
        InvalidArgumentError: if it is none.
    """
    match = _SPAN.fullmatch(text)
    if match is None:
        raise InvalidArgumentError(f"{option} takes a time such as 2h, 90m, 30d or 7200 (seconds)")
    return int(match[1]) * _SECONDS[match[2]]


def sla_seconds(text: str) -> int:
    """Return the seconds of a time span such as `2h`, `90m`, `30d` or `7200`.

    Raises:
        InvalidArgumentError: if it is none, or one that no SLA can have.
    """
    match = _SPAN.fullmatch(text)
    seconds = int(match[1]) * _SECONDS[match[2]] if match is not None else 0
    if not 0 < seconds <= _LONGEST_SLA:
        raise InvalidArgumentError("--sla takes a time such as 2h, 90m, 30d or 7200 (seconds), up to 90d")
    return seconds


def given_or_cleared(given: str | None, option: str, *, cleared: bool) -> str | Unset | None:
    """Return what an option gives, None if its counterpart clears it, `UNSET` if it stays as it is.

    Args:
        given: what the option gives, if it is there.
        option: the option, whose counterpart has a `no-` in it.
        cleared: whether the counterpart is there.

    Raises:
        InvalidArgumentError: if both are there.
    """
    if given is not None and cleared:
        raise InvalidArgumentError(f"give --{option} or --no-{option}, not both")
    if given is None:
        return None if cleared else UNSET
    return given


def _all(given: FieldValues) -> Iterator[tuple[str, Any]]:
    yield from _pairs(given.field or (), "--field KEY=TEXT")
    for key, text in _pairs(given.field_json or (), "--field-json KEY=JSON"):
        complaint = f"the value is not JSON: --field {key}=… sets a text"
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
            # What stands there may be a value, so it is not quoted.
            raise InvalidArgumentError(f"{usage}: there must be a key, '=' and a value")
        yield key, value
