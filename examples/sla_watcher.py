"""Warn once of each unresolved case whose SLA expires within the next hour.

    python sla_watcher.py

Set PERSONA_API_KEY. To try it without an account, run `persona-cases simulator` and set the variables that it prints.
"""

import asyncio
import sys
from datetime import UTC, datetime, timedelta

from persona_cases import Case, PersonaClient, PersonaError, Q

WARN_BEFORE = timedelta(hours=1)
INTERVAL = timedelta(minutes=1)

Warned = set[tuple[str, datetime]]


def warn(case: Case, left: timedelta) -> None:
    print(f"{case.name}: {round(left.total_seconds() / 60)} minutes left, assigned to {case.assignee_id or 'nobody'}")


async def look(persona: PersonaClient, warned: Warned) -> None:
    """Look once. Warn again if the SLA of a case was moved."""
    soon = ~Q.resolved_at.is_set() & Q.sla_expires_at.in_next(WARN_BEFORE)
    found = persona.cases.search(
        soon, sort=Q.sla_expires_at.asc(), only=["name", "assignee_id", "sla_expires_at", "resolved_at"]
    )
    async for case in found:
        deadline = case.sla_expires_at
        if deadline is not None and (case.id, deadline) not in warned:
            warned.add((case.id, deadline))
            warn(case, deadline - datetime.now(UTC))


async def main() -> None:
    warned: Warned = set()
    async with PersonaClient() as persona:
        while True:
            try:
                await look(persona, warned)
            except PersonaError as error:
                # Whatever the error was, look again in a minute.
                print(f"could not look: {error}", file=sys.stderr)
            await asyncio.sleep(INTERVAL.total_seconds())


if __name__ == "__main__":
    asyncio.run(main())
