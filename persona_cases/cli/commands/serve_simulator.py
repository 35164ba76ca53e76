"""The work of `simulator`: stand in for the API until told to stop."""

from __future__ import annotations

import asyncio
import signal

import attrs
import typer

from persona_cases import testing
from persona_cases.cli.exits import ExitCode
from persona_cases.cli.options.server_options import Server
from persona_cases.cli.running import on_signals

__all__ = ["serve"]


async def serve(server: Server) -> ExitCode:
    """Run a simulator until SIGINT or SIGTERM."""
    stopped = asyncio.Event()
    on_signals(stopped.set, signal.SIGINT, signal.SIGTERM)
    # Imported on first use, with the web server in it.
    async with testing.Simulator(**attrs.asdict(server)) as simulator:
        typer.echo(f"simulator ready: PERSONA_BASE_URL={simulator.base_url} PERSONA_API_KEY={simulator.api_key}")
        await stopped.wait()
    return ExitCode.OK
