"""The work of `purge`: erase redacted cases from files of earlier exports."""

from __future__ import annotations

import json
import sys
from collections.abc import AsyncIterator, Sequence
from typing import Any, TypeAlias

import typer

from persona_cases.cli.connect import connected
from persona_cases.cli.exits import ExitCode
from persona_cases.cli.options.option_groups import Connection
from persona_cases.cli.screen.error_lines import one_line
from persona_cases.client import PersonaClient
from persona_cases.errors import ClientStateError, InvalidArgumentError
from persona_cases.export.threads import off_loop
from persona_cases.export.wording import plural
from persona_cases.mirror.purging.purged_files import PurgedFile, purged_files

__all__ = ["purge_exports"]

_Line: TypeAlias = dict[str, Any]


async def purge_exports(paths: Sequence[str], attachments: str | None, connection: Connection) -> ExitCode:
    """Erase redacted cases from files, and print a line of JSON per file, and per leftover that has to stay.

    Args:
        paths: files, and directories of such.
        attachments: a directory of attached files.
        connection: how to reach the API.
    """
    files = purged_files(paths, attachments)
    failed = 0
    async with connected(connection) as there:
        listed = there.persona.cases.list(only=["redacted_at"])
        redacted = {case.id async for case in listed if case.redacted_at is not None}
        for file in files:
            async for line in _purge(there.persona, file, redacted):
                failed += "error" in line
                _print(line)
    if not failed:
        return ExitCode.OK
    typer.echo(f"error: {plural(failed, 'file')} may still hold redacted values: see the lines with an error", err=True)
    return ExitCode.FAILURE


async def _purge(persona: PersonaClient, file: PurgedFile, redacted: set[str]) -> AsyncIterator[_Line]:
    try:
        left = await off_loop(file.settle)
        found = await off_loop(file.find, redacted)
        cases = await persona.cases.get_many(sorted(found.ids))
        for error in cases.failed.values():
            raise error
        lines = {case.id: case.raw_line for case in cases if case.redacted_at is not None}
        changed = await off_loop(file.replace, lines) if lines else 0
    except (ClientStateError, InvalidArgumentError, OSError) as error:
        # The other files are purged all the same.
        yield {"path": str(file.path), "error": one_line(error)}
        return
    if file.is_there:
        told: _Line = {"path": str(file.path), "redacted": len(found.ids), "erased": changed}
        if found.unreadable:
            told["error"] = f"{plural(found.unreadable, 'line')} without an id that can be read: look into the file"
        yield told
    for path, why in left.items():
        yield {"path": str(path), "error": why}


def _print(line: _Line) -> None:
    sys.stdout.write(json.dumps(line) + "\n")
    sys.stdout.flush()
