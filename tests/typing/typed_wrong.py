"""Wrong usage of generated classes: the marked lines, and no others, are errors for both type checkers."""

from __future__ import annotations

import datetime as dt

from persona_cases import Case, PersonaClient
from persona_cases.testing import make_case
from tests.typing.our_cases import AML, KYC, KYCAddress, KYCChanges

KYC.risk_scor.gt(90)  # error
KYC.risk_score.gt("90")  # error
KYC.risk_score.eq(None)  # error
KYC.risk_score.in_(["90"])  # error
KYC.attempts.between(1, "2")  # error
KYC.priority.eq("hihg")  # error
KYC.priority.in_(["low", "hihg"])  # error
KYC.priority.gt("low")  # error
KYC.notes.gt("a")  # error
KYC.notes.eq(5)  # error
KYC.exposed.gt(False)  # error
KYC.exposed.eq("true")  # error
KYC.document_expiry.lt(5)  # error
KYC.checked_at.in_next(7)  # error
KYC.scan.eq("a")  # error
KYC.address.eq("a")  # error
KYC.contacts.in_([])  # error
KYC.payload.eq("a")  # error
KYC.document.asc()  # error
KYC.risk_tags.eq("weight")  # error
_ = KYC.cases & KYC.risk_score  # error
_ = KYC.cases & KYC.notes.is_set()  # error

KYC()  # error
KYC("high")  # error
KYC(priority="hihg")  # error
KYC(priority="low", risk_score="91")  # error
KYC(priority="low", riskscore=91)  # error
KYC(priority="low", old="a")  # error
KYC(priority="low", paused="a")  # error
KYC(priority="low", document_expiry="2026-01-31")  # error
KYC(priority="low", risk_tags=["weight"])  # error
KYC(priority="low", address={"kind": "home"})  # error
KYCAddress(since="2026-01-31")  # error
KYCAddress(city="Oslo")  # error

KYC.changes(notse="a")  # error
KYC.changes(priority=None)  # error
KYC.changes(reference=None)  # error
KYC.changes(old="a")  # error
KYC.changes(risk_score="5")  # error
KYC.changes(address=AML(amount=1))  # error
given: KYCChanges = {"prioriti": "low"}  # error

make_case(KYC, risk_scor=95)  # error
make_case(KYC, risk_score="95")  # error


def use(case: Case) -> None:
    kyc = KYC.of(case)
    kyc.notes = "a"  # error
    _ = kyc.risk_scor  # error
    kyc.risk_score.gt(5)  # error
    KYC.of(case.id)  # error
    days: dt.date = kyc.document_expiry  # error
    aml: AML = kyc  # error
    _ = days, aml


async def send(persona: PersonaClient) -> None:
    await persona.cases.create(KYC)  # error
    await persona.cases.search(KYC)  # error
    await persona.cases.export(KYC.cases, to="a.csv", columns=dict)  # error
