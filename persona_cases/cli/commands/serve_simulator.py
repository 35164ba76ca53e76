"""The command `simulator`: stand in for the API until told to stop."""

from __future__ import annotations

import asyncio
import signal
from functools import partial

import attrs
import typer

from persona_cases import testing
from persona_cases.cli.exits import ExitCode
from persona_cases.cli.options.option_groups import Server
from persona_cases.cli.running import execute, on_signals

__all__ = ["serve", "simulator"]


def simulator(server: Server) -> None:
    """Stand in for the API on a local port, with made-up cases.

    When it is ready, it prints one line with the PERSONA_BASE_URL and the
    PERSONA_API_KEY to reach it. Ctrl-C or SIGTERM stops it.
    """
    execute(partial(serve, server))


async def serve(server: Server) -> ExitCode:
    """Run a simulator until SIGINT or SIGTERM."""
    stopped = asyncio.Event()
    on_signals(stopped.set, signal.SIGINT, signal.SIGTERM)
    # `testing` loads the simulator and its web server on first use.
    async with testing.Simulator(**attrs.asdict(server)) as simulator:
        typer.echo(f"simulator ready: PERSONA_BASE_URL={simulator.base_url} PERSONA_API_KEY={simulator.api_key}")
        await stopped.wait()
    return ExitCode.OK
