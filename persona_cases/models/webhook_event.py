"""`WebhookEvent`: something that happened to a case, as a webhook delivers it or the API lists it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, Final

import attrs
import msgspec

from persona_cases.errors import DecodeError
from persona_cases.models.case import Case
from persona_cases.models.decoding.decode import decode_case, decode_resource
from persona_cases.models.decoding.jsontext import REFUSED, check_utf8, is_object, parse_json
from persona_cases.models.decoding.key_inflection import snake
from persona_cases.models.decoding.records import Links
from persona_cases.models.objects import Resource
from persona_cases.surface import publish

__all__ = ["WebhookEvent", "decode_event", "decode_event_page"]

_KNOWN: Final = frozenset({"name", "created_at", "payload", "context"})
_PAYLOAD: Final = "/data/attributes/payload"


@attrs.frozen(kw_only=True)
class WebhookEvent:
    """An event, with the object that it happened to as it was at that time.

    Each event is delivered at least once, in any order. Compare `id` to recognise a repeated delivery, and call
    `is_older_than` before an event replaces your data.

    Attributes:
        id: its id; a repeated delivery has the same id.
        name: what happened, such as `case.status-updated`; new names appear without notice.
        created_at: when it happened.
        payload: the object that it happened to: a `Case`, another `Resource`, or, for events that an organisation
            defines itself, any JSON.
        context: additional data of the event, such as `added-tags`; spelled as it was sent.
        extras: attributes of the event that this library does not know, by name in snake_case.

    See https://docs.withpersona.com/webhooks.
    """

    id: str
    name: str
    created_at: datetime
    payload: Case | Resource | Any = attrs.field(repr=False)
    context: Mapping[str, Any] = attrs.field(factory=dict[str, Any], repr=False)
    extras: Mapping[str, Any] = attrs.field(factory=dict[str, Any], repr=False)
    _raw: bytes = attrs.field(default=b"", alias="raw", repr=False, eq=False)

    @property
    def case(self) -> Case | None:
        """The case that it happened to; None if it did not happen to a case."""
        return self.payload if isinstance(self.payload, Case) else None

    @property
    def included(self) -> tuple[Resource, ...]:
        """The objects that were sent along with the case."""
        return () if self.case is None else tuple(self.case.included)

    @property
    def raw(self) -> bytes:
        """The document with the event, byte for byte as a webhook delivered it.

        A listed event is wrapped in a document of its own, so that both can be read again in the same way.
        """
        return self._raw

    def is_older_than(self, case: Case) -> bool:
        """Return whether your copy of a case is newer than the one in this event, so that the event has no news.

        Args:
            case: your copy of the case, with its `updated_at`.

        Returns:
            True if the event is older than your copy.

        Raises:
            NotLoadedError: if the case was loaded without `updated_at`.
        """
        told = None if self.case is None else self.case.updated_at
        known = case.updated_at
        return known is not None and (told or self.created_at) < known


class _Event(msgspec.Struct, frozen=True):
    type: str
    id: str
    attributes: dict[str, msgspec.Raw]


class _DeliveredEvent(msgspec.Struct, frozen=True):
    data: _Event


class _EventList(msgspec.Struct, frozen=True):
    data: list[msgspec.Raw]
    links: Links | None = None


_decode_delivery = msgspec.json.Decoder(_DeliveredEvent).decode
_decode_listing = msgspec.json.Decoder(_EventList).decode
_decode_time = msgspec.json.Decoder(datetime).decode
_decode_name = msgspec.json.Decoder(str).decode


def decode_event(body: bytes) -> WebhookEvent:
    """Read the body of a delivery, or of the response to a request for one event.

    Raises:
        DecodeError: if it is not an event; `pointer` says where.
    """
    check_utf8(body)
    event = _structured(body)
    sent = {snake(name): text for name, text in event.attributes.items()}
    name = _read(sent, "name", _decode_name)
    moment = _read(sent, "created_at", _decode_time)
    if moment.utcoffset() is None:
        raise DecodeError("expected a time with its zone", pointer="/data/attributes/created_at")
    context: Any = parse_json(bytes(sent["context"])) if "context" in sent else None
    return WebhookEvent(
        id=event.id,
        name=name,
        created_at=moment.astimezone(UTC),
        payload=_payload(bytes(sent.get("payload", msgspec.Raw(b"null")))),
        context=context if is_object(context) else {},
        extras={name: parse_json(bytes(text)) for name, text in sent.items() if name not in _KNOWN},
        raw=body,
    )


def decode_event_page(body: bytes) -> tuple[tuple[WebhookEvent, ...], Links]:
    """Read the response of `GET /events`.

    Raises:
        DecodeError: if it is not a page of events; `pointer` says where.
    """
    check_utf8(body)
    try:
        listing = _decode_listing(body)
    except REFUSED:
        listing = None
    if listing is None:
        raise DecodeError("expected a page of events", pointer="/data")
    events = (_listed(bytes(text), index) for index, text in enumerate(listing.data))
    return tuple(events), listing.links or Links()


def _listed(text: bytes, index: int) -> WebhookEvent:
    try:
        return decode_event(b'{"data":%b}' % text)
    except DecodeError as error:
        reason, pointer = error.reason, f"/data/{index}{error.pointer.removeprefix('/data')}"
    raise DecodeError(reason, pointer=pointer)


def _structured(body: bytes) -> _Event:
    try:
        event = _decode_delivery(body).data
    except REFUSED:
        event = None
    if event is None or event.type != "event":
        raise DecodeError("expected the document of an event", pointer="/data")
    return event


def _read(sent: Mapping[str, msgspec.Raw], name: str, decode: Any) -> Any:
    try:
        return decode(bytes(sent[name]))
    except (KeyError, msgspec.DecodeError, OverflowError):
        pass
    raise DecodeError(f"expected an event with its {name}", pointer=f"/data/attributes/{name}")


def _payload(text: bytes) -> Any:
    document = parse_json(text)
    data: Any = document.get("data") if is_object(document) else None
    kind = data.get("type") if is_object(data) and isinstance(data.get("id"), str) else None
    if not isinstance(kind, str):
        return document
    try:
        return decode_case(text) if kind == "case" else decode_resource(text, Resource)
    except DecodeError as error:
        reason, pointer = error.reason, _PAYLOAD + error.pointer
    raise DecodeError(reason, pointer=pointer)


publish("persona_cases.webhooks", WebhookEvent)
