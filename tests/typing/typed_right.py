"""Right usage of generated classes: neither type checker has anything to say."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import Literal

from persona_cases import Case, PersonaClient, Predicate, Q, Sort
from persona_cases.query import Field, OrderedField, TimeField
from persona_cases.testing import make_case
from persona_cases.typed import TypedCase, fields_of, template_id
from tests.typing.our_cases import AML, KYC, KYCAddress, KYCChanges, KYCContactsItem, KYCPriority

NOON = dt.datetime(2026, 1, 31, 12, tzinfo=dt.UTC)

clause: Predicate = KYC.cases
urgent: Predicate = KYC.cases & KYC.risk_score.gt(90) & KYC.priority.in_(["high", "urgent"]) & Q.status.eq("open")
either: Predicate = KYC.cases | AML.cases & ~AML.amount.between(0, 2.5)
whole: Predicate = KYC.attempts.gte(3) & KYC.attempts.lt(3.5)
truth: Predicate = KYC.exposed.eq(True) & KYC.exposed.ne(False)
texts: Predicate = KYC.notes.eq("x") | KYC.contact_email.not_in({"a@example.com"})
days: Predicate = KYC.document_expiry.lt(dt.date(2026, 1, 31)) & KYC.document_expiry.in_next(days=30)
moments: Predicate = KYC.checked_at.between(dt.date(2026, 1, 1), NOON) & KYC.checked_at.is_unset()
several: Predicate = KYC.risk_tags.eq("age") | KYC.risk_tags.in_(("age", "device"))
retired: Predicate = KYC.old.eq("x") & KYC.class_.gt(1) & KYC.cases_.eq("a") & KYC.of_.eq("b") & KYC.changes_.ne("c")
order: Sort = KYC.risk_score.desc()
fields: tuple[Field[str], OrderedField[float], TimeField] = (KYC.notes, KYC.risk_score, KYC.document_expiry)


def read(case: Case) -> tuple[object, ...]:
    kyc = KYC.of(case)
    score: float | None = kyc.risk_score
    attempts: int | None = kyc.attempts
    expiry: dt.date | None = kyc.document_expiry
    checked: dt.datetime | None = kyc.checked_at
    priority: str | None = kyc.priority
    tags: tuple[str, ...] | None = kyc.risk_tags
    address: KYCAddress | None = kyc.address
    names = [contact.name for contact in kyc.contacts or ()]
    since: dt.date | None = address.since if address else None
    return score, attempts, expiry, checked, priority, tags, names, since, kyc.old, kyc.scan


def level(priority: KYCPriority) -> Literal["low", "medium", "high", "urgent"]:
    return priority


def make(tags: Sequence[Literal["age", "device"]]) -> KYC:
    return KYC(
        priority="high",
        risk_score=91,
        document_expiry=dt.date(2026, 1, 31),
        checked_at=NOON,
        risk_tags=tags,
        address=KYCAddress(l_2_address="Flat 2", kind="work"),
        contacts=[KYCContactsItem(name="Ada", share=0.5)],
    )


async def write(persona: PersonaClient, given: KYCChanges) -> None:
    created = await persona.cases.create(make(["age"]), sla_expires_in=60)
    await persona.cases.create("ctmpl_KYC", fields={"priority": "high"})
    await persona.cases.update(created, fields=KYC.changes(notes=None, risk_score=5, risk_tags=["age"]))
    await persona.cases.update(created.id, fields={**KYC.changes(**given), "untyped": 1})
    await persona.cases.export(KYC.cases, to="kyc.parquet", columns=KYC)
    async for case in persona.cases.search(urgent, sort=order):
        read(case)


def generic(typed: type[TypedCase], case: Case) -> dict[str, object]:
    return {"template": template_id(typed), **fields_of(typed.of(case))}


made: tuple[Case, ...] = (
    make_case(KYC, risk_score=95, notes=None),
    make_case(KYC(priority="low"), status="approved", tags=["vip"]),
    make_case(status="open", fields={"priority": "high"}),
)
