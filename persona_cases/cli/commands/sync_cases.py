"""The work of `sync`: bring a mirror up to date, once or again and again."""

from __future__ import annotations

import asyncio
import json
import sys
import time
from datetime import timedelta
from typing import Any, Final

from persona_cases.cli.connect import connected
from persona_cases.cli.exits import ExitCode
from persona_cases.cli.options.field_input import span_seconds
from persona_cases.cli.options.option_groups import Connection, Selection, Syncing
from persona_cases.cli.options.selection import predicate
from persona_cases.client import PersonaClient
from persona_cases.errors import (
    InvalidArgumentError,
    RateLimitError,
    ServerError,
    TransportError,
)
from persona_cases.query import Predicate
from persona_cases.resources.syncing.sync_request import Reconcile

__all__ = ["sync_cases"]

# The next run may fare better.
_PASSING: Final = (TransportError, RateLimitError, ServerError)


async def sync_cases(path: str, syncing: Syncing, connection: Connection) -> ExitCode:
    """Sync a mirror, and print a line of JSON per run.

    Args:
        path: the database.
        syncing: what to sync, and how.
        connection: how to reach the API.
    """
    where = predicate(Selection(where=syncing.where, query_json=syncing.query_json))
    every = None if syncing.every is None else span_seconds(syncing.every, "--every")
    if every == 0:
        raise InvalidArgumentError("--every must be more than zero: give a time such as 5m")
    async with connected(connection) as there:
        if every is None:
            _print(await _sync(there.persona, where, path, syncing))
            return ExitCode.OK
        while True:
            began = time.monotonic()
            _print(await _try(there.persona, where, path, syncing))
            await asyncio.sleep(max(0.0, began + every - time.monotonic()))


async def _try(persona: PersonaClient, where: Predicate | None, path: str, syncing: Syncing) -> dict[str, Any]:
    """Sync once, and tell of an outage instead of ending with it."""
    try:
        return await _sync(persona, where, path, syncing)
    except _PASSING as error:
        return {"error": str(error)}
    except OSError as error:
        return {"error": f"cannot read or write: {error.strerror or type(error).__name__}"}


async def _sync(persona: PersonaClient, where: Predicate | None, path: str, syncing: Syncing) -> dict[str, Any]:
    report = await persona.cases.sync(
        where,
        to=path,
        overlap=timedelta(seconds=span_seconds(syncing.overlap, "--overlap")),
        reconcile=_reconcile(syncing),
        dirty=syncing.dirty or (),
        history=syncing.history,
    )
    return report.to_dict()


def _reconcile(syncing: Syncing) -> Reconcile:
    return "full" if syncing.reconcile_full else syncing.reconcile


def _print(line: dict[str, Any]) -> None:
    sys.stdout.write(json.dumps(line) + "\n")
    sys.stdout.flush()
