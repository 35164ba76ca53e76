"""Case templates as classes: KYC, AML.

Made by `persona-cases codegen` from ctmpl_KYC (KYC), ctmpl_AML (AML). Do not edit it:
run the command again, which finds the templates in this file.
"""

import datetime as dt
from collections.abc import Sequence
from typing import Any, Literal, TypeAlias, TypedDict, Unpack

from persona_cases import typed

KYCPriority: TypeAlias = Literal["low", "medium", "high", "urgent"]


KYCRiskTags: TypeAlias = Literal["age", "device"]


KYCAddressKind: TypeAlias = Literal["home", "work"]


class KYCAddress(typed.TypedHash):
    """The value of the hash `address`."""

    l_2_address: str | None = typed.optional("l-2-address")
    kind: KYCAddressKind | str | None = typed.optional("kind")
    since: dt.date | None = typed.optional("since")


class KYCContactsItem(typed.TypedHash):
    """The value of the hash `contacts`."""

    name: str | None = typed.required("name")
    share: float | None = typed.optional("share")


class KYCChanges(TypedDict, total=False):
    """New values of fields of `KYC`. None clears a field."""

    priority: KYCPriority
    risk_score: float | None
    attempts: int | None
    exposed: bool | None
    document_expiry: dt.date | None
    checked_at: dt.datetime | None
    notes: str | None
    contact_email: str | None
    reference: str
    risk_tags: Sequence[KYCRiskTags] | None
    scan: Any
    document: Any
    payload: Any
    newer: Any
    address: KYCAddress | None
    contacts: Sequence[KYCContactsItem] | None
    aliases: Sequence[str] | None
    anything: Sequence[Any] | None
    class_: int | None
    cases_: str | None
    of_: str | None
    changes_: str | None


class KYC(typed.TypedCase, template="ctmpl_KYC"):
    """The fields of a case of KYC."""

    priority: typed.ChoiceField[KYCPriority] = typed.required("priority")
    risk_score: typed.NumberField = typed.optional("risk_score")
    attempts: typed.IntegerField = typed.optional("attempts")
    exposed: typed.BooleanField = typed.optional("exposed", never_redacted=True)
    document_expiry: typed.DateField = typed.optional("document_expiry")
    checked_at: typed.DateTimeField = typed.optional("checked_at")
    notes: typed.TextField = typed.optional("notes")
    """Reviewer notes"""
    contact_email: typed.TextField = typed.optional("contact_email")
    reference: typed.TextField = typed.optional("reference", write_once=True)
    risk_tags: typed.MultiChoiceField[KYCRiskTags] = typed.optional("risk_tags")
    scan: typed.FileField = typed.optional("scan")
    document: typed.RelationField = typed.optional("document")
    """points to document-generic"""
    payload: typed.JsonField = typed.optional("payload")
    newer: typed.JsonField = typed.optional("newer")
    address: typed.HashField[KYCAddress] = typed.optional("address")
    contacts: typed.ArrayField[KYCContactsItem] = typed.optional("contacts")
    aliases: typed.ArrayField[str] = typed.optional("aliases")
    anything: typed.ArrayField[Any] = typed.optional("anything")
    old: typed.TextField = typed.archived("old")
    paused: typed.TextField = typed.deactivated("paused")
    class_: typed.IntegerField = typed.optional("class")
    cases_: typed.TextField = typed.optional("cases")
    of_: typed.TextField = typed.optional("of")
    changes_: typed.TextField = typed.optional("changes")

    @classmethod
    def changes(cls, **values: Unpack[KYCChanges]) -> dict[str, Any]:
        """Return new values of fields, to be given to `update`."""
        return typed.changes(cls, values)


AMLCurrency: TypeAlias = Literal["EUR", "USD"]


class AMLChanges(TypedDict, total=False):
    """New values of fields of `AML`. None clears a field."""

    amount: float | None
    currency: AMLCurrency | None


class AML(typed.TypedCase, template="ctmpl_AML"):
    """The fields of a case of AML."""

    amount: typed.NumberField = typed.optional("amount")
    currency: typed.ChoiceField[AMLCurrency] = typed.optional("currency")

    @classmethod
    def changes(cls, **values: Unpack[AMLChanges]) -> dict[str, Any]:
        """Return new values of fields, to be given to `update`."""
        return typed.changes(cls, values)
