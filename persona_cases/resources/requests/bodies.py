"""Request bodies of everything that changes a case: pure, exactly as the vendor's contract has them.

What the API would refuse for certain is refused here.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import timedelta
from typing import Any, cast

from persona_cases.errors import InvalidArgumentError
from persona_cases.models import UNSET, Unset
from persona_cases.models.decoding.key_inflection import snake
from persona_cases.protocol.checks import text
from persona_cases.resources.requests.json_values import field_values

LONGEST_SLA = timedelta(days=90)
_FIELDS_HAVE_THEIR_OWN_KEY_SINCE = "2025-10-27"
_ATTRIBUTES_OF_A_CREATION = frozenset({"case_template_id", "case_queue_id", "creator_email_address", "fields"})


def create_case(
    case_template_id: str,
    *,
    fields: Mapping[str, Any] | None,
    case_queue_id: str | None,
    creator_email_address: str | None,
    object_ids: Iterable[str] | None,
    sla_expires_in: timedelta | float | None,
    version: str,
) -> dict[str, Any]:
    """Return the body of `POST /cases`.

    Before version 2025-10-27 the API took custom fields beside the other attributes.

    Raises:
        InvalidArgumentError: if an argument cannot be sent, or a custom field would replace one.
    """
    attributes: dict[str, Any] = {"case-template-id": text(case_template_id, "case_template_id")}
    if creator_email_address is not None:
        attributes["creator-email-address"] = text(creator_email_address, "creator_email_address")
    if case_queue_id is not None:
        attributes["case-queue-id"] = text(case_queue_id, "case_queue_id")
    if fields is not None:
        values = field_values(fields)
        if version < _FIELDS_HAVE_THEIR_OWN_KEY_SINCE:
            _check_apart(values, version)
            attributes |= values
        else:
            attributes["fields"] = values
    meta: dict[str, Any] = {}
    if object_ids is not None:
        meta["object-ids"] = texts(object_ids, "object_ids")
    if sla_expires_in is not None:
        meta["sla-expires-in-seconds"] = sla_seconds(sla_expires_in)
    return {"data": {"attributes": attributes}, **({"meta": meta} if meta else {})}


def _check_apart(values: Mapping[str, Any], version: str) -> None:
    for key in values:
        if snake(key) in _ATTRIBUTES_OF_A_CREATION:
            raise InvalidArgumentError(
                f"fields[{key!r}] would replace the attribute of that name, because version {version} takes custom "
                f"fields beside it: use version {_FIELDS_HAVE_THEIR_OWN_KEY_SINCE} or later"
            )


def update_case(
    *,
    fields: Mapping[str, Any] | Unset,
    case_queue_id: str | Unset | None,
    sla_expires_in: timedelta | float | Unset | None,
    attachments: list[dict[str, str]],
) -> dict[str, Any]:
    """Return the body of `PATCH /cases/{id}`; what is `UNSET` is left out."""
    attributes: dict[str, Any] = {}
    if fields is not UNSET:
        attributes["fields"] = field_values(fields)
    if case_queue_id is not UNSET:
        attributes["case-queue-id"] = None if case_queue_id is None else text(case_queue_id, "case_queue_id")
    if attachments:
        attributes["attachments"] = attachments
    body: dict[str, Any] = {"data": {"attributes": attributes}} if attributes else {}
    if sla_expires_in is not UNSET:
        seconds = None if sla_expires_in is None else sla_seconds(sla_expires_in)
        body["meta"] = {"sla-expires-in-seconds": seconds}
    if not body:
        raise InvalidArgumentError("nothing to update: give fields, case_queue_id, sla_expires_in or attachments")
    return body


def meta(**values: Any) -> dict[str, Any]:
    """Return a body that is all `meta`, with the names in kebab-case."""
    return {"meta": {name.replace("_", "-"): value for name, value in values.items()}}


def one_tag(name: str | None, tag_id: str | None) -> dict[str, Any]:
    """Return the body of `add-tag` and `remove-tag`.

    Raises:
        InvalidArgumentError: if both or neither of name and id are given.
    """
    if (name is None) == (tag_id is None):
        raise InvalidArgumentError("give either name or tag_id, to say which tag")
    if name is not None:
        return meta(tag_name=text(name, "name"))
    return meta(tag_id=text(tag_id, "tag_id"))


def all_tags(names: Iterable[str] | None, tag_ids: Iterable[str] | None) -> dict[str, Any]:
    """Return the body of `set-tags`, whose keys are singular although their values are lists.

    Raises:
        InvalidArgumentError: if neither names nor ids are given; an empty list removes all tags.
    """
    if names is None and tag_ids is None:
        raise InvalidArgumentError("give names or tag_ids, or both; names=[] removes all tags")
    values: dict[str, Any] = {}
    if names is not None:
        values["tag_name"] = texts(names, "names", least=0)
    if tag_ids is not None:
        values["tag_id"] = texts(tag_ids, "tag_ids", least=0)
    return meta(**values)


def sla_seconds(value: object) -> int:
    """Return the seconds until an SLA expires.

    Raises:
        InvalidArgumentError: if it is not a whole number of seconds from 1 to 90 days.
    """
    number = value.total_seconds() if isinstance(value, timedelta) else value
    longest = int(LONGEST_SLA.total_seconds())
    if not isinstance(number, (int, float)) or isinstance(number, bool) or not 1 <= number <= longest:
        raise InvalidArgumentError(
            f"sla_expires_in must be a timedelta or seconds, from 1 second to {longest} (90 days)"
        )
    if number != int(number):
        raise InvalidArgumentError("sla_expires_in must be a whole number of seconds")
    return int(number)


def texts(values: object, argument: str, *, least: int = 1) -> list[str]:
    """Check a collection of strings.

    Raises:
        InvalidArgumentError: if it is a plain string, has too few members, or one that is no non-empty string.
    """
    if isinstance(values, (str, bytes)) or not isinstance(values, Iterable):
        raise InvalidArgumentError(f"{argument} must be a list of strings, not a single one")
    listed = [text(value, f"each of {argument}") for value in cast("Iterable[object]", values)]
    if len(listed) < least:
        raise InvalidArgumentError(f"{argument} must not be empty")
    return listed
