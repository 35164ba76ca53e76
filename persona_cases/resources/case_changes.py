"""Everything that changes a case."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import timedelta
from functools import partial
from typing import Any, TypedDict, Unpack

import attrs

from persona_cases.models import UNSET, Case, Unset, decode_case
from persona_cases.protocol.message import Request, Safety
from persona_cases.protocol.urls import segment
from persona_cases.resources import bodies, parameters
from persona_cases.resources.api import Api
from persona_cases.resources.field_values import encode_body
from persona_cases.resources.idempotency import chosen_or_new_key
from persona_cases.resources.uploads import Attachable, encoded_uploads


class Answering(TypedDict, total=False):
    """What every change takes beside its own arguments.

    Attributes:
        include: relationships whose objects to load into the returned case, such as `["case-template"]`.
        only: the only attributes to load into it, such as `["status"]`; all are loaded by default.
        idempotency_key: the key under which the API carries a POST out at most once in 24 hours; made up for each
            call by default. All attempts of a call carry the same (https://docs.withpersona.com/idempotence).
    """

    include: Iterable[str] | None
    only: Iterable[str] | None
    idempotency_key: str | None


class CaseChanges:
    """The methods of `persona.cases` that change a case and return it as it is afterwards.

    Each takes `include`, `only` and `idempotency_key`, as `Answering` describes them, and raises

    * `InvalidArgumentError` if an argument can not work, before anything is sent;
    * `NotFoundError`, `ConflictError`, `UnprocessableEntityError` or another `APIError` if the API refuses;
    * `TransportError` if the request certainly did not reach the API;
    * `IndeterminateError` if it is unknown whether the change was made.

    Args:
        api: how to reach the API.
    """

    def __init__(self, api: Api) -> None:
        self._api = api

    async def create(
        self,
        case_template_id: str,
        *,
        fields: Mapping[str, Any] | None = None,
        case_queue_id: str | None = None,
        creator_email_address: str | None = None,
        object_ids: Iterable[str] | None = None,
        sla_expires_in: timedelta | float | None = None,
        **answering: Unpack[Answering],
    ) -> Case:
        """Create a case, in the initial status of its template.

        Args:
            case_template_id: the template to make it from.
            fields: values of custom fields by their keys; `datetime`, `date`, `Decimal` and `Enum` are understood.
            case_queue_id: the queue to put it in.
            creator_email_address: the user who is to be shown as its creator.
            object_ids: accounts, inquiries, reports and other objects to attach.
            sla_expires_in: time until its SLA expires, up to 90 days; a number is in seconds.
            **answering: see `CaseChanges`.

        Raises:
            QuotaExceededError: if the quota of case creation is used up.

        See https://docs.withpersona.com/api-reference/cases/create-a-case.
        """
        body = bodies.create_case(
            case_template_id,
            fields=fields,
            case_queue_id=case_queue_id,
            creator_email_address=creator_email_address,
            object_ids=object_ids,
            sla_expires_in=sla_expires_in,
            version=self._api.options.version,
        )
        return await self._send(Request("POST", "/cases", body=encode_body(body), safety=Safety.KEYED), answering)

    async def update(
        self,
        id: str,
        *,
        fields: Mapping[str, Any] | Unset = UNSET,
        case_queue_id: str | Unset | None = UNSET,
        sla_expires_in: timedelta | float | Unset | None = UNSET,
        attachments: Iterable[Attachable] = (),
        **answering: Unpack[Answering],
    ) -> Case:
        """Change fields, queue or SLA of a case, and attach files to it. What is left out stays as it is.

        Attaching adds: a request with `attachments` is never sent twice, and one whose answer was lost ends in an
        `IndeterminateError`.

        Args:
            id: the id of the case.
            fields: new values of custom fields by their keys; a value of None clears the field.
            case_queue_id: the queue to put it in; None takes it out of its queue.
            sla_expires_in: time until its SLA expires, up to 90 days; a number is in seconds; None clears the SLA.
            attachments: PDF or image files to add: paths, or `Upload`s for what is in memory or an open file.
            **answering: see `CaseChanges`. The API does not document idempotency keys for this method.

        See https://docs.withpersona.com/api-reference/cases/update-a-case.
        """
        path = _path(id)
        uploads = await encoded_uploads(attachments)
        body = bodies.update_case(
            fields=fields, case_queue_id=case_queue_id, sla_expires_in=sla_expires_in, attachments=uploads
        )
        safety = Safety.ONCE if uploads else Safety.REPEATABLE
        return await self._send(Request("PATCH", path, body=encode_body(body), safety=safety), answering)

    async def redact(self, id: str, **answering: Unpack[Answering]) -> Case:
        """Erase the personal data of a case for good. This can not be undone.

        Args:
            id: the id of the case.
            **answering: see `CaseChanges`. The API does not honour idempotency keys for this method.

        Returns:
            The case; its `redacted_at` tells that it is done.

        Raises:
            ConflictError: if the case is in no state to be redacted; it may be redacted already.

        See https://docs.withpersona.com/api-reference/cases/redact-a-case.
        """
        return await self._send(Request("DELETE", _path(id), safety=Safety.REPEATABLE), answering)

    async def add_objects(self, id: str, object_ids: Iterable[str], **answering: Unpack[Answering]) -> Case:
        """Attach objects (accounts, inquiries, reports ...) to a case, each at most once and 1,000 in all.

        Args:
            id: the id of the case.
            object_ids: the ids of the objects, at least one.
            **answering: see `CaseChanges`.

        See https://docs.withpersona.com/api-reference/cases/add-persona-objects.
        """
        return await self._post(
            id, "add-objects", bodies.meta(object_ids=bodies.texts(object_ids, "object_ids")), answering
        )

    async def remove_objects(self, id: str, object_ids: Iterable[str], **answering: Unpack[Answering]) -> Case:
        """Detach objects from a case. Those that are not attached are passed over.

        Args:
            id: the id of the case.
            object_ids: the ids of the objects, at least one.
            **answering: see `CaseChanges`.

        See https://docs.withpersona.com/api-reference/cases/remove-persona-objects.
        """
        body = bodies.meta(object_ids=bodies.texts(object_ids, "object_ids"))
        return await self._post(id, "remove-objects", body, answering)

    async def assign(self, id: str, email: str, **answering: Unpack[Answering]) -> Case:
        """Assign a case to a user.

        Args:
            id: the id of the case.
            email: the e-mail address of the user. (Searches know users by `user_…` ids instead.)
            **answering: see `CaseChanges`.

        See https://docs.withpersona.com/api-reference/cases/assign-a-case.
        """
        return await self._post(id, "assign", bodies.meta(user_email_address=bodies.text(email, "email")), answering)

    async def set_status(self, id: str, status: str, **answering: Unpack[Answering]) -> Case:
        """Set the status of a case.

        Args:
            id: the id of the case.
            status: any status of its template, spelled as there.
            **answering: see `CaseChanges`.

        See https://docs.withpersona.com/api-reference/cases/set-status-for-a-case.
        """
        return await self._post(id, "set-status", bodies.meta(status=bodies.text(status, "status")), answering)

    async def add_tag(
        self, id: str, *, name: str | None = None, tag_id: str | None = None, **answering: Unpack[Answering]
    ) -> Case:
        """Add a tag to a case.

        Args:
            id: the id of the case.
            name: the name of the tag; an unknown one makes a new tag, of which an organisation may have 1,000.
            tag_id: or the id of the tag.
            **answering: see `CaseChanges`.

        See https://docs.withpersona.com/api-reference/cases/add-tag.
        """
        return await self._post(id, "add-tag", bodies.one_tag(name, tag_id), answering)

    async def remove_tag(
        self, id: str, *, name: str | None = None, tag_id: str | None = None, **answering: Unpack[Answering]
    ) -> Case:
        """Remove a tag from a case.

        Args:
            id: the id of the case.
            name: the name of the tag.
            tag_id: or the id of the tag.
            **answering: see `CaseChanges`.

        See https://docs.withpersona.com/api-reference/cases/remove-tag.
        """
        return await self._post(id, "remove-tag", bodies.one_tag(name, tag_id), answering)

    async def set_tags(
        self,
        id: str,
        *,
        names: Iterable[str] | None = None,
        tag_ids: Iterable[str] | None = None,
        **answering: Unpack[Answering],
    ) -> Case:
        """Give a case exactly these tags; all others are removed.

        Args:
            id: the id of the case.
            names: names of tags; unknown ones make new tags. An empty list removes all.
            tag_ids: ids of tags.
            **answering: see `CaseChanges`.

        See https://docs.withpersona.com/api-reference/cases/set-tags.
        """
        return await self._post(id, "set-tags", bodies.all_tags(names, tag_ids), answering)

    async def add_comment(self, id: str, message: str, **answering: Unpack[Answering]) -> Case:
        """Add a comment to a case; `include=["case-comments"]` loads it with the case.

        Args:
            id: the id of the case.
            message: the text.
            **answering: see `CaseChanges`.

        See https://docs.withpersona.com/api-reference/cases/add-comment.
        """
        return await self._post(id, "add-comment", bodies.meta(message=bodies.text(message, "message")), answering)

    async def _post(self, id: str, action: str, body: Mapping[str, Any], answering: Answering) -> Case:
        request = Request("POST", f"{_path(id)}/{action}", body=encode_body(body), safety=Safety.KEYED)
        return await self._send(request, answering)

    async def _send(self, request: Request, answering: Answering) -> Case:
        sparse, fieldset = parameters.fieldset(answering.get("only"), "only")
        query = parameters.include(answering.get("include"), self._api.options.version) + sparse
        key = answering.get("idempotency_key")
        if key is not None or request.safety is Safety.KEYED:
            request = attrs.evolve(request, idempotency_key=chosen_or_new_key(key))
        case, _ = await self._api.fetch(attrs.evolve(request, query=query), partial(decode_case, fieldset=fieldset))
        return case


def _path(id: str) -> str:
    return f"/cases/{segment(id, 'id')}"
