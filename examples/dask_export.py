"""Export the cases of one template into one Parquet dataset, by the workers of a Dask cluster inside one rate limit.

    python dask_export.py tcp://10.0.0.1:8786 ctmpl_7Yx... /mnt/shared/cases

Needs PERSONA_API_KEY and REDIS_URL in the environment, here and of every worker, and a directory that all of them see.
To go on with what was interrupted, run it again.
"""
# Dask and pyarrow do not say what they return.
# pyright: basic
# mypy: disable-error-code="import-untyped, no-untyped-call"

import argparse
import asyncio
import json
import os
from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

import attrs
from distributed import Client
from pyarrow.dataset import dataset

from persona_cases import PersonaClient, Q
from persona_cases.export import Column, TimeRange, columns_from
from persona_cases.limits import RedisLimiter


@attrs.frozen
class Job:
    """What all parts have in common. No key and no password: the scheduler keeps arguments, and shows them."""

    template: str
    directory: str
    base_url: str | None
    limit: int
    period: float


@asynccontextmanager
async def connected(job: Job) -> AsyncGenerator[PersonaClient]:
    # The name stands for the vendor's environment: all processes that give it share one budget.
    limiter = RedisLimiter(os.environ["REDIS_URL"], environment="env_main", limit=job.limit, period=job.period)
    async with limiter, PersonaClient(base_url=job.base_url, limiter=limiter) as persona:
        yield persona


async def columns_of(job: Job) -> Sequence[Column]:
    async with connected(job) as persona:
        return columns_from(await persona.case_templates.get(job.template), settled=True)


async def ranges_of(job: Job, parts: int) -> list[TimeRange]:
    async with connected(job) as persona:
        return await persona.cases.ranges(Q.case_template_id.eq(job.template), count=parts)


def kept_ranges(job: Job, parts: int) -> list[TimeRange]:
    """Cut the work into ranges once: another run has to go on with the same ones."""
    file = Path(job.directory, "_ranges.json")
    if not file.exists():
        ranges = asyncio.run(ranges_of(job, parts))
        file.write_text(json.dumps([part.to_dict() for part in ranges]), encoding="utf-8")
    return [TimeRange.from_dict(part) for part in json.loads(file.read_text(encoding="utf-8"))]


def export_part(number: int, part: TimeRange, job: Job, columns: Sequence[Column]) -> None:
    """What a worker does. Dask may do it again: a part goes on where it was, and a finished one is left as it is."""
    path = Path(job.directory, f"part-{number:04}.parquet")
    if not path.exists():
        asyncio.run(export_to(path, part, job, columns))


async def export_to(path: Path, part: TimeRange, job: Job, columns: Sequence[Column]) -> None:
    where = part.narrow(Q.case_template_id.eq(job.template))
    only = ["status", "created_at", "tags", *(column.name for column in columns)]
    async with connected(job) as persona:
        await persona.cases.export(where, to=path, only=only, columns=columns)


def main() -> None:
    arguments = argparse.ArgumentParser()
    for name in ("scheduler", "template", "directory"):
        arguments.add_argument(name)
    arguments.add_argument("--base-url", help="where the API is, if not where the vendor has it")
    arguments.add_argument("--parts", type=int, default=16, help="several for each worker")
    arguments.add_argument("--limit", type=int, default=300, help="requests in a window of the rate limit")
    arguments.add_argument("--period", type=float, default=60.0, help="seconds of such a window")
    given = vars(arguments.parse_args())
    scheduler, parts, job = given.pop("scheduler"), given.pop("parts"), Job(**given)
    Path(job.directory).mkdir(parents=True, exist_ok=True)
    columns, ranges = asyncio.run(columns_of(job)), kept_ranges(job, parts)
    with Client(scheduler) as cluster:
        tasks = cluster.map(export_part, range(len(ranges)), ranges, job=job, columns=columns, retries=3, pure=False)
        cluster.gather(tasks)
    print(f"{dataset(job.directory).count_rows() if ranges else 0} cases in {len(ranges)} parts")


if __name__ == "__main__":
    main()
