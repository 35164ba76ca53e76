"""Export every case that was created in the last 30 days, and print the progress. Run it again to resume.

    python export.py recent.jsonl

Set PERSONA_API_KEY. To try it without an account, run `persona-cases simulator` and set the variables that it prints.
"""

import asyncio
import sys

from persona_cases import ExportProgress, PersonaClient, PersonaError, Q


def report(progress: ExportProgress) -> None:
    print(f"{progress.cases} cases, {progress.size / 1e6:.1f} MB", file=sys.stderr)


async def main(path: str) -> int:
    recent = Q.created_at.in_last(days=30)
    async with PersonaClient() as persona:
        try:
            result = await persona.cases.export(recent, to=path, on_progress=report)
        except PersonaError as error:
            print(f"export failed: {error}", file=sys.stderr)
            return 1
    print(f"{result.cases} cases in {path}")
    return 0


if __name__ == "__main__":
    sys.exit(asyncio.run(main(sys.argv[1])))
