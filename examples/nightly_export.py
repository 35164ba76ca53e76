"""Export all cases to a Parquet file each night, summarize it, and plot how many cases were created per week.

    pip install 'persona-cases[parquet]' duckdb matplotlib && python nightly_export.py /var/exports

Run it by cron or a systemd timer. The next run of the same day resumes an interrupted one. Set PERSONA_API_KEY. To try
it without an account, run `persona-cases simulator` and set the variables that it prints.
"""

# matplotlib leaves some of its types open.
# pyright: reportUnknownMemberType=false

import asyncio
import sys
from datetime import UTC, datetime
from pathlib import Path

import duckdb
from matplotlib.figure import Figure

from persona_cases import PersonaClient, PersonaError

COLUMNS = ["status", "created_at", "resolved_at", "assignee_id", "tags", "fields"]


async def export(directory: Path, day: datetime) -> Path:
    path = directory / f"cases-{day:%Y-%m-%d}.parquet"
    async with PersonaClient() as persona:
        await persona.cases.export(to=path, only=COLUMNS)
    return path


def summarize(path: Path) -> None:
    with duckdb.connect() as database:
        cases = database.read_parquet(str(path))
        by_status = database.execute("SELECT status, count(*) FROM cases GROUP BY status ORDER BY status")
        for status, count in by_status.fetchall():
            print(f"{status}: {count}")
        waiting = database.execute("SELECT count(*), min(created_at)::DATE FROM cases WHERE resolved_at IS NULL")
        for count, oldest in waiting.fetchall():
            print(f"{count} of {len(cases)} are not resolved; the oldest was created on {oldest}")


def draw(path: Path) -> Path:
    counted = "SELECT date_trunc('week', created_at)::DATE, count(*) FROM read_parquet(?) GROUP BY 1"
    with duckdb.connect() as database:
        weeks = database.execute(counted, [str(path)]).fetchall()
    figure = Figure(figsize=(8, 3), layout="constrained")
    axes = figure.subplots()
    axes.bar([week for week, _ in weeks], [count for _, count in weeks], width=6)
    axes.set(title="Cases created per week", ylabel="cases")
    figure.savefig(picture := path.with_suffix(".png"))
    return picture


async def main(directory: str) -> int:
    try:
        path = await export(Path(directory), datetime.now(UTC))
    except PersonaError as error:
        print(f"export failed: {error}", file=sys.stderr)
        return 1
    summarize(path)
    print(f"cases per week: {draw(path)}")
    return 0


if __name__ == "__main__":
    sys.exit(asyncio.run(main(sys.argv[1])))
