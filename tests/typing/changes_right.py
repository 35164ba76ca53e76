"""Right changes: neither type checker has anything to say."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta
from pathlib import Path

from persona_cases import Case, ChangePlan, ChangeProgress, ChangeReport, PersonaClient, Q, Upload
from persona_cases.changes import AddComment, AddTag, Change, SetStatus, SetTags, Update


def decide(case: Case) -> Change | None:
    return AddTag("old") if case.status == "open" else None


def by_status(case: Case) -> SetStatus:
    return SetStatus(f"{case.status}-old")


async def ask(plan: ChangePlan) -> bool:
    return plan.seconds < 60 and plan.total < 100


def tell(progress: ChangeProgress) -> None:
    assert progress.done <= progress.total


async def use(persona: PersonaClient, ids: Iterable[str], cases: list[Case]) -> int:
    case: Case = await persona.cases.apply(cases[0], SetTags(["a"]), only=["status"])
    update = Update(fields={"a": 1}, sla_expires_in=timedelta(hours=2), attachments=[Path("a.pdf"), Upload("b", b"b")])
    report: ChangeReport = await persona.cases.change_many(Q.status.eq("open"), update, journal="a.journal")
    await persona.cases.change_many(ids, decide, journal=Path("b.journal"), only_if=Q.status.eq("open"))
    await persona.cases.change_many(cases, by_status, journal="c.journal", confirm=ask, on_progress=tell)
    await persona.cases.change_many([case, "case_2"], lambda _: None, journal="d.journal", dry_run=True)
    await persona.cases.change_each([(case, AddTag("a")), ("case_2", AddComment("b"))], journal="e.journal")
    return report.changed + sum(row.outcome == "failed" for row in report.rows)
