"""Export the cases of one template to a Parquet dataset, with the workers of a Dask cluster and one rate limit.

    python dask_export.py tcp://10.0.0.1:8786 ctmpl_7Yx... /mnt/shared/cases

Set PERSONA_API_KEY and REDIS_URL here and for every worker, and use a directory that all of them see. Run the program
again to resume.
"""
# Dask and pyarrow have no return types.
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
    """Settings of all shards. No key or password, because the scheduler stores and shows arguments."""

    template: str
    directory: str
    base_url: str | None
    limit: int
    period: float


@asynccontextmanager
async def connected(job: Job) -> AsyncGenerator[PersonaClient]:
    # All processes that pass this name share one budget.
    limiter = RedisLimiter(os.environ["REDIS_URL"], environment="env_main", limit=job.limit, period=job.period)
    async with limiter, PersonaClient(base_url=job.base_url, limiter=limiter) as persona:
        yield persona


async def columns_of(job: Job) -> Sequence[Column]:
    async with connected(job) as persona:
        return columns_from(await persona.case_templates.get(job.template), settled=True)


async def ranges_of(job: Job, shards: int) -> list[TimeRange]:
    async with connected(job) as persona:
        return await persona.cases.ranges(Q.case_template_id.eq(job.template), count=shards)


def saved_ranges(job: Job, shards: int) -> list[TimeRange]:
    """Find the ranges once, and save them: a run that resumes needs the same ones."""
    file = Path(job.directory, "_ranges.json")
    if not file.exists():
        ranges = asyncio.run(ranges_of(job, shards))
        file.write_text(json.dumps([each.to_dict() for each in ranges]), encoding="utf-8")
    return [TimeRange.from_dict(each) for each in json.loads(file.read_text(encoding="utf-8"))]


def export_shard(number: int, time_range: TimeRange, job: Job, columns: Sequence[Column]) -> None:
    """Export one shard on a worker. Dask may run it again: it resumes, and leaves a finished shard alone."""
    path = Path(job.directory, f"shard-{number:04}.parquet")
    if not path.exists():
        asyncio.run(export_to(path, time_range, job, columns))


async def export_to(path: Path, time_range: TimeRange, job: Job, columns: Sequence[Column]) -> None:
    where = time_range.narrow(Q.case_template_id.eq(job.template))
    only = ["status", "created_at", "tags", *(column.name for column in columns)]
    async with connected(job) as persona:
        await persona.cases.export(where, to=path, only=only, columns=columns)


def main() -> None:
    arguments = argparse.ArgumentParser()
    for name in ("scheduler", "template", "directory"):
        arguments.add_argument(name)
    arguments.add_argument("--base-url", help="URL of the API. Default: the vendor's")
    arguments.add_argument("--shards", type=int, default=16, help="number of shards; take several per worker")
    arguments.add_argument("--limit", type=int, default=300, help="requests per window of the rate limit")
    arguments.add_argument("--period", type=float, default=60.0, help="length of a window in seconds")
    given = vars(arguments.parse_args())
    scheduler, shards, job = given.pop("scheduler"), given.pop("shards"), Job(**given)
    Path(job.directory).mkdir(parents=True, exist_ok=True)
    columns, ranges = asyncio.run(columns_of(job)), saved_ranges(job, shards)
    with Client(scheduler) as cluster:
        tasks = cluster.map(export_shard, range(len(ranges)), ranges, job=job, columns=columns, retries=3, pure=False)
        cluster.gather(tasks)
    print(f"{dataset(job.directory).count_rows() if ranges else 0} cases in {len(ranges)} shards")


if __name__ == "__main__":
    main()
