"""The work of `watch`: print new cases as they appear."""

from __future__ import annotations

import asyncio
import shlex

import typer

from persona_cases.cli.connect import connected
from persona_cases.cli.exits import ExitCode
from persona_cases.cli.options.combinations import check_watching
from persona_cases.cli.options.option_groups import Connection, Watching
from persona_cases.cli.screen.advice import Advise, resuming
from persona_cases.cli.screen.output import JsonLines, bare, stdout_bytes
from persona_cases.paging import is_beginning

__all__ = ["resuming_watch", "watch_cases"]

_HOW = "resume with the same options and"
_OPTION = "--since"

resuming_watch: Advise = resuming(_HOW, _OPTION)
"""Returns a hint that says how to resume after an error."""


async def watch_cases(watching: Watching, connection: Connection) -> ExitCode:
    """Print new cases, one per line, until the limit or a signal."""
    check_watching(watching)
    writer = JsonLines(stdout_bytes(), bare)
    async with connected(connection) as there:
        watch = there.persona.cases.watch(
            since=watching.since,
            interval=watching.interval,
            max_interval=watching.max_interval,
            status=watching.status,
            case_template_id=watching.template,
        )
        printed = 0
        try:
            async for case in watch:
                writer.write([case])
                printed += 1
                if printed == watching.limit:
                    break
        except asyncio.CancelledError:
            if watch.cursor is not None and not is_beginning(watch.cursor):
                typer.echo(f"hint: {_HOW} {_OPTION} {shlex.quote(watch.cursor)}", err=True)
            raise
    return ExitCode.OK
