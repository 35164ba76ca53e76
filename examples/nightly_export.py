"""Export all cases to a Parquet file of the day, and look at it: how many cases, and how old the open ones are.

    pip install 'persona-cases[parquet]' duckdb && python nightly_export.py /var/exports

Run it by cron or a systemd timer. A run that was interrupted is resumed by the next one of the same day. Needs
PERSONA_API_KEY; to try it without an account, start `persona-cases simulator` and export what it prints.
"""

import asyncio
import sys
from datetime import UTC, datetime
from pathlib import Path

import duckdb

from persona_cases import PersonaClient, PersonaError

COLUMNS = ["status", "created_at", "resolved_at", "assignee_id", "tags", "fields"]


async def export(directory: Path, day: datetime) -> Path:
    path = directory / f"cases-{day:%Y-%m-%d}.parquet"
    async with PersonaClient() as persona:
        await persona.cases.export(to=path, only=COLUMNS)
    return path


def look(path: Path) -> None:
    with duckdb.connect() as database:
        cases = database.read_parquet(str(path))
        by_status = database.execute("SELECT status, count(*) FROM cases GROUP BY status ORDER BY status")
        for status, count in by_status.fetchall():
            print(f"{status}: {count}")
        waiting = database.execute("SELECT count(*), min(created_at)::DATE FROM cases WHERE resolved_at IS NULL")
        for count, oldest in waiting.fetchall():
            print(f"{count} of {len(cases)} are not resolved; the oldest was created on {oldest}")


async def main(directory: str) -> int:
    try:
        path = await export(Path(directory), datetime.now(UTC))
    except PersonaError as error:
        print(f"export failed: {error}", file=sys.stderr)
        return 1
    look(path)
    return 0


if __name__ == "__main__":
    sys.exit(asyncio.run(main(sys.argv[1])))
