"""The request body of a creation, exactly as the vendor's contract specifies. Pure.

Values that the API would certainly reject raise here.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import timedelta
from typing import Any, cast

from persona_cases.errors import InvalidArgumentError
from persona_cases.json_values import field_values
from persona_cases.models.decoding.key_inflection import snake
from persona_cases.protocol.checks import sla_seconds, text, texts
from persona_cases.typed.typed_case import TypedCase, creation_fields, template_id

_FIELDS_HAVE_THEIR_OWN_KEY_SINCE = "2025-10-27"
_ATTRIBUTES_OF_A_CREATION = frozenset({"case_template_id", "case_queue_id", "creator_email_address", "fields"})


def create_case(
    case_template_id: str | TypedCase,
    *,
    fields: Mapping[str, Any] | None,
    case_queue_id: str | None,
    creator_email_address: str | None,
    object_ids: Iterable[str] | None,
    sla_expires_in: timedelta | float | None,
    version: str,
) -> dict[str, Any]:
    """Return the body of `POST /cases`.

    Before version 2025-10-27, the API took custom fields as attributes next to the others.

    Raises:
        InvalidArgumentError: if an argument cannot be sent, or a custom field would replace another attribute.
    """
    if isinstance(case_template_id, TypedCase):
        if fields is not None:
            raise InvalidArgumentError("fields: the typed case already has the fields: leave this out")
        typed = case_template_id
        case_template_id, fields = template_id(type(typed)), creation_fields(typed)
    if isinstance(cast("object", case_template_id), type):
        raise InvalidArgumentError("case_template_id must not be a class: make an object, such as KYC(priority='high')")
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
