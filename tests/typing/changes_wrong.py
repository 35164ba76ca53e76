"""Wrong changes: the marked lines, and no others, are errors for both type checkers."""

from __future__ import annotations

from persona_cases import Case, PersonaClient, Q
from persona_cases.changes import AddComment, AddTag, Assign, SetStatus, SetTags, Update

SetStatus()  # error
SetStatus(5)  # error
Assign(user="ann@example.com")  # error
AddTag("a", "tag_1")  # error
Update({"a": 1})  # error
Update(sla_expires_in="2h")  # error
SetStatus("open").status = "closed"  # error


async def asynchronous(case: Case) -> SetStatus:
    return SetStatus(case.id)


async def use(persona: PersonaClient, case: Case) -> None:
    where = Q.status.eq("open")
    await persona.cases.apply(case, "closed")  # error
    await persona.cases.apply(case, SetStatus)  # error
    await persona.cases.change_many(where, "closed", journal="a")  # error
    await persona.cases.change_many(where, SetStatus, journal="a")  # error
    await persona.cases.change_many(where, SetTags, journal="a")  # error
    await persona.cases.change_many(where, lambda case: case.status, journal="a")  # error
    await persona.cases.change_many(where, asynchronous, journal="a")  # error
    await persona.cases.change_many(where, None, journal="a")  # error
    await persona.cases.change_many(None, SetStatus("closed"), journal="a")  # error
    await persona.cases.change_many(case, SetStatus("closed"), journal="a")  # error
    await persona.cases.change_many(where, SetStatus("closed"))  # error
    await persona.cases.change_each([("case_1", "closed")], journal="a")  # error
    await persona.cases.change_each([AddComment("x")], journal="a")  # error
