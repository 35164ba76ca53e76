"""Print the newest open cases whose priority is not low.

Set PERSONA_API_KEY. To try it without an account, run `persona-cases simulator` and set the variables that it prints.
"""

import asyncio

from persona_cases import PersonaClient, Q


async def main() -> None:
    urgent = Q.status.eq("open") & ~Q.fields.priority.eq("low")
    async with PersonaClient() as persona:
        async for case in persona.cases.search(urgent, sort=Q.created_at.desc()).limit(10):
            print(case.id, case.status, case.fields.get("priority"), case.created_at)


if __name__ == "__main__":
    asyncio.run(main())
