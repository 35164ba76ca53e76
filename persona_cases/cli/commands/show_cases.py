"""The work of `search`, `list` and `get`: print cases."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Awaitable, Callable, Sequence
from functools import partial
from typing import Any

import typer

from persona_cases.cli.connect import connected, unconnected
from persona_cases.cli.exits import ExitCode
from persona_cases.cli.options.combinations import check_included, check_paging
from persona_cases.cli.options.option_groups import Connection, Format, Paging, Shape
from persona_cases.cli.options.selection import attributes, relationships
from persona_cases.cli.running import report
from persona_cases.cli.screen.advice import Advise, resuming
from persona_cases.cli.screen.output import Writer, bare, case_writer, form_of, with_included
from persona_cases.cli.screen.terminal import is_terminal
from persona_cases.client import PersonaClient
from persona_cases.errors import NotFoundError
from persona_cases.export.wording import plural
from persona_cases.models import Case, Fieldset
from persona_cases.paging import Pager

__all__ = ["MakePager", "get_cases", "resuming_from", "show_pages"]

_AT_ONCE = 8

MakePager = Callable[[PersonaClient, list[str] | None], Pager[Case]]
"""Makes a pager from the client and the names of the attributes to load."""


async def show_pages(make: MakePager, paging: Paging, shape: Shape, connection: Connection) -> ExitCode:
    """Print all cases of a search or a list, or explain it."""
    check_paging(paging, shape)
    only = attributes(shape.only)
    if paging.explain:
        typer.echo(make(unconnected(connection), only).explain())
        return ExitCode.OK
    printed = 0
    async with connected(connection) as there:
        pager = make(there.persona, only)
        writer = _writer(shape, only, Format.TABLE)
        async for page in pager.pages():
            writer.write(page.items)
            printed += len(page.items)
        writer.finish()
    if is_terminal(sys.stdout):
        typer.echo(plural(printed, "case"), err=True)
    return ExitCode.OK


async def get_cases(ids: Sequence[str], include: str | None, shape: Shape, connection: Connection) -> ExitCode:
    """Print cases in the order of their ids, and an error for each id that does not exist."""
    check_included(include, shape)
    only, included = attributes(shape.only), relationships(include)
    code, gate = ExitCode.OK, asyncio.Semaphore(_AT_ONCE)
    async with connected(connection) as there:
        get = partial(there.persona.cases.get, include=included, only=only)
        writer = _writer(shape, only, Format.PRETTY, included=included is not None)
        tasks = [asyncio.ensure_future(_found(gate, partial(get, case_id))) for case_id in ids]
        try:
            for case_id, task in zip(ids, tasks, strict=True):
                found = await task
                if isinstance(found, Case):
                    writer.write([found])
                else:
                    code = report(found, subject=case_id, verbose=connection.verbose)
        finally:
            await _end(tasks)
        writer.finish()
    return code


def resuming_from(paging: Paging) -> Advise:
    """Return hints that say how to resume a search or a list."""
    return resuming("resume with the same options and", "--after" if paging.before is None else "--before")


def _writer(shape: Shape, only: list[str] | None, on_terminal: Format, *, included: bool = False) -> Writer[Case]:
    columns = None if only is None else Fieldset.of(only).names
    text = with_included if included else bare
    return case_writer(form_of(shape.output, on_terminal), text=text, columns=columns)


async def _found(gate: asyncio.Semaphore, get: Callable[[], Awaitable[Case]]) -> Case | NotFoundError:
    async with gate:
        try:
            return await get()
        except NotFoundError as error:
            return error


async def _end(tasks: Sequence[asyncio.Task[Any]]) -> None:
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
