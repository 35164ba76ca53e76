"""The work of `sync`: bring a mirror up to date, once or again and again."""

from __future__ import annotations

import asyncio
import json
import sys
import time
from typing import Any

import typer

from persona_cases.cli.connect import connected
from persona_cases.cli.exits import ExitCode
from persona_cases.cli.options.field_input import span_seconds
from persona_cases.cli.options.option_groups import Connection, Selection, Syncing
from persona_cases.cli.options.selection import predicate
from persona_cases.cli.screen.error_lines import one_line
from persona_cases.client import PersonaClient
from persona_cases.errors import (
    ClientStateError,
    DecodeError,
    InvalidArgumentError,
    PersonaError,
    RateLimitError,
    ServerError,
    TransportError,
)
from persona_cases.export.wording import plural
from persona_cases.mirror.sync_report import SyncReport
from persona_cases.query import Predicate
from persona_cases.resources.syncing.sync_request import Reconcile

__all__ = ["sync_cases"]


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
            report = await _sync(there.persona, where, path, syncing)
            _print(report.to_dict())
            return _completeness(report)
        synced = False
        while True:
            began = time.monotonic()
            try:
                _print((await _sync(there.persona, where, path, syncing)).to_dict())
                synced = True
            except (PersonaError, OSError) as error:
                if not _may_pass(error, synced=synced):
                    raise
                _print({"error": one_line(error)})
            await asyncio.sleep(max(0.0, began + every - time.monotonic()))


def _may_pass(error: PersonaError | OSError, *, synced: bool) -> bool:
    """Return whether the next run may fare better.

    Args:
        error: what ended a run.
        synced: whether an earlier run succeeded.
    """
    match error:
        case DecodeError():
            # No response of the API, but of something on the way. A case that cannot be decoded stays as it is.
            return error.case_id is None
        case ClientStateError():
            # Somebody reads the database, or another sync has it, which was not so before.
            return synced
        case _:
            return isinstance(error, (TransportError, RateLimitError, ServerError, OSError))


async def _sync(persona: PersonaClient, where: Predicate | None, path: str, syncing: Syncing) -> SyncReport:
    return await persona.cases.sync(
        where,
        to=path,
        overlap=span_seconds(syncing.overlap, "--overlap"),
        reconcile=_reconcile(syncing),
        dirty=syncing.dirty or (),
        history=syncing.history,
        undecodable=syncing.undecodable,
    )


def _completeness(report: SyncReport) -> ExitCode:
    if not report.rejected:
        return ExitCode.OK
    typer.echo(f"error: {plural(report.rejected, 'case')} could not be decoded: see the table rejected", err=True)
    return ExitCode.ANSWER


def _reconcile(syncing: Syncing) -> Reconcile:
    return "full" if syncing.reconcile_full else syncing.reconcile


def _print(line: dict[str, Any]) -> None:
    sys.stdout.write(json.dumps(line) + "\n")
    sys.stdout.flush()
