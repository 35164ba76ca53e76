"""The work of `purge`: erase redacted cases from files of earlier exports."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from typing import Any

from persona_cases.cli.connect import connected
from persona_cases.cli.exits import ExitCode
from persona_cases.cli.options.option_groups import Connection
from persona_cases.client import PersonaClient
from persona_cases.export.threads import off_loop
from persona_cases.mirror.purging.purged_files import PurgedFile, purged_files

__all__ = ["purge_exports"]


async def purge_exports(paths: Sequence[str], attachments: str | None, connection: Connection) -> ExitCode:
    """Erase redacted cases from files, and print a line of JSON per file.

    Args:
        paths: files, and directories of such.
        attachments: a directory of attached files.
        connection: how to reach the API.
    """
    files = purged_files(paths, attachments)
    async with connected(connection) as there:
        listed = there.persona.cases.list(only=["redacted_at"])
        redacted = {case.id async for case in listed if case.redacted_at is not None}
        for file in files:
            _print(await _purge(there.persona, file, redacted))
    return ExitCode.OK


async def _purge(persona: PersonaClient, file: PurgedFile, redacted: set[str]) -> dict[str, Any]:
    found = await off_loop(file.find, redacted)
    cases = await persona.cases.get_many(sorted(found))
    for error in cases.failed.values():
        raise error
    lines = {case.id: case.raw_line for case in cases if case.redacted_at is not None}
    changed = await off_loop(file.replace, lines) if lines else 0
    return {"path": str(file.path), "redacted": len(found), "erased": changed}


def _print(line: dict[str, Any]) -> None:
    sys.stdout.write(json.dumps(line) + "\n")
    sys.stdout.flush()
