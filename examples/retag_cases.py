"""Replace a tag on many cases. You may interrupt it at any time: the same command resumes.

    python retag_cases.py "created_at >= now() - 30d" second-review escalated

Set PERSONA_API_KEY. To try it without an account, run `persona-cases simulator` and set the variables that it prints.
"""

import asyncio
import sys

from persona_cases import Case, PersonaClient, PersonaError, parse
from persona_cases.changes import Change, SetTags

JOURNAL = "retag.journal"


async def main(where: str, old: str, new: str, journal: str = JOURNAL) -> int:
    def retagged(case: Case) -> Change | None:
        """Decide by the case as it is right before its change."""
        if old not in case.tags:
            return None
        return SetTags(list(dict.fromkeys(new if tag == old else tag for tag in case.tags)))

    async with PersonaClient() as persona:
        try:
            report = await persona.cases.change_many(parse(where), retagged, journal=journal)
        except PersonaError as error:
            print(f"stopped: {error}", file=sys.stderr)
            return 1
    print(f"{report.changed} retagged, {report.skipped} without the tag, {report.failed} failed")
    return 1 if report.failed or report.indeterminate else 0


if __name__ == "__main__":
    sys.exit(asyncio.run(main(*sys.argv[1:4])))
