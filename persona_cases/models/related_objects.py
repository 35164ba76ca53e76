"""The objects that a response includes in addition to a case, each with the attributes in the vendor's contract.

Attributes newer than this library are in `attributes` and `extras`; objects of other types are plain `Resource`s.
"""

from __future__ import annotations

from datetime import datetime
from typing import ClassVar

import attrs

from persona_cases.models.objects import FieldSchema, Resource, register
from persona_cases.surface import publish

__all__ = [
    "Account",
    "CaseComment",
    "CaseQueue",
    "CaseTemplate",
    "Inquiry",
    "Report",
    "Transaction",
    "Verification",
]


@attrs.frozen(repr=False)
class CaseTemplate(Resource):
    """The template that a case was created from.

    Attributes:
        status: `active`, `archived`, or a newer status.
        name: its name.
        resolutions: the labels with which its cases can be resolved.
        created_at: when it was created.
        updated_at: when it was last changed.
        archived_at: when it was archived.
        field_schemas: the custom fields of its cases.

    See https://docs.withpersona.com/api-reference/case-templates.
    """

    resource_type: ClassVar[str | None] = "case-template"

    status: str | None = None
    name: str | None = None
    resolutions: tuple[str, ...] = ()
    created_at: datetime | None = None
    updated_at: datetime | None = None
    archived_at: datetime | None = None
    field_schemas: tuple[FieldSchema, ...] = ()


@attrs.frozen(repr=False)
class CaseQueue(Resource):
    """The queue of a case.

    Attributes:
        status: `active`, `archived`, or a newer status.
        name: its name.
        created_at: when it was created.
        updated_at: when it was last changed.
        archived_at: when it was archived.
    """

    resource_type: ClassVar[str | None] = "case-queue"

    status: str | None = None
    name: str | None = None
    created_at: datetime | None = None
    updated_at: datetime | None = None
    archived_at: datetime | None = None


@attrs.frozen(repr=False)
class CaseComment(Resource):
    """A comment on a case.

    Attributes:
        message: the text.
        created_at: when it was written.
        updated_at: when it was last changed.
        commenter_id: who wrote it; for a user, an email address.
        commenter_type: the kind of commenter, such as `user`.
    """

    resource_type: ClassVar[str | None] = "case-comment"

    message: str | None = None
    created_at: datetime | None = None
    updated_at: datetime | None = None
    commenter_id: str | None = None
    commenter_type: str | None = None


@attrs.frozen(repr=False)
class Account(Resource):
    """An account: the person or business that a case is about.

    Attributes:
        account_type_name: its account type.
        account_status: its status.
        reference_id: your own id for it.
        created_at: when it was created.
        updated_at: when it was last changed.
        redacted_at: when its personal data was erased.
        tags: the names of its tags.

    See https://docs.withpersona.com/api-reference/accounts.
    """

    resource_type: ClassVar[str | None] = "account"

    account_type_name: str | None = None
    account_status: str | None = None
    reference_id: str | None = None
    created_at: datetime | None = None
    updated_at: datetime | None = None
    redacted_at: datetime | None = None
    tags: tuple[str, ...] = ()


@attrs.frozen(repr=False)
class Inquiry(Resource):
    """An inquiry: one run of a person through a verification flow.

    Attributes:
        status: such as `created`, `completed`, `approved`; new statuses appear without notice.
        reference_id: your own id for the person.
        note: your own note.
        creator: the source of the inquiry, such as `API`.
        reviewer_comment: the reviewer's comment.
        created_at: when it was created.
        updated_at: when it was last changed.
        started_at: when the person started.
        expires_at: when it will expire.
        completed_at: when the person finished.
        failed_at: when it failed.
        marked_for_review_at: when it was marked for review.
        decisioned_at: when it was approved or declined.
        expired_at: when it expired.
        redacted_at: when its personal data was erased.
        previous_step_name: the step before the current one.
        next_step_name: the current step.
        tags: the names of its tags.

    See https://docs.withpersona.com/api-reference/inquiries.
    """

    resource_type: ClassVar[str | None] = "inquiry"

    status: str | None = None
    reference_id: str | None = None
    note: str | None = None
    creator: str | None = None
    reviewer_comment: str | None = None
    created_at: datetime | None = None
    updated_at: datetime | None = None
    started_at: datetime | None = None
    expires_at: datetime | None = None
    completed_at: datetime | None = None
    failed_at: datetime | None = None
    marked_for_review_at: datetime | None = None
    decisioned_at: datetime | None = None
    expired_at: datetime | None = None
    redacted_at: datetime | None = None
    previous_step_name: str | None = None
    next_step_name: str | None = None
    tags: tuple[str, ...] = ()


@attrs.frozen(repr=False)
class Report(Resource):
    """A report of any kind (`report/watchlist`, ...) with the attributes of all kinds; the rest is in `attributes`.

    Attributes:
        status: such as `pending`, `ready`, `errored`; new statuses appear without notice.
        report_template_version_name: the version of the template that it was created from.
        has_match: whether it found a match.
        is_recurring: whether it runs repeatedly.
        is_continuous: whether it is updated continuously.
        created_at: when it was created.
        completed_at: when it was completed.
        redacted_at: when its personal data was erased.
        tags: the names of its tags.

    See https://docs.withpersona.com/api-reference/reports.
    """

    resource_type: ClassVar[str | None] = "report"

    status: str | None = None
    report_template_version_name: str | None = None
    has_match: bool | None = None
    is_recurring: bool | None = None
    is_continuous: bool | None = None
    created_at: datetime | None = None
    completed_at: datetime | None = None
    redacted_at: datetime | None = None
    tags: tuple[str, ...] = ()


@attrs.frozen(repr=False)
class Verification(Resource):
    """A verification of any kind (`verification/document`, ...) with the attributes of all kinds.

    The rest is in `attributes`.

    Attributes:
        status: such as `initiated`, `passed`, `failed`; new statuses appear without notice.
        country_code: the country of the verified data.
        created_at: when it was created.
        submitted_at: when the person submitted it.
        completed_at: when it was completed.
        redacted_at: when its personal data was erased.
        tags: the names of its tags.

    See https://docs.withpersona.com/api-reference/verifications.
    """

    resource_type: ClassVar[str | None] = "verification"

    status: str | None = None
    country_code: str | None = None
    created_at: datetime | None = None
    submitted_at: datetime | None = None
    completed_at: datetime | None = None
    redacted_at: datetime | None = None
    tags: tuple[str, ...] = ()


@attrs.frozen(repr=False)
class Transaction(Resource):
    """A transaction.

    Attributes:
        status: its status.
        reference_id: your own id for it.
        created_at: when it was created.
        updated_at: when it was last changed.
        tags: the names of its tags.

    See https://docs.withpersona.com/api-reference/transactions.
    """

    resource_type: ClassVar[str | None] = "transaction"

    status: str | None = None
    reference_id: str | None = None
    created_at: datetime | None = None
    updated_at: datetime | None = None
    tags: tuple[str, ...] = ()


register(CaseTemplate, CaseQueue, CaseComment, Account, Inquiry, Report, Verification, Transaction)


publish("persona_cases", CaseTemplate)
publish("persona_cases.models", Account, CaseComment, CaseQueue, Inquiry, Report, Transaction, Verification)
