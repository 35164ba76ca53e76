"""The methods that change a case."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import timedelta
from functools import partial
from typing import TYPE_CHECKING, Any

import attrs

from persona_cases import changes, models
from persona_cases.json_values import encode_body
from persona_cases.models import UNSET, Unset, decoding
from persona_cases.protocol.message import Request, Safety
from persona_cases.resources.endpoint import Api
from persona_cases.resources.requests import query_parameters as parameters
from persona_cases.resources.requests.argument_checks import chosen_or_new_key
from persona_cases.resources.requests.query_parameters import Includable, case_path

if TYPE_CHECKING:
    from persona_cases.typed import TypedCase


class CaseChanges:
    """The methods of `persona.cases` that change a case and return the changed case.

    Each takes a `Case` or its id, its own arguments, and

    * `include`: relationships whose objects to load into the returned case, such as `["case-template"]`; see `get`;
    * `only`: the only attributes to load into it, such as `["status"]`. Default: all;
    * `idempotency_key`: the key under which the API carries out a POST at most once in 24 hours. Default: a random key
      per call. All attempts of a call carry the same key (https://docs.withpersona.com/idempotence).

    Each raises

    * `InvalidArgumentError` if an argument is invalid, before anything is sent;
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
        case_template_id: str | TypedCase,
        *,
        fields: Mapping[str, Any] | None = None,
        case_queue_id: str | None = None,
        creator_email_address: str | None = None,
        object_ids: Iterable[str] | None = None,
        sla_expires_in: timedelta | float | None = None,
        include: Iterable[Includable] | None = None,
        only: Iterable[str] | None = None,
        idempotency_key: str | None = None,
    ) -> models.Case:
        """Create a case, in the initial status of its template.

        Args:
            case_template_id: the template to create it from; or an object of a generated class, such as
                `KYC(priority="high")`, which has the template and the fields.
            fields: values of custom fields by key; they may be `datetime`, `date`, `Decimal` and `Enum` objects.
            case_queue_id: the queue to put it in.
            creator_email_address: the email address of the user to show as its creator.
            object_ids: accounts, inquiries, reports and other objects to attach.
            sla_expires_in: time until its SLA expires, up to 90 days; a number is in seconds. Default: no SLA.
            include: relationships whose objects to load into the returned case.
            only: the only attributes to load into it.
            idempotency_key: the key of this change; see `CaseChanges`.

        Raises:
            QuotaExceededError: if the quota of case creation is used up.

        See https://docs.withpersona.com/api-reference/cases/create-a-case.
        """
        # Fields with types take as long to load as all models.
        from persona_cases.resources.requests.bodies import create_case  # noqa: PLC0415

        body = create_case(
            case_template_id,
            fields=fields,
            case_queue_id=case_queue_id,
            creator_email_address=creator_email_address,
            object_ids=object_ids,
            sla_expires_in=sla_expires_in,
            version=self._api.options.version,
        )
        request = Request("POST", "/cases", body=encode_body(body), safety=Safety.KEYED)
        return await self._send(request, include, only, idempotency_key)

    async def update(
        self,
        case: models.Case | str,
        *,
        fields: Mapping[str, Any] | Unset = UNSET,
        case_queue_id: str | Unset | None = UNSET,
        sla_expires_in: timedelta | float | Unset | None = UNSET,
        attachments: Iterable[changes.Attachable] = (),
        repeatable: bool = False,
        include: Iterable[Includable] | None = None,
        only: Iterable[str] | None = None,
        idempotency_key: str | None = None,
    ) -> models.Case:
        """Change fields, queue or SLA of a case, and attach files to it. Arguments that you leave out change nothing.

        No idempotency key protects a PATCH. So by default the client retries it only if it certainly was not carried
        out: after a 429, or if no connection was made. If it may have been, the call raises `IndeterminateError`.

        Args:
            case: the case, or its id.
            fields: new values of custom fields by key, such as `{"notes": None}` or `KYC.changes(notes=None)`; None
                clears a field.
            case_queue_id: the queue to put it in; None takes it out of its queue.
            sla_expires_in: time until its SLA expires, up to 90 days; a number is in seconds; None clears the SLA.
            attachments: PDF or image files to add: paths, or `Upload` objects for data in memory and open files.
            repeatable: whether the client may retry the update even if it may have been carried out, as after a lost
                connection or a 5xx. Use it only if nothing else changes the same values in the meantime, because a
                repeated update would overwrite them. It cannot be combined with `attachments`, which would be added
                twice.
            include: relationships whose objects to load into the returned case.
            only: the only attributes to load into it.
            idempotency_key: the key of this change; see `CaseChanges`. The API does not document it for this method.

        See https://docs.withpersona.com/api-reference/cases/update-a-case.
        """
        change = changes.Update(
            fields=fields,
            case_queue_id=case_queue_id,
            sla_expires_in=sla_expires_in,
            attachments=attachments,
            repeatable=repeatable,
        )
        return await self.apply(case, change, include=include, only=only, idempotency_key=idempotency_key)

    async def redact(
        self,
        case: models.Case | str,
        *,
        include: Iterable[Includable] | None = None,
        only: Iterable[str] | None = None,
        idempotency_key: str | None = None,
    ) -> models.Case:
        """Erase the personal data of a case permanently. This cannot be undone.

        Args:
            case: the case, or its id.
            include: relationships whose objects to load into the returned case.
            only: the only attributes to load into it.
            idempotency_key: the key of this change; see `CaseChanges`. The API does not honour it for
                this method.

        Returns:
            The case, with its `redacted_at` set.

        The client may retry a redaction, because a second one does no harm. If the response to a retry is 409, the
        first attempt may have succeeded, so the call raises `IndeterminateError`: check the case's `redacted_at`.

        Raises:
            ConflictError: if the case's state does not allow it; it may be redacted already.

        See https://docs.withpersona.com/api-reference/cases/redact-a-case.
        """
        request = Request("DELETE", case_path(case), safety=Safety.REPEATABLE)
        return await self._send(request, include, only, idempotency_key)

    async def add_objects(
        self,
        case: models.Case | str,
        object_ids: Iterable[str],
        *,
        include: Iterable[Includable] | None = None,
        only: Iterable[str] | None = None,
        idempotency_key: str | None = None,
    ) -> models.Case:
        """Attach objects (accounts, inquiries, reports ...) to a case, each at most once and up to 1,000 in total.

        Args:
            case: the case, or its id.
            object_ids: the ids of the objects, at least one.
            include: relationships whose objects to load into the returned case.
            only: the only attributes to load into it.
            idempotency_key: the key of this change; see `CaseChanges`.

        See https://docs.withpersona.com/api-reference/cases/add-persona-objects.
        """
        change = changes.AddObjects(object_ids)
        return await self.apply(case, change, include=include, only=only, idempotency_key=idempotency_key)

    async def remove_objects(
        self,
        case: models.Case | str,
        object_ids: Iterable[str],
        *,
        include: Iterable[Includable] | None = None,
        only: Iterable[str] | None = None,
        idempotency_key: str | None = None,
    ) -> models.Case:
        """Detach objects from a case. Objects that are not attached are ignored.

        Args:
            case: the case, or its id.
            object_ids: the ids of the objects, at least one.
            include: relationships whose objects to load into the returned case.
            only: the only attributes to load into it.
            idempotency_key: the key of this change; see `CaseChanges`.

        See https://docs.withpersona.com/api-reference/cases/remove-persona-objects.
        """
        change = changes.RemoveObjects(object_ids)
        return await self.apply(case, change, include=include, only=only, idempotency_key=idempotency_key)

    async def assign(
        self,
        case: models.Case | str,
        email: str,
        *,
        include: Iterable[Includable] | None = None,
        only: Iterable[str] | None = None,
        idempotency_key: str | None = None,
    ) -> models.Case:
        """Assign a case to a user.

        Args:
            case: the case, or its id.
            email: the email address of the user. (Searches use `user_…` ids instead.)
            include: relationships whose objects to load into the returned case.
            only: the only attributes to load into it.
            idempotency_key: the key of this change; see `CaseChanges`.

        See https://docs.withpersona.com/api-reference/cases/assign-a-case.
        """
        change = changes.Assign(email)
        return await self.apply(case, change, include=include, only=only, idempotency_key=idempotency_key)

    async def set_status(
        self,
        case: models.Case | str,
        status: str,
        *,
        include: Iterable[Includable] | None = None,
        only: Iterable[str] | None = None,
        idempotency_key: str | None = None,
    ) -> models.Case:
        """Set the status of a case.

        Args:
            case: the case, or its id.
            status: any status of its template, spelled as in the template.
            include: relationships whose objects to load into the returned case.
            only: the only attributes to load into it.
            idempotency_key: the key of this change; see `CaseChanges`.

        See https://docs.withpersona.com/api-reference/cases/set-status-for-a-case.
        """
        change = changes.SetStatus(status)
        return await self.apply(case, change, include=include, only=only, idempotency_key=idempotency_key)

    async def add_tag(
        self,
        case: models.Case | str,
        name: str | None = None,
        *,
        tag_id: str | None = None,
        include: Iterable[Includable] | None = None,
        only: Iterable[str] | None = None,
        idempotency_key: str | None = None,
    ) -> models.Case:
        """Add a tag to a case.

        Args:
            case: the case, or its id.
            name: the name of the tag; an unknown name creates a tag, of which an organisation can have 1,000.
            tag_id: or the id of the tag.
            include: relationships whose objects to load into the returned case.
            only: the only attributes to load into it.
            idempotency_key: the key of this change; see `CaseChanges`.

        See https://docs.withpersona.com/api-reference/cases/add-tag.
        """
        change = changes.AddTag(name, tag_id=tag_id)
        return await self.apply(case, change, include=include, only=only, idempotency_key=idempotency_key)

    async def remove_tag(
        self,
        case: models.Case | str,
        name: str | None = None,
        *,
        tag_id: str | None = None,
        include: Iterable[Includable] | None = None,
        only: Iterable[str] | None = None,
        idempotency_key: str | None = None,
    ) -> models.Case:
        """Remove a tag from a case.

        Args:
            case: the case, or its id.
            name: the name of the tag.
            tag_id: or the id of the tag.
            include: relationships whose objects to load into the returned case.
            only: the only attributes to load into it.
            idempotency_key: the key of this change; see `CaseChanges`.

        See https://docs.withpersona.com/api-reference/cases/remove-tag.
        """
        change = changes.RemoveTag(name, tag_id=tag_id)
        return await self.apply(case, change, include=include, only=only, idempotency_key=idempotency_key)

    async def set_tags(
        self,
        case: models.Case | str,
        names: Iterable[str] | None = None,
        *,
        tag_ids: Iterable[str] | None = None,
        include: Iterable[Includable] | None = None,
        only: Iterable[str] | None = None,
        idempotency_key: str | None = None,
    ) -> models.Case:
        """Give a case exactly these tags, and remove all others.

        Args:
            case: the case, or its id.
            names: names of tags; unknown names create tags. An empty list removes all tags.
            tag_ids: ids of tags.
            include: relationships whose objects to load into the returned case.
            only: the only attributes to load into it.
            idempotency_key: the key of this change; see `CaseChanges`.

        See https://docs.withpersona.com/api-reference/cases/set-tags.
        """
        change = changes.SetTags(names, tag_ids=tag_ids)
        return await self.apply(case, change, include=include, only=only, idempotency_key=idempotency_key)

    async def add_comment(
        self,
        case: models.Case | str,
        message: str,
        *,
        include: Iterable[Includable] | None = None,
        only: Iterable[str] | None = None,
        idempotency_key: str | None = None,
    ) -> models.Case:
        """Add a comment to a case; `include=["case-comments"]` loads it with the case.

        Args:
            case: the case, or its id.
            message: the text.
            include: relationships whose objects to load into the returned case.
            only: the only attributes to load into it.
            idempotency_key: the key of this change; see `CaseChanges`.

        See https://docs.withpersona.com/api-reference/cases/add-comment.
        """
        change = changes.AddComment(message)
        return await self.apply(case, change, include=include, only=only, idempotency_key=idempotency_key)

    async def apply(
        self,
        case: models.Case | str,
        change: changes.Change,
        *,
        include: Iterable[Includable] | None = None,
        only: Iterable[str] | None = None,
        idempotency_key: str | None = None,
    ) -> models.Case:
        """Make a change given as a value: `apply(case, SetStatus("closed"))` is `set_status(case, "closed")`.

        Args:
            case: the case, or its id.
            change: one of `persona_cases.changes`.
            include: relationships whose objects to load into the returned case.
            only: the only attributes to load into it.
            idempotency_key: the key of this change; see `CaseChanges`.

        Raises:
            InvalidArgumentError: if `change` is not a change.
        """
        from persona_cases.resources.requests.change_requests import change_request  # noqa: PLC0415
        from persona_cases.resources.requests.uploads import encoded_uploads  # noqa: PLC0415

        path, change = case_path(case), changes.as_change(change)
        uploads = await encoded_uploads(change.attachments) if isinstance(change, changes.Update) else ()
        return await self._send(change_request(path, change, uploads), include, only, idempotency_key)

    async def _send(
        self,
        request: Request,
        include: Iterable[Includable] | None,
        only: Iterable[str] | None,
        idempotency_key: str | None,
    ) -> models.Case:
        sparse, fieldset = parameters.fieldset(only)
        query = parameters.include(include, self._api.options.version) + sparse
        if idempotency_key is not None or request.safety is Safety.KEYED:
            request = attrs.evolve(request, idempotency_key=chosen_or_new_key(idempotency_key))
        decode = partial(decoding.decode_case, fieldset=fieldset)
        return await self._api.load(attrs.evolve(request, query=query), decode)
